"""The usage of twelve months, laid out: who used how much in which month, the columns of the plot, the lines of CSV."""

import csv
import io
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from editor.images.zips import safe_cell
from editor.models import Usage
from editor.models.allowances import month_of

if TYPE_CHECKING:
    from editor.models import User

MONTHS = 12
COLOURS = 6  # people with one of their own; what the others used is drawn together
WIDTH, HEIGHT = 1000, 300  # of the plot, in its own units
LEFT, RIGHT, TOP, BOTTOM = 8, 50, 12, 30  # its margins; values stand on the right, where the newest month is
GAP = 9  # on both sides of a column


@dataclass
class Row:
    """What one person used, by month."""

    user: "User"
    cells: list[Usage | None]
    pictures: int = 0
    held: int = 0
    money: Decimal = Decimal(0)
    series: int = 0  # their colour, counted from one; the last is everybody else's

    @property
    def name(self) -> str:
        return self.user.get_short_name()

    def add(self, place: int, usage: Usage) -> None:
        self.cells[place] = usage
        self.pictures += usage.pictures_taken
        self.held += usage.pictures_held
        self.money += usage.money_taken


@dataclass(frozen=True)
class Piece:
    """A rectangle of the plot."""

    series: int
    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True)
class Line:
    """A value of the plot's scale and where it lies."""

    value: int
    y: float


@dataclass
class Report:
    """People with the most first; `months` from the oldest to the present one."""

    months: list[date]
    rows: list[Row]
    totals: list[int] = field(default_factory=list)  # pictures by month

    @classmethod
    def of(cls, workspace_id: UUID, user_id: int | None, now: datetime) -> "Report":
        """Of one person, or of everybody who ever used anything in these months."""
        months = _months_until(month_of(now))
        found = Usage.objects.filter(workspace=workspace_id, month__gte=months[0]).select_related("user")
        if user_id is not None:
            found = found.filter(user=user_id)
        rows: dict[int, Row] = {}
        for usage in found.filter(month__lte=months[-1]).order_by("month"):
            row = rows.setdefault(usage.user_id, Row(usage.user, [None] * MONTHS))
            row.add(months.index(usage.month), usage)
        ordered = sorted(rows.values(), key=lambda row: (-row.pictures, row.name.casefold()))
        for number, row in enumerate(ordered, start=1):
            row.series = min(number, COLOURS + 1)
        totals = [sum(_taken(row.cells[place]) for row in ordered) for place in range(MONTHS)]
        return cls(months, ordered, totals)

    @property
    def pictures(self) -> int:
        return sum(self.totals)

    @property
    def held(self) -> int:
        return sum(row.held for row in self.rows)

    @property
    def money(self) -> Decimal:
        return sum((row.money for row in self.rows), Decimal(0))

    @property
    def legend(self) -> list[tuple[int, str]]:
        """(series, name) of those who have a colour, and one for all the others."""
        named = [(row.series, row.name) for row in self.rows[:COLOURS]]
        return [*named, (COLOURS + 1, "Everybody else")] if len(self.rows) > COLOURS else named

    # The plot: a column a month, in it a piece for each person.

    @property
    def view_box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    left, right, below = LEFT, WIDTH - RIGHT, HEIGHT - 8  # where its lines begin and end, and where months stand

    @cached_property
    def top(self) -> int:
        """The highest value of the scale, in four round steps above all columns."""
        most = max([*self.totals, 1])
        tens = (int(f"1{'0' * zeros}") for zeros in count())
        steps = (digit * ten for ten in tens for digit in (1, 2, 5))
        return 4 * next(step for step in steps if step * 4 >= most)

    @property
    def lines(self) -> list[Line]:
        return [Line(self.top * part // 4, self._y(self.top * part / 4)) for part in range(5)]

    @property
    def labels(self) -> list[tuple[float, str]]:
        """(x, month) under the columns."""
        return [(round(self._x(place) + self._step / 2, 1), f"{month:%b}") for place, month in enumerate(self.months)]

    @property
    def pieces(self) -> list[Piece]:
        found = []
        for place, month in enumerate(self.months):
            below = 0
            for series, name, value in self._column(place):
                words = f"{name}, {month:%B %Y}: {value}"
                y = self._y(below + value)
                height = round(self._y(below) - y, 1)
                found.append(Piece(series, self._x(place) + GAP, y, round(self._step - 2 * GAP, 1), height, words))
                below += value
        return found

    def _column(self, place: int) -> list[tuple[int, str, int]]:
        named = [(row.series, row.name, _taken(row.cells[place])) for row in self.rows[:COLOURS]]
        others = sum(_taken(row.cells[place]) for row in self.rows[COLOURS:])
        return [piece for piece in [*named, (COLOURS + 1, "Everybody else", others)] if piece[2]]

    @property
    def _step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / MONTHS

    def _x(self, place: int) -> float:
        return round(LEFT + place * self._step, 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def _months_until(last: date) -> list[date]:
    counted = last.year * 12 + last.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(counted - MONTHS + 1, counted + 1)]


def _taken(usage: Usage | None) -> int:
    return usage.pictures_taken if usage is not None else 0


def as_csv(report: Report) -> str:
    """A line per person and month, the newest month first."""
    out = io.StringIO()
    out.write("\ufeff")  # so that spreadsheets read it as UTF-8
    writer = csv.writer(out)
    writer.writerow(["month", "member", "e-mail", "pictures", "set aside", "cost", "cost set aside"])
    for place in reversed(range(MONTHS)):
        for row in report.rows:
            usage = row.cells[place]
            if usage is not None:
                month = f"{usage.month:%Y-%m}"
                counted = (usage.pictures_taken, usage.pictures_held, usage.money_taken, usage.money_held)
                writer.writerow([month, safe_cell(row.user.get_full_name()), safe_cell(row.user.email), *counted])
    return out.getvalue()
