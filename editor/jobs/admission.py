"""Whose turn it is, and whether there is room with the vendor. Everything here happens under the FluxServer's lock."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from editor.images.rights import today
from editor.images.sizes import MATCH, size_for_ratio
from editor.models import Attempt, FluxServer, GenerationJob, ImageState, JobSource, JobState
from editor.models.jobs import JobQuerySet


def admit() -> tuple[GenerationJob, Attempt] | None:
    """Take the next job from the queue and write its attempt. None if there is no room, a pause, or nobody waits.

    When this returns, job and attempt are committed: the request may leave.
    """
    with transaction.atomic():
        server = FluxServer.objects.locked()
        if room(server) < 1:
            return None
        job = next_in_turn()
        if job is None or not job.start_submitting(settings.JOB_LEASE, **size_of(job)):
            return None
        now = timezone.now()
        attempt = Attempt.objects.create(
            job=job,
            server=server,
            number=job.attempts.count() + 1,
            fence=job.fence,
            samples=job.samples,
            price=Decimal(str(settings.FLUX_PRICE)) * job.samples,
            deadline_at=now + settings.JOB_PROCESSING_DEADLINE,
        )
    return job, attempt


def size_of(job: GenerationJob) -> dict[str, Any]:
    """Width and height of the edit in pixels, and what to cut out of results when the init image is padded."""
    source = job.source_image
    if source.width is None or source.height is None:  # can't be: only ready sources get here
        raise ValueError(f"source {source.pk} has no size")
    width, height = size_for_ratio(job.ratio, (source.width, source.height))
    return {"width": width, "height": height, "crop": source.init_crop if job.ratio == MATCH else None}


def room(server: FluxServer) -> int:
    """How many more requests may be open with the vendor; 0 while paused."""
    if server.paused:
        return 0
    # An attempt counts until the vendor must be done with it, whatever became of its job.
    taken = server.attempts.counting().filter(deadline_at__gt=timezone.now()).count()
    return max(0, server.limit - taken)


def ready_to_go(now: datetime) -> JobQuerySet:
    unready = JobSource.objects.filter(job=OuterRef("pk")).filter(
        ~Q(image__state=ImageState.READY)
        | Q(image__purged_at__isnull=False)
        | Q(image__removed_at__isnull=False)
        | Q(image__usable_until__lt=today())
    )
    waiting = GenerationJob.objects.turn_order().filter(~Exists(unready), due_at__lte=now)
    return waiting.filter(made_by__suspended_at=None)  # one that waits again, until the clock holds it


def next_in_turn() -> GenerationJob | None:
    """Interactive before batch; the workspace with the least under way, then such a person, then the oldest edit."""
    waiting = ready_to_go(timezone.now())
    pairs = list(waiting.order_by().values_list("interactive", "workspace", "made_by").distinct())
    if not pairs:
        return None
    under_way = Attempt.objects.counting().values_list("job__workspace", "job__made_by")
    by_workspace = Counter(workspace for workspace, _ in under_way)
    by_person = Counter(person for _, person in under_way)

    def burden(pair: tuple[bool, UUID, int]) -> tuple[bool, int, int]:
        interactive, workspace, person = pair
        return (not interactive, by_workspace[workspace], by_person[person])

    least = min(map(burden, pairs))
    first = [pair for pair in pairs if burden(pair) == least]
    mine = Q()
    for interactive, workspace, person in first:
        mine |= Q(interactive=interactive, workspace=workspace, made_by=person)
    return waiting.filter(mine).first()


def waiting_now(limit: int) -> list[GenerationJob]:
    """The jobs that could go now, in about the order of their turns; for the clock to ring."""
    return list(ready_to_go(timezone.now())[:limit])


def ahead_of(job: GenerationJob) -> int:
    """How many queued edits stand before this one, at most 99."""
    before = GenerationJob.objects.filter(state=JobState.QUEUED).filter(
        Q(interactive__gt=job.interactive) | Q(interactive=job.interactive, created_at__lt=job.created_at)
    )
    return len(before.values_list("pk")[:99])
