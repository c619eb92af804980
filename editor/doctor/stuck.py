"""Edits that nobody will look at again, or that nobody looked at for too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from editor import rings
from editor.doctor.findings import Ask, Finding, fine, named, problem
from editor.jobs import admission
from editor.models import OPEN, WITH_VENDOR, Attempt, AttemptState, FluxServer, GenerationJob, JobState
from editor.models.jobs import JobQuerySet

MOST = 500  # at a go
LEASES = 5  # lengths of a lease after which somebody should have looked


def look_at_edits(ask: Ask) -> Iterator[Finding]:
    """With --repair each is rung for, and due: an edit goes on from its row, so looking at it again is always safe."""
    long_ago = timezone.now() - LEASES * settings.JOB_LEASE
    found = [*_overdue(ask, long_ago), *_never_due(ask), *_without_attempt(long_ago), *_turns(ask, long_ago)]
    yield from found
    if not found:
        count = GenerationJob.objects.unfinished().count()
        yield fine(f"{count} edits are under way, and somebody looks at each.")


def _overdue(ask: Ask, long_ago: datetime) -> Iterator[Finding]:
    free = Q(lease_until=None) | Q(lease_until__lte=long_ago)
    jobs = GenerationJob.objects.filter(free, state__in=sorted(WITH_VENDOR), due_at__lte=long_ago)
    yield from _rung(
        ask,
        jobs.order_by("due_at"),
        f"due for {_words(timezone.now() - long_ago)} or longer, and nobody looked",
        "See that the clock ticks and workers of edits are alive; --repair rings for them.",
    )


def _never_due(ask: Ask) -> Iterator[Finding]:
    jobs = GenerationJob.objects.filter(state__in=sorted(OPEN - {JobState.HELD}), due_at=None)
    yield from _rung(
        ask,
        jobs.order_by("created_at"),
        "not over, and never due: no clock finds them",
        "--repair makes them due and rings for them.",
    )


def _turns(ask: Ask, long_ago: datetime) -> Iterator[Finding]:
    """Edits that could go, while there is room and nobody went: then somebody's turn should have come long ago."""
    server = FluxServer.objects.current()
    sent = Attempt.objects.filter(created_at__gte=long_ago).exists()
    if server.in_trouble or sent or admission.room(server) < 1:
        return
    waiting = admission.ready_to_go(long_ago).filter(created_at__lte=long_ago)
    yield from _rung(
        ask,
        waiting,
        "waiting for their turn, though the flux server has room",
        "See that the clock ticks and workers of edits are alive; --repair rings for them.",
    )


def _without_attempt(long_ago: datetime) -> Iterator[Finding]:
    """With the vendor by their state, but no request of theirs is open: not mended, since money may hang on it."""
    open_ones = Attempt.objects.filter(job=OuterRef("pk"), state__in=[AttemptState.OPEN, AttemptState.UNKNOWN])
    old = Q(submitted_at__lte=long_ago) | Q(submitted_at=None, created_at__lte=long_ago)
    jobs = GenerationJob.objects.filter(old, state__in=sorted(WITH_VENDOR))
    odd = list(jobs.filter(~Exists(open_ones)).values_list("pk", flat=True)[:MOST])
    if odd:
        yield problem(
            f"With the flux server, but without an open request: {named(odd)}.",
            "Somebody changed rows by hand. Cancel these edits in the administration.",
        )


def _rung(ask: Ask, jobs: JobQuerySet, what: str, do: str) -> Iterator[Finding]:
    ids = list(jobs.values_list("pk", flat=True)[:MOST])
    if not ids:
        return
    mended = ""
    if ask.repair:
        GenerationJob.objects.filter(pk__in=ids, state__in=sorted(OPEN), due_at=None).update(due_at=timezone.now())
        for pk in ids:
            rings.ring_job(pk)
        mended = f"Rang for {len(ids)}."
    yield problem(f"{len(ids)} edits are {what}: {named(ids)}.", do, mended)


def _words(length: timedelta) -> str:
    seconds = length.total_seconds()
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
