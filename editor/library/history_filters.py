"""What a person asks of a history, as it stands in an address. Whatever makes no sense there asks for nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from editor.library.filters import Searched, day_of, id_of, number_of, one_line, one_of
from editor.models.jobs import GROUPS


@dataclass(frozen=True)
class HistoryFilters(Searched):
    """All that are given hold together. A workspace narrows one's own history, a person that of a workspace."""

    q: str = ""
    state: str = ""  # a key of GROUPS
    workspace: UUID | None = None
    who: int | None = None
    since: date | None = None
    until: date | None = None
    source: UUID | None = None
    favourites: bool = False

    @classmethod
    def read(cls, said: Mapping[str, str]) -> Self:
        """Of the query of an address."""
        return cls(
            q=one_line(said.get("q", "")),
            state=one_of(GROUPS, said.get("state", "")),
            workspace=id_of(said.get("workspace", "")),
            who=number_of(said.get("who", "")),
            since=day_of(said.get("since", "")),
            until=day_of(said.get("until", "")),
            source=id_of(said.get("source", "")),
            favourites=bool(said.get("favourites")),
        )

    @property
    def narrow(self) -> bool:
        return self != type(self)()

    def address(self, **changes: Any) -> str:
        """The query of an address that asks for the same but for the changes: "?q=cat&state=done"; "?" for all."""
        where = {name: changes.pop(name, "") for name in ("before", "after")}
        said = {name: value for name, value in asdict(replace(self, **changes)).items() if value}
        if "favourites" in said:
            said["favourites"] = 1
        return f"?{urlencode(said | {name: value for name, value in where.items() if value})}"
