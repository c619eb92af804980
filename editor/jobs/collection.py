"""collecting → done: the results are copied into our bucket at once, and looked at before they count as pictures.

What the flux server wrote into our inbox is copied there by S3 itself; all else comes through the safe fetcher.

A blank picture, one of a single colour, is what the flux server gives instead of a result that its safety check
blocked. It counts as blocked whether or not the answer says so: the flag stands for all pictures of an edit together,
and the short form of the answer to `fetch` leaves it out.

A result's row comes first, its id follows from the attempt and the position, and its keys follow from its id: doing it
all again after a crash writes the same bytes to the same places.
"""

import logging
from threading import BoundedSemaphore
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from editor import rings
from editor.images import bucket, change_maps, inbox, ingest, keys
from editor.images.bucket import BucketUnavailable, Denied
from editor.images.decoding import DecoderDied, Refused
from editor.images.download import DownloadError, NotThereYet, download
from editor.images.rights import inherited
from editor.jobs import chains, flagging, pauses, vendor
from editor.jobs.backoff import retry_at
from editor.jobs.heartbeat import kept
from editor.log_context import about
from editor.models import Attempt, AttemptState, GenerationJob, Image, ImageKind, ImageState, JobState

log = logging.getLogger(__name__)

RESULT_MAX_BYTES = 40_000_000  # a result has at most 1024 × 1024 pixels
BLOCKED = "blocked"
LOST = "lost"
_storing = BoundedSemaphore(3)  # pictures that this process has in memory at once, whatever a server sends


def collect(job: GenerationJob) -> bool:
    """Store what is there; True if the job is done with. Otherwise it is looked at again later."""
    if not job.claim({JobState.COLLECTING}, settings.JOB_LEASE):
        return False
    attempt = job.attempts.latest("number")
    with about(job=job.pk, attempt=attempt.pk):
        results = _rows(job, attempt)
        with kept(job, settings.JOB_LEASE):
            for image, link in zip(results, attempt.outputs, strict=False):
                if image.state == ImageState.RECEIVED:
                    with _storing:
                        _store(job, attempt, image, str(link))
        return _conclude(job, attempt)


def _rows(job: GenerationJob, attempt: Attempt) -> list[Image]:
    wanted = range(min(len(attempt.outputs), job.samples))
    rows = job.results.select_related("made_by", "workspace").order_by("position")
    found = list(rows)
    lacking = set(wanted) - {image.position for image in found}
    if not lacking:
        return found
    sources = job.source_images
    rights = inherited(sources).columns
    made = [
        Image(
            id=uuid5(attempt.pk, str(position)),
            job=job,
            position=position,
            workspace_id=job.workspace_id,
            made_by_id=job.made_by_id,
            kind=ImageKind.GENERATED,
            name=" ".join(job.prompt.split())[:80],
            root=sources[0].first_upload,
            sandbox=settings.FLUX_IS_SANDBOX,
            sensitive=attempt.nsfw,
            **rights,
        )
        for position in sorted(lacking)
    ]
    Image.objects.bulk_create(made, ignore_conflicts=True)
    return list(rows.all())


def _store(job: GenerationJob, attempt: Attempt, image: Image, link: str) -> None:
    """Fetch one result and take it in. Whatever goes wrong leaves the row *received*, until patience ends."""
    waited = timezone.now() - (job.collecting_at or timezone.now())
    try:
        raw = _raw(image, link)
        ingest.take_in_result(image, raw, crop=job.crop, blank_code=BLOCKED)
    except NotThereYet as error:
        log.info("Result %s of job %s is not there yet: %s", image.position, job.pk, error)
    except BucketUnavailable as error:
        log.warning("Result %s of job %s can't be stored now: %s", image.position, job.pk, error)
        pauses.storage_down(str(error))
    except (DownloadError, Refused, DecoderDied) as error:
        log.warning("Result %s of job %s is no picture: %s", image.position, job.pk, error)
        if waited > settings.JOB_RESULT_PATIENCE:
            image.refuse(LOST)


def _raw(image: Image, link: str) -> bytes:
    """The bytes of a result. Raises what a download does, and BucketUnavailable."""
    key = inbox.key_of(link)
    if key is not None:
        try:
            return inbox.take_over(key, image.pk, max_bytes=RESULT_MAX_BYTES)
        except Denied as error:
            log.warning("The inbox can't be used, so its public link is: %s", error)
    longest = settings.JOB_DOWNLOAD.total_seconds()
    return download(link, allowed_origins=vendor.allowed_origins(), max_bytes=RESULT_MAX_BYTES, timeout=longest)


def _conclude(job: GenerationJob, attempt: Attempt) -> bool:
    results = list(job.results.all())
    ready = [image for image in results if image.state == ImageState.READY]
    waiting = [image for image in results if image.state == ImageState.RECEIVED]
    blocked = [image for image in results if image.refused_code == BLOCKED]
    out_of_time = job.deadline_at is not None and job.deadline_at <= timezone.now()
    if waiting and not out_of_time:
        if job.collecting_at and timezone.now() - job.collecting_at > settings.JOB_COLLECT_ALARM:
            log.error("Job %s has waited over an hour for its results.", job.pk)
        job.look_later(JobState.COLLECTING, retry_at(job.tries))
        return False
    with transaction.atomic():
        if blocked:
            flagging.lock_owner(job)
        if ready:
            done = job.succeed(note=_note(job, attempt, ready, blocked))
        elif blocked and len(blocked) == len(results):
            done = job.become_blocked()
        else:
            done = job.fail("result_lost")
        if done:
            attempt.move({AttemptState.OPEN}, AttemptState.ENDED)
            if waiting:
                Image.objects.filter(job=job, state=ImageState.RECEIVED).update(
                    state=ImageState.REFUSED, refused_code=LOST, due_at=None, lease_until=None
                )
            if attempt.nsfw or blocked:
                flagging.follow(job, ready=len(ready), blocked=len(blocked), told=attempt.nsfw)
            ring_waiting(ready)
            if job.state == JobState.SUCCEEDED:
                chains.follow(job, ready)
            change_maps.promise(ready)
    if done:
        _tidy(attempt, results)
    return done


def _note(job: GenerationJob, attempt: Attempt, ready: list[Image], blocked: list[Image]) -> str:
    if len(ready) < job.samples:
        return "some_blocked" if blocked else "some_missing"
    return "flagged" if attempt.nsfw else ""


def _tidy(attempt: Attempt, results: list[Image]) -> None:
    """Remove what came through the inbox. If it can't be now, the clock and the trash do it one day."""
    found = [key for link in attempt.outputs if (key := inbox.key_of(str(link))) is not None]
    if not found:
        return
    try:
        bucket.delete([keys.raw_key(image.pk) for image in results])
        inbox.forget(found)
    except BucketUnavailable as error:
        log.warning("Results of job %s stay in the inbox until it is swept: %s", attempt.job_id, error)


def ring_waiting(images: list[Image]) -> None:
    """Edits that wait for these pictures as their sources can go on."""
    waiting: set[UUID] = set(
        GenerationJob.objects.filter(state=JobState.QUEUED, sources__image__in=images).values_list("pk", flat=True)
    )
    for job_id in waiting:
        rings.ring_job(job_id)
