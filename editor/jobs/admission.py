"""Whose turn it is, and whether there is room with the vendor. Everything here happens under the FluxServer's lock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Prefetch, Q
from django.utils import timezone

from editor.flux.contract import Status
from editor.images.rights import today
from editor.images.sizes import MATCH, size_for_ratio
from editor.jobs.turns import Flow, Line, Waiting
from editor.models import Attempt, AttemptState, FluxServer, GenerationJob, ImageState, JobSource, JobState, Turn
from editor.models.allowances import price
from editor.models.attempts import AttemptQuerySet
from editor.models.jobs import JobQuerySet

Admitted = tuple[GenerationJob, Attempt]


def admit() -> Admitted | None:
    """Take the next job from the queue. None if there is no room, a pause, or nobody waits."""
    admitted = admit_some(1)
    return admitted[0] if admitted else None


def admit_some(most: int) -> list[Admitted]:
    """Take the next jobs from the queue, so many at most, and write their attempts, all under one lock.

    When this returns, jobs and attempts are committed: the requests may leave.
    """
    with transaction.atomic():
        server = FluxServer.objects.locked()
        free = min(most, room(server))
        if free < 1:
            return []
        line = line_now(server)
        jobs: list[GenerationJob] = []
        while len(jobs) < free and (job := _next_of(line)) is not None:
            if not job.start_submitting(settings.JOB_LEASE, **size_of(job)):
                break
            line.take(_flow_of(job))
            jobs.append(job)
        if not jobs:
            return []
        _turns_were_taken(server, line, jobs)
        return list(zip(jobs, _attempts_for(jobs, server), strict=True))


def _attempts_for(jobs: list[GenerationJob], server: FluxServer) -> list[Attempt]:
    again = [job for job in jobs if job.fence > 1]  # the others were never sent: each attempt took a fence
    earlier = Attempt.objects.filter(job__in=again).order_by().values_list("job").annotate(Max("number"))
    last = dict(earlier) if again else {}
    deadline_at, each = timezone.now() + settings.JOB_PROCESSING_DEADLINE, price()
    attempts = [
        Attempt(
            job=job,
            server=server,
            number=last.get(job.pk, 0) + 1,
            fence=job.fence,
            samples=job.samples,
            price=each * job.samples,
            deadline_at=deadline_at,
        )
        for job in jobs
    ]
    return Attempt.objects.bulk_create(attempts)


def size_of(job: GenerationJob) -> dict[str, Any]:
    """Width and height of the edit in pixels, and what to cut out of results when the init image is padded."""
    source = job.source_image
    if source.width is None or source.height is None:  # can't be: only ready sources get here
        raise ValueError(f"source {source.pk} has no size")
    width, height = size_for_ratio(job.ratio, (source.width, source.height))
    return {"width": width, "height": height, "crop": source.init_crop if job.ratio == MATCH else None}


def room(server: FluxServer) -> int:
    """How many more requests may be open with the vendor; 0 while paused."""
    if server.in_trouble and not server.tried_singly:  # a pause that ran out is ended by the clock, which asks first
        return 0
    left = max(0, server.limit - under_way(server).count())
    if left and server.in_trouble:  # one at a time, until its answer says how things are
        return 0 if under_way(server).filter(state=AttemptState.OPEN, answered_at=None).exists() else 1
    return left


def under_way(server: FluxServer) -> AttemptQuerySet:
    """An attempt counts until the vendor is done with it, or must be, whatever became of its job."""
    running = server.attempts.counting().filter(deadline_at__gt=timezone.now())
    return running.exclude(vendor_status=Status.SUCCESS)  # its results are being stored, which is our affair


def ready_to_go(now: datetime) -> JobQuerySet:
    unready = JobSource.objects.filter(job=OuterRef("pk")).filter(
        ~Q(image__state=ImageState.READY)
        | Q(image__purged_at__isnull=False)
        | Q(image__removed_at__isnull=False)
        | Q(image__usable_until__lt=today())
    )
    waiting = GenerationJob.objects.turn_order().filter(~Exists(unready), due_at__lte=now)
    # One that waits again: of a suspended person until the clock holds it, of a paused batch until that goes on.
    return waiting.filter(made_by__suspended_at=None, batch__paused_at=None)


def line_now(server: FluxServer) -> Line:
    """All that wait, in the order of their turns: two queries at most, over an index alone, however many that are."""
    queued = GenerationJob.objects.filter(state=JobState.QUEUED).order_by()
    flows = queued.values_list("interactive", "workspace", "made_by").annotate(
        edits=Count("pk"), since=Min("created_at")
    )
    waiting = [Waiting(Flow(*row[:3]), *row[3:]) for row in flows]
    taken = _turns_of(queued) if len(waiting) > 1 else {}  # whoever is alone is first
    return Line(waiting, taken, server.turns, server.batch_passed)


def _turns_of(queued: JobQuerySet) -> dict[tuple[UUID, int], int]:
    turns = Turn.objects.filter(workspace__in=queued.values("workspace")).values_list("workspace", "made_by", "number")
    return {(workspace, person): number for workspace, person, number in turns}


def next_in_turn(server: FluxServer | None = None) -> GenerationJob | None:
    """The next edit that can go; whoever has nothing that can go now is passed over. None if nobody has."""
    line = line_now(server or FluxServer.objects.current())
    return _next_of(line)


def _next_of(line: Line) -> GenerationJob | None:
    sources = Prefetch("sources", JobSource.objects.select_related("image").order_by("position"))
    ready = ready_to_go(timezone.now()).prefetch_related(sources)
    while (flow := line.first()) is not None:
        job = ready.filter(interactive=flow.interactive, workspace=flow.workspace, made_by=flow.person).first()
        if job is not None:
            return job
        line.drop(flow)
    return None


def _turns_were_taken(server: FluxServer, line: Line, jobs: list[GenerationJob]) -> None:
    """Under the server's lock, in the transaction in which the jobs are admitted."""
    first = server.turns + 1
    server.turns, server.batch_passed = line.turns, line.batch_passed
    FluxServer.objects.filter(pk=server.pk).update(turns=line.turns, batch_passed=line.batch_passed)
    last = {(job.workspace_id, job.made_by_id): number for number, job in enumerate(jobs, start=first)}
    for (workspace, person), number in last.items():
        Turn.objects.taken(workspace, person, number)


def _flow_of(job: GenerationJob) -> Flow:
    return Flow(job.interactive, job.workspace_id, job.made_by_id)


def waiting_now(limit: int) -> list[GenerationJob]:
    """The jobs that could go now, in about the order of their turns; for the clock to ring."""
    return list(ready_to_go(timezone.now())[:limit])
