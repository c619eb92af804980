"""A picture and its approval, held while something about it is decided; and saying afterwards what was done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from editor import events
from editor.library.shelves import NotPossible
from editor.models import (
    About,
    Approval,
    ApprovalEvent,
    ApprovalState,
    Image,
    Review,
    ReviewState,
    User,
)
from editor.notifications import tell
from editor.review.replacing import current_of

NAME_SHOWN = 60  # characters of a picture's name in a sentence


class Overtaken(NotPossible):
    """Somebody else was faster; the text says who, and what they did."""


@dataclass
class Held:
    """Locked until the transaction ends: two people who decide at once come one after the other."""

    image: Image
    approval: Approval
    round: Review | None  # the open one
    now: datetime

    def stand(self, state: ApprovalState, by: User | None, *, guest_name: str = "", why: str = "") -> None:
        """From now on it stands there."""
        row = self.approval
        row.state, row.by, row.guest_name, row.why, row.at = state, by, guest_name, why, self.now
        row.save()

    def end(self, state: ReviewState, by: User | None, why: str = "") -> None:
        """The open round is over."""
        if self.round is None:
            return
        row, self.round = self.round, None
        row.state, row.decided_by, row.why, row.decided_at = state, by, why, self.now
        row.save(update_fields=["state", "decided_by", "why", "decided_at"])

    def happened(self, kind: ApprovalEvent.Kind, by: User | None, **what: Any) -> None:
        """Write it down, and tell browsers. `what`: share, guest_name, review, why."""
        ApprovalEvent.objects.create(
            image=self.image, workspace_id=self.image.workspace_id, kind=kind, by=by, at=self.now, **what
        )
        events.talk_changed(self.image.pk, self.image.workspace_id)


def hold(image: Image) -> Held:
    """In a transaction. Raises NotPossible if nobody has anything to say about the picture: it is in the trash."""
    here, ids = image.workspace_id, {image.pk}
    proposed = Review.objects.filter(image=image, state=ReviewState.OPEN, replaces__isnull=False)
    # What it is to replace is locked with it, in one order, as wherever several pictures are.
    for old in Image.objects.filter(pk__in=proposed.values("replaces")):
        ids |= {old.pk, current_of(old).pk}
    rows = Image.objects.select_for_update(of=("self",)).select_related("made_by", "workspace")
    found = {each.pk: each for each in rows.filter(pk__in=ids).order_by("pk")}
    # A row that changed its workspace while it was waited for is not found at all.
    if image.pk not in found or found[image.pk].workspace_id != here:
        raise NotPossible("It was moved to another workspace in this moment. Look at it again.")
    image = found[image.pk]
    if image.trashed_at is not None or image.removed_at is not None:
        raise NotPossible("It is in the trash. Put it back first.")
    if not image.workspace.is_open:
        raise NotPossible(f"{image.workspace.name} is in the archive: nothing changes there.")
    asked = Review.objects.select_related("asked_by", "replaces").filter(
        image=image, workspace=image.workspace_id, state=ReviewState.OPEN
    )
    return Held(image, approval_of(image), asked.first(), timezone.now())


def approval_of(image: Image) -> Approval:
    """Where it stands now; without a row, a draft that is not saved."""
    found = Approval.objects.select_related("by", "locked_by").filter(image=image, workspace=image.workspace_id)
    return found.first() or Approval(
        image=image, workspace_id=image.workspace_id, image_created_at=image.created_at, at=image.created_at
    )


def seen_at(approval: Approval) -> str:
    """What a form brings along, so that nobody decides on what they have not seen: it changes with each decision."""
    return "" if approval._state.adding else str(int(approval.at.timestamp() * 1_000_000))


def named(image: Image) -> str:
    """For a sentence."""
    name = image.name or "a picture"
    return f"“{name[: NAME_SHOWN - 1]}…”" if len(name) > NAME_SHOWN else f"“{name}”" if image.name else name


def who_decided(approval: Approval) -> str:
    if approval.guest_name:
        return f"{approval.guest_name} (guest)"
    return approval.by.get_short_name() if approval.by else "Somebody"


def tell_members(held: Held, people: "list[User]", about: About, words: str, **what: Any) -> None:
    """Each of them once; `tell` leaves out who may not see the picture any more."""
    for _, person in sorted({person.pk: person for person in people}.items()):
        subject = f"image:{held.image.pk}"
        tell(person, about, subject, words, workspace=held.image.workspace, image=held.image, **what)
