"""What is due: one tick rings for it, so that a ring that got lost costs only time. Many clocks together do no harm."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Min, Q
from django.utils import timezone

from editor import rings
from editor.images import inbox, ingest, quarantine
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.rights import today
from editor.jobs import batches, chains, holding, lifecycle, pauses
from editor.jobs.abandoned import WAITING, cancel_abandoned
from editor.jobs.purging import purge_quarantine, purge_recipes, purge_workspaces
from editor.models import (
    Attempt,
    AttemptState,
    ChangeMap,
    FluxServer,
    GenerationJob,
    Image,
    JobState,
    Notice,
    ServerOrder,
)
from editor.models.chosen import chosen
from editor.notifications import mails, seeing

log = logging.getLogger(__name__)

MOST_RINGS = 200  # a tick
MOST_MAPS = 20  # of what changed; uploads wait in the same queue


@dataclass
class _Sweep:
    """Where the next sweep of the inbox goes on, so that many young results never hide the old ones behind them."""

    after: str = ""


_sweep = _Sweep()


def until_next(most: timedelta) -> float:
    """Seconds until a job is due, at most `most`: a tick that comes as it falls due keeps nobody waiting."""
    now = timezone.now()
    due_at = GenerationJob.objects.unfinished().exclude(state=JobState.QUEUED).aggregate(Min("due_at"))["due_at__min"]
    shortest = most / 10  # rows that are overdue are being looked at; asking again and again helps nobody
    return (min(max(due_at - now, shortest), most) if due_at else most).total_seconds()


def tick() -> None:
    now = timezone.now()
    due = GenerationJob.objects.due(now).exclude(state__in=[JobState.PROCESSING, JobState.QUEUED])
    for job_id in due.values_list("pk", flat=True)[:MOST_RINGS]:
        rings.ring_job(job_id)
    checks_due = GenerationJob.objects.due(now).filter(state=JobState.PROCESSING).exists()
    if checks_due or _discarded_due():
        rings.ring_checks()
    for order_id in ServerOrder.objects.due(now).values_list("pk", flat=True):
        rings.ring_order(order_id)
    for image_id in Image.objects.due(now).values_list("pk", flat=True)[:MOST_RINGS]:
        rings.ring_image(image_id)
    for image_id in quarantine.unfinished().values_list("pk", flat=True)[:MOST_RINGS]:
        rings.ring_image(image_id)
    for image_id in ChangeMap.objects.due(now).values_list("pk", flat=True)[:MOST_MAPS]:
        rings.ring_changes(image_id)
    for notice_id in Notice.objects.filter(mail_due_at__lte=now).values_list("pk", flat=True)[:MOST_RINGS]:
        rings.ring_notice(notice_id)
    for batch_id in chains.due_batches(now)[:MOST_RINGS]:
        rings.ring_steps(batch_id)
    for batch_id in {*batches.to_be_told(now)[:MOST_RINGS], *batches.to_be_mailed(now)[:MOST_RINGS]}:
        rings.ring_batch(batch_id)
    for person_id, subject in mails.due(now, MOST_RINGS):
        rings.ring_told(person_id, subject)
    _fail_without_sources()
    holding.hold_of_suspended()
    pauses.end_of_pause(FluxServer.objects.current())
    lifecycle.ring_next()


def _discarded_due() -> bool:
    long_ago = timezone.now() - settings.JOB_POLL_LAST / 3
    never = Q(checked_at=None) | Q(checked_at__lte=long_ago)
    return Attempt.objects.filter(never, state=AttemptState.DISCARDED).exists()


def _fail_without_sources() -> None:
    gone = Q(sources__image__state="refused") | Q(sources__image__purged_at__isnull=False)
    gone |= Q(sources__image__removed_at__isnull=False) | Q(sources__image__usable_until__lt=today())
    for job in GenerationJob.objects.filter(gone, state__in=WAITING).distinct()[:MOST_RINGS]:
        lifecycle.fail_without_sources(job)


def _purge(image: Image) -> bool:
    """One picture that can't be purged keeps none of the others."""
    try:
        ingest.purge(image)
    except Exception:
        log.exception("Picture %s stays in the trash.", image.pk)
        return False
    return True


def empty_trash() -> int:
    """Purge the bytes of pictures and workspaces that lay in the trash for TRASH_DAYS; returns how many pictures.

    Those that moderation removed lie in quarantine, for a time of their own.
    """
    cancel_abandoned()
    before = timezone.now() - timedelta(days=chosen.TRASH_DAYS)
    purged = 0
    over = Image.objects.filter(trashed_at__lte=before, purged_at=None, removed_at=None)
    for image in over.order_by("trashed_at")[:MOST_RINGS]:
        in_use = GenerationJob.objects.unfinished().filter(Q(sources__image=image) | Q(pk=image.job_id)).exists()
        if not in_use:
            purged += _purge(image)
    purge_recipes()
    seeing.forget_old(timezone.now())
    return purged + purge_workspaces() + purge_quarantine()


def sweep_inbox() -> int:
    """Delete results that nobody took over for FLUX_INBOX_KEPT, so many at a time; returns how many."""
    if not settings.FLUX_INBOX:
        return 0
    try:
        deleted, _sweep.after = inbox.sweep(timezone.now() - settings.FLUX_INBOX_KEPT, _sweep.after)
    except (BucketUnavailable, Missing) as error:
        log.warning("The inbox is swept later: %s", error)
        return 0
    return deleted
