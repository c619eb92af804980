"""What became of the latest requests to the flux server, how long they took, and what they may have cost. Bounded."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Sum
from django.utils import timezone

from editor.flux.contract import Status
from editor.jobs import admission
from editor.models import Attempt, AttemptState, FluxServer, GenerationJob, JobState

MOST_MEASURED = 2_000  # requests, the newest ones
MOST_SUMMED = 20_000  # likewise, of what they cost
MOST_COUNTED = 1_000  # edits that wait
WINDOWS = {"Last hour": timedelta(hours=1), "Last day": timedelta(days=1)}
MADE, FAILED, CANCELED, UNDER_WAY, UNKNOWN, REFUSED, LOST = (
    "made a picture", "failed there", "made for nobody", "under way", "nobody knows yet", "refused", "given up",
)  # fmt: skip
TONES = {MADE: "good", FAILED: "bad", LOST: "bad", REFUSED: "ask", UNKNOWN: "ask"}


class Span(NamedTuple):
    """Seconds: half of the requests took no longer, nineteen of twenty no longer."""

    half: float
    most: float


@dataclass(frozen=True)
class Window:
    """The requests of a time; `more` if there were further ones than are looked at."""

    name: str
    total: int
    outcomes: list[tuple[str, int, str]]  # words, how many, tone
    answered: Span | None  # until the request was answered
    worked: Span | None  # until the vendor was done
    more: bool


class Cost(NamedTuple):
    money: Decimal
    more: bool  # whether it is at least that


class Crowd(NamedTuple):
    """So many edits of so many people; `more` if there are further ones."""

    edits: int
    people: int
    more: bool


def windows(now: datetime) -> list[Window]:
    """One query over the newest requests."""
    columns = ("created_at", "answered_at", "ended_at", "state", "vendor_status", "reason")
    since = now - max(WINDOWS.values())
    newest = Attempt.objects.filter(created_at__gte=since).order_by("-created_at", "-id")
    rows = [dict(zip(columns, row, strict=True)) for row in newest.values_list(*columns)[: MOST_MEASURED + 1]]
    more, rows = len(rows) > MOST_MEASURED, rows[:MOST_MEASURED]
    return [
        _window(name, [row for row in rows if row["created_at"] >= now - length], more and length == now - since)
        for name, length in WINDOWS.items()
    ]


def _window(name: str, rows: list[dict[str, Any]], more: bool) -> Window:
    counted = Counter(_outcome(row) for row in rows)
    made = [row for row in rows if _outcome(row) == MADE]
    return Window(
        name,
        len(rows),
        [(words, count, TONES.get(words.split(":")[0], "")) for words, count in counted.most_common()],
        _span(rows, "answered_at"),
        _span(made, "ended_at"),
        more,
    )


def _outcome(row: dict[str, Any]) -> str:
    match row["state"]:
        case AttemptState.ENDED:
            return MADE if row["vendor_status"] == Status.SUCCESS else FAILED
        case AttemptState.REFUSED:
            return f"{REFUSED}: {row['reason'] or 'no reason'}"
        case state:
            known = {AttemptState.OPEN: UNDER_WAY, AttemptState.UNKNOWN: UNKNOWN, AttemptState.DISCARDED: CANCELED}
            return known.get(state, LOST)


def _span(rows: list[dict[str, Any]], end: str) -> Span | None:
    seconds = sorted((row[end] - row["created_at"]).total_seconds() for row in rows if row[end])
    if not seconds:
        return None
    last = len(seconds) - 1
    return Span(seconds[last // 2], seconds[last * 19 // 20])


def cost_since(moment: datetime) -> Cost:
    """What the requests since then may have cost: all that were not refused."""
    sent = Attempt.objects.filter(created_at__gte=moment).exclude(state=AttemptState.REFUSED)
    newest = sent.order_by("-created_at", "-id")[:MOST_SUMMED]
    found = newest.aggregate(money=Sum("price"), requests=Count("pk"))
    return Cost(found["money"] or Decimal(0), found["requests"] == MOST_SUMMED)


def costs() -> tuple[Cost, Cost]:
    """Of today and of this month, which begin at midnight UTC."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return cost_since(today), cost_since(today.replace(day=1))


def waiting() -> Crowd:
    """Edits that wait for their turn."""
    queued = GenerationJob.objects.filter(state=JobState.QUEUED).order_by()
    makers = list(queued.values_list("made_by", flat=True)[: MOST_COUNTED + 1])
    return Crowd(min(len(makers), MOST_COUNTED), len(set(makers)), len(makers) > MOST_COUNTED)


def under_way(server: FluxServer) -> Crowd:
    """Edits whose requests are open with the vendor: never more than the limit."""
    makers = list(admission.under_way(server).values_list("job__made_by", flat=True)[: MOST_COUNTED + 1])
    return Crowd(min(len(makers), MOST_COUNTED), len(set(makers)), len(makers) > MOST_COUNTED)
