"""Whether a picture is good to go: asked for from named people, answered, decided, withdrawn and locked.

Who may do what is asked in `editor.access`; here stands what may happen at all. Each step holds the picture, so that
two people who decide at once make one outcome, and the second is told what happened.
"""

from collections.abc import Sequence

from django.db import transaction

from editor.library.shelves import NotPossible
from editor.models import (
    About,
    Approval,
    ApprovalEvent,
    ApprovalState,
    Image,
    Membership,
    Review,
    Reviewer,
    ReviewState,
    Share,
    User,
)
from editor.notifications.seeing import see_review
from editor.review import replacing
from editor.review.held import Held, Overtaken, approval_of, hold, named, seen_at, tell_members, who_decided

__all__ = [
    "NotPossible",
    "Overtaken",
    "answer",
    "approval_of",
    "ask",
    "decide",
    "lock",
    "reopen",
    "seen_at",
    "unlock",
    "unlock_removed",
    "withdraw",
]

REVIEWERS_MAX = 20
_LOCKED_FOR_GUESTS = "It is approved for good by now. Tell whoever gave you the link what is wrong."
Kind = ApprovalEvent.Kind


def ask(
    image: Image, asked_by: User, reviewers: Sequence[User], note: str = "", replaces: Image | None = None
) -> Review:
    """Begin a round. A picture that is approved stays so while it is proposed as another one's next version.

    Raises NotPossible.
    """
    with transaction.atomic():
        held = hold(image)
        people = _askable(held, asked_by, reviewers)
        approved = held.approval.state == ApprovalState.APPROVED
        if held.round is not None:
            raise Overtaken(f"{held.round.asked_by.get_short_name()} asked for a review of it already.")
        if approved and replaces is None:
            raise NotPossible("It is approved already. To have it looked at again, take it back to draft first.")
        review = Review.objects.create(
            image=held.image,
            workspace_id=held.image.workspace_id,
            replaces=replaces,
            asked_by=asked_by,
            note=note,
            created_at=held.now,
        )
        Reviewer.objects.bulk_create(Reviewer(review=review, user=person) for person in people)
        if not approved:
            held.stand(ApprovalState.IN_REVIEW, asked_by, why=note)
        held.happened(Kind.ASKED, asked_by, review=review, why=note)
        words = f"{asked_by.get_short_name()} asks you to review {named(held.image)}."
        tell_members(held, people, About.REVIEW_ASKED, words, by=asked_by, review=review)
    return review


def _askable(held: Held, asked_by: User, reviewers: Sequence[User]) -> list[User]:
    """Raises NotPossible."""
    if not held.image.is_ready or held.image.purged_at is not None:
        raise NotPossible("There is no picture to look at yet.")
    if held.image.withheld_at is not None:
        raise NotPossible("It waits for a look of a moderator: until then nobody else sees it.")
    people = {person.pk: person for person in reviewers}
    if asked_by.pk in people:
        raise NotPossible("Ask somebody else: nobody reviews what they ask for themselves.")
    if not people:
        raise NotPossible("Choose at least one person to ask.")
    if len(people) > REVIEWERS_MAX:
        raise NotPossible(f"Ask at most {REVIEWERS_MAX} people at once.")
    members = Membership.objects.filter(workspace=held.image.workspace_id, user__in=people, user__is_active=True)
    if members.count() != len(people):
        raise NotPossible("Somebody you chose is not in this workspace any more. Choose again.")
    return list(people.values())


def answer(review: Review, user: User, approves: bool, why: str = "") -> Review:
    """What somebody says who was asked. The first no ends the round; the yes of the last one, too.

    Who leaves the workspace without an answer is waited for no longer. Raises NotPossible, Overtaken.
    """
    with transaction.atomic():
        held = hold(review.image)
        if held.round is None or held.round.pk != review.pk:
            raise Overtaken(_how_it_ended(review))
        review = held.round
        asked = Reviewer.objects.filter(review=review)
        mine = asked.filter(user=user).first()
        if mine is None:
            raise NotPossible("You were not asked in this round.")
        if not approves and not why:
            raise NotPossible("Say in a few words why not.")
        if mine.approves == approves and mine.why == why:
            return review  # pressed twice
        asked.filter(pk=mine.pk).update(approves=approves, why=why, answered_at=held.now)
        see_review(user.pk, review.pk)
        members = Membership.objects.filter(workspace=held.image.workspace_id).values("user")
        waiting = asked.filter(approves=None, user__in=members)
        if not approves or not waiting.exists():
            _decided(held, user, approves=approves, why=why)
        held.happened(Kind.APPROVED if approves else Kind.REJECTED, user, review=review, why=why)
    return review


def _how_it_ended(review: Review) -> str:
    review = Review.objects.select_related("decided_by").get(pk=review.pk)
    who = review.decided_by.get_short_name() if review.decided_by else "Somebody"
    did = {
        ReviewState.APPROVED: "approved it",
        ReviewState.REJECTED: "rejected it",
        ReviewState.WITHDRAWN: "withdrew the review",
    }
    return f"{who} {did.get(ReviewState(review.state), 'was faster')} in the meantime."


def decide(
    image: Image,
    *,
    by: User | None = None,
    share: Share | None = None,
    guest_name: str = "",
    approves: bool,
    why: str = "",
    seen: str | None = None,
) -> Approval:
    """A decision that nobody waits for: by a member who may, which ends an open round, or by a guest with a link.

    A guest's word is written down while a round is open, but ends it not. `seen`: of what the person saw (`seen_at`);
    if that is over, nothing happens. Raises NotPossible, Overtaken.
    """
    state = ApprovalState.APPROVED if approves else ApprovalState.REJECTED
    with transaction.atomic():
        held = hold(image)
        row = held.approval
        again = row.state == state and held.round is None
        if again and by is not None and row.by_id == by.pk:
            return row  # pressed twice
        if row.locked_at is not None and not (approves and by is None):
            raise NotPossible("It is approved and locked. Unlock it first." if by else _LOCKED_FOR_GUESTS)
        if (again and by is not None) or (seen is not None and seen != seen_at(row)):
            raise Overtaken(_how_it_stands(row))
        if not approves and not why:
            raise NotPossible("Say in a few words why not.")
        kind = Kind.APPROVED if approves else Kind.REJECTED
        if by is None:
            return _guest_says(held, kind, share, guest_name, why)
        review = held.round
        if review is not None:
            mine = Reviewer.objects.filter(review=review, user=by)
            if mine.update(approves=approves, why=why, answered_at=held.now):
                see_review(by.pk, review.pk)
        _decided(held, by, approves=approves, why=why)
        held.happened(kind, by, review=review, why=why)
    return row


def _how_it_stands(row: Approval) -> str:
    who = who_decided(row)
    return {
        ApprovalState.APPROVED: f"{who} approved it in the meantime.",
        ApprovalState.REJECTED: f"{who} rejected it in the meantime.",
        ApprovalState.IN_REVIEW: f"{who} asked for a review of it in the meantime.",
        ApprovalState.DRAFT: "It was taken back to draft in the meantime.",
    }[ApprovalState(row.state)]


def _guest_says(held: Held, kind: Kind, share: Share | None, guest_name: str, why: str) -> Approval:
    """Who gave them the link answers for it. What a colleague approved may be rejected, but is not approved again."""
    latest = ApprovalEvent.objects.filter(image=held.image, workspace=held.image.workspace_id).order_by("-at", "-id")
    last = latest.first()
    link = share.pk if share else None
    if last is not None and (last.share_id, last.guest_name, last.kind, last.why) == (link, guest_name, kind, why):
        return held.approval  # pressed twice
    state = ApprovalState.APPROVED if kind == Kind.APPROVED else ApprovalState.REJECTED
    if held.round is None and held.approval.state != state:
        held.stand(state, None, guest_name=guest_name, why=why)
    held.happened(kind, None, share=share, guest_name=guest_name, review=held.round, why=why)
    did = "approved" if kind == Kind.APPROVED else "rejected"
    people = [held.image.made_by, *([share.made_by] if share else []), *([held.round.asked_by] if held.round else [])]
    words = f"{guest_name} (guest) {did} {named(held.image)}."
    tell_members(held, people, About.GUEST, words, guest_name=guest_name, share=share)
    return held.approval


def _decided(held: Held, by: User, *, approves: bool, why: str) -> None:
    """The open round ends with it, and the picture stands there from now on."""
    review = held.round
    proposal = review is not None and review.replaces is not None
    approved_before = held.approval.state == ApprovalState.APPROVED
    held.end(ReviewState.APPROVED if approves else ReviewState.REJECTED, by, why)
    if not (proposal and approved_before):  # a declined proposal is no worse a picture than before
        held.stand(ApprovalState.APPROVED if approves else ApprovalState.REJECTED, by, why=why)
    if review is not None and proposal and approves:
        replacing.replace(review, by)
    people = [held.image.made_by, *([review.asked_by] if review else [])]
    did = "approved" if approves else "rejected"
    words = f"{by.get_short_name()} {did} {named(held.image)}."
    tell_members(held, people, About.REVIEW_DECIDED, words, by=by, review=review)


def withdraw(review: Review, by: User) -> None:
    """Nobody is asked any more. What was answered so far stays written down. Raises NotPossible, Overtaken."""
    with transaction.atomic():
        held = hold(review.image)
        if held.round is None or held.round.pk != review.pk:
            if Review.objects.filter(pk=review.pk, state=ReviewState.WITHDRAWN, decided_by=by).exists():
                return  # pressed twice
            raise Overtaken(_how_it_ended(review))
        held.end(ReviewState.WITHDRAWN, by)
        if held.approval.state == ApprovalState.IN_REVIEW:
            held.stand(ApprovalState.DRAFT, by)
        held.happened(Kind.WITHDRAWN, by, review=review)


def reopen(image: Image, by: User, why: str = "", seen: str | None = None) -> None:
    """Back to draft, from approved or rejected; `seen` as of a decision. Raises NotPossible, Overtaken."""
    with transaction.atomic():
        held = hold(image)
        if held.approval.state == ApprovalState.DRAFT:
            return
        if held.round is not None:
            raise NotPossible("It is in review. Withdraw the review first.")
        if held.approval.locked_at is not None:
            raise NotPossible("It is approved and locked. Unlock it first.")
        if seen is not None and seen != seen_at(held.approval):
            raise Overtaken(_how_it_stands(held.approval))
        held.stand(ApprovalState.DRAFT, by, why=why)
        held.happened(Kind.REOPENED, by, why=why)


def lock(image: Image, by: User) -> None:
    """An approved one stays approved, and nobody trashes it. Raises NotPossible."""
    with transaction.atomic():
        held = hold(image)
        if held.approval.locked_at is not None:
            return
        if held.approval.state != ApprovalState.APPROVED:
            raise NotPossible("Only approved pictures can be locked.")
        held.approval.locked_at, held.approval.locked_by = held.now, by
        held.approval.save(update_fields=["locked_at", "locked_by"])
        held.happened(Kind.LOCKED, by)


def unlock(image: Image, by: User) -> None:
    """Raises NotPossible."""
    with transaction.atomic():
        held = hold(image)
        if held.approval.locked_at is None:
            return
        held.approval.locked_at = held.approval.locked_by = None
        held.approval.save(update_fields=["locked_at", "locked_by"])
        held.happened(Kind.UNLOCKED, by)


def unlock_removed(image: Image) -> None:
    """Moderation removes locked pictures as well: they come back unlocked, if they do."""
    if Approval.objects.filter(image=image, locked_at__isnull=False).update(locked_at=None, locked_by=None):
        ApprovalEvent.objects.create(image=image, workspace_id=image.workspace_id, kind=Kind.UNLOCKED)
