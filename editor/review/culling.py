"""Going through many pictures: one decision after the other, and the exact way back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from editor.library.shelves import NotPossible
from editor.models import (
    About,
    Approval,
    ApprovalEvent,
    ApprovalState,
    Culling,
    Image,
    Replacement,
    Review,
    Reviewer,
    ReviewState,
    User,
    Workspace,
)
from editor.review import rounds
from editor.review.held import Held, Overtaken, hold, named, seen_at, tell_members

May = Callable[[UUID, UUID | None], bool]
PICTURES_MAX = 1_000
KEPT = 5  # of one person; older ones are gone
UNSAID = "Not chosen."
"""Why, where somebody goes through many with one key each and says nothing."""


def begin(user: User, workspace: Workspace, title: str, images: Sequence[UUID]) -> Culling:
    ids = [str(pk) for pk in images[:PICTURES_MAX]]
    made = Culling.objects.create(user=user, workspace=workspace, title=title[:120], pictures=ids)
    kept = Culling.objects.filter(user=user).order_by("-created_at").values_list("pk", flat=True)[:KEPT]
    Culling.objects.filter(user=user).exclude(pk__in=list(kept)).delete()
    return made


def decide(culling: Culling, image: Image, review: Review | None, *, approves: bool, why: str, seen: str) -> None:
    """An answer in `review`, where the person was asked; else a decision of somebody who may. Raises NotPossible.

    A picture that stands there already is passed over.
    """
    with transaction.atomic():
        locked = Culling.objects.select_for_update().get(pk=culling.pk)
        held = hold(image)
        before = _standing(held, locked.user)
        state = ApprovalState.APPROVED if approves else ApprovalState.REJECTED
        if held.round is None and held.approval.state == state and seen == seen_at(held.approval):
            return
        last = _last_event(image)
        reason = why if approves else why or UNSAID
        if review is not None:
            rounds.answer(review, locked.user, approves, reason)
        else:
            rounds.decide(image, by=locked.user, approves=approves, why=reason, seen=seen)
        done = _last_event(image)
        if done != last:  # else it was pressed twice
            locked.steps.append({"image": str(image.pk), "approves": approves, "event": done, "before": before})
        locked.why = why if not approves else locked.why
        locked.save(update_fields=["steps", "why"])


def take_back(culling: Culling, may: May) -> UUID | None:
    """The last decision; the picture stands exactly as before. Returns its id, or None if there is nothing left.

    `may`: whether the person may decide on the picture now, or answer in that round if it was an answer. Raises
    NotPossible if not, or if somebody did something about it since; then it stays, and the one before is next.
    """
    problem: NotPossible | None = None
    with transaction.atomic():
        locked = Culling.objects.select_for_update().get(pk=culling.pk)
        if not locked.steps:
            return None
        step = locked.steps.pop()
        locked.save(update_fields=["steps"])
        try:
            with transaction.atomic():
                _restore(Image.objects.get(pk=step["image"]), locked.user, step, may)
        except NotPossible as found:
            problem = found
    if problem is not None:
        raise problem
    return UUID(step["image"])


def counts(culling: Culling) -> tuple[int, int]:
    """How many pictures were approved in it, and how many rejected."""
    said = {step["image"]: step["approves"] for step in culling.steps}
    return sum(said.values()), len(said) - sum(said.values())


def _last_event(image: Image) -> int | None:
    found = ApprovalEvent.objects.filter(image=image, workspace=image.workspace_id)
    return found.order_by("-at", "-id").values_list("pk", flat=True).first()


def _standing(held: Held, user: User) -> dict[str, Any]:
    row, review = held.approval, held.round
    mine = Reviewer.objects.filter(review=review, user=user).first() if review else None
    return {
        "approval": None
        if row._state.adding
        else {
            "state": row.state,
            "by": row.by_id,
            "guest_name": row.guest_name,
            "why": row.why,
            "at": row.at.isoformat(),
        },
        "review": str(review.pk) if review else None,
        "answer": {
            "id": mine.pk,
            "approves": mine.approves,
            "why": mine.why,
            "at": mine.answered_at.isoformat() if mine.answered_at else None,
        }
        if mine
        else None,
    }


def _restore(image: Image, user: User, step: dict[str, Any], may: May) -> None:
    """Raises NotPossible."""
    held = hold(image)
    before, review_id = step["before"], step["before"]["review"]
    if not may(image.pk, UUID(review_id) if review_id and before["answer"] else None):
        raise NotPossible("You can’t decide on this picture any more, so that decision stays.")
    review = Review.objects.select_related("asked_by").filter(pk=review_id).first() if review_id else None
    # A move writes no event here, but takes the approval away and ends rounds: neither comes back by an undo.
    moved_since = held.approval._state.adding or (review is not None and review.state == ReviewState.WITHDRAWN)
    if _last_event(held.image) != step["event"] or moved_since:
        raise Overtaken(f"Something else was done about {named(held.image)} since, so that decision stays.")
    if review_id and Replacement.objects.filter(review=review_id, undone_at=None).exists():
        raise NotPossible(f"{named(held.image)} is the current version of another picture now: take it back there.")
    stood, decided = held.approval.state, held.round is None
    _put_approval(held, before["approval"])
    if review_id:
        Review.objects.filter(pk=review_id).update(state=ReviewState.OPEN, decided_by=None, decided_at=None, why="")
    if answer := before["answer"]:
        Reviewer.objects.filter(pk=answer["id"]).update(
            approves=answer["approves"], why=answer["why"], answered_at=_moment(answer["at"])
        )
    held.happened(ApprovalEvent.Kind.TAKEN_BACK, user, review=review)
    if decided and stood != (before["approval"] or {}).get("state", ApprovalState.DRAFT):
        people = [held.image.made_by, *([review.asked_by] if review else [])]
        words = f"{user.get_short_name()} took the decision on {named(held.image)} back."
        tell_members(held, people, About.REVIEW_DECIDED, words, by=user, review=review)


def _put_approval(held: Held, was: dict[str, Any] | None) -> None:
    row = held.approval
    if was is None:
        Approval.objects.filter(image=held.image).delete()
        return
    row.state, row.by_id, row.guest_name, row.why = was["state"], was["by"], was["guest_name"], was["why"]
    row.at = datetime.fromisoformat(was["at"])
    row.save()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
