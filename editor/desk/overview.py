"""The queue as a page shows it: the most urgent first, one row for what belongs together. Counts have a bound."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import IntegerField, OuterRef, Q, Subquery
from django.utils import timezone

from editor.desk.queue import Scope
from editor.models import CaseState, Cause, ModerationCase

if TYPE_CHECKING:
    from editor.models.moderation import CaseQuerySet

LOOKED_AT = 200
"""How many cases are read for one page of groups."""
SHOWN = 50
"""Groups of one page."""
COUNTED = 20
CLAIMS_SHOWN = 20


class Place(NamedTuple):
    """Where a page of the queue begins: behind this case."""

    urgency: int
    opened_at: datetime
    pk: UUID


@dataclass(frozen=True)
class Group:
    """Cases of one cause and one person; `first` is the most urgent one."""

    first: ModerationCase
    number: int  # at most COUNTED + 1

    @property
    def cause(self) -> Cause:
        return Cause(self.first.cause)

    @property
    def many(self) -> str:
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)


@dataclass(frozen=True)
class Page:
    groups: list[Group]
    further: Place | None


class CountedUpTo(Subquery):
    """How many rows a query that has a limit finds."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = IntegerField()


def waiting(scope: Scope, place: Place | None = None) -> "CaseQuerySet":
    rows = ModerationCase.objects.waiting().filter(scope.conditions)
    return rows if place is None else rows.filter(_behind(place))


def _behind(place: Place) -> Q:
    later = Q(opened_at__gt=place.opened_at) | Q(opened_at=place.opened_at, pk__gt=place.pk)
    return Q(urgency__lte=place.urgency) & (Q(urgency__lt=place.urgency) | later)


def groups(scope: Scope, place: Place | None = None) -> Page:
    """One page of groups, in two queries. A group whose cases lie far apart may come again on a later page."""
    rows = waiting(scope, place).only("cause", "person", "urgency", "opened_at")[: LOOKED_AT + 1]
    firsts: dict[tuple[str, int], UUID] = {}
    last = further = None
    for number, row in enumerate(rows):
        group = row.cause, row.person_id
        if last is not None and (number == LOOKED_AT or (len(firsts) == SHOWN and group not in firsts)):
            further = Place(last.urgency, last.opened_at, last.pk)
            break
        firsts.setdefault(group, row.pk)
        last = row
    return Page([Group(case, getattr(case, "number", 1)) for case in _numbered(firsts.values())], further)


def _numbered(ids: Iterable[UUID]) -> "CaseQuerySet":
    same = ModerationCase.objects.filter(state=CaseState.OPEN, cause=OuterRef("cause"), person=OuterRef("person"))
    number: Any = CountedUpTo(same.order_by().values("pk")[: COUNTED + 1])
    rows = ModerationCase.objects.waiting().filter(pk__in=list(ids)).annotate(number=number)
    return rows.select_related("person", "image", "job")


def members(scope: Scope, most: int) -> list[ModerationCase]:
    """The cases of a group, the most urgent first."""
    return list(waiting(scope).select_related("person", "image", "job", "claimed_by")[:most])


def claims() -> list[ModerationCase]:
    """Who looks at what just now."""
    rows = ModerationCase.objects.filter(
        state=CaseState.OPEN, claimed_by__isnull=False, claimed_until__gt=timezone.now()
    )
    return list(rows.select_related("claimed_by", "person").order_by("-claimed_until")[:CLAIMS_SHOWN])
