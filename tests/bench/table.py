"""The table that a bench prints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `held` is None where there is nothing to hold."""

    what: str
    measured: str
    control: str = ""
    to_hold: str = ""
    held: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.held is None else "ok" if self.held else "missed"


HEAD = ("what", "measured", "control in the same run", "to hold", "")


def lines(rows: list[Row]) -> list[str]:
    """The table as text, its columns as wide as they need to be."""
    cells = [HEAD, *((row.what, row.measured, row.control, row.to_hold, row.verdict) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    written = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]
    return [written[0], "─" * sum(widths, 2 * (len(widths) - 1)), *written[1:]]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def median(values: list[float]) -> float:
    return percentile(values, 0.5)


def percentile(values: list[float], share: float) -> float:
    """By linear interpolation; nan for no values."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
