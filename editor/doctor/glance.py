"""How the portal is right now, from rows and Redis alone: no other server is asked, so a page may show it.

Everything is read through an index and bounded.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet

from editor.doctor import processes
from editor.doctor.findings import Ask, Finding, Level, problem, warning
from editor.jobs import pauses
from editor.models import (
    OPEN,
    WITH_VENDOR,
    Attempt,
    FluxServer,
    GenerationJob,
    Image,
    JobState,
    ModerationCase,
)
from editor.models.flux_servers import MAINTENANCE

LAST = timedelta(hours=1)
MOST = 1_000  # of what is counted one by one
OVERDUE = timedelta(minutes=2)  # nobody looks at what was due that long ago
WAITS_LONG = timedelta(minutes=30)
FAILURES_MANY, FAILURES_SHARE = 5, 0.2  # of the last hour, that somebody should know of
NEEDS_A_PERSON = {"bad-key", "no-credit", "plan", pauses.STORAGE, pauses.FILE_STORE}


@dataclass(frozen=True)
class Glance:
    """`states` counts what is not over; `ended` and `failed` what ended within the last hour, by state and by code."""

    states: Counter[str]
    oldest: datetime | None  # of those that wait for their turn
    in_flight: int
    server: FluxServer
    ended: Counter[str]
    failed: Counter[str]
    cases: int  # MOST stands for more
    uploads: int  # that wait for a worker, likewise
    processes: list[Finding]  # what the clock and the workers do
    findings: list[Finding]  # whatever is not as it should be, the worst first

    @property
    def level(self) -> Level:
        return max((finding.level for finding in self.findings), default=Level.OK)

    @property
    def waiting(self) -> int:
        return self.states[JobState.QUEUED]

    @property
    def all_alive(self) -> bool:
        return all(finding.level == Level.OK for finding in self.processes)

    @property
    def all_ended(self) -> int:
        return self.ended.total()

    @property
    def causes(self) -> list[tuple[str, int]]:
        """(code, how many failed), the most first."""
        return self.failed.most_common()

    @property
    def with_vendor(self) -> int:
        return sum(self.states[state] for state in WITH_VENDOR)


def at_a_glance(now: datetime) -> Glance:
    """What is, and what is not as it should be."""
    open_ones = GenerationJob.objects.filter(state__in=sorted(OPEN)).order_by().values_list("state")
    states = Counter(dict(open_ones.annotate(Count("pk"))))
    queued = GenerationJob.objects.filter(state=JobState.QUEUED)
    server = FluxServer.objects.current()
    ended, failed = _ended(now - LAST)
    uploads = Image.objects.due(now)
    seen: dict[str, Any] = {
        "states": states,
        "oldest": queued.aggregate(Min("created_at"))["created_at__min"] if states[JobState.QUEUED] else None,
        "in_flight": Attempt.objects.counting().filter(server=server, deadline_at__gt=now).count(),
        "server": server,
        "ended": ended,
        "failed": failed,
        "cases": _count(ModerationCase.objects.waiting()),
        "uploads": _count(uploads),
    }
    alive = [*processes.look_at_clock(Ask()), *processes.look_at_workers(Ask())]
    found = [finding for finding in alive if finding.level > Level.OK]
    found += [*_overdue(now), *_uploads(uploads, now), *_paused(server)]
    found += [*_waits(seen["oldest"], server, now), *_failures(ended, failed)]
    return Glance(**seen, processes=alive, findings=sorted(found, key=lambda finding: -finding.level))


def _ended(since: datetime) -> tuple[Counter[str], Counter[str]]:
    ended: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    rows = GenerationJob.objects.filter(finished_at__gte=since).order_by().values_list("state", "failure_code")
    for state, code, number in rows.annotate(Count("pk")):
        ended[state] += number
        if state == JobState.FAILED:
            failed[code] += number
    return ended, failed


def _count(rows: "QuerySet[Any]") -> int:
    return len(rows.order_by().values_list("pk")[:MOST])


def _overdue(now: datetime) -> Iterator[Finding]:
    due = GenerationJob.objects.due(now - OVERDUE).exclude(state=JobState.QUEUED)
    first = due.values_list("due_at", flat=True).first()
    if first is not None:
        yield problem(
            f"An edit under way was due {_length(now - first)} ago, and nobody looked at it.",
            "See that the clock and workers of edits are alive; `manage.py doctor --repair` rings for such edits.",
        )


def _uploads(uploads: "QuerySet[Image]", now: datetime) -> Iterator[Finding]:
    first = uploads.filter(due_at__lte=now - OVERDUE).values_list("due_at", flat=True).first()
    if first is not None:
        yield problem(
            f"An upload has been waiting for {_length(now - first)}.",
            "See that workers of pictures are alive; start more of them if they are.",
        )


def _paused(server: FluxServer) -> Iterator[Finding]:
    if not server.in_trouble:
        return
    says = pauses.sentence(server)
    if server.paused_by_hand and server.pause_reason == MAINTENANCE:
        yield warning(
            says, "Nothing is sent until that is done; then it goes on by itself. See the flux server’s page."
        )
    elif server.paused_by_hand:
        yield warning(says, "Nothing is sent until somebody resumes it.")
    elif server.pause_reason in NEEDS_A_PERSON:
        yield problem(says, f"{pauses.MEND[server.pause_reason]} Edits wait meanwhile, and nobody is charged.")
    else:
        mend = pauses.MEND.get(server.pause_reason, "")
        yield warning(says, f"It is tried again and again, and edits wait meanwhile. {mend}".strip())


def _waits(oldest: datetime | None, server: FluxServer, now: datetime) -> Iterator[Finding]:
    if oldest is not None and now - oldest > WAITS_LONG and not server.in_trouble:
        yield warning(
            f"The edit that waits longest for its turn has waited {_length(now - oldest)}.",
            "If that is too long for your people: let more be with the flux server at once, as far as the plan allows.",
        )


def _failures(ended: Counter[str], failed: Counter[str]) -> Iterator[Finding]:
    number, all_of = failed.total(), ended.total()
    if failed["internal"]:
        yield warning(
            f"{failed['internal']} of the edits of the last hour failed because of an error of our own.",
            "The log has the details, by the id of the edit.",
        )
    if number >= FAILURES_MANY and number >= FAILURES_SHARE * all_of:
        yield warning(
            f"{number} of the {all_of} edits that ended within the last hour failed.",
            "The plots below say when it began and by which cause; each bar leads to its edits.",
        )


def _length(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
