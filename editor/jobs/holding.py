"""Edits that wait for a person instead of their turn: what the desk does about them.

Whoever holds, releases or refuses here locks the owner first and the edit then, so that of a suspension and a release
at the same time the later one sees what the other did. What is with the vendor already is not touched.
"""

from django.db import transaction

from editor import rings
from editor.models import GenerationJob, HeldFor, JobState, User

MOST = 200  # at a go of the clock
REFUSED = "refused"


def release_job(job: GenerationJob) -> bool:
    """held for a rule → queued; if its owner is suspended by now it stays held, for that. False if it was not so."""
    with transaction.atomic():
        owner = User.objects.select_for_update(no_key=True).get(pk=job.made_by_id)
        if not _lock(job) or job.held_for != HeldFor.RULE:
            return False
        if owner.suspended_at is not None:
            return job.swap({JobState.HELD}, held_for=HeldFor.SUSPENDED)
        return _release(job, HeldFor.RULE)


def refuse_job(job: GenerationJob) -> bool:
    """held → failed(refused), and its allowance is given back. False if it was not held any more."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=job.made_by_id)
        return _lock(job) and job.fail(REFUSED)


def hold_jobs_of(user: User) -> int:
    """queued → held, for all that waits of somebody who was suspended. Returns how many there were."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        return _hold_all(user.pk)


def release_jobs_of(user: User) -> int:
    """The suspension is over: held for it → queued, and what waits goes on. Returns how many were released.

    What is held for a rule still waits for a look.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        held = GenerationJob.objects.filter(made_by=user, state=JobState.HELD, held_for=HeldFor.SUSPENDED)
        released = sum(_release(job, HeldFor.SUSPENDED) for job in held.order_by("pk"))
        for job_id in GenerationJob.objects.filter(made_by=user, state=JobState.QUEUED).values_list("pk", flat=True):
            rings.ring_job(job_id)
        return released


def hold_of_suspended() -> int:
    """What began to wait again after its owner was suspended, as after a refusal by the vendor; for the clock."""
    waiting = GenerationJob.objects.filter(state=JobState.QUEUED, made_by__suspended_at__isnull=False)
    held = 0
    for owner_id in set(waiting.values_list("made_by", flat=True)[:MOST]):
        with transaction.atomic():
            owner = User.objects.select_for_update(no_key=True).get(pk=owner_id)
            if owner.suspended_at is not None:
                held += _hold_all(owner_id)
    return held


def _hold_all(owner_id: int) -> int:
    """The caller has locked the owner."""
    queued = GenerationJob.objects.filter(made_by=owner_id, state=JobState.QUEUED).order_by("pk")
    return sum(job.hold(HeldFor.SUSPENDED) for job in queued)


def _lock(job: GenerationJob) -> bool:
    """Whether it is held; then nobody else moves it until the end of the transaction."""
    locked = GenerationJob.objects.select_for_update(no_key=True).filter(pk=job.pk, state=JobState.HELD).first()
    if locked is None:
        return False
    job.refresh_from_db()
    return True


def _release(job: GenerationJob, why: HeldFor) -> bool:
    if not job.release(why):
        return False
    rings.ring_job(job.pk)
    return True
