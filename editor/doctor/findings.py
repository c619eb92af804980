"""What a check says: a line for a person, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    """How bad it is. The worst of all findings is the exit status of `manage.py doctor`."""

    OK = 0
    WARNING = 1
    PROBLEM = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """`says` is what was seen, `do` what an operator does about it, `mended` what --repair did. No secret in any."""

    level: Level
    says: str
    do: str = ""
    mended: str = ""
    check: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"level": self.level.word}


@dataclass(frozen=True)
class Ask:
    """What the doctor was asked for: mend what is safe, and look at everything instead of some at a time."""

    repair: bool = False
    everything: bool = False


@dataclass(frozen=True)
class Check:
    """One thing to look at. `needs` are names of checks without which this one can't be made."""

    name: str
    look: Callable[[Ask], Iterable[Finding]]
    needs: tuple[str, ...] = ()


def fine(says: str) -> Finding:
    return Finding(Level.OK, says)


def warning(says: str, do: str = "", mended: str = "") -> Finding:
    return Finding(Level.WARNING, says, do, mended)


def problem(says: str, do: str = "", mended: str = "") -> Finding:
    """One that was mended is worth a warning: somebody should know that it happened."""
    return Finding(Level.WARNING if mended else Level.PROBLEM, says, do, mended)


def named(things: Iterable[object], most: int = 10) -> str:
    """The first few by name, and how many more there are."""
    known = [str(thing) for thing in things]
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
