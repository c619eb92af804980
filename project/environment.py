"""Typed reading of the environment. What is wrong is collected, not raised, so that one run names every mistake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the settings: `name` is the variable, `id` the system check's number."""

    id: str
    name: str
    sentence: str
    hint: str


def is_address(value: str, schemes: set[str]) -> bool:
    """Whether it can be taken apart, down to its port, and has one of these schemes."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.path)


@dataclass
class Environment:
    """Reads variables by name. A bad value becomes the default and a `Problem`."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def given(self, name: str) -> bool:
        return bool(self.values.get(name, "").strip())

    def complain(self, check_id: str, name: str, sentence: str, hint: str) -> None:
        self.problems.append(Problem(f"retake.{check_id}", name, sentence, hint))

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def required(self, name: str, what: str) -> str:
        """The value of a variable that every process needs; `what` says in words what it is."""
        value = self.text(name)
        if not value:
            self.complain("E001", name, f"{name} is not set.", f"Set {name}: {what}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        raw = self.values.get(name)
        if raw is None:
            return default
        word = raw.strip().lower()
        if word in TRUE:
            return True
        if word not in FALSE:
            self.complain(
                "E002", name, f"{name} is {raw!r}, which is neither yes nor no.", f"Use {name}=1 or {name}=0."
            )
        return False

    def number(self, name: str, default: float, *, at_least: float, at_most: float) -> float:
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            value = float("nan")
        if not at_least <= value <= at_most:
            bounds = f"from {at_least:g} to {at_most:g}"
            self.complain(
                "E003", name, f"{name} is {raw!r}, not a number {bounds}.", f"Set {name} to a number {bounds}."
            )
            return default
        return value

    def whole(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        return int(self.number(name, default, at_least=at_least, at_most=at_most))

    def url(self, name: str, value: str, schemes: Iterable[str], *, example: str) -> str:
        """Check an address that was read before; a bad one becomes "", and "" is complained about where it is required.

        The complaint doesn't quote: there may be a password in it.
        """
        if value and not is_address(value, set(schemes)):
            self.complain(
                "E004", name, f"{name} is not an address of the right kind.", f"It should look like {example}"
            )
            return ""
        return value

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        """One word of several, all in capitals; it may be given in small letters."""
        value = self.text(name, default).upper()
        if value not in set(choices):
            words = ", ".join(choices)
            self.complain("E007", name, f"{name} is {value!r}, none of {words}.", f"Set {name} to one of these.")
            return default
        return value

    def all_or_none(self, names: Iterable[str], what: str) -> bool:
        """True if the whole group is given. Half of a group is a mistake that names what is missing."""
        names = list(names)
        missing = [name for name in names if not self.given(name)]
        if missing and len(missing) < len(names):
            for name in missing:
                self.complain("E005", name, f"{name} is not set, though other parts of {what} are.", f"Set {name} too.")
        return not missing
