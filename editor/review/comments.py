"""Saying something about a picture, on all of it or on a point; answering, changing it, taking it back, settling it."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from editor import events
from editor.library.shelves import NotPossible
from editor.models import Comment, CommentVersion, Image, Mention, Share, User
from editor.review.mentions import MENTIONS_MAX, members_of, with_ids, with_names
from editor.review.threads import (
    COUNTED_MAX,
    Said,
    Thread,
    Threads,
    has_resolved,
    names_in,
    open_threads,
    threads_of,
)
from editor.review.told import tell_of

__all__ = [
    "COUNTED_MAX",
    "Said",
    "Thread",
    "Threads",
    "add",
    "change",
    "delete",
    "has_resolved",
    "open_threads",
    "resolve",
    "spelled",
    "threads_of",
]

ANSWERS_MAX = 200  # of one thread
WINDOW = timedelta(minutes=10)
SAID_MAX = 30  # comments and changes of one person, or of all guests of one link, within WINDOW
_OF_FORMS = UUID("0f4ac6f6-58c4-4c8f-93f3-4a2d1d6b6a35")  # names in it are people, their forms and what they wrote


def add(
    image: Image,
    text: str,
    *,
    made_by: User | None = None,
    share: Share | None = None,
    guest_name: str = "",
    thread: Comment | None = None,
    point: tuple[float, float] | None = None,
    called: Iterable[int] = (),
    form_token: str = "",
) -> Comment:
    """A new comment by a member (`made_by`), or by a guest (`share` and `guest_name`); whether they may, was asked.

    `text` is plain, 1 to `COMMENT_MAX` characters, checked by `CommentForm`. Without a `thread` it begins one, and may
    be about a `point`: x and y from the upper left corner, in parts of the sides, 0 to 1. In a thread it answers,
    which opens a settled one again; any comment of a thread will do. A member calls others by "@Name"; `called` are
    the ids of those that were chosen from the list, which tells namesakes apart. Guests call nobody, and answer only
    in threads that guests of the same link began. The same `form_token` with the same words again: the comment that
    it made. Tells those whom it concerns. Raises NotPossible, with a sentence for the person.
    """
    pk = _pk_of(image, text, made_by, share, guest_name, thread, form_token)
    with transaction.atomic():
        held = _hold(image)
        if (made := Comment.objects.filter(pk=pk).first()) is not None:
            return made
        _check_pace(made_by, share)
        first = _first_of(thread, image, share if made_by is None else None)
        text, people = _with_mentions(text, image.workspace_id, called) if made_by else (text, [])
        comment = Comment.objects.create(
            pk=pk,
            image=image,
            workspace_id=image.workspace_id,
            thread=first,
            made_by=made_by,
            share=share if made_by is None else None,
            guest_name=guest_name if made_by is None else "",
            text=text,
            x=point[0] if point and first is None else None,
            y=point[1] if point and first is None else None,
            number=_next_number(image) if point and first is None else None,
        )
        Mention.objects.bulk_create(Mention(comment=comment, user=user) for user in people)
        if first is not None and first.resolved_at is not None:
            Comment.objects.filter(pk=first.pk).update(resolved_at=None, resolved_by=None)
        tell_of(comment, held, people)
        events.talk_changed(image.pk, image.workspace_id)
    return comment


def change(comment: Comment, text: str, *, called: Iterable[int] = ()) -> bool:
    """Whether its words are others now; what it said before can still be read. Tells those who are newly called.

    Of a member's comment. Raises NotPossible.
    """
    with transaction.atomic():
        image = _hold(comment.image)
        held = Comment.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=comment.pk)
        if held.deleted_at is not None:
            raise NotPossible("This comment was deleted meanwhile.")
        earlier = list(held.mentions.select_related("user"))
        known = [mention.user for mention in earlier]
        text, people = _with_mentions(text, held.workspace_id, called, known)
        if text == held.text:
            return False
        _check_pace(held.made_by, None)
        now = timezone.now()
        CommentVersion.objects.create(comment=held, text=held.text, replaced_at=now)
        Comment.objects.filter(pk=held.pk).update(text=text, edited_at=now)
        newly = [user for user in people if user not in known]
        Mention.objects.bulk_create(Mention(comment=held, user=user) for user in newly)
        tell_of(held, image, newly, only_called=True)
        events.talk_changed(held.image_id, held.workspace_id)
    return True


def delete(comment: Comment) -> None:
    """Its words go, those from before as well, and whom it called. Answers to it stay, below a line that says so."""
    with transaction.atomic():
        rows = Comment.objects.filter(pk=comment.pk, deleted_at=None)
        if not rows.update(text="", deleted_at=timezone.now()):
            return
        CommentVersion.objects.filter(comment=comment).delete()
        Mention.objects.filter(comment=comment).delete()
        events.talk_changed(comment.image_id, comment.workspace_id)


def resolve(comment: Comment, by: User, *, resolved: bool) -> bool:
    """Settle the thread of a comment, or open it again; False if it was so already."""
    rows = Comment.objects.filter(pk=comment.thread_id or comment.pk, resolved_at__isnull=resolved)
    with transaction.atomic():
        moment = timezone.now() if resolved else None
        changed = bool(rows.update(resolved_at=moment, resolved_by=by if resolved else None))
        if changed:
            events.talk_changed(comment.image_id, comment.workspace_id)
    return changed


def spelled(comment: Comment, text: str | None = None) -> str:
    """What it says (or said: `text`), with names, as a member types it."""
    return with_names(comment.text if text is None else text, names_in(comment.mentions.select_related("user")))


def _pk_of(
    image: Image,
    text: str,
    made_by: User | None,
    share: Share | None,
    guest_name: str,
    thread: Comment | None,
    form_token: str,
) -> UUID:
    """Two presses of one button make one comment without a column for it; other words are another comment."""
    if not form_token:
        return uuid4()
    who = f"user {made_by.pk}" if made_by else f"share {share.pk if share else ''} {guest_name}"
    return uuid5(_OF_FORMS, "\n".join([who, form_token, str(image.pk), str(thread.pk if thread else ""), text]))


def _hold(image: Image) -> Image:
    """Until the transaction ends it stays where it is, and numbers on pins are given one after the other."""
    held = Image.objects.select_for_update(no_key=True, of=("self",)).select_related("made_by").get(pk=image.pk)
    if held.workspace_id != image.workspace_id or held.trashed_at is not None:
        raise NotPossible("This picture is not there any more: it was moved or put into the trash.")
    return held


def _check_pace(made_by: User | None, share: Share | None) -> None:
    since = timezone.now() - WINDOW
    if made_by is not None:
        said = Comment.objects.filter(made_by=made_by, created_at__gt=since).count()
        said += CommentVersion.objects.filter(comment__made_by=made_by, replaced_at__gt=since).count()
    else:
        said = Comment.objects.filter(share=share, created_at__gt=since).count()
    if said >= SAID_MAX:
        raise NotPossible("That is a lot at once. Wait a few minutes and try again.")


def _first_of(thread: Comment | None, image: Image, share: Share | None) -> Comment | None:
    """The first of the thread in which is answered. Raises NotPossible."""
    if thread is None:
        return None
    rows = Comment.objects.filter(pk=thread.thread_id or thread.pk, image=image, workspace=image.workspace_id)
    first = (rows.filter(share=share) if share else rows).first()
    answers = first.answers.filter(deleted_at=None) if first else None
    if first is None or answers is None or (first.deleted_at is not None and not answers.exists()):
        raise NotPossible("This thread is not there any more.")
    if answers.count() >= ANSWERS_MAX:
        raise NotPossible(f"{ANSWERS_MAX} answers are enough for one thread. Begin a new one.")
    return first


def _with_mentions(
    text: str, workspace_id: UUID, called: Iterable[int], known: Iterable[User] = ()
) -> tuple[str, list[User]]:
    """`known`: who was called before, be they in the workspace or not. Raises NotPossible."""
    if "@" not in text:
        return text, []
    people = {user.pk: user for user in (*known, *members_of(workspace_id))}
    said, found = with_ids(text, people.values(), called)
    if len(found) > MENTIONS_MAX:
        raise NotPossible(f"At most {MENTIONS_MAX} people can be called by one comment.")
    return said, found


def _next_number(image: Image) -> int:
    last = Comment.objects.filter(image=image).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
