"""Whether a picture is good to go: where it stands, who was asked, who said what, and what it replaces."""

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.library import Collection
from editor.models.shares import Share
from editor.models.workspaces import Workspace

if TYPE_CHECKING:
    from editor.models.users import User

WHY_MAX = 500  # characters


class ApprovalState(models.TextChoices):
    DRAFT = "draft"  # also of every picture without a row
    IN_REVIEW = "in-review", "In review"
    APPROVED = "approved"
    REJECTED = "rejected"


class Approval(models.Model):
    """Where one picture stands now, and who brought it there. How it came so stands in `ApprovalEvent`."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, primary_key=True, related_name="approval")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")  # the picture's
    image_created_at = models.DateTimeField()  # so that those of one state are read in the library's order
    state = models.CharField(max_length=10, choices=ApprovalState.choices, default=ApprovalState.DRAFT)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=60, blank=True)
    why = models.CharField(max_length=WHY_MAX, blank=True)
    at = models.DateTimeField(default=timezone.now)
    locked_at = models.DateTimeField(null=True, blank=True)  # then it stays approved, and nobody trashes it
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "state", "-image_created_at", "-image"], name="approval_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(locked_at=None) | Q(state="approved"), name="approval_locked_is_approved"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.state}"


class ReviewState(models.TextChoices):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ReviewQuerySet(models.QuerySet["Review"]):
    def end(self, by: "User | None") -> list[UUID]:
        """Withdraw those that are open, because their pictures go elsewhere or for good. Returns the pictures' ids."""
        rows = self.filter(state=ReviewState.OPEN)
        images = list(rows.values_list("image", flat=True))
        rows.update(state=ReviewState.WITHDRAWN, decided_by=by, decided_at=timezone.now())
        return images


class Review(models.Model):
    """One round: somebody asks named people for their yes. With `replaces` it proposes the picture's next version."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="reviews")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")  # the picture's
    replaces = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, blank=True, related_name="proposals")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=WHY_MAX, blank=True)
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=WHY_MAX, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="review_newest"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="review_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["image"], condition=Q(state="open"), name="review_one_open"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="review_ended_has_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} of {self.image_id}"


class Reviewer(models.Model):
    """Somebody who was asked in a round, and what they said."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="reviewers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="asked_in")
    approves = models.BooleanField(null=True, blank=True)  # None: nothing yet
    why = models.CharField(max_length=WHY_MAX, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "user"], name="reviewer_once"),
            models.CheckConstraint(
                condition=Q(approves=None, answered_at=None) | Q(approves__isnull=False, answered_at__isnull=False),
                name="reviewer_answered_has_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["user"], name="reviewer_to_answer", condition=Q(answered_at=None))]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.review_id}"


class ApprovalEvent(models.Model):
    """Something that was done about a picture's approval: who, what, when and why. Never changed."""

    class Kind(models.TextChoices):
        ASKED = "asked"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        REOPENED = "reopened"  # back to draft
        LOCKED = "locked"
        UNLOCKED = "unlocked"
        REPLACED = "replaced"  # it became the current version of another one
        TAKEN_BACK = "taken-back", "Taken back"

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="approval_events")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    share = models.ForeignKey(Share, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=60, blank=True)
    review = models.ForeignKey(Review, on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    why = models.CharField(max_length=WHY_MAX, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["image", "at", "id"], name="approval_event_of_picture"),
            models.Index(fields=["workspace", "-at", "-id"], name="approval_event_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} {self.kind}"


class Replacement(models.Model):
    """A picture took another one's place wherever that was used. Taken back, the other one stands there again."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    review = models.OneToOneField(Review, on_delete=models.SET_NULL, null=True, blank=True, related_name="replacement")
    old = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="replaced_by")
    new = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="replacement_of")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["old"], condition=Q(undone_at=None), name="replacement_one_current"),
        ]

    def __str__(self) -> str:
        return f"{self.old_id} by {self.new_id}"


class ReplacedUse(models.Model):
    """One place where it happened, so that taking it back touches these and no others."""

    class Place(models.TextChoices):
        COLLECTION = "collection"
        COVER = "cover"
        SHARE = "share"

    replacement = models.ForeignKey(Replacement, on_delete=models.CASCADE, related_name="uses")
    place = models.CharField(max_length=10, choices=Place.choices)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    share = models.ForeignKey(Share, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    had_both = models.BooleanField(default=False)  # the new one lay there already, and stays when it is taken back

    def __str__(self) -> str:
        return f"{self.place} of {self.replacement_id}"


class Culling(models.Model):
    """Many pictures that one person goes through one after the other, approving some and rejecting others."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=120)  # where the pictures come from
    pictures = models.JSONField(default=list)  # their ids, in order
    steps = models.JSONField(default=list)  # what was decided, and how it stood before: the way back
    why = models.CharField(max_length=WHY_MAX, blank=True)  # the reason that goes with each no
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="culling_newest")]

    def __str__(self) -> str:
        return f"{self.title}: {len(self.pictures)}"
