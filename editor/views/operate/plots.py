"""Plots as columns in SVG, drawn on the server: what a column is made of, and where its pieces lie.

Pixels are the plot's own units. What stands in the plot stands in its table, too, which is for those who don't see it
or don't point at it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 2, 50, 8, 20  # margins; values stand on the right
STEPS = 2  # of the scale

Number = float | int | Decimal


@dataclass(frozen=True)
class Part:
    """One of the things that a column is made of; `tone` is the CSS class of its colour."""

    tone: str
    name: str


@dataclass
class Column:
    """One stretch of time. `values` go with the plot's parts; `earlier` is all of it a week before."""

    label: str  # short, under the column
    words: str  # in full
    values: Sequence[Number | None]  # None: not yet
    earlier: Number | None = None
    links: Sequence[str] = ()  # of the parts, in their order; "" for no link
    link: str = ""  # to all of it
    labelled: bool = True  # whether its label is written: not all fit


@dataclass(frozen=True)
class Piece:
    tone: str
    x: float
    y: float
    width: float
    height: float
    words: str
    link: str


@dataclass(frozen=True)
class Line:
    """A value of the scale and where it lies."""

    words: str
    y: float


@dataclass(frozen=True)
class Row:
    """Of the table: its cells are (words, link) of each part."""

    words: str
    cells: list[tuple[str, str]]
    earlier: str


@dataclass
class Plot:
    """`stacked`: the parts lie on each other; else each is a level of its own, the later ones above the first."""

    name: str
    title: str
    parts: Sequence[Part]
    columns: Sequence[Column]
    say: Callable[[Number], str]
    sum: str = ""  # what it comes to, and beside it
    compared: str = ""  # what it came to a week before
    earlier_name: str = "a week before"
    stacked: bool = True
    unit: Callable[[float], int] = lambda most: 1  # numbers of the scale up to this are round in these
    link: str = ""
    link_words: str = ""
    whole: bool = True  # there are no fractions of it
    hint: str = ""
    empty: bool = field(init=False)

    def __post_init__(self) -> None:
        self.empty = not any(self._height(column) for column in self.columns)

    view_box = f"0 0 {WIDTH} {HEIGHT}"
    left, right, floor, below = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - 5

    def _levels(self, column: Column) -> list[float]:
        """Where each part of a column ends, counted from the floor."""
        values = [float(value or 0) for value in column.values]
        return [sum(values[: place + 1]) for place in range(len(values))] if self.stacked else values

    def _height(self, column: Column) -> float:
        return max([*self._levels(column), float(column.earlier or 0)])

    @cached_property
    def top(self) -> float:
        """The highest value of the scale, in round steps at or above all columns."""
        most = max((self._height(column) for column in self.columns), default=0)
        unit = self.unit(most)
        smallest = 0 if self.whole else -3
        steps = (digit * 10.0**ten for ten in range(smallest, 18) for digit in (1, 2, 3, 4, 5, 6, 8))
        return unit * STEPS * next(step for step in steps if step * STEPS * unit >= most)

    @property
    def lines(self) -> list[Line]:
        values = [self.top * part / STEPS for part in range(STEPS + 1)]
        return [Line(self.say(value).removesuffix(".00"), self._y(value)) for value in values]

    @property
    def labels(self) -> list[tuple[float, str]]:
        """(x of its middle, words)"""
        middle = self._step / 2
        return [
            (round(self._x(place) + middle, 1), each.label) for place, each in enumerate(self.columns) if each.labelled
        ]

    @property
    def pieces(self) -> list[Piece]:
        found = []
        gap = round(min(4.0, self._step * 0.12), 1)
        for place, column in enumerate(self.columns):
            floor = 0.0
            links = list(column.links) or [column.link] * len(self.parts)
            for part, level, value, link in zip(self.parts, self._levels(column), column.values, links, strict=True):
                if value and level > floor:
                    y, width = self._y(level), round(self._step - 2 * gap, 1)
                    height = max(1.0, round(self._y(floor) - y, 1))
                    words = f"{column.words}: {self.say(value)}, {part.name}"
                    found.append(Piece(part.tone, round(self._x(place) + gap, 1), y, width, height, words, link))
                    floor = level
        return found

    @property
    def earlier(self) -> str:
        """The way of a line along the tops of a week before; "" if nothing was."""
        if not any(column.earlier for column in self.columns):
            return ""
        way: list[str] = []
        for place, column in enumerate(self.columns):
            y = self._y(float(column.earlier or 0))
            way.append(f"{'V' if way else f'M{self._x(place)} '}{y}H{self._x(place + 1)}")
        return "".join(way)

    @property
    def rows(self) -> list[Row]:
        """Of what has begun, the latest first."""
        found = []
        for column in reversed(self.columns):
            if any(value is not None for value in column.values):
                links = list(column.links) or [column.link] * len(self.parts)
                cells = [
                    ("–" if value is None else self.say(value), link if value else "")
                    for value, link in zip(column.values, links, strict=True)
                ]
                found.append(Row(column.words, cells, self.say(column.earlier or 0)))
        return found

    @property
    def _step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / max(1, len(self.columns))

    def _x(self, place: int) -> float:
        return round(LEFT + place * self._step, 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def say_number(value: Number) -> str:
    """Short: 940, 1,234, 12.4k, 3M."""
    number = float(value)
    if number >= 1e6:
        return f"{_short(number / 1e6)}M"
    return f"{_short(number / 1e3)}k" if number >= 1e4 else f"{number:,.0f}"


def say_money(value: Number) -> str:
    return f"{float(value):,.2f}" if float(value) < 1000 else f"{float(value):,.0f}"


def say_seconds(value: Number) -> str:
    seconds = float(value)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    size, unit = (1, "s") if seconds < 120 else (60, "min") if seconds < 120 * 60 else (3600, "h")
    number = seconds / size
    return f"{number:,.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"


def time_unit(most: Number) -> int:
    """What lengths up to this are best told in, in seconds."""
    return 1 if float(most) < 60 else 60 if float(most) < 3600 else 3600


def say_bytes(value: Number) -> str:
    size, unit = abs(float(value)), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, bigger
    return f"{_short(size)} {unit}" if size else "0"


def byte_unit(most: Number) -> int:
    """What numbers up to this are best told in."""
    size = 1
    while float(most) >= size * 1000:
        size *= 1000
    return size
