"""What Prometheus is told, from rows at the moment of asking: no process counts anything, so none can forget it.
But for the event streams that the answering process holds itself, which are no rows.

Everything is read through an index and bounded: what is open is counted exactly, what is over only as far as WINDOWS
reach. Rates therefore are gauges over a window; counters would need a million rows, or memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from editor import rings
from editor.events import streams
from editor.jobs.figures import STEPS, TIMES
from editor.jobs.registry import workers
from editor.models import (
    OPEN,
    Attempt,
    AttemptState,
    FluxServer,
    GenerationJob,
    Image,
    ImageState,
    JobState,
    Mark,
    ModerationCase,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
MOST_MEASURED = 2_000  # finished edits whose steps are measured
MOST_COUNTED = 10_000  # of what may pile up without bound
QUANTILES = (0.5, 0.95)

Sample = tuple[Sequence[str], float]


def exposition() -> bytes:
    """All of it in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Rows())
    return generate_latest(registry)


class _Rows(Collector):
    def describe(self) -> Iterable[Metric]:
        return []  # so that registering asks nothing of the database

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        for part in (_jobs, _flux_server, _attempts, _steps, _waiting, _queues, _clock):
            yield from part(now)
        yield _gauge("streams", "Event streams that this web process holds.", [([], len(streams.hub))])


def _gauge(name: str, says: str, samples: Iterable[Sample], labels: Sequence[str] = ()) -> Metric:
    metric = GaugeMetricFamily(f"retake_{name}", says, labels=labels)
    for values, value in samples:
        metric.add_metric(values, value)
    return metric


def _since(moment: datetime | None, now: datetime) -> list[Sample]:
    return [([], (now - moment).total_seconds() if moment else 0.0)]


def _jobs(now: datetime) -> Iterator[Metric]:
    rows = GenerationJob.objects.filter(state__in=sorted(OPEN)).order_by().values_list("state").annotate(Count("pk"))
    found = dict(rows)
    yield _gauge(
        "jobs", "Edits that are not over, by state.", (([s], found.get(s, 0)) for s in sorted(OPEN)), ["state"]
    )
    yield _gauge(
        "jobs_finished",
        "Edits that ended within the window, by how.",
        _in_windows(now, lambda since: GenerationJob.objects.filter(finished_at__gte=since), "state"),
        ["state", "window"],
    )
    failed = _in_windows(
        now, lambda since: GenerationJob.objects.filter(finished_at__gte=since, state=JobState.FAILED), "failure_code"
    )
    yield _gauge("jobs_failed", "Those of them that failed, by code.", failed, ["code", "window"])
    queued = GenerationJob.objects.filter(state=JobState.QUEUED).aggregate(Min("created_at"))["created_at__min"]
    yield _gauge(
        "oldest_waiting_seconds", "Age of the oldest edit that waits for its turn; 0: none waits.", _since(queued, now)
    )
    # Not those that wait for their turn: they are due all the time.
    due = GenerationJob.objects.due(now).exclude(state=JobState.QUEUED).values_list("due_at", flat=True).first()
    yield _gauge(
        "most_overdue_seconds", "How long the edit that is due longest has been; 0: none is.", _since(due, now)
    )


def _flux_server(now: datetime) -> Iterator[Metric]:
    server = FluxServer.objects.current()
    in_flight = Attempt.objects.counting().filter(server=server, deadline_at__gt=now).count()
    yield _gauge("flux_in_flight", "Requests that are open with the flux server.", [([], in_flight)])
    yield _gauge("flux_limit", "Requests that may be open with it at once.", [([], server.limit)])
    reason = "by-hand" if server.paused_by_hand else server.pause_reason or "unknown"
    paused = [([reason], 1.0)] if server.in_trouble else []
    says = "1 while nothing is sent, or one request at a time that tries; absent otherwise."
    yield _gauge("flux_paused", says, paused, ["reason"])
    yield _gauge(
        "flux_paused_seconds", "Since when; 0: it is not.", _since(server.paused_since if paused else None, now)
    )


def _attempts(now: datetime) -> Iterator[Metric]:
    outcomes = _in_windows(now, lambda since: Attempt.objects.filter(created_at__gte=since), "state", AttemptState)
    yield _gauge(
        "attempts", "Requests made within the window, by what became of them.", outcomes, ["outcome", "window"]
    )
    refused = _in_windows(
        now, lambda since: Attempt.objects.filter(created_at__gte=since, state=AttemptState.REFUSED), "reason"
    )
    yield _gauge("attempts_refused", "Those of them that were not accepted, by reason.", refused, ["reason", "window"])


def _in_windows(
    now: datetime, rows: Callable[[datetime], "QuerySet[Any]"], column: str, always: Iterable[str] = ()
) -> Iterator[Sample]:
    """Rows of each window by the values of a column, and 0 for those of `always` that there are none of."""
    for window, length in WINDOWS.items():
        found = dict(rows(now - length).order_by().values_list(column).annotate(Count("pk")))
        for value in sorted({*found, *map(str, always)}):
            yield [value or "unknown", window], found.get(value, 0)


def _steps(now: datetime) -> Iterator[Metric]:
    ended = GenerationJob.objects.filter(finished_at__gte=now - WINDOWS["1h"], state=JobState.SUCCEEDED)
    times = ended.order_by("-finished_at").values_list(*TIMES)[:MOST_MEASURED]
    rows = [dict(zip(TIMES, row, strict=True)) for row in times]
    samples: list[Sample] = []
    for step, (begun, over) in STEPS.items():
        pairs = [(row[begun], row[over]) for row in rows]
        seconds = sorted((end - start).total_seconds() for start, end in pairs if start and end)
        samples += [([step, f"{q:g}"], seconds[int(q * (len(seconds) - 1))]) for q in QUANTILES if seconds]
    yield _gauge(
        "step_seconds",
        "How long the steps of successful edits took within the last hour.",
        samples,
        ["step", "quantile"],
    )


def _waiting(now: datetime) -> Iterator[Metric]:
    """What people wait for beside edits."""
    due = Image.objects.filter(state=ImageState.RECEIVED, due_at__lte=now)
    overdue = due.order_by("due_at").values_list("due_at", flat=True).first()
    yield _gauge("pictures_due", "Uploads that wait for a worker.", [([], _count(due))])
    yield _gauge(
        "pictures_overdue_seconds",
        "How long the upload that is due longest has been; 0: none is.",
        _since(overdue, now),
    )
    cases = ModerationCase.objects.waiting()
    cases_say = f"Moderation cases that nobody has decided; {MOST_COUNTED} stands for more."
    yield _gauge("cases_open", cases_say, [([], _count(cases.order_by()))])


def _count(rows: "QuerySet[Any]") -> int:
    return len(rows.values_list("pk")[:MOST_COUNTED])


def _queues(now: datetime) -> Iterator[Metric]:
    queues = sorted(set(rings.QUEUES.values()))
    try:
        depths = {queue: int(rings.bell().llen(f"rq:queue:{queue}")) for queue in queues}
        alive = {queue: workers(queue)[0] for queue in queues}
    except RedisError:
        yield _gauge("redis_up", "Whether Redis answers.", [([], 0.0)])
        return
    yield _gauge("redis_up", "Whether Redis answers.", [([], 1.0)])
    yield _gauge("queue_depth", "Rings that wait for a worker.", (([q], n) for q, n in depths.items()), ["queue"])
    yield _gauge("workers", "Workers that said something of late.", (([q], n) for q, n in alive.items()), ["queue"])


def _clock(now: datetime) -> Iterator[Metric]:
    age = Mark.objects.age_of_tick(now)
    ages: list[Sample] = [] if age is None else [([], age.total_seconds())]
    every = settings.CLOCK_MARK.total_seconds()
    yield _gauge("clock_age_seconds", f"Since a clock ticked, give or take {every:g}; absent if none ever did.", ages)
