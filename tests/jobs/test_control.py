import pytest
from django.utils import timezone

from editor.jobs import control
from editor.models import Allowance, AttemptState, JobState, User
from tests.makers import make_attempt, make_job

pytestmark = pytest.mark.django_db


def test_cancel_is_free_while_queued(alice: User) -> None:
    job = make_job(alice)
    assert control.cancel(job)
    assert (job.state, job.allowance) == (JobState.CANCELED, Allowance.RELEASED)


def test_cancel_while_processing_discards_what_is_paid(alice: User) -> None:
    job = make_job(alice, state=JobState.PROCESSING)
    attempt = make_attempt(job, vendor_id="1")
    assert control.cancel(job)
    attempt.refresh_from_db()
    assert (job.state, job.allowance, attempt.state) == (JobState.CANCELED, Allowance.TAKEN, AttemptState.DISCARDED)


def test_cancel_while_submitting_is_only_asked_for(alice: User) -> None:
    job = make_job(alice, state=JobState.SUBMITTING)
    assert control.cancel(job)
    job.refresh_from_db()
    assert job.state == JobState.SUBMITTING
    assert job.cancel_requested_at is not None


def test_final_job_stays_as_it_is(alice: User) -> None:
    job = make_job(alice, state=JobState.SUCCEEDED, allowance=Allowance.TAKEN, finished_at=timezone.now())
    assert not control.cancel(job)


def test_send_again_is_marked_and_gives_up_the_first_attempt(alice: User) -> None:
    job = make_job(alice, state=JobState.UNCONFIRMED)
    attempt = make_attempt(job, state=AttemptState.UNKNOWN)
    assert control.send_again(job)
    attempt.refresh_from_db()
    assert (job.state, job.second, attempt.state) == (JobState.QUEUED, True, AttemptState.LOST)


def test_let_go_counts_as_spent(alice: User) -> None:
    job = make_job(alice, state=JobState.UNCONFIRMED)
    make_attempt(job, state=AttemptState.UNKNOWN)
    assert control.let_go(job)
    assert (job.state, job.allowance) == (JobState.CANCELED, Allowance.TAKEN)


def test_nothing_is_sent_again_that_is_not_unconfirmed(alice: User) -> None:
    assert not control.send_again(make_job(alice, state=JobState.PROCESSING))
