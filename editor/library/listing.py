"""Reading a library: page by page, in its order, by whatever narrows it, without counting anything.

Each thing that narrows a library and has rows of its own (a word, a tag, a collection, favourites) keeps the moment of
its pictures in its index, so that the newest of them are read without the others. Of several the rarest leads, and
the others are looked up for each picture that it finds. A library of 100,000 pictures answers like one of 1,000.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, TextField, UUIDField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.lookups import IsNull

from editor.library.existence import there_is
from editor.library.filters import Filters, Sort
from editor.models import (
    Approval,
    ApprovalState,
    Collection,
    CollectionItem,
    Favourite,
    Image,
    ImageState,
    ImageTag,
    ImageWord,
    Membership,
    Tag,
    User,
    Workspace,
)

RARE = 1_000
"""Rows up to which something leads a search before all that is more common."""

ENDINGS = 12
"""Words that the beginning of one stands for, at most."""

BEGINNING = 2
"""Letters from which on the last word of a search is taken for the beginning of others, too."""

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Place:
    """Where a page ended: the moment or the name of its last picture, and its id."""

    value: datetime | str
    pk: UUID


@dataclass(frozen=True)
class Narrowing:
    """Something that has rows of its own: `rows`, one query for each way in which it holds, in the index's order.

    `holds` is the same as a condition on pictures, whose id stands under the given name.
    """

    rows: list[Rows]
    holds: Callable[[str], Exists]


@dataclass(frozen=True)
class Known:
    """What is looked up before the pictures: what the last word begins, what is rare, and names for the page."""

    endings: list[str]
    rare: list[bool]
    tag: int | None = None
    shelf: UUID | None = None
    person: str = ""
    collection: str = ""


def find(
    user: User, workspace: Workspace, filters: Filters, after: Place | None, most: int, *, with_names: bool = True
) -> tuple[list[Image], Known]:
    """Up to `most` pictures behind that place, with `is_favourite` and `stands`; in one query, or two for more filters.

    `stands`: where its approval stands, "locked" where it is; None for one that nobody spoke about.

    `with_names` also looks up what the page calls the person and the collection of the filters.
    """
    fixed = _narrowings(user, workspace, filters)
    known = Known([], [False] * len(fixed))
    if _asks_more(filters, fixed) or (with_names and (filters.who or filters.collection)):
        known = _look_up(workspace, filters, fixed)
        if (filters.tag and known.tag is None) or (filters.collection and known.shelf is None):
            return [], known
        fixed = _narrowings(user, workspace, filters, known)
    if filters.q and not filters.words:  # punctuation alone, which no picture is found by
        return [], known
    narrowings = list(fixed)
    if filters.words:
        if not known.endings:
            return [], known
        narrowings.append(_of_words(workspace, known.endings))
    leader = _leader(narrowings, known.rare, filters.sort)
    others = [each for each in narrowings if each is not leader]
    if leader is None:
        images = _page(Image.objects.filter(_plain(user, workspace, filters, "")), filters.sort, "", after)
        images = images.filter(*(each.holds("pk") for each in others))
    else:
        ids = [
            _ids(rows, _plain(user, workspace, filters, "image__"), filters, others, after, most)
            for rows in leader.rows
        ]
        images = Image.objects.filter(pk__in=ids[0].union(*ids[1:], all=True) if len(ids) > 1 else ids[0])
        images = images.order_by(*_order(filters.sort, ""))
    marked = Favourite.objects.filter(user=user, image=OuterRef("pk"))
    return list(images.annotate(is_favourite=there_is(marked), stands=_stands())[:most]), known


def _stands() -> Subquery:
    """One look by the picture's key for each that is shown."""
    rows = Approval.objects.filter(image=OuterRef("pk"), workspace=OuterRef("workspace"))
    word = Case(When(locked_at__isnull=False, then=Value("locked")), default=F("state"))
    return Subquery(rows.values(word=word)[:1])


def _narrowings(user: User, workspace: Workspace, filters: Filters, known: Known | None = None) -> list[Narrowing]:
    """All but the last word, which stands for several.

    Ids that are known stand there as such: the database's planner knows how common those are, and of a subquery that
    finds them it would think the average, which is wrong a thousandfold for a tag of all pictures.
    """
    found = [_of_words(workspace, [word]) for word in filters.words[:-1]]
    if filters.tag:
        tag = known.tag if known else Subquery(_tag(workspace, filters.tag))
        found.append(_of(ImageTag.objects.filter(tag=tag)))
    if filters.collection:
        shelf = known.shelf if known else Subquery(_shelf(workspace, filters.collection), output_field=UUIDField())
        found.append(_of(CollectionItem.objects.filter(collection=shelf)))
    if filters.favourites:
        found.append(_of(Favourite.objects.filter(user=user)))
    if filters.approval and filters.approval != ApprovalState.DRAFT:
        found.append(_of(Approval.objects.filter(workspace=workspace, state=filters.approval)))
    return found


def _tag(workspace: Workspace, name: str) -> Rows:
    return Tag.objects.filter(workspace=workspace, name=name).values("pk")[:1]


def _shelf(workspace: Workspace, pk: UUID) -> Rows:
    return Collection.objects.filter(workspace=workspace, pk=pk).values("pk")[:1]


def _of(rows: Rows) -> Narrowing:
    return Narrowing([rows], lambda name: Exists(rows.filter(image=OuterRef(name))))


def _of_words(workspace: Workspace, words: list[str]) -> Narrowing:
    rows = ImageWord.objects.filter(workspace=workspace)
    return Narrowing(
        [rows.filter(word=word) for word in words],
        lambda name: Exists(ImageWord.objects.filter(image=OuterRef(name), word__in=words)),
    )


def _leader(narrowings: list[Narrowing], rare: list[bool], sort: str) -> Narrowing | None:
    """The one whose rows are read: a rare one; else the last, if its rows stand in the order that is asked for."""
    found = next((each for each, is_rare in zip(narrowings, rare, strict=False) if is_rare), None)
    if found is None and narrowings and sort != Sort.NAME:
        return narrowings[-1]
    return found


def _plain(user: User, workspace: Workspace, filters: Filters, prefix: str) -> Q:
    """What a picture's own row says. A removed one is in the trash."""
    asked: dict[str, Any] = {
        "workspace": workspace,
        "trashed_at": None,
        "state__in": [ImageState.READY, ImageState.RECEIVED],
    }
    named = {"kind": filters.kind, "shape": filters.shape, "made_by": filters.who}
    asked |= {name: value for name, value in named.items() if value}
    said = Q(**{f"{prefix}{name}": value for name, value in asked.items()})
    said &= Q(**{f"{prefix}withheld_at": None}) | Q(**{f"{prefix}made_by": user})
    if filters.approval == ApprovalState.DRAFT:  # most have no row at all
        beyond = Approval.objects.filter(image=OuterRef("image_id" if prefix else "pk"), workspace=workspace)
        said &= Q(IsNull(Subquery(beyond.exclude(state=ApprovalState.DRAFT).values("pk")[:1]), True))
    moment = "image_created_at" if prefix else "created_at"
    if filters.begin:
        said &= Q(**{f"{moment}__gte": filters.begin})
    if filters.end:
        said &= Q(**{f"{moment}__lt": filters.end})
    return said


def _ids(rows: Rows, plain: Q, filters: Filters, others: Iterable[Narrowing], after: Place | None, most: int) -> Rows:
    """The ids of the first pictures that these rows lead to. Twice the same filter, so that parts can be joined."""
    asked = rows.filter(plain, *(each.holds("image_id") for each in others))
    first = _page(asked, filters.sort, "image__", after).values("image_id")[:most]
    return Image.objects.filter(pk__in=first).order_by().values("pk")


def _order(sort: str, prefix: str) -> tuple[str, str]:
    moment, pk = ("image_created_at", "image_id") if prefix else ("created_at", "id")
    if sort == Sort.NAME:
        return f"{prefix}name", pk
    return (moment, pk) if sort == Sort.OLDEST else (f"-{moment}", f"-{pk}")


def _page(rows: Rows, sort: str, prefix: str, after: Place | None) -> Rows:
    """In order and behind the place; the wider bound comes first, as an index knows it for one."""
    first, second = _order(sort, prefix)
    if after is not None:
        first_name, second_name = first.lstrip("-"), second.lstrip("-")
        way = "lt" if first.startswith("-") else "gt"
        behind = Q(**{f"{first_name}__{way}": after.value}) | Q(**{f"{second_name}__{way}": after.pk})
        rows = rows.filter(Q(**{f"{first_name}__{way}e": after.value}) & behind)
    return rows.order_by(first, second)


def _asks_more(filters: Filters, fixed: list[Narrowing]) -> bool:
    several = len(fixed) > 1 or (fixed and filters.sort == Sort.NAME)
    return bool(filters.words or several)


def _look_up(workspace: Workspace, filters: Filters, fixed: list[Narrowing]) -> Known:
    """One query for whatever must be known first."""
    asked: dict[str, Any] = {
        f"common_{number}": Exists(each.rows[0].order_by()[RARE : RARE + 1]) for number, each in enumerate(fixed)
    }
    if filters.words:
        asked["endings"] = endings(ImageWord, "word", workspace, filters.words[-1])
    if filters.who:
        member = Membership.objects.filter(workspace=OuterRef("pk"), user=filters.who)
        asked["person"] = Subquery(member.values("user__name")[:1])
        asked["address"] = Subquery(member.values("user__email")[:1])
    if filters.tag:
        asked["tag"] = Subquery(_tag(workspace, filters.tag))
    if filters.collection:
        asked["shelf"] = Subquery(_shelf(workspace, filters.collection), output_field=UUIDField())
        named = Collection.objects.filter(workspace=OuterRef("pk"), pk=filters.collection)
        asked["collection_name"] = Subquery(named.values("name")[:1])
    found = Workspace.objects.filter(pk=workspace.pk).annotate(**asked).values(*asked).first() or {}
    return Known(
        endings=(found.get("endings") or "").split(),
        rare=[not found.get(f"common_{number}") for number in range(len(fixed))],
        tag=found.get("tag"),
        shelf=found.get("shelf"),
        person=found.get("person") or (found.get("address") or "").split("@")[0],
        collection=found.get("collection_name") or "",
    )


def endings(table: type[Model], column: str, owner: Workspace | User, word: str) -> RawSQL:
    """The first words that begin like this one, itself included, with spaces between them.

    `column` holds the words, those of an owner under its id. Each step goes to the next word by the index, however
    many rows have the one before.
    """
    name, join = table._meta.db_table, "string_agg" if connection.vendor == "postgresql" else "group_concat"
    whose = "workspace_id" if isinstance(owner, Workspace) else "made_by_id"
    space = owner._meta.pk.get_db_prep_value(owner.pk, connection)
    most = ENDINGS if len(word) >= BEGINNING else 1
    beginning = (
        f"{word}%" if len(word) >= BEGINNING else word
    )  # words hold letters, digits and symbols like emoji: no other wildcard
    sql = f"""
        (WITH RECURSIVE found(word, number) AS (
            SELECT CAST((SELECT MIN({column}) FROM {name} WHERE {whose} = %s AND {column} >= %s) AS text), 1
            UNION ALL
            SELECT CAST((SELECT MIN(w.{column}) FROM {name} w WHERE w.{whose} = %s AND w.{column} > found.word)
                        AS text), number + 1
            FROM found WHERE found.word LIKE %s AND number < %s
        ) SELECT {join}(word, ' ') FROM found WHERE word LIKE %s)
    """  # noqa: S608  names of ours; what a person said goes as parameters
    return RawSQL(sql, (space, word, space, beginning, most, beginning), output_field=TextField())  # noqa: S611
