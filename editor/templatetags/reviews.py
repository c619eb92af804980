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
    Kind.REPLACED: "made it the current version",
    Kind.TAKEN_BACK: "took that back",
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
    return DID[Kind(event.kind)]


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
