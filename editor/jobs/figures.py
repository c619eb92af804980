"""The figures of each hour, counted from the rows by the clock.

An hour is counted anew while it may still change, and whole: what was there is replaced, so that nothing counts twice
however often and by however many clocks. What is counted is one stretch of hours without a gap, told by a mark in the
same transaction: after a standstill it grows towards now, and after that towards the first row that there is.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone

from editor.models import (
    Allowance,
    AllowanceEntry,
    Figure,
    GenerationJob,
    Image,
    ImageKind,
    ImageState,
    JobState,
    Mark,
    Measure,
    ModerationCase,
    User,
)
from editor.models.figures import HOUR, SAMPLED, hour_of

TIMES = ("created_at", "submitted_at", "processing_at", "collecting_at", "finished_at")
STEPS = {
    "waiting": ("created_at", "submitted_at"),
    "sending": ("submitted_at", "processing_at"),
    "processing": ("processing_at", "collecting_at"),
    "collecting": ("collecting_at", "finished_at"),
    "whole": ("created_at", "finished_at"),
}
QUANTILES = {Measure.P50: 0.5, Measure.P95: 0.95}
MOST_MEASURED = 20_000  # edits of an hour whose steps are measured

EVERY = timedelta(minutes=1)
EVERY_BEHIND = timedelta(seconds=5)  # while there are hours that nobody counted
SETTLES = 2 * HOUR  # how long after its end an hour may change: transactions that are long, machines that disagree
MOST_HOURS = 48  # at a go,
MOST_SECONDS = 0.5  # or as many as this takes: what is due waits behind it
MOST_SAMPLED = 10_000
STRETCH, TURN = "figures", "figures-turn"  # marks
Found = Iterator[tuple[Measure, str, Decimal | float | int]]


@dataclass(frozen=True)
class Stretch:
    """The hours that were counted, both ends included; `whole`: there is nothing before them."""

    first: datetime
    last: datetime
    whole: bool = False

    @classmethod
    def known(cls) -> "Stretch | None":
        words = Mark.objects.value_of(STRETCH).split()
        if len(words) != 3:
            return None
        return cls(datetime.fromisoformat(words[0]), datetime.fromisoformat(words[1]), words[2] == "whole")

    def keep(self) -> None:
        words = "whole" if self.whole else "part"
        Mark.objects.leave(STRETCH, f"{self.first.isoformat()} {self.last.isoformat()} {words}")


def keep(now: datetime) -> int:
    """For the clock: count what may have changed, and some of what nobody counted yet. Returns how many hours.

    One clock at a time does it, every minute; more often while it is behind.
    """
    known = Stretch.known()
    behind = known is None or not known.whole or hour_of(now) - known.last > HOUR
    if not Mark.objects.leave(TURN, at_most_every=EVERY_BEHIND if behind else EVERY):
        return 0
    enough = time.monotonic() + MOST_SECONDS
    counted = 0
    for hour in due(known, now):
        count(hour)
        counted += 1
        if counted >= MOST_HOURS or time.monotonic() >= enough:
            break
    _sample(hour_of(now))
    return counted


def due(known: Stretch | None, now: datetime) -> Iterator[datetime]:
    """Hours to count: from where they may have changed until now, and then backwards to the first row."""
    newest = hour_of(now)
    hour = newest if known is None else min(max(known.last - SETTLES, known.first), newest)
    while hour <= newest:
        yield hour
        hour += HOUR
    if known is not None and known.whole:
        return
    hour = (newest if known is None else known.first) - HOUR
    beginning = first_hour(now)
    while hour >= beginning:
        yield hour
        hour -= HOUR
    with _locked():
        stretch = Stretch.known()
        if stretch is not None and stretch.first <= beginning:
            replace(stretch, whole=True).keep()


def first_hour(now: datetime) -> datetime:
    """The hour of the first row that is counted by any of the measures."""
    firsts = [
        GenerationJob.objects.aggregate(first=Min("created_at"))["first"],
        Image.objects.aggregate(first=Min("created_at"))["first"],
        User.objects.aggregate(first=Min("date_joined"))["first"],
    ]
    return hour_of(min([first for first in firsts if first is not None], default=now).astimezone(UTC))


def count(hour: datetime) -> None:
    """Replace the figures of an hour by what the rows say, and let the stretch reach there if it lies beside it."""
    with _locked():
        rows = [
            Figure(hour=hour, measure=measure, label=label, value=round(Decimal(value), 4))
            for measure, label, value in figures_of(hour)
            if value
        ]
        Figure.objects.filter(hour=hour).exclude(measure__in=SAMPLED).delete()
        Figure.objects.bulk_create(rows)
        known = Stretch.known()
        if known is None:
            Stretch(hour, hour).keep()
        elif known.first - HOUR <= hour <= known.last + HOUR and not known.first <= hour <= known.last:
            replace(known, first=min(known.first, hour), last=max(known.last, hour)).keep()


@contextmanager
def _locked() -> Iterator[None]:
    """A transaction in which no other clock counts: the one that comes later reads what the first one wrote."""
    Mark.objects.get_or_create(pk=STRETCH, defaults={"at": timezone.now()})
    with transaction.atomic():
        Mark.objects.select_for_update().get(pk=STRETCH)
        yield


def figures_of(hour: datetime) -> Found:
    """What the rows say about an hour now, but for what is sampled."""
    yield from _ended(hour)
    yield from _paid(hour)
    yield Measure.UPLOADS, "", _of(Image.objects.filter(kind=ImageKind.UPLOADED), "created_at", hour).count()
    yield Measure.PEOPLE, "", _of(User.objects.all(), "date_joined", hour).count()
    masters = Image.objects.filter(state=ImageState.READY)
    yield from _bytes(Measure.STORED, masters, "ready_at", hour)
    yield from _bytes(Measure.PURGED, masters, "purged_at", hour)
    yield from _steps(hour)


def _of(rows: "QuerySet[Any]", column: str, hour: datetime) -> "QuerySet[Any]":
    return rows.filter(**{f"{column}__gte": hour, f"{column}__lt": hour + HOUR}).order_by()


def _ended(hour: datetime) -> Found:
    rows = _of(GenerationJob.objects.all(), "finished_at", hour)
    states: Counter[str] = Counter()
    for state, code, number in rows.values_list("state", "failure_code").annotate(Count("pk")):
        states[state] += number
        if state == JobState.FAILED:
            yield Measure.FAILED, code, number
    yield from ((Measure.ENDED, state, number) for state, number in states.items())


def _paid(hour: datetime) -> Found:
    taken = _of(AllowanceEntry.objects.filter(kind=Allowance.TAKEN), "created_at", hour)
    sums = taken.aggregate(money=Sum("money"), pictures=Sum("pictures"))
    yield Measure.MONEY, "", sums["money"] or 0
    yield Measure.PICTURES, "", sums["pictures"] or 0


def _bytes(measure: Measure, rows: "QuerySet[Image]", column: str, hour: datetime) -> Found:
    """Bytes of masters by kind. What moved to another workspace keeps the hour in which it was made."""
    for kind, size in _of(rows, column, hour).values_list("kind").annotate(Sum("byte_size")):
        yield measure, kind, size or 0


def _steps(hour: datetime) -> Found:
    """Quantiles of what succeeded; of steps that an edit did not go through, nothing."""
    rows = _of(GenerationJob.objects.filter(state=JobState.SUCCEEDED), "finished_at", hour)
    seconds: dict[str, list[float]] = {step: [] for step in STEPS}
    for row in rows.order_by("-finished_at").values_list(*TIMES)[:MOST_MEASURED]:
        times = dict(zip(TIMES, row, strict=True))
        for step, (begun, over) in STEPS.items():
            if times[begun] and times[over]:
                seconds[step].append((times[over] - times[begun]).total_seconds())
    for step, found in seconds.items():
        yield from ((measure, step, quantile(found, q)) for measure, q in QUANTILES.items() if found)


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[int(q * (len(values) - 1))]


def _sample(hour: datetime) -> None:
    waiting = GenerationJob.objects.filter(state=JobState.QUEUED)
    for measure, rows in ((Measure.WAITING, waiting), (Measure.CASES, ModerationCase.objects.waiting())):
        Figure.objects.raise_to(hour, measure, len(rows.order_by().values_list("pk")[:MOST_SAMPLED]))


def recount(since: datetime, now: datetime) -> Iterator[datetime]:
    """Count all hours from now back to `since` anew; gives each as it is done."""
    hour = hour_of(now)
    while hour >= hour_of(since):
        count(hour)
        yield hour
        hour -= HOUR
