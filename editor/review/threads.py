"""Reading what was said about a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from editor.models import Comment, Image, Mention, Share, User
from editor.review.mentions import name_of

THREADS_SHOWN = 20
ANSWERS_SHOWN = 20  # of each, unless one thread alone is asked for,
ANSWERS_TOGETHER = 60  # and of a page of them, behind which each shows
ANSWERS_LEAST = 3  # so many: each that a member may change or delete brings its forms along
COUNTED_MAX = 99
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class Said:
    """One comment, as one reader may see it."""

    comment: Comment
    name: str  # of who wrote it
    names: dict[int, str]  # of those it calls, by their ids, which its text holds as "@[<id>]"
    own: bool  # the reader may change it
    removable: bool  # the reader may delete it

    @property
    def is_deleted(self) -> bool:
        return self.comment.deleted_at is not None

    @property
    def by_guest(self) -> bool:
        return self.comment.made_by_id is None


@dataclass(frozen=True)
class Thread:
    """The first comment (whose words may be gone), and the latest answers to it, the oldest of them first."""

    first: Said
    answers: list[Said]
    cut: bool  # there are earlier answers
    resolved_by: str  # "" while it is open

    @property
    def pk(self) -> UUID:
        return self.first.comment.pk

    @property
    def is_resolved(self) -> bool:
        return self.first.comment.resolved_at is not None


@dataclass(frozen=True)
class Threads:
    """A page of them, the newest first; `older`: where the next page begins, if there is one."""

    shown: list[Thread]
    older: Place | None

    @property
    def pinned(self) -> list[Thread]:
        return [thread for thread in self.shown if thread.first.comment.number is not None]


def threads_of(
    image: Image,
    *,
    reader: User | None = None,
    manages: bool = False,
    share: Share | None = None,
    resolved: bool = False,
    before: Place | None = None,
    only: UUID | None = None,
) -> Threads:
    """What is said about a picture, where it lies now. In three queries, however much that is.

    `reader`: a member who may see it; `manages`: and who may delete what others said. Without a reader these are
    guests, who need a `share`: they see the threads that guests of that link began, with all answers in them, and
    learn no more of members than the names that these chose. `only`: this thread alone, be it resolved or not, with
    all its answers. What was deleted shows no words, and is left out unless others answered it.
    """
    if reader is None and share is None:
        raise ValueError("Guests read what belongs to their link alone.")
    rows = _there(image).filter(thread=None)
    if share is not None:
        rows = rows.filter(share=share)
    rows = rows.filter(pk=only) if only is not None else rows.filter(resolved_at__isnull=not resolved)
    if before is not None:
        rows = rows.filter(Q(created_at__lt=before[0]) | Q(created_at=before[0], pk__lt=before[1]))
    answers = Comment.objects.filter(deleted_at=None, workspace=image.workspace_id).select_related("made_by", "share")
    newest = answers.order_by("-created_at", "-pk").prefetch_related(_CALLED)
    if only is None:
        newest = newest[: ANSWERS_SHOWN + 1]
    rows = rows.select_related("made_by", "resolved_by", "share").prefetch_related(_CALLED)
    found = list(
        rows.prefetch_related(Prefetch("answers", newest, "latest")).order_by("-created_at", "-pk")[: THREADS_SHOWN + 1]
    )
    shown: list[Thread] = []
    left = ANSWERS_TOGETHER
    for each in found[:THREADS_SHOWN]:
        # Guests have no page of one thread, where the others could be read.
        most = ANSWERS_SHOWN if reader is None else max(ANSWERS_LEAST, min(ANSWERS_SHOWN, left))
        shown.append(_thread(each, reader, manages, most if only is None else None))
        left -= len(shown[-1].answers)
    last = shown[-1].first.comment if len(found) > THREADS_SHOWN else None
    return Threads(shown, (last.created_at, last.pk) if last else None)


def has_resolved(image: Image) -> bool:
    """Whether there are settled threads to be read."""
    return _there(image).filter(thread=None, resolved_at__isnull=False).exists()


def open_threads(image: Image) -> int:
    """How many are not settled; COUNTED_MAX + 1 stands for any number above."""
    return _there(image).filter(thread=None, resolved_at=None)[: COUNTED_MAX + 1].count()


_CALLED = Prefetch("mentions", Mention.objects.select_related("user"))


def _there(image: Image) -> "QuerySet[Comment]":
    """What was said while it lay in another workspace stays there, and nobody reads it."""
    rows = Comment.objects.filter(image=image, workspace=image.workspace_id)
    answered = Exists(Comment.objects.filter(thread=OuterRef("pk"), deleted_at=None))
    return rows.filter(Q(deleted_at=None) | answered)


def _thread(first: Comment, reader: User | None, manages: bool, most: int | None) -> Thread:
    latest: list[Comment] = first.latest  # type: ignore[attr-defined]  # prefetched
    answers = latest[:most]
    said = [said_to(each, reader, manages) for each in reversed(answers)]
    by = first.resolved_by
    return Thread(
        first=said_to(first, reader, manages),
        answers=said,
        cut=len(latest) > len(answers),
        resolved_by=name_of(by, outside=reader is None) if by else "",
    )


def said_to(comment: Comment, reader: User | None, manages: bool = False) -> Said:
    """One comment, with what is at hand of it (`made_by`, `mentions`)."""
    outside = reader is None
    own = reader is not None and comment.made_by_id == reader.pk and comment.deleted_at is None
    return Said(
        comment=comment,
        name=name_of(comment.made_by, outside=outside) if comment.made_by else comment.guest_name,
        names=names_in(comment.mentions.all(), outside=outside),
        own=own,
        removable=own or (manages and comment.deleted_at is None),
    )


def names_in(mentions: Iterable[Mention], *, outside: bool = False) -> dict[int, str]:
    return {mention.user_id: name_of(mention.user, outside=outside) for mention in mentions}
