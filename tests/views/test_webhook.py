"""The vendor's call: a hint that needs an unguessable address, and never more than a hint."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from editor.models import Attempt, AttemptState, GenerationJob, JobState, User, WebhookEvent
from tests.makers import make_attempt, make_job, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


@pytest.fixture
def attempt(alice: User) -> Attempt:
    return make_attempt(make_job(alice, state=JobState.PROCESSING, due_at=None), vendor_id="17")


def call(attempt: Attempt, body: object, secret: str = "") -> int:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    url = f"/hooks/flux/{secret or attempt.secret}/"
    return Client().post(url, data, content_type="application/json").status_code


SUCCESS = {"status": "success", "id": 17, "output": ["http://169.254.169.254/x.png"]}


def test_success_only_makes_us_look(attempt: Attempt) -> None:
    assert call(attempt, SUCCESS) == 200
    job = GenerationJob.objects.get()
    assert (job.state, attempt.outputs) == (JobState.PROCESSING, [])
    assert job.due_at is not None


def test_wrong_secret_is_404_and_leaves_nothing(attempt: Attempt) -> None:
    assert call(attempt, SUCCESS, secret="x" * 43) == 404
    assert WebhookEvent.objects.count() == 0
    assert GenerationJob.objects.get().due_at is None


def test_secret_that_is_none_is_404(attempt: Attempt) -> None:
    assert Client().post("/hooks/flux/a%00b/").status_code == 404


def test_get_is_refused(attempt: Attempt) -> None:
    assert Client().get(f"/hooks/flux/{attempt.secret}/").status_code == 405


@pytest.mark.parametrize(
    "body",
    ["", "[]", "nonsense", '{"a": ' * 200 + "1" + "}" * 200, '{"id": 1, "id": 2}', "x" * 1_000_000],
    ids=["empty", "list", "text", "deep", "duplicate", "1 MB"],
)
def test_bad_body_bounces_and_changes_nothing(attempt: Attempt, body: str) -> None:
    assert 400 <= call(attempt, body) < 500
    assert WebhookEvent.objects.count() == 0


def test_unknown_status_is_just_noted(attempt: Attempt) -> None:
    assert call(attempt, {"status": "zorg", "id": 17}) == 200
    assert GenerationJob.objects.get().state == JobState.PROCESSING


def test_early_call_names_the_vendor_id(alice: User) -> None:
    attempt = make_attempt(make_job(alice, state=JobState.SUBMITTING))
    assert call(attempt, {"status": "success", "id": 23}) == 200
    attempt.refresh_from_db()
    assert attempt.vendor_id == "23"


def test_id_of_another_attempt_is_not_believed(attempt: Attempt, alice: User) -> None:
    other = make_attempt(make_job(alice, state=JobState.SUBMITTING))
    assert call(other, {"status": "success", "id": 17}) == 200
    other.refresh_from_db()
    assert other.vendor_id is None


def test_late_call_for_a_finished_job_is_noted(alice: User) -> None:
    job = make_job(alice, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now())
    attempt = make_attempt(job, state=AttemptState.ENDED, vendor_id="5")
    assert call(attempt, {"status": "failed", "id": 5}) == 200
    job.refresh_from_db()
    assert (job.state, attempt.events.count()) == (JobState.SUCCEEDED, 1)


def test_flood_of_calls_is_not_kept(attempt: Attempt) -> None:
    for _ in range(60):
        assert call(attempt, SUCCESS) == 200
    assert attempt.events.count() == 50
