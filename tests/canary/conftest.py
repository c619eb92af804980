"""One portal whose key is a canary, while everything fails once; and all that it left behind."""

import json
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.core.management import call_command
from django.db import connections
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from editor import rings
from editor.jobs import control
from editor.jobs.creation import EditSpec, create_job
from editor.models import Attempt, FluxServer, GenerationJob, Image
from project.embedded import programs
from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Child, Keeper
from project.embedded.s3 import make_client
from tests.canary.crawling import Walk
from tests.canary.gossip import Gossip
from tests.canary.searching import Thing, in_bucket, in_database, in_files, in_lines, in_redis
from tests.flux.conftest import Recorder
from tests.makers import make_image
from tests.people import make_person
from tests.portal import Portal, SandboxOptions, wait_until

TIME_SCALE = "0.0334"
MOST = 30  # rows of a kind whose pages are looked at
PATIENCE = 120.0  # seconds: one failure here would be told of a hundred tests
AGAIN = 3.0  # seconds until a ring that nobody answered is sent once more
MAIL_PASSWORD, REDIS_PASSWORD = "mail-password-3f9c", "redis-password-3f9c"
METRICS_TOKEN = "metrics-token-3f9c"
FAULTS = [
    *("bad-key", "no-credit", "plan", "bad-image", "queue-full", "http-500", "html-200", "reset", "hang", "redirect"),
    *("deep-json", "accept-then-reset", "accept-then-html", "cut-json", "processing-without-id", "gzip-bomb"),
    *("failed-at-once", "failed-later", "forgotten", "link-html", "link-svg", "link-empty", "not-a-picture"),
    *("output-null", "webhook-lost"),
]


@dataclass
class Aftermath:
    """What is left of the portal, by place, and the secrets that it knew, by name."""

    key: str
    places: dict[str, list[Thing]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    webhook_secrets: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    elsewhere: list[tuple[str, str, bytes]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def add(self, place: str, things: list[Thing]) -> None:
        self.places.setdefault(place, []).extend(things)


@pytest.fixture(scope="package")
def key() -> str:
    return f"canary+key/{secrets.token_hex(6)}=7d"


@pytest.fixture(scope="package")
def aftermath(
    key: str, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    with django_db_blocker.unblock():
        keeper = Keeper()
        try:
            yield Story(key, keeper, tmp_path_factory).told()
        finally:
            keeper.close()
            call_command("flush", interactive=False, verbosity=0)  # which makes roles and rights anew
            connections.close_all()


class Story:
    """Two portals, one after the other, on the same database and bucket: one at the sandbox, one at a gossip."""

    def __init__(self, key: str, keeper: Keeper, scratch: pytest.TempPathFactory) -> None:
        self.keeper, self.scratch = keeper, scratch
        self.left = Aftermath(key)
        self.owner = make_person("canary-owner")
        self.admin = make_person("canary-admin", superuser=True)
        self.picture = make_image(self.owner, stored=True)
        self.environ = {
            "FLUX_API_KEY": key,
            "TIME_SCALE": TIME_SCALE,
            "LOG_LEVEL": "DEBUG",
            "FLUX_READ_TIMEOUT": "1",
            "FLUX_QUEUE_LIMIT": "500",
            "FLUX_OUTSTANDING": "500",
            "METRICS_TOKEN": METRICS_TOKEN,
            "EMAIL_URL": f"submission://mailer:{MAIL_PASSWORD}@{HOST}:1",
        }

    def told(self) -> Aftermath:
        elsewhere = Recorder()
        gossip = Gossip(self.left.key, elsewhere.origin)
        try:
            with self.portal("sandbox", {}) as portal:
                self.everything_fails_once(portal)
                self.look_around(portal, most=60)
            extra = {"DEBUG": "1", "FLUX_BASE_URL": gossip.base_url}
            with self.portal("gossip", extra, "redis", "web", "edits", "pictures", "clock") as portal:
                self.gossip_says_all(portal, gossip)
                self.bucket_is_away(portal)
                self.look_around(portal, most=40)
                self.nothing_works(portal)
        finally:
            gossip.close()
            elsewhere.close()
        self.left.elsewhere, self.left.said = elsewhere.requests, gossip.came
        self.left.add("database", in_database())
        endpoint = os.environ["S3_ENDPOINT_URL"], os.environ["S3_REGION"]
        client = make_client(*endpoint, os.environ["S3_ACCESS_KEY_ID"], os.environ["S3_SECRET_ACCESS_KEY"])
        self.left.add("bucket", in_bucket(client, os.environ["S3_BUCKET"]))
        self.left.secrets = {
            "key": self.left.key,
            "S3 secret": os.environ["S3_SECRET_ACCESS_KEY"],
            "SECRET_KEY": os.environ["SECRET_KEY"],
            "mail password": MAIL_PASSWORD,
            "Redis password": REDIS_PASSWORD,
            "metrics token": METRICS_TOKEN,
        }
        known = Attempt.objects.values_list("pk", "secret")
        self.left.webhook_secrets = {f"secret of {pk}": secret for pk, secret in known}
        return self.left

    @contextmanager
    def portal(self, name: str, extra: dict[str, str], *parts: str) -> Iterator[Portal]:
        directory = self.scratch.mktemp(name)
        how = SandboxOptions(seconds=0.05, slots=4, queue_limit=500)
        portal = Portal(self.keeper, directory, sandbox=how, extra=self.environ | extra)
        portal.lines = deque()
        try:
            if "DEBUG" not in extra:
                portal.run("collectstatic", "--noinput", "--verbosity=0")
            portal.start(*parts)
            with portal.adopted():
                yield portal
                self.left.add("Redis", in_redis(portal.redis_url))
        finally:
            portal.stop()
        self.left.add("logs", in_lines(portal.lines))
        self.left.add("files", [thing for thing in in_files(directory) if "/staticfiles/" not in thing.where])

    # What goes wrong -------------------------------------------------------------------------------------------------

    def ask(self, prompt: str, picture: Image | None = None) -> GenerationJob:
        return create_job(self.owner, [picture or self.picture], EditSpec(prompt), uuid4().hex)

    def everything_fails_once(self, portal: Portal) -> None:
        jobs = [self.ask(f"a mosaic #fault:{name}") for name in FAULTS]
        jobs.append(self.ask("a mosaic", make_image(self.owner)))  # its source is in no bucket
        self.answered(jobs)
        portal.set_faults(**{"fetch:bad-key": 1, "fetch:html-200": 1, "fetch:hang": 1, "fetch:redirect": 1,
                             "details:bad-key": 1, "details:http-500": 1})  # fmt: skip
        held = self.ask("a mosaic #fault:held")
        self.driven(lambda: bool(portal.accepted_for(held)), "The request")
        portal.kill_horse("edits")
        self.tasks_fail(portal)
        self.webhooks_are_forged(portal, Attempt.objects.filter(job__in=jobs)[0])
        with portal.kept_alive():
            portal.kill("redis")
            self.ask("a mosaic")
            portal.start("redis")
            self.answered([self.ask("a mosaic")])
        portal.kill("sandbox")
        self.answered([self.ask("a mosaic")])

    def tasks_fail(self, portal: Portal) -> None:
        """Work that raises, and work that is none of ours: both stand in the log with their tracebacks."""
        told = ("badly formed hexadecimal UUID string", "NotOurTaskError")

        def both_failed() -> bool:
            lines = tuple(portal.lines)
            return all(any(words in line for line in lines) for words in told)

        with Redis.from_url(portal.redis_url) as connection:
            queue = Queue("edits", connection=connection, serializer=JSONSerializer)
            # Redis may give a ring to the horse that was just killed; the clock knows nothing of these.
            for _ in range(int(PATIENCE / AGAIN)):
                queue.enqueue(rings.LOOK_AT_JOB, args=["no-id-at-all"])
                queue.enqueue("os.getenv", args=["FLUX_API_KEY"])
                with suppress(TimeoutError):
                    wait_until(both_failed, AGAIN)
                    return
        raise TimeoutError("Two rings did not fail.")

    def webhooks_are_forged(self, portal: Portal, attempt: Attempt) -> None:
        good = f"{portal.url}/hooks/flux/{attempt.secret}/"
        track_id = str(attempt.pk)
        forged: list[Any] = [b"", b"[]", b'{"a": ' * 300, b"x" * 1_000_000, b"x" * 5_000_000, b'{"id": 1, "id": 2}']
        forged += [{"status": "failed", "id": 1, "track_id": track_id}, {"track_id": "another"}, {"id": [1]}]
        with requests.Session() as session:
            for body in forged:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                for address in (good, f"{portal.url}/hooks/flux/{'x' * 43}/"):
                    try:
                        session.post(address, raw, timeout=30)
                    except requests.ConnectionError:
                        assert len(raw) > 4_000_000  # nobody reads on
            for method in ("GET", "PUT", "OPTIONS"):
                session.request(method, good, timeout=30)
            session.get(good.rstrip("/"), timeout=30, allow_redirects=False)

    def gossip_says_all(self, portal: Portal, gossip: Gossip) -> None:
        names = [*gossip.refusals, *gossip.fetches]
        jobs = [self.ask(f"a mosaic #says:{name}") for name in names]
        self.answered(jobs)
        FluxServer.objects.current().resume()
        stored = GenerationJob.objects.filter(prompt__endswith="#says:picture", state="succeeded")
        self.driven(stored.exists, "The picture")
        checked = Attempt.objects.filter(job__in=jobs[len(gossip.refusals) :], checked_at=None)
        self.driven(lambda: not checked.exists(), "A check of all")

    def bucket_is_away(self, portal: Portal) -> None:
        portal.environ["S3_ENDPOINT_URL"] = f"http://{HOST}:1"
        portal.kill("edits")
        portal.start("edits")
        job = self.ask("a mosaic #says:picture")
        self.answered([job])
        wait_until(lambda: GenerationJob.objects.get(pk=job.pk).state == "collecting", PATIENCE, "The collecting")
        time.sleep(0.3)

    def nothing_works(self, portal: Portal) -> None:
        """A web process whose database has no tables: every page of it is an error page, with DEBUG=1."""
        port = PortBook(self.scratch.mktemp("port") / "ports.json").take("broken", scattered())
        url = f"http://{HOST}:{port}"
        broken = f"sqlite:///{self.scratch.mktemp('broken')}/empty.sqlite3"
        for debug in ("1", "0"):
            environ = portal.environ | {"DATABASE_URL": broken, "DEBUG": debug, "PUBLIC_URL": url, "BIND": url[7:]}
            environ["REDIS_URL"] = f"redis://:{REDIS_PASSWORD}@{HOST}:1/0"
            lines: list[str] = []
            child = Child(programs.web(environ, HOST, port), self.keeper, lines.append)
            child.start()
            try:
                wait_until(lambda: answers(url), PATIENCE, "An answer")
                secret = Attempt.objects.values_list("secret", flat=True)[0]
                walk = Walk(url, self.owner).through(["/", "/history/", "/admin/", f"/edits/{uuid4()}/"], 0)
                posted = requests.post(f"{url}/hooks/flux/{secret}/", json={"id": 1}, timeout=30)
                walk.statuses[posted.status_code] += 1
                self.left.add("error pages of the webhook", [Thing(f"DEBUG={debug}", posted.content)])
            finally:
                child.stop()
            self.left.add(f"error pages with DEBUG={debug}", walk.pages)
            self.left.add("logs of what is broken", in_lines(lines))
            self.left.statuses[f"error pages with DEBUG={debug}"] = dict(walk.statuses)

    def answered(self, jobs: list[GenerationJob]) -> None:
        """Wait until each of these was sent and answered, whatever pauses the server meanwhile."""
        asked = GenerationJob.objects.filter(pk__in=[job.pk for job in jobs])
        answered = asked.filter(attempts__answered_at__isnull=False)
        waiting = asked.exclude(pk__in=answered.values("pk")).exclude(state="failed")

        def all_were() -> bool:
            for job in answered.filter(state="queued"):  # it would be refused for ever
                control.cancel(job)
            return not waiting.exists()

        try:
            self.driven(all_were, "An answer to each request")
        except TimeoutError as error:
            raise TimeoutError(f"{error} {list(waiting.values_list('prompt', 'state', 'due_at'))}") from error

    def driven(self, true: Callable[[], bool], what: str) -> None:
        """Wait, and let nothing that the flux server said keep the next request from it."""

        def resumed() -> bool:
            FluxServer.objects.current().resume()
            time.sleep(0.1)
            return true()

        wait_until(resumed, PATIENCE, what)

    # Looking around --------------------------------------------------------------------------------------------------

    def look_around(self, portal: Portal, most: int) -> None:
        jobs = list(GenerationJob.objects.order_by("-created_at").values_list("pk", flat=True))
        attempts = list(Attempt.objects.order_by("-created_at").values_list("pk", flat=True))
        own = ["/", "/history/", "/trash/", *(f"/edits/{pk}/" for pk in jobs[:MOST])]
        rows = {
            "generationjob": jobs,
            "attempt": attempts,
            "fluxserver": FluxServer.objects.values_list("pk", flat=True),
        }
        change = [f"/admin/editor/{model}/{pk}/change/" for model, keys in rows.items() for pk in list(keys)[:MOST]]
        queues = ["/admin/django_rq/dashboard/", "/admin/editor/webhookevent/"]
        for who, user, starts in (
            ("owner", self.owner, own),
            ("administrator", self.admin, ["/admin/", *queues, *change]),
        ):
            walk = Walk(portal.url, user).through(starts, most)
            self.left.add(f"pages of the {who}", walk.pages)
            counted = self.left.statuses.setdefault(f"pages of the {who}", {})
            for status, number in walk.statuses.items():
                counted[status] = counted.get(status, 0) + number
            self.left.seen.setdefault(who, set()).update(walk.paths)
        for name in ("web", "edits", "pictures", "clock"):
            line = Path(f"/proc/{portal.pid(name)}/cmdline")
            if line.exists():
                self.left.add("command lines", [Thing(name, line.read_bytes())])


def answers(url: str) -> bool:
    try:
        return bool(requests.get(url, timeout=30, allow_redirects=False).status_code)
    except requests.ConnectionError:
        return False
