"""What a person can do about an edit that is under way. Each answers whether it could be done."""

from django.db import transaction
from django.utils import timezone

from editor import events, rings
from editor.models import OPEN, Allowance, Attempt, AttemptState, GenerationJob, Image, JobState

MOST_RACES = 8  # with workers that move the row while we look at it


def cancel(job: GenerationJob) -> bool:
    """Free while it waits; once the request left, what it makes is thrown away and counts."""
    for _ in range(MOST_RACES):
        job.refresh_from_db()
        if job.state not in OPEN:
            return False
        if _cancel_once(job):
            return True
    return False


def _cancel_once(job: GenerationJob) -> bool:
    with transaction.atomic():
        if job.state in {JobState.HELD, JobState.QUEUED}:
            return job.cancel(Allowance.RELEASED)
        if job.state == JobState.SUBMITTING:
            # As soon as the answer is in: only then it is known what there is to cancel.
            rows = GenerationJob.objects.filter(pk=job.pk, state=JobState.SUBMITTING, cancel_requested_at=None)
            if rows.update(cancel_requested_at=timezone.now()):
                events.edit_changed(job.pk, job.workspace_id)
                return True
            return job.cancel_requested_at is not None
        if job.state == JobState.UNCONFIRMED:
            return let_go(job)
        collecting = job.state == JobState.COLLECTING
        if not job.cancel(Allowance.TAKEN):
            return False
        attempt = _running_attempt(job)
        if attempt is not None:
            attempt.move({AttemptState.OPEN}, AttemptState.ENDED if collecting else AttemptState.DISCARDED)
        free = Image.objects.filter(job=job).hold_unlocked()
        Image.objects.filter(pk__in=free).update(trashed_at=timezone.now())
        return True


def let_go(job: GenerationJob) -> bool:
    """unconfirmed → canceled: whatever became of the request, it counts as spent."""
    with transaction.atomic():
        if job.state != JobState.UNCONFIRMED or not job.cancel(Allowance.TAKEN):
            return False
        _lose_attempt(job)
        return True


def send_again(job: GenerationJob) -> bool:
    """unconfirmed → queued, knowing that the first request may have been charged."""
    with transaction.atomic():
        if not job.send_again():
            return False
        _lose_attempt(job)
        rings.ring_job(job.pk)
        return True


def _lose_attempt(job: GenerationJob) -> None:
    attempt = _running_attempt(job)
    if attempt is not None:
        attempt.move({AttemptState.OPEN, AttemptState.UNKNOWN}, AttemptState.LOST)


def _running_attempt(job: GenerationJob) -> Attempt | None:
    return job.attempts.filter(state__in=[AttemptState.OPEN, AttemptState.UNKNOWN]).first()
