"""The vendor's call: a hint that needs an unguessable address, and never more than a hint.

The row *webhook* of what must bounce and what must survive, each item by its name; beside it, what else a call may be.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core import serializers
from django.db import connection
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from editor import models
from editor.models import Attempt, AttemptState, GenerationJob, JobState, User, WebhookEvent
from tests.makers import make_attempt, make_job, make_user

pytestmark = pytest.mark.django_db

INSIDE = ["http://169.254.169.254/x.png", "http://127.0.0.1:22/", "http://[::1]/x.png", "http://inside.example/x.png"]
SUCCESS = {"status": "success", "id": 17, "output": ["http://169.254.169.254/x.png"]}


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


@pytest.fixture
def attempt(alice: User) -> Attempt:
    return make_attempt(make_job(alice, state=JobState.PROCESSING, due_at=None), vendor_id="17")


@pytest.fixture
def other(alice: User) -> Attempt:
    """Another edit's, of which nothing is known yet."""
    return make_attempt(make_job(alice, state=JobState.UNCONFIRMED, due_at=None), state=AttemptState.UNKNOWN)


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Where anybody wanted to connect to, or asked for a name, but for Redis, which is rung at. Nothing leaves."""
    reached: list[Any] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or f":{address[1]}/" in settings.REDIS_URL:
            return connect(self, address)
        reached.append(address)
        raise OSError("shut")

    def asked(host: Any, *_: Any, **__: Any) -> Any:
        reached.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr(socket, "getaddrinfo", asked)
    yield reached
    assert reached == []


def call(attempt: Attempt, body: object, secret: str = "", method: str = "POST") -> int:
    """Call the webhook; whatever comes is answered within a second's work, and never with an error of ours."""
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    url = f"/hooks/flux/{secret or attempt.secret}/"
    resolve("/healthz/")  # the first one imports all pages
    began, worked = time.monotonic(), time.process_time()
    answer = Client(raise_request_exception=False).generic(method, url, data, content_type="application/json")
    assert time.process_time() - worked < 1  # of its own, however busy the machine is
    assert time.monotonic() - began < 20
    assert answer.status_code < 500
    return answer.status_code


def everything() -> str:
    """All rows, as text."""
    kinds = (Attempt, GenerationJob, models.Image, models.FluxServer, WebhookEvent)
    return "\n".join(serializers.serialize("json", kind.objects.order_by("pk")) for kind in kinds)


# What bounces --------------------------------------------------------------------------------------------------------

BODIES: dict[str, tuple[object, int]] = {
    "1 MB": ("x" * 1_000_000, 413),
    "1 MB of sound JSON": ({"status": "success", "id": 17, "message": "x" * 1_000_000}, 413),
    "one byte over 64 KB": (json.dumps(SUCCESS).ljust(64 * 1024 + 1), 413),
    "deep JSON, objects": ('{"a": ' * 200 + "1" + "}" * 200, 400),
    "deep JSON, lists": ('{"a": ' + "[" * 30_000 + "]" * 30_000 + "}", 400),
    "duplicate JSON": ('{"id": 17, "id": 18}', 400),
    "duplicate JSON, below": ('{"id": 17, "meta": {"a": 1, "a": 2}}', 400),
    "empty": ("", 400),
    "list": ("[]", 400),
    "text": ("nonsense", 400),
    "form": ("status=success&id=17", 400),
    "cut off": ('{"status": "success", "id": 1', 400),
    "no UTF-8": (b'{"status": "\xff\xfe"}', 400),
    "NaN as a whole": ("NaN", 400),
    "number of 10,000 digits": ('{"id": ' + "9" * 10_000 + "}", 400),
    "for another track_id": ({"status": "success", "id": 18, "track_id": "c0ffee"}, 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_bad_body_bounces_and_changes_nothing(attempt: Attempt, name: str) -> None:
    body, status = BODIES[name]
    before = everything()
    assert call(attempt, body) == status
    assert everything() == before


def test_it_says_in_words_what_it_does_not_take(attempt: Attempt) -> None:
    said = Client().post(f"/hooks/flux/{attempt.secret}/", "[]", content_type="application/json")
    assert said.json() == {"error": "not a JSON object"}


SECRETS: dict[str, Callable[[str], str]] = {
    "wrong": lambda secret: "x" * 43,
    "one letter less": lambda secret: secret[:-1],
    "one letter more": lambda secret: f"{secret}x",
    "other case": lambda secret: secret.swapcase(),
    "with NUL": lambda secret: quote(f"{secret}\0"),
    "with a quote": lambda secret: quote(f"{secret}' OR 1=1 --"),
    "as a pattern": lambda secret: quote("%"),
    "60 KB": lambda secret: "x" * 60_000,
    "up and down": lambda secret: f"../flux/x/{secret}/..",
    "id of the attempt": lambda secret: str(Attempt.objects.get(secret=secret).pk),
}


@pytest.mark.parametrize("name", SECRETS)
def test_wrong_secret_is_404_and_changes_nothing(attempt: Attempt, name: str) -> None:
    before = everything()
    assert call(attempt, SUCCESS, secret=SECRETS[name](attempt.secret)) == 404
    assert everything() == before


def test_another_attempts_secret_says_nothing_about_this_one(attempt: Attempt, other: Attempt) -> None:
    before = everything()
    about = {"status": "success", "id": 99, "track_id": str(attempt.pk), "output": []}
    assert call(other, about) == 400
    assert everything() == before


def test_id_of_another_attempt_is_not_believed(attempt: Attempt, other: Attempt) -> None:
    mine = serializers.serialize("json", [Attempt.objects.get(pk=attempt.pk), attempt.job])
    assert call(other, {"status": "success", "id": 17}) == 200
    other.refresh_from_db()
    assert other.vendor_id is None
    assert serializers.serialize("json", [Attempt.objects.get(pk=attempt.pk), attempt.job]) == mine


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_anything_but_post_is_refused(attempt: Attempt, method: str) -> None:
    before = everything()
    assert call(attempt, SUCCESS, method=method) == 405
    assert everything() == before


def test_deleted_job_is_404(attempt: Attempt) -> None:
    job = attempt.job
    attempt.delete()
    job.sources.all().delete()
    job.delete()
    before = everything()
    assert call(attempt, SUCCESS) == 404
    assert everything() == before


@pytest.mark.parametrize("state", [JobState.CANCELED, JobState.FAILED, JobState.SUCCEEDED, JobState.BLOCKED])
def test_job_that_is_over_stays_as_it_is(alice: User, state: JobState) -> None:
    now = timezone.now()
    allowance = "released" if state in {JobState.FAILED, JobState.BLOCKED} else "taken"
    code = "vendor" if state == JobState.FAILED else ""
    job = make_job(alice, state=state, allowance=allowance, failure_code=code, finished_at=now, due_at=None)
    models.Image.objects.filter(pk=job.source_image.pk).update(trashed_at=now, purged_at=now)
    attempt = make_attempt(job, state=AttemptState.ENDED, vendor_id="5")
    before = serializers.serialize("json", [GenerationJob.objects.get(pk=job.pk), Attempt.objects.get(pk=attempt.pk)])
    for claim in ("success", "failed", "processing"):
        assert call(attempt, {"status": claim, "id": 5, "output": INSIDE}) == 200
    after = serializers.serialize("json", [GenerationJob.objects.get(pk=job.pk), Attempt.objects.get(pk=attempt.pk)])
    assert after == before
    assert attempt.events.count() == 3


@pytest.mark.parametrize(
    "claim", ["zorg", "", None, 7, ["success"], {"a": 1}, "x" * 5_000, "SUCCESS", "\u202esuccess\0"]
)
def test_unknown_status_is_just_noted(attempt: Attempt, claim: object) -> None:
    assert call(attempt, {"status": claim, "id": 17}) == 200
    assert GenerationJob.objects.get().state == JobState.PROCESSING
    assert attempt.events.get().status in {"processing", "success"}


@pytest.mark.parametrize("name", ["output", "proxy_links", "future_links", "fetch_result", "webhook", "init_image"])
def test_results_at_internal_addresses_are_not_even_remembered(attempt: Attempt, name: str) -> None:
    assert call(attempt, {"status": "success", "id": 17, name: INSIDE}) == 200
    attempt.refresh_from_db()
    assert (attempt.outputs, attempt.last_answer, GenerationJob.objects.get().state) == ([], None, "processing")


@pytest.mark.parametrize("number", [0, -1, 1.5, 2**64, True, [], {}, "", "..", "a/b", "x" * 129, "1 2", None])
def test_id_that_can_not_be_asked_for_is_not_learned(other: Attempt, number: object) -> None:
    assert call(other, {"status": "success", "id": number}) == 200
    other.refresh_from_db()
    assert other.vendor_id is None


def test_flood_of_calls_is_not_kept(attempt: Attempt) -> None:
    for _ in range(60):
        assert call(attempt, SUCCESS) == 200
    assert attempt.events.count() == 50


def test_key_that_comes_back_is_not_kept(other: Attempt) -> None:
    key = settings.FLUX_API_KEY
    said = {"status": "failed", "id": key, "message": f"bad key {key}", "meta": {"key": key, "sent": [key, {key: 1}]}}
    assert call(other, said) == 200
    assert key not in everything()
    other.refresh_from_db()
    assert other.vendor_id is None


def test_secret_of_its_address_stays_out_of_the_log(attempt: Attempt, caplog: pytest.LogCaptureFixture) -> None:
    with connection.execute_wrapper(_broken):
        answer = Client(raise_request_exception=False).post(f"/hooks/flux/{attempt.secret}/")
    assert answer.status_code == 500
    assert "Internal Server Error: /hooks/flux/…" in caplog.text
    assert attempt.secret not in caplog.text


def _broken(*_: Any) -> Any:
    raise RuntimeError("the database is away")


# What survives -------------------------------------------------------------------------------------------------------


def test_success_only_makes_us_look(attempt: Attempt) -> None:
    assert call(attempt, SUCCESS) == 200
    job = GenerationJob.objects.get()
    assert (job.state, attempt.outputs) == (JobState.PROCESSING, [])
    assert job.due_at is not None


def test_call_before_our_answer_names_the_vendor_id(alice: User) -> None:
    attempt = make_attempt(make_job(alice, state=JobState.SUBMITTING))
    assert call(attempt, {"status": "success", "id": 23, "track_id": str(attempt.pk)}) == 200
    attempt.refresh_from_db()
    assert attempt.vendor_id == "23"


def test_call_that_comes_twice_is_noted_twice_and_teaches_once(other: Attempt) -> None:
    for number in (23, 24):
        assert call(other, {"status": "success", "id": number}) == 200
    other.refresh_from_db()
    assert (other.vendor_id, other.events.count()) == ("23", 2)


def test_late_call_for_a_finished_job_is_noted(alice: User) -> None:
    job = make_job(alice, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now())
    attempt = make_attempt(job, state=AttemptState.ENDED, vendor_id="5")
    assert call(attempt, {"status": "failed", "id": 5}) == 200
    job.refresh_from_db()
    assert (job.state, attempt.events.count()) == (JobState.SUCCEEDED, 1)


def test_calls_out_of_order_are_hints_like_any_other(attempt: Attempt) -> None:
    for claim in ("success", "processing", "failed", "processing"):
        assert call(attempt, {"status": claim, "id": 17}) == 200
    assert (GenerationJob.objects.get().state, attempt.events.count()) == (JobState.PROCESSING, 4)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False], ids=["for one attempt", "with one id for ten attempts"])
def test_ten_calls_at_once_are_all_answered(alice: User, same: bool) -> None:
    jobs = [make_job(alice, state=JobState.UNCONFIRMED) for _ in range(1 if same else 10)]
    attempts = [make_attempt(job, state=AttemptState.UNKNOWN) for job in jobs] * (10 if same else 1)

    def one(attempt: Attempt) -> int:
        try:
            url = f"/hooks/flux/{attempt.secret}/"
            body = {"status": "success", "id": 23}
            return Client(raise_request_exception=False).post(url, body, content_type="application/json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(one, attempts)) == {200}
    assert list(Attempt.objects.exclude(vendor_id=None).values_list("vendor_id", flat=True)) == ["23"]
    assert WebhookEvent.objects.count() == 10
