"""Typed reading of the environment. What is wrong is collected, not raised, so that one run names every mistake."""

import ipaddress
import re
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


def address_with_bucket(endpoint_url: str, region: str, bucket: str) -> str:
    """A bucket's own address at a store ("" for Amazon's): in the host, or in the path where the host is no name."""
    parts = urlsplit(endpoint_url or f"https://s3.{region}.amazonaws.com")
    if parts.hostname == "localhost" or _is_ip(parts.hostname or ""):
        return f"{parts.scheme}://{parts.netloc}/{bucket}"
    return f"{parts.scheme}://{bucket}.{parts.netloc}"


def names_bucket(address: str, bucket: str) -> bool:
    """Whether an address is of this bucket, by its host or by its path."""
    parts = urlsplit(address)
    if "@" in parts.netloc:
        return False
    return parts.path.strip("/") == bucket or (parts.netloc.startswith(f"{bucket}.") and not parts.path.strip("/"))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _as_number(raw: str) -> float:
    try:
        return float(raw)
    except ValueError:
        return float("nan")


def _short(raw: str) -> str:
    return repr(raw if len(raw) <= 60 else f"{raw[:60]}…")


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
        value = _as_number(raw)
        if not at_least <= value <= at_most:
            self._no_number(name, raw, f"a number from {at_least:,.12g} to {at_most:,.12g}")
            return default
        return value

    def whole(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        raw = self.text(name)
        if not raw:
            return default
        value = _as_number(raw)
        if not at_least <= value <= at_most or value != int(value):
            self._no_number(name, raw, f"a whole number from {at_least:,} to {at_most:,}")
            return default
        return int(value)

    def _no_number(self, name: str, raw: str, wanted: str) -> None:
        self.complain("E003", name, f"{name} is {_short(raw)}, not {wanted}.", f"Set {name} to {wanted}.")

    def whole_or_none(self, name: str, *, at_least: int, at_most: int) -> int | None:
        """None where nothing is given."""
        return self.whole(name, at_least, at_least=at_least, at_most=at_most) if self.given(name) else None

    def number_or_none(self, name: str, *, at_least: float, at_most: float) -> float | None:
        """None where nothing is given."""
        return self.number(name, at_least, at_least=at_least, at_most=at_most) if self.given(name) else None

    def words(self, name: str, *, longest: int) -> str:
        """Words for people, of so many characters at most."""
        value = self.text(name)
        if len(value) > longest:
            self.complain(
                "E009", name, f"{name} has {len(value):,} characters; at most {longest:,} fit.", f"Shorten {name}."
            )
            return ""
        return value

    def signup(self, name: str) -> str:
        """Who may sign up: "open", "invite", "domain:…", or "" where nothing is given."""
        value = self.text(name)
        if value in {"", "open", "invite"} or (value.startswith("domain:") and value.strip(" ,") != "domain:"):
            return value
        self.complain(
            "E007",
            name,
            f"{name} is {_short(value)}, which is none of open, invite and domain:example.com,example.org.",
            f"Set {name} to one of these.",
        )
        return ""

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

    def check_inbox(self, bucket: str, endpoint_url: str, directory: str) -> None:
        """What the flux server may write into must have nothing in common with where people's pictures lie."""
        own_key = "Make a user of its own at your store, who may list, read and write there and nowhere else."
        for name, own, hint in (
            ("BUCKET", "S3_BUCKET", "Make a second bucket: the flux server must never see people's pictures."),
            ("ACCESS_KEY_ID", "S3_ACCESS_KEY_ID", own_key),
        ):
            if self.text(f"FLUX_INBOX_{name}") == self.text(own):
                self.complain("E008", f"FLUX_INBOX_{name}", f"FLUX_INBOX_{name} is the same as {own}.", hint)
        if endpoint_url and not names_bucket(endpoint_url, bucket):
            self.complain(
                "E004",
                "FLUX_INBOX_ENDPOINT_URL",
                "FLUX_INBOX_ENDPOINT_URL does not name the bucket of FLUX_INBOX_BUCKET.",
                "It should look like https://retake-inbox.s3.example.com or http://127.0.0.1:8333/retake-inbox",
            )
        if "@" in urlsplit(self.text("FLUX_INBOX_PUBLIC_URL")).netloc:
            self.complain(
                "E004",
                "FLUX_INBOX_PUBLIC_URL",
                "FLUX_INBOX_PUBLIC_URL holds a user name, though it is for everybody.",
                "It should look like https://retake-inbox.s3.eu-central-1.amazonaws.com",
            )
        if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", directory):
            self.complain(
                "E007",
                "FLUX_INBOX_DIRECTORY",
                f"FLUX_INBOX_DIRECTORY is {directory!r}, which is no folder of letters, digits, - and _.",
                "Use a name like results",
            )
