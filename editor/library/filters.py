"""What a person asks of a library, as it stands in an address. Whatever makes no sense there asks for nothing."""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from editor.library.words import words_of
from editor.models import ApprovalState, ImageKind, Shape

SEARCHED = 8  # words of a search that count
TEXT_MAX = 200


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


class Searched:
    """What words and days mean, wherever they are asked for. `since` and `until` are days, both included."""

    q: str
    since: date | None
    until: date | None

    @property
    def words(self) -> list[str]:
        return words_of(self.q)[:SEARCHED]

    @property
    def begin(self) -> datetime | None:
        return datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC) if self.since else None

    @property
    def end(self) -> datetime | None:
        """The first moment that is too late."""
        if self.until is None or self.until == date.max:
            return None
        day = self.until + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Filters(Searched):
    """All that are given hold together."""

    q: str = ""
    kind: str = ""
    shape: str = ""
    approval: str = ""
    who: int | None = None
    since: date | None = None
    until: date | None = None
    tag: str = ""
    collection: UUID | None = None
    favourites: bool = False
    sort: str = Sort.NEWEST

    @classmethod
    def read(cls, said: Mapping[str, str]) -> Self:
        """Of the query of an address."""
        return cls(
            q=one_line(said.get("q", "")),
            kind=one_of(ImageKind.values, said.get("kind", "")),
            shape=one_of(Shape.values, said.get("shape", "")),
            approval=one_of(ApprovalState.values, said.get("approval", "")),
            who=number_of(said.get("who", "")),
            since=day_of(said.get("since", "")),
            until=day_of(said.get("until", "")),
            tag=clean_tag(said.get("tag", "")),
            collection=id_of(said.get("collection", "")),
            favourites=bool(said.get("favourites")),
            sort=one_of(list(Sort), said.get("sort", "")) or Sort.NEWEST,
        )

    @property
    def narrow(self) -> bool:
        """Whether anything is asked for but an order."""
        return replace(self, sort=Sort.NEWEST) != Filters()

    def address(self, **changes: Any) -> str:
        """The query of an address that asks for the same but for the changes: "?q=cat&kind=uploaded"."""
        before = changes.pop("before", "")
        said = {name: value for name, value in asdict(replace(self, **changes)).items() if value}
        if said.get("sort") == Sort.NEWEST:
            del said["sort"]
        if "favourites" in said:
            said["favourites"] = 1
        if before:
            said["before"] = before
        return f"?{urlencode(said)}"


def clean_tag(text: str) -> str:
    """A tag as it is kept: small letters on one line, at most 40; empty if nothing is left."""
    return " ".join(_plain(text).casefold().split())[:40].strip()


def tags_of(text: str) -> list[str]:
    """What somebody typed: tags with commas between them."""
    return list(dict.fromkeys(filter(None, map(clean_tag, text.replace("\n", ",").split(",")))))


def _plain(text: str) -> str:
    """Without characters that nobody sees, like those that turn the direction of a line."""
    kept = "".join(c if c.isprintable() else " " for c in text[:TEXT_MAX])
    return kept.replace("\ufffd", " ")


def one_line(text: str) -> str:
    """What somebody searched for, without what nobody sees."""
    return " ".join(_plain(text).split())


def one_of(values: Container[str], text: str) -> str:
    return text if text in values else ""


def number_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def id_of(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
