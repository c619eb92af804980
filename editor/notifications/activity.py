"""What happened in a workspace, newest first, as its rows say: nothing is written down for it.

Each source is read by its own index, so many rows at most, and they are merged by time. Where one of them has more, a
page ends at the oldest row that was read of it: no page leaves a row out, and none comes twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db.models import Model, Prefetch, Q, QuerySet
from django.utils import timezone

from editor.models import (
    ApprovalEvent,
    Batch,
    Comment,
    FormerMember,
    Image,
    ImageKind,
    ImageState,
    Membership,
    Mention,
    Share,
    User,
    Workspace,
)
from editor.notifications.shown import of_shown_picture

PICTURES_READ = 200
READ = 30  # of each other source
PICTURES_SHOWN = 6  # of a group
COUNTED = 100  # then it is "99+"
INSTANT = timedelta(microseconds=1)


@dataclass
class Deed:
    """What somebody did: one thing, or the pictures that they brought within an hour."""

    kind: str
    at: datetime
    person: User | None
    row: Any  # of pictures, the newest
    number: int = 1
    images: list[Image] = field(default_factory=list)
    is_new: bool = False

    @property
    def not_shown(self) -> int:
        """How many of its pictures are only counted."""
        return self.number - len(self.images)


@dataclass(frozen=True)
class Page:
    deeds: Sequence[Deed]
    older: datetime | None  # where the next page begins; None: there is nothing older
    new: int  # done by others since the mark,
    new_is_more: bool  # and there is more than that, behind the end of the page


@dataclass(frozen=True)
class _Source:
    kind: str
    rows: "QuerySet[Any]"
    when: str  # the column that says when
    who: str  # and who; "" for nobody known
    most: int = READ


def page_of(user: User, workspace: Workspace, before: datetime | None, since: datetime | None) -> Page:
    """What the person may see of it, from `before` on downwards; `since`: what others did later is new to them."""
    found: list[Deed] = []
    ends: list[datetime] = []
    for source in _sources(user, workspace):
        rows = source.rows if before is None else source.rows.filter(**{f"{source.when}__lte": before})
        read = list(rows.order_by(f"-{source.when}", "-pk")[: source.most])
        found.extend(_deed(source, row) for row in read)
        if len(read) == source.most:
            ends.append(getattr(read[-1], source.when))
    end = max(ends, default=None)
    shown = [deed for deed in found if end is None or deed.at > end]
    if end is not None and not shown:  # all of one moment
        shown, end = [deed for deed in found if deed.at >= end], end - INSTANT
    _name_people(shown)
    new = [deed for deed in shown if _is_news(deed, user, since)]
    for deed in new:
        deed.is_new = True
    more = since is not None and end is not None and end > since
    return Page(_together(shown), end, len(new), more)


def new_since(user: User, workspace: Workspace, since: datetime) -> int:
    """How much others did since then, counted up to COUNTED."""
    number = 0
    for source in _sources(user, workspace):
        rows = source.rows.filter(**{f"{source.when}__gt": since})
        if source.who:
            rows = rows.exclude(**{source.who: user})
        number += len(rows.order_by(f"-{source.when}").values_list("pk")[: COUNTED - number])
        if number >= COUNTED:
            break
    return number


def look_at(membership: Membership) -> None:
    """The person has looked: what comes later is new."""
    Membership.objects.filter(pk=membership.pk).update(activity_seen_at=timezone.now())


def _sources(user: User, workspace: Workspace) -> Iterator[_Source]:
    here = {"workspace": workspace}
    images = Image.objects.shown_to(user).filter(**here).exclude(state=ImageState.REFUSED)
    yield _Source("pictures", images, "created_at", "made_by", PICTURES_READ)
    # What was said in another workspace stays there when a picture moves.
    said = of_shown_picture(user)
    comments = Comment.objects.filter(said, **here, deleted_at=None).select_related("image", "thread")
    comments = comments.prefetch_related(Prefetch("mentions", Mention.objects.select_related("user")))
    yield _Source("comment", comments, "created_at", "made_by")
    yield _Source("approval", ApprovalEvent.objects.filter(said, **here).select_related("image", "review"), "at", "by")
    shares = Share.objects.filter(Q(image=None) | said, **here).select_related("image", "collection")
    yield _Source("share", shares, "created_at", "made_by")
    yield _Source("batch", Batch.objects.filter(**here), "created_at", "made_by")
    yield _Source("joined", Membership.objects.filter(**here), "created_at", "user")
    yield _Source("left", FormerMember.objects.filter(**here), "left_at", "user")


def _deed(source: _Source, row: Model) -> Deed:
    kind = source.kind
    if isinstance(row, Image):
        kind = "uploads" if row.kind == ImageKind.UPLOADED else "results"
    return Deed(kind, getattr(row, source.when), None, row)


def _who(deed: Deed) -> int | None:
    """The id of whoever did it; None: a guest."""
    row = deed.row
    for name in ("made_by_id", "by_id", "user_id"):
        if hasattr(row, name):
            found: int | None = getattr(row, name)
            return found
    return None


def _name_people(deeds: Sequence[Deed]) -> None:
    people = User.objects.in_bulk({who for deed in deeds if (who := _who(deed)) is not None})
    for deed in deeds:
        deed.person = people.get(_who(deed) or 0)


def _is_news(deed: Deed, user: User, since: datetime | None) -> bool:
    return since is not None and deed.at > since and _who(deed) != user.pk


def _together(deeds: Iterable[Deed]) -> list[Deed]:
    """Newest first; the pictures of one person, kind and hour are one."""
    groups: dict[tuple[Any, ...], Deed] = {}
    result = []
    for deed in sorted(deeds, key=attrgetter("at"), reverse=True):
        if not isinstance(deed.row, Image):
            result.append(deed)
            continue
        hour = deed.at.replace(minute=0, second=0, microsecond=0)
        group = groups.setdefault((deed.kind, _who(deed), hour), deed)
        if group is deed:
            result.append(deed)
        else:
            group.number += 1
            group.is_new |= deed.is_new
        if len(group.images) < PICTURES_SHOWN:
            group.images.append(deed.row)
    return result
