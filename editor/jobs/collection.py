"""collecting → done: the results are copied into our bucket at once, and looked at before they count as pictures.

What the flux server wrote into our inbox is copied there by S3 itself; all else comes through the safe fetcher.

A blank picture, one of a single colour, is what the flux server gives instead of a result that its safety check
blocked. It counts as blocked whether or not the answer says so: the flag stands for all pictures of an edit together,
and the short form of the answer to `fetch` leaves it out.

A result's row comes first, its id follows from the attempt and the position, and its keys follow from its id: doing it
all again after a crash writes the same bytes to the same places.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from editor import rings
from editor.images import bucket, change_maps, inbox, ingest, keys
from editor.images.bucket import BucketUnavailable, Denied
from editor.images.decoding import Decoded, DecoderDied, Refused
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


def collect(job: GenerationJob, attempt: Attempt | None = None, meanwhile: Callable[[], object] | None = None) -> bool:
    """Store what is there; True if the job is done with. Otherwise it is looked at again later.

    `attempt`: its last one, for whoever has just asked about it and holds the lease. `meanwhile` is done while the
    first result is on its way.
    """
    if attempt is None:
        if not job.claim({JobState.COLLECTING}, settings.JOB_LEASE):
            return False
        attempt = job.attempts.latest("number")
    with about(job=job.pk, attempt=attempt.pk):
        with kept(job, settings.JOB_LEASE), ExitStack() as room:
            coming = _ahead(job, attempt, room)
            if meanwhile is not None:
                meanwhile()
            with transaction.atomic():  # who cancels at this moment comes before the rows, or sees them
                if not job.renew(settings.JOB_LEASE):  # canceled meanwhile: nothing of it gets a row any more
                    return False
                results = _rows(job, attempt)
            for image, link in zip(results, attempt.outputs, strict=False):
                if image.state == ImageState.RECEIVED:
                    if coming is None:
                        room.enter_context(_storing)
                        coming = _coming(job, image.pk, str(link), room)
                    _store(job, image, coming)
                room.close()
                coming = None
        return _conclude(job, attempt, results)


def _ahead(job: GenerationJob, attempt: Attempt, room: ExitStack) -> Future[Decoded] | None:
    """The first result, beside the work on rows, if this process has room for it now.

    Not one that lies in our inbox: that goes to the bucket at once, and its row has to come first.
    """
    link = next(map(str, attempt.outputs), "")
    if job.tries or not link or inbox.key_of(link) is not None or not _storing.acquire(blocking=False):
        return None
    room.callback(_storing.release)
    return _coming(job, _id_of(attempt, 0), link, room)


def _coming(job: GenerationJob, image_id: UUID, link: str, room: ExitStack) -> Future[Decoded]:
    """One result on its way, fetched and decoded on a thread, which touches no row. Its files live until `room` ends.

    It raises what `_raw` and `ingest.opened` do.
    """
    directory = Path(room.enter_context(TemporaryDirectory(prefix="retake-")))
    beside = room.enter_context(ThreadPoolExecutor(1))
    words = copy_context()  # for log lines
    return beside.submit(words.run, lambda: ingest.opened(_raw(image_id, link), directory, crop=job.crop))


def _id_of(attempt: Attempt, position: int) -> UUID:
    return uuid5(attempt.pk, str(position))


def _rows(job: GenerationJob, attempt: Attempt) -> list[Image]:
    wanted = range(min(len(attempt.outputs), job.samples))
    rows = job.results.select_related("made_by", "workspace").order_by("position")
    found = list(rows) if job.tries else []  # the first time there is none, or one that stays as it is
    lacking = set(wanted) - {image.position for image in found}
    if not lacking:
        return found
    sources = job.source_images
    rights = inherited(sources).columns
    made = [
        Image(
            id=_id_of(attempt, position),
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


def _store(job: GenerationJob, image: Image, coming: Future[Decoded]) -> None:
    """Take one result in. Whatever goes wrong leaves the row *received*, until patience ends."""
    waited = timezone.now() - (job.collecting_at or timezone.now())
    try:
        ingest.take_in_result(image, coming.result(), blank_code=BLOCKED)
    except NotThereYet as error:
        log.info("Result %s of job %s is not there yet: %s", image.position, job.pk, error)
    except BucketUnavailable as error:
        log.warning("Result %s of job %s can't be stored now: %s", image.position, job.pk, error)
        pauses.storage_down(str(error))
    except (DownloadError, Refused, DecoderDied) as error:
        log.warning("Result %s of job %s is no picture: %s", image.position, job.pk, error)
        if waited > settings.JOB_RESULT_PATIENCE:
            image.refuse(LOST)


def _raw(image_id: UUID, link: str) -> bytes:
    """The bytes of a result. Raises what a download does, and BucketUnavailable."""
    key = inbox.key_of(link)
    if key is not None:
        try:
            return inbox.take_over(key, image_id, max_bytes=RESULT_MAX_BYTES)
        except Denied as error:
            log.warning("The inbox can't be used, so its public link is: %s", error)
    longest = settings.JOB_DOWNLOAD.total_seconds()
    return download(link, allowed_origins=vendor.allowed_origins(), max_bytes=RESULT_MAX_BYTES, timeout=longest)


def _conclude(job: GenerationJob, attempt: Attempt, results: list[Image]) -> bool:
    # Others may have been decided about since, and what is not known at all may be.
    if not results or not all(image.state == ImageState.READY for image in results):
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
