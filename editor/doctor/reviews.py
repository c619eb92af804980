"""Whether what is said about pictures' approval fits together."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef

from editor.doctor.findings import Ask, Finding, fine, named, problem, warning
from editor.models import Approval, ApprovalState, Review, ReviewState

NAMED = 20


def look_at_reviews(ask: Ask) -> Iterator[Finding]:
    """Locked pictures are not in the trash, and what is in review is asked of somebody."""
    found = [*_locked_in_trash(), *_nobody_asked(), *_moved_away()]
    yield from found
    if not found:
        yield fine("Approvals, reviews and their pictures fit together.")


def _locked_in_trash() -> Iterator[Finding]:
    rows = Approval.objects.filter(locked_at__isnull=False, image__trashed_at__isnull=False, image__removed_at=None)
    if odd := list(rows.filter(image__workspace__purged_at=None).values_list("pk", flat=True)[:NAMED]):
        yield problem(f"Locked, and in the trash all the same: pictures {named(odd)}.", "Put them back.")


def _nobody_asked() -> Iterator[Finding]:
    asked = Review.objects.filter(image=OuterRef("image"), state=ReviewState.OPEN)
    rows = Approval.objects.filter(~Exists(asked), state=ApprovalState.IN_REVIEW, image__purged_at=None)
    if odd := list(rows.values_list("pk", flat=True)[:NAMED]):
        yield warning(
            f"In review, though no round is open: pictures {named(odd)}.",
            "Ask for a review of them anew, or decide on them; retention spares them until then.",
        )


def _moved_away() -> Iterator[Finding]:
    rows = Review.objects.filter(state=ReviewState.OPEN).exclude(image__workspace=F("workspace"))
    if odd := list(rows.values_list("pk", flat=True)[:NAMED]):
        yield warning(
            f"Open reviews of pictures that lie in another workspace now: {named(odd)}.",
            "Nobody sees them. Withdraw them in the database; please report it.",
        )
