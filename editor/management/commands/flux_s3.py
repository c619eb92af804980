"""`manage.py flux_s3 register | show | reset`: whether the flux server writes results straight into our inbox.

No part of a key is ever printed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.timesince import timesince

from editor.flux.contract import DEPLOY_TYPE, Notice
from editor.flux.errors import FluxError, Verdict
from editor.images import inbox, inbox_rights
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.ingest import TooMany
from editor.jobs import trial, vendor
from editor.jobs.creation import NotAllowed
from editor.jobs.failures import explain
from editor.models import Attempt, FluxServer, GenerationJob, JobState, User
from editor.models.chosen import chosen

LAST = 10  # results that `show` looks back at
_GROUP = "FLUX_INBOX_BUCKET, FLUX_INBOX_PUBLIC_URL, FLUX_INBOX_ACCESS_KEY_ID and FLUX_INBOX_SECRET_ACCESS_KEY"


class Command(BaseCommand):
    help = "Have the flux server write its results straight into a bucket of ours, look whether it does, or end it."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        register = actions.add_parser("register", help="check the keys, tell the flux server, try it with one edit")
        register.add_argument("--yes", action="store_true", help="don't ask")
        register.add_argument("--no-test", action="store_true", help="make no test edit, which is a paid request")
        register.add_argument("--as", dest="email", help="whose edit the test is; the first administrator's by default")
        register.add_argument("--wait", type=float, default=180, help="seconds for the test edit")
        actions.add_parser("show", help="what is set, and where the last results came from")
        reset = actions.add_parser("reset", help="have results written into the flux server's own bucket again")
        reset.add_argument("--yes", action="store_true", help="don't ask")
        for action in (register, reset):
            action.add_argument("--deploy-type", default=DEPLOY_TYPE, help="the kind of your flux server; %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        {"register": self.register, "show": self.show, "reset": self.reset}[options["action"]](options)

    # register ------------------------------------------------------------------------------------------------------

    def register(self, options: dict[str, Any]) -> None:
        if not settings.FLUX_INBOX:
            raise CommandError(f"There is no inbox. Set {_GROUP}; docs/direct-delivery.md says how.")
        person = None if options["no_test"] else self._person(options["email"])
        self._say_what_is_set()
        self._check_keys()
        self.stdout.write(f"The flux server at {_host()} will be told to write all its results there.")
        if person:
            self.stdout.write(
                f"Then a test edit is made for {person.email}: one paid request, {_price()}. "
                "It waits for its turn like any other."
            )
        if not options["yes"] and not self._agreed():
            raise CommandError("Nothing was changed.")
        self._tell(lambda: vendor.client().update_s3(vendor.registration(options["deploy_type"])))
        self.stdout.write("Registered.")
        if person:
            self._try(person, options)
        else:
            self.stdout.write("Not tested: `manage.py flux_s3 show` says later where results came from.")

    def _check_keys(self) -> None:
        try:
            odd = inbox_rights.check()
        except inbox_rights.Unfit as error:
            raise CommandError(str(error)) from error
        except BucketUnavailable as error:
            raise CommandError(f"The store does not do what it should: {error}. Nothing was changed.") from error
        self.stdout.write("Our key can list, read, copy and delete there.")
        self.stdout.write(f"The flux server's key can write there, and neither see nor change {settings.S3_BUCKET}.")
        for sentence in odd:
            self.stdout.write(f"Note: {sentence}")

    def _try(self, person: User, options: dict[str, Any]) -> None:
        wait = options["wait"]
        try:
            job = trial.begin(person)
        except (NotAllowed, TooMany, BucketUnavailable) as error:
            raise CommandError(f"Registered, but not tested: {error}") from error
        ended = trial.follow(job, timedelta(seconds=wait))
        if not ended:
            raise CommandError(_late(job, wait))
        if job.state != JobState.SUCCEEDED:
            failure = explain(job)
            detail = f" ({_clean(job.failure_detail)})" if job.failure_detail else ""
            words = failure.sentence if failure else f"it was {job.state}."
            raise CommandError(f"Registered, but the test edit brought no picture: {words}{detail}{_HINT}")
        links = [str(link) for link in job.attempts.latest("number").outputs]
        strangers = [link for link in links if inbox.key_of(link) is None]
        if strangers:
            raise CommandError(_elsewhere(strangers[0], options["deploy_type"]))
        self.stdout.write(f"The test picture arrived in the inbox, as {links[0]}, and was copied from there.")
        self.stdout.write(f"It is in the history of {person.email}.")

    def _person(self, email: str | None) -> User:
        people = User.objects.filter(is_active=True)
        found = people.filter(email__iexact=email) if email else people.filter(is_superuser=True).order_by("pk")
        person = found.first()
        if person is None:
            who = f"Nobody here is {email}." if email else "There is no administrator whose edit the test could be."
            raise CommandError(f"{who} Name a person by --as, or leave the test out by --no-test.")
        return person

    # show and reset ------------------------------------------------------------------------------------------------

    def show(self, options: dict[str, Any]) -> None:
        if not settings.FLUX_INBOX:
            self.stdout.write("No inbox is set: results are downloaded from the flux server's own links.")
            return
        self._say_what_is_set()
        self.stdout.write(_last_results())
        try:
            found = inbox.contents()
        except (BucketUnavailable, Missing) as error:
            raise CommandError(f"What lies in the inbox can't be seen: {error}") from error
        if found.oldest is None:
            self.stdout.write("The inbox is empty.")
            return
        count = f"more than {found.count}" if found.more else str(found.count)
        kept = timesince(timezone.now() - settings.FLUX_INBOX_KEPT, depth=1)
        since = timesince(found.oldest, depth=1)
        self.stdout.write(
            f"In the inbox: {count}, the oldest for {since}. The clock deletes what is older than {kept}."
        )

    def reset(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"The flux server at {_host()} will write its results into its own bucket again.")
        if not options["yes"] and not self._agreed():
            raise CommandError("Nothing was changed.")
        self._tell(lambda: vendor.client().reset_s3(options["deploy_type"]))
        self.stdout.write("Done. What is under way may still arrive in the inbox: keep the settings for a day.")
        self.stdout.write("Then unset FLUX_INBOX_…, and delete the flux server's key at your store.")

    # What they share ------------------------------------------------------------------------------------------------

    def _say_what_is_set(self) -> None:
        self.stdout.write(f"Bucket:   {settings.FLUX_INBOX_BUCKET}, folder {inbox.folder()}")
        self.stdout.write(f"Told:     {settings.FLUX_INBOX_ENDPOINT_URL}, region {settings.S3_REGION}, and a key")
        self.stdout.write(f"Links:    {settings.FLUX_INBOX_PUBLIC_URL}/{inbox.folder()}…")

    def _agreed(self) -> bool:
        try:
            return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            raise CommandError("Nobody is there to ask. Nothing was changed; --yes goes on without.") from None

    def _tell(self, call: Callable[[], Notice]) -> None:
        try:
            notice = call()
        except FluxError as error:
            raise CommandError(f"The flux server did not do it: {_clean(error.message)} {_remedy(error)}") from error
        if notice.message:
            self.stdout.write(f"It says: {_clean(notice.message)}")


_HINT = " The registration stands; `manage.py flux_s3 reset` takes it back."


def _late(job: GenerationJob, wait: float) -> str:
    server = FluxServer.objects.current()
    if job.state == JobState.CANCELED:
        paused = f" Submission is paused: {_clean(server.pause_detail)}" if server.paused else ""
        return f"Registered, but not tested: its turn did not come in {wait:g} s, so nothing was sent.{paused}{_HINT}"
    return (
        f"Registered, but after {wait:g} s the test edit is still {job.state}. It goes on by itself if workers run; "
        "`manage.py flux_s3 show` says later where its result came from."
    )


def _elsewhere(link: str, deploy_type: str) -> str:
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(link))
    return (
        f"Registered, but the result came from {origin} instead of {settings.FLUX_INBOX_PUBLIC_URL}/{inbox.folder()}, "
        "so the flux server does not write into the inbox. It may take minutes to begin; `manage.py flux_s3 register` "
        f"tries again. If it goes on like this, ask its makers whether your server's deploy_type is {deploy_type}, and "
        f"give another one by --deploy-type.{_HINT}"
    )


def _last_results() -> str:
    attempts = Attempt.objects.filter(vendor_status="success").order_by("-created_at")[:LAST]
    links = [str(link) for outputs in attempts.values_list("outputs", flat=True) for link in outputs]
    if not links:
        return "Last results: none yet."
    through = sum(inbox.key_of(link) is not None for link in links)
    return f"Last results: {through} of {len(links)} came through the inbox."


def _remedy(error: FluxError) -> str:
    if error.verdict == Verdict.ACCOUNT:
        return "Check FLUX_API_KEY and what your plan includes."
    if error.verdict == Verdict.JOB:
        return "Check the FLUX_INBOX_… settings."
    return "Try again later."


def _price() -> str:
    return f"which costs {chosen.FLUX_PRICE:g}" if chosen.FLUX_PRICE else "at a price that FLUX_PRICE does not say"


def _host() -> str:
    return urlsplit(settings.FLUX_BASE_URL).netloc


def _clean(words: str) -> str:
    """The flux server's words, should it repeat what it was told."""
    for name in ("FLUX_INBOX_SECRET_ACCESS_KEY", "FLUX_INBOX_ACCESS_KEY_ID", "FLUX_API_KEY"):
        if secret := getattr(settings, name):
            words = words.replace(secret, f"[{name}]")
    return words
