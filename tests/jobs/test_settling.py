"""What each answer to the paid request means for the job, its attempt and its allowance."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from editor.flux.errors import Verdict
from editor.jobs import lifecycle, pauses, submission
from editor.models import Allowance, Attempt, AttemptState, FluxServer, GenerationJob, JobState, User, WebhookEvent
from tests.makers import make_attempt, make_job, make_user

pytestmark = pytest.mark.django_db


def submitting(alice: User, **fields: Any) -> tuple[GenerationJob, Attempt]:
    job = make_job(alice, state=JobState.SUBMITTING, fence=1, **fields)
    return job, make_attempt(job)


def settled(job: GenerationJob, attempt: Attempt, verdict: str, **facts: Any) -> tuple[str, str, str]:
    """State, attempt and allowance after this answer."""
    attempt.record_answer(verdict, **facts)
    submission.settle(job, attempt)
    job.refresh_from_db()
    attempt.refresh_from_db()
    return job.state, attempt.state, job.allowance


ACCEPTED = {"vendor_id": "17", "vendor_status": "processing"}


@pytest.mark.parametrize(
    ("verdict", "facts", "expected"),
    [
        ("accepted", ACCEPTED, ("processing", "open", "held")),
        ("accepted", {**ACCEPTED, "vendor_status": "success", "outputs": ["u"]}, ("collecting", "open", "held")),
        ("accepted", {"vendor_status": "success", "outputs": ["u"]}, ("collecting", "open", "held")),
        ("accepted", {**ACCEPTED, "vendor_status": "failed"}, ("failed", "ended", "released")),
        (Verdict.JOB, {"reason": "prompt"}, ("failed", "refused", "released")),
        (Verdict.ACCOUNT, {"reason": "bad-key"}, ("queued", "refused", "held")),
        (Verdict.QUEUE_FULL, {"retry_after": 30.0}, ("queued", "refused", "held")),
        (Verdict.NOT_SENT, {"reason": "refused-connection"}, ("queued", "refused", "held")),
        (Verdict.UNKNOWN, {"reason": "timeout"}, ("unconfirmed", "unknown", "held")),
    ],
)
def test_answer_decides(alice: User, verdict: str, facts: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert settled(*submitting(alice), verdict, **facts) == expected


@pytest.mark.parametrize(
    ("verdict", "facts", "expected"),
    [
        ("accepted", ACCEPTED, ("canceled", "discarded", "taken")),
        (Verdict.JOB, {"reason": "prompt"}, ("canceled", "refused", "released")),
        (Verdict.UNKNOWN, {}, ("canceled", "lost", "taken")),
    ],
)
def test_cancel_while_submitting_waits_for_the_answer(
    alice: User, verdict: str, facts: dict[str, Any], expected: tuple[str, ...]
) -> None:
    job, attempt = submitting(alice, cancel_requested_at=timezone.now())
    assert settled(job, attempt, verdict, **facts) == expected


def test_answer_is_written_once(alice: User) -> None:
    _, attempt = submitting(alice)
    assert attempt.record_answer("accepted", vendor_id="17")
    assert not attempt.record_answer(Verdict.UNKNOWN)
    assert attempt.verdict == "accepted"


def test_whoever_lost_the_lease_moves_nothing(alice: User) -> None:
    job, attempt = submitting(alice)
    GenerationJob.objects.filter(pk=job.pk).update(fence=2)
    assert settled(job, attempt, "accepted", **ACCEPTED)[0] == "submitting"
    assert attempt.vendor_id == "17"


def test_submitting_job_whose_worker_died_becomes_unconfirmed(alice: User) -> None:
    job, attempt = submitting(alice, lease_until=timezone.now() - timedelta(seconds=1), due_at=timezone.now())
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, attempt.state, attempt.answered_at) == (JobState.UNCONFIRMED, AttemptState.UNKNOWN, None)


def test_late_receipt_brings_an_unconfirmed_job_back(alice: User) -> None:
    job, attempt = submitting(alice)
    settled(job, attempt, Verdict.UNKNOWN)
    Attempt.objects.filter(pk=attempt.pk).update(vendor_id="99")
    GenerationJob.objects.filter(pk=job.pk).update(due_at=timezone.now())
    job.refresh_from_db()
    assert submission.resume(job)
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, attempt.state) == (JobState.PROCESSING, AttemptState.OPEN)


def test_unconfirmed_for_a_day_fails_without_charge(alice: User) -> None:
    past = timezone.now() - timedelta(seconds=1)
    job = make_job(alice, state=JobState.UNCONFIRMED, deadline_at=past, due_at=past)
    attempt = make_attempt(job, state=AttemptState.UNKNOWN)
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "unconfirmed", Allowance.RELEASED)
    assert attempt.state == AttemptState.LOST


def test_id_of_another_attempt_can_not_be_taken(alice: User) -> None:
    _, first = submitting(alice)
    first.record_answer("accepted", vendor_id="5")
    _, second = submitting(alice)
    assert not second.learn_vendor_id("5")


def test_bad_key_pauses_everybody_and_tells_administrators_once(
    alice: User, django_capture_on_commit_callbacks: Any, settings: Settings
) -> None:
    make_user("root@example.com", is_superuser=True)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            settled(*submitting(alice), Verdict.ACCOUNT, reason="bad-key", message="Invalid API key")
    assert FluxServer.objects.current().paused
    assert [message.to for message in mail.outbox] == [["root@example.com"]]


def test_queue_full_waits_as_long_as_it_was_told(alice: User) -> None:
    settled(*submitting(alice), Verdict.QUEUE_FULL, retry_after=30.0)
    left = FluxServer.objects.current().paused_until - timezone.now()  # type: ignore[operator]
    assert timedelta(seconds=25) < left <= timedelta(seconds=30)


def test_pause_ends_only_when_a_broken_server_answers_again(alice: User) -> None:
    server = FluxServer.objects.current()
    server.pause("broken", "502", timedelta(seconds=-1))
    server.refresh_from_db()
    pauses.end_of_pause(server)  # nothing listens at FLUX_BASE_URL
    server.refresh_from_db()
    assert server.paused


def test_webhook_that_overtook_the_answer_is_followed_at_once(alice: User) -> None:
    job, attempt = submitting(alice)
    WebhookEvent.objects.create(attempt=attempt, body={})
    settled(job, attempt, "accepted", **ACCEPTED, eta=10.0)
    assert job.due_at is not None
    assert job.due_at <= timezone.now()


def test_source_that_the_vendor_could_not_fetch_is_offered_again(alice: User) -> None:
    assert settled(*submitting(alice), Verdict.JOB, reason="image") == ("queued", "refused", "held")


def test_source_that_can_not_be_fetched_for_good_fails_the_job(alice: User) -> None:
    job, attempt = submitting(alice, tries=submission.MOST_FETCHES)
    assert settled(job, attempt, Verdict.JOB, reason="image") == ("failed", "refused", "released")


def test_refusal_after_the_lease_was_lost_is_followed_by_whoever_looks_next(alice: User) -> None:
    job, attempt = submitting(alice, lease_until=timezone.now() - timedelta(seconds=1))
    late = GenerationJob.objects.get(pk=job.pk)
    assert submission.resume(job)  # another worker finds no answer
    assert settled(late, attempt, Verdict.QUEUE_FULL)[:2] == ("unconfirmed", "unknown")
    job.refresh_from_db()
    assert submission.resume(job)
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, job.allowance, attempt.state) == ("queued", "held", "refused")
