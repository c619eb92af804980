"""Reading a history: page by page, newest first, by whatever narrows it, without counting anything.

Each thing that narrows a history has an index in the order of the history, so that the newest edits are read without
the others. Of several the rarest leads, and the others are looked up for each edit that it finds: a history of a
million edits answers like one of a thousand.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from editor.library.edits import source_term
from editor.library.existence import there_is
from editor.library.history_filters import HistoryFilters
from editor.library.listing import RARE, endings
from editor.models import EditTerm, Favourite, GenerationJob, Image, Membership, User, Workspace
from editor.models.jobs import GROUPS, JobQuerySet

Rows = QuerySet[Any]
Found = TypeVar("Found", bound=Rows)
MOMENT, KEY = "job_created_at", "job_id"
RESULTS_MAX = 4  # of one edit


@dataclass(frozen=True)
class Place:
    """Where a page begins or ends: an edit's moment and id. `newer`: what lies above it is asked for."""

    created_at: datetime
    pk: UUID
    newer: bool = False


@dataclass(frozen=True)
class Saved:
    """A row of SavedFilter."""

    pk: int
    name: str
    query: str
    workspace: UUID | None


@dataclass(frozen=True)
class Known:
    """What is looked up before the edits: what the last word begins, what is rare, and names for the page."""

    endings: list[str] = field(default_factory=list)
    rare: list[bool] = field(default_factory=list)
    person: str = ""
    source: str = ""
    saved: list[Saved] = field(default_factory=list)


@dataclass(frozen=True)
class History:
    """A person's own edits in all workspaces that they are in; with a workspace, everybody's there."""

    user: User
    workspace: Workspace | None = None

    @property
    def owner(self) -> User | Workspace:
        """By whom the rows are kept in order."""
        return self.workspace or self.user

    @property
    def own(self) -> Q:
        """Condition on rows that are kept so."""
        return Q(workspace=self.workspace) if self.workspace else Q(made_by=self.user)

    def edits(self) -> JobQuerySet:
        if self.workspace is not None:
            return GenerationJob.objects.history_in(self.workspace)
        return GenerationJob.objects.history_of(self.user)


@dataclass(frozen=True)
class Narrowing:
    """Rows that lead to edits, one query for each way in which it holds.

    `holds` gives those of one edit, whose id stands under a name; None where the plain conditions say it already.
    `each` is how many rows lead to one edit at most.
    """

    rows: list[Rows]
    holds: Callable[[str], Rows] | None = None
    each: int = 1


def find(history: History, filters: HistoryFilters, known: Known, place: Place | None, most: int) -> JobQuerySet:
    """Up to `most` edits behind that place, newest first; above it and upwards if newer ones are asked for."""
    nothing = filters.q and not known.endings  # punctuation alone, or a word that no prompt has
    if nothing:
        return GenerationJob.objects.none()
    narrowings = narrowings_of(history, filters)
    if filters.words:
        narrowings.append(_of_terms(history, known.endings))
    leader = _leader(narrowings, known.rare)
    others = [each.holds for each in narrowings if each is not leader and each.holds is not None]
    jobs = history.edits()
    if leader is None or leader.holds is None:
        jobs = jobs.filter(_plain(history, filters, ""), *(there_is(holds("pk")) for holds in others))
        return _from(jobs, place, "created_at", "id")[:most]
    plain = _plain(history, filters, "job__")
    found = [
        _from(rows.filter(plain, *(there_is(holds("job_id")) for holds in others)), place, MOMENT, KEY).values("job_id")
        for rows in leader.rows
    ]
    ids = [GenerationJob.objects.filter(pk__in=one[: most * leader.each]).order_by().values("pk") for one in found]
    chosen = ids[0].union(*ids[1:], all=True) if len(ids) > 1 else ids[0]
    return _from(jobs.filter(pk__in=chosen), place, "created_at", "id")[:most]


def look_up(history: History, filters: HistoryFilters) -> Known:
    """One query for whatever must be known first, and for the filters that the person has saved."""
    asked: dict[str, Any] = {
        f"common_{number}": Exists(each.rows[0].order_by()[RARE : RARE + 1])
        for number, each in enumerate(_compared(history, filters))
    }
    if filters.words:
        asked["endings"] = endings(EditTerm, "term", history.owner, filters.words[-1])
    if filters.who and history.workspace:
        member = Membership.objects.filter(workspace=history.workspace, user=filters.who)
        asked["person"] = Subquery(member.values("user__name")[:1])
        asked["address"] = Subquery(member.values("user__email")[:1])
    if filters.source:
        mine = Image.objects.visible_to(history.user).filter(pk=filters.source)
        asked["source"] = Subquery(mine.values("name")[:1])
    names = {name: F(f"saved_filters__{name}") for name in ("pk", "name", "query", "workspace")}
    asked |= {f"saved_{name}": value for name, value in names.items()}
    rows = list(
        User.objects.filter(pk=history.user.pk).order_by("saved_filters__name").annotate(**asked).values(*asked)
    )
    first = rows[0] if rows else {}
    return Known(
        endings=(first.get("endings") or "").split(),
        rare=[not first.get(name) for name in asked if name.startswith("common_")],
        person=first.get("person") or (first.get("address") or "").split("@")[0],
        source=first.get("source") or "",
        saved=[Saved(*(row[f"saved_{name}"] for name in names)) for row in rows if row["saved_pk"]],
    )


def narrowings_of(history: History, filters: HistoryFilters) -> list[Narrowing]:
    """All but the last word, which stands for several."""
    own = GenerationJob.objects.filter(history.own)
    found = []
    if filters.state:
        found.append(Narrowing([own.filter(state__in=sorted(GROUPS[filters.state]))]))
    if filters.workspace and history.workspace is None:
        found.append(Narrowing([own.filter(workspace=filters.workspace)]))
    if filters.who and history.workspace:
        found.append(Narrowing([own.filter(made_by=filters.who)]))
    if filters.favourites:
        marked = Favourite.objects.filter(user=history.user, job__isnull=False, image__trashed_at=None)
        found.append(Narrowing([marked], lambda name: marked.filter(**_same_edit(name)), each=RESULTS_MAX))
    if filters.source:
        found.append(_of_terms(history, [source_term(filters.source)]))
    return [*found, *(_of_terms(history, [word]) for word in filters.words[:-1])]


def _same_edit(name: str) -> dict[str, OuterRef]:
    """With its moment, as the index of favourites knows both; the id alone would be looked for among all of them."""
    return {"job": OuterRef(name), MOMENT: OuterRef("created_at" if name == "pk" else MOMENT)}


def _compared(history: History, filters: HistoryFilters) -> list[Narrowing]:
    """Those of which it matters how rare they are: one alone leads anyway."""
    found = narrowings_of(history, filters)
    return found if len(found) + bool(filters.words) > 1 else []


def _of_terms(history: History, terms: list[str]) -> Narrowing:
    rows = EditTerm.objects.filter(history.own)
    return Narrowing(
        [rows.filter(term=term) for term in terms],
        lambda name: EditTerm.objects.filter(job=OuterRef(name), term__in=terms),
    )


def _leader(narrowings: list[Narrowing], rare: list[bool]) -> Narrowing | None:
    """The one whose rows are read: a rare one, else the last."""
    found = next((each for each, is_rare in zip(narrowings, rare, strict=False) if is_rare), None)
    return found or (narrowings[-1] if narrowings else None)


def _plain(history: History, filters: HistoryFilters, prefix: str) -> Q:
    """What an edit's own row says; with a prefix, of a row that leads to it."""
    said = Q()
    if prefix and history.workspace is not None:  # as the list of edits says it: or there would be too few rows
        said &= Q(**{f"{prefix}workspace": history.workspace})
    elif prefix:
        member = {"workspace__memberships__user": history.user, "workspace__trashed_at": None}
        said &= Q(**{f"{prefix}{name}": value for name, value in (member | {"made_by": history.user}).items()})
    if prefix:
        said &= Q(**{f"{prefix}put_away_at": None})
    if filters.state:
        said &= Q(**{f"{prefix}state__in": sorted(GROUPS[filters.state])})
    if filters.workspace and history.workspace is None:
        said &= Q(**{f"{prefix}workspace": filters.workspace})
    if filters.who and history.workspace:
        said &= Q(**{f"{prefix}made_by": filters.who})
    moment = MOMENT if prefix else "created_at"
    if filters.begin:
        said &= Q(**{f"{moment}__gte": filters.begin})
    if filters.end:
        said &= Q(**{f"{moment}__lt": filters.end})
    return said


def _from(rows: Found, place: Place | None, moment: str, key: str) -> Found:
    """In order, and behind the place; the wider bound comes first, as an index knows it for one."""
    newer = place is not None and place.newer
    if place is not None:
        way = "gt" if newer else "lt"
        behind = Q(**{f"{moment}__{way}": place.created_at}) | Q(**{f"{key}__{way}": place.pk})
        rows = rows.filter(Q(**{f"{moment}__{way}e": place.created_at}) & behind)
    return rows.order_by(moment, key) if newer else rows.order_by(f"-{moment}", f"-{key}")
