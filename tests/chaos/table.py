"""What all rounds came to, fault by fault."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from editor.flux.sandbox.faults import CATALOGUE
from tests.bench.table import percentile
from tests.chaos.round import Outcome

HEAD = ("fault", "times", "edits", "lost", "accepted per edit", "most", "s to converge: median", "longest")


@dataclass
class Sum:
    """Of all rounds. `edits` that a fault met are those of its rounds; those that a mark met are its own."""

    faults: int = 0
    edits: int = 0
    lost: int = 0
    sent_again: int = 0
    complaints: list[str] = field(default_factory=list)
    accepted: Counter[int] = field(default_factory=Counter)
    rounds: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, outcome: Outcome) -> None:
        self.faults += len(outcome.names)
        self.edits += outcome.jobs
        self.lost += outcome.lost
        self.sent_again += outcome.sent_again
        self.complaints += outcome.complaints
        self.accepted += outcome.accepted
        for name in outcome.names:
            self.rounds[name].append(outcome)
        for mark, counts in outcome.marks.items():
            self.marks[mark] += counts


def lines(found: Sum) -> list[str]:
    """The table as text: what was done to processes and parts, what people did, what the flux server did."""
    cells = [HEAD, *(_row(found, name) for name in sorted(found.rounds, key=lambda name: (name in CATALOGUE, name)))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    told = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [
        "",
        told[0],
        "─" * sum(widths, 2 * (len(widths) - 1)),
        *told[1:],
        "",
        f"{found.edits} edits, {found.lost} lost, {found.sent_again} times sent again by their owners; of all others "
        + ", ".join(f"{count} were accepted {times} times" for times, count in sorted(found.accepted.items()))
        + f"; {len(found.complaints)} complaints.",
        f"Accepted generations per accepted edit that nobody sent again: {_ratio(found.accepted)}",
    ]


def _row(found: Sum, name: str) -> tuple[str, ...]:
    outcomes = found.rounds[name]
    if name in CATALOGUE:
        counts = Counter(found.marks.get(name, []))
    else:
        counts = sum((outcome.accepted for outcome in outcomes), Counter())
    seconds = [outcome.seconds for outcome in outcomes]
    return (
        f"#{name}" if name in CATALOGUE else name,
        str(len(outcomes)),
        str(counts.total()),
        str(sum(outcome.lost for outcome in outcomes)),
        _ratio(counts),
        str(max(counts, default=0)),
        f"{percentile(seconds, 0.5):.1f}",
        f"{max(seconds):.1f}",
    )


def _ratio(accepted: Counter[int]) -> str:
    """Of those that were accepted at all."""
    sent = sum(count for times, count in accepted.items() if times)
    return f"{sum(times * count for times, count in accepted.items()) / sent:.3f}" if sent else "–"
