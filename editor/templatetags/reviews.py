"""What templates say about approval: where it stands, and what was done about it."""

from django import template

from editor.models import Approval, ApprovalEvent, ApprovalState, Review, Reviewer, ReviewState

register = template.Library()

Kind = ApprovalEvent.Kind
TONES = {
    ApprovalState.APPROVED: "done",
    ApprovalState.REJECTED: "bad",
    ApprovalState.IN_REVIEW: "ask",
    ApprovalState.DRAFT: "draft",
}
DID = {
    Kind.ASKED: "asked for a review",
    Kind.APPROVED: "approved it",
    Kind.REJECTED: "rejected it",
    Kind.WITHDRAWN: "withdrew the review",
    Kind.REOPENED: "took it back to draft",
    Kind.LOCKED: "locked it",
    Kind.UNLOCKED: "unlocked it",
    Kind.TAKEN_BACK: "took that back",
}
ACTED = {
    Kind.ASKED: "asked for a review of",
    Kind.APPROVED: "approved",
    Kind.REJECTED: "rejected",
    Kind.WITHDRAWN: "withdrew the review of",
    Kind.REOPENED: "took back to draft",
    Kind.LOCKED: "locked",
    Kind.UNLOCKED: "unlocked",
    Kind.TAKEN_BACK: "took a decision back on",
}
ENDED = {
    ReviewState.OPEN: ("ask", "Open"),
    ReviewState.APPROVED: ("done", "Approved"),
    ReviewState.REJECTED: ("bad", "Rejected"),
    ReviewState.WITHDRAWN: ("draft", "Withdrawn"),
}


@register.filter
def stands_tone(approval: Approval) -> str:
    return TONES[ApprovalState(approval.state)]


@register.filter
def who_did(row: Approval | ApprovalEvent) -> str:
    """A member, a guest by the name that they gave, or nobody in particular."""
    if row.guest_name:
        return f"{row.guest_name} (guest)"
    return row.by.get_short_name() if row.by else "The portal"


@register.filter
def did_words(event: ApprovalEvent) -> str:
    """Of a picture that is at hand."""
    kind = Kind(event.kind)
    if kind != Kind.REPLACED:
        return DID[kind]
    if event.review is None:  # at once, without a proposal: it is written down for both, and does not say which
        return "changed the current version"
    return "put another version in its place" if _gave_way(event) else "made it the current version"


@register.filter
def acted_words(event: ApprovalEvent) -> str:
    """Before the name of a picture."""
    kind = Kind(event.kind)
    if kind != Kind.REPLACED:
        return ACTED[kind]
    if event.review is None:
        return "changed the current version of"
    return "put another version in the place of" if _gave_way(event) else "made the current version:"


def _gave_way(event: ApprovalEvent) -> bool:
    """Whether the picture is the one that was replaced, not the one that was proposed."""
    return event.review is not None and event.review.image_id != event.image_id


@register.filter
def review_tone(review: Review) -> str:
    return ENDED[ReviewState(review.state)][0]


@register.filter
def review_words(review: Review) -> str:
    return ENDED[ReviewState(review.state)][1]


@register.filter
def answer_words(reviewer: Reviewer) -> str:
    if reviewer.approves is None:
        return "has not answered yet" if reviewer.review.state == ReviewState.OPEN else "did not answer"
    return "said yes" if reviewer.approves else "said no"


@register.filter
def answered(reviewers: list[Reviewer]) -> int:
    return sum(each.approves is not None for each in reviewers)
