"""Looking at a job: whatever state it is in, do the one thing that is next. Every ring and the clock end up here."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from editor import rings
from editor.images.rights import today
from editor.jobs import admission, checks, stopping, submission
from editor.jobs.collection import collect
from editor.log_context import about
from editor.models import FluxServer, GenerationJob, ImageState, JobState

MOST_STEPS = 6  # of one look: submit, check, collect and some to spare; the clock does the rest
RUNG_AT_ONCE = 8  # edits that wait for their turn


def look_at(job_id: UUID) -> None:
    """Bring a job as far as it goes without waiting, or until this process is asked to end."""
    with about(job=job_id):
        for _ in range(MOST_STEPS):
            job = GenerationJob.objects.filter(pk=job_id).first()
            if job is None or job.is_final or not _step(job) or stopping.asked():
                break
    ring_next()


def _step(job: GenerationJob) -> bool:
    """One unit of work. True if another look may be worth it at once."""
    due = job.due_at is not None and job.due_at <= timezone.now()
    if job.leased or not due:
        return False
    match job.state:
        case JobState.QUEUED:
            if submission.submit() > 0:  # perhaps others' turn; then look again
                return True
            fail_without_sources(job)  # only one that has them was sent
            return False
        case JobState.SUBMITTING | JobState.UNCONFIRMED:
            return submission.resume(job)
        case JobState.PROCESSING:
            if not job.claim({JobState.PROCESSING}, settings.JOB_CHECK_LEASE):
                return False
            asked = checks.check([job], ring=False)
            if job.state == JobState.COLLECTING:
                # At once; but the vendor need not wait until we have stored what it made.
                return collect(job, asked[0].attempt, meanwhile=ring_next)
            return True
        case JobState.COLLECTING:
            return collect(job)
        case _:
            return False


def fail_without_sources(job: GenerationJob) -> bool:
    """queued, held → failed(source) where a source was refused or is gone, failed(expired) where it may not be used.

    failed(source_removed) where moderation removed it.
    """
    sources = job.source_images
    if any(image.removed_at for image in sources):
        return job.fail("source_removed")
    if any(image.state == ImageState.REFUSED or image.purged_at for image in sources):
        return job.fail("source")
    return any(image.usable_until and image.usable_until < today() for image in sources) and job.fail("expired")


def ring_next() -> None:
    """There may be room with the vendor now: ring for those whose turn it is.

    For a few at a time, since each look ends up here again: results would have to wait behind all the others.
    """
    if GenerationJob.objects.filter(state=JobState.QUEUED).exists():
        room = admission.room(FluxServer.objects.current())
        for job in admission.waiting_now(min(room, RUNG_AT_ONCE)):
            rings.ring_job(job.pk)
