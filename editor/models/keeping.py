"""What the pictures take, which rules let them go, and what lies in the bucket that nobody knows."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.workspaces import Workspace


class StorageUse(models.Model):
    """What a workspace's pictures take, counted anew by the clock; the row without a workspace: all of them.

    Sizes in bytes. Uploads and results are the masters of what lies open; copies are the smaller pictures of those, and
    what was kept as it came. Trash and quarantine are everything of what lies there.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, null=True, related_name="storage_use")
    uploads = models.PositiveIntegerField(default=0)
    uploads_size = models.PositiveBigIntegerField(default=0)
    results = models.PositiveIntegerField(default=0)
    results_size = models.PositiveBigIntegerField(default=0)
    copies_size = models.PositiveBigIntegerField(default=0)
    trash = models.PositiveIntegerField(default=0)
    trash_size = models.PositiveBigIntegerField(default=0)
    quarantine = models.PositiveIntegerField(default=0)
    quarantine_size = models.PositiveBigIntegerField(default=0)
    unmeasured = models.PositiveIntegerField(default=0)  # pictures whose copies nobody has measured yet
    size = models.PositiveBigIntegerField(default=0)  # of everything
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["-size", "-id"], name="storage_largest", condition=Q(workspace__isnull=False))]
        constraints = [
            models.UniqueConstraint(  # type: ignore[call-overload]  # a condition is an expression, too
                Q(workspace=None), condition=Q(workspace=None), name="storage_one_of_all"
            )
        ]

    def __str__(self) -> str:
        return f"{self.size} bytes of {self.workspace_id or 'all'}"


class Retained(models.TextChoices):
    """What a rule lets go."""

    RESULTS = "results", "Results of edits"
    UPLOADS = "uploads", "Uploads"
    LEFTOVERS = "leftovers", "Refused uploads, and what is left of edits that failed or were canceled"
    RAW = "raw", "What was uploaded, as it came (RAW_KEPT); the pictures stay"


class RetentionRule(models.Model):
    """Lets pictures of a certain age go. It works only while it is on, and is switched on only after a dry run.

    Whoever changes what it says switches it off, and has to try it dry again.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    what = models.CharField(max_length=10, choices=Retained.choices)
    days = models.PositiveIntegerField()  # that a picture is old, at least
    workspace = models.ForeignKey(  # None: all of them
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    on_since = models.DateTimeField(null=True, blank=True)
    # The dry run: as of when, what it found, and when somebody looked at the list.
    tried_at = models.DateTimeField(null=True, blank=True)
    tried_pictures = models.PositiveIntegerField(default=0)
    tried_size = models.PositiveBigIntegerField(default=0)  # bytes
    looked_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # taken off the list; its passes stay true

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=1), name="retention_never_at_once"),
            models.CheckConstraint(
                condition=Q(on_since=None) | Q(looked_at__isnull=False, tried_at__isnull=False, removed_at=None),
                name="retention_on_was_looked_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{Retained(self.what).label}, {self.age}"

    @property
    def age(self) -> str:
        return f"{self.days} day{'' if self.days == 1 else 's'} old"


class Listed(models.Model):
    """A picture that the latest dry run of a rule found. The first pass takes these alone; then the list is over."""

    rule = models.ForeignKey(RetentionRule, on_delete=models.CASCADE, related_name="listed", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "image"], name="listed_once")]

    def __str__(self) -> str:
        return f"{self.image_id} for {self.rule_id}"


class RetentionPass(models.Model):
    """One go of a rule through the pictures, as they were at one moment, in steps."""

    rule = models.ForeignKey(RetentionRule, on_delete=models.PROTECT, related_name="passes")
    as_of = models.DateTimeField()
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    pictures = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)  # bytes

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule"], condition=Q(finished_at=None), name="retention_one_pass_at_a_time")
        ]
        indexes = [models.Index(fields=["rule", "-started_at"], name="retention_latest")]

    def __str__(self) -> str:
        return f"{self.pictures} pictures by {self.rule_id}"


class Retired(models.Model):
    """A picture that a pass let go. Whoever puts it back keeps it: no rule takes the same one twice."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="retired")
    by = models.ForeignKey(RetentionPass, on_delete=models.CASCADE, related_name="retired")
    raw_only = models.BooleanField(default=False)  # the picture stayed

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "raw_only"], name="retired_once")]

    def __str__(self) -> str:
        return f"{self.image_id} by {self.by_id}"


class BucketRound(models.Model):
    """One look at all objects of the bucket, some pages at a time. The last one is what the storage page shows."""

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    folder = models.CharField(max_length=20, default="images/")  # where it is,
    after = models.CharField(max_length=200, blank=True)  # and behind which key
    known = models.PositiveIntegerField(default=0)  # pictures with objects and a row
    strays = models.PositiveIntegerField(default=0)  # objects without a row, a day old at least
    strays_size = models.PositiveBigIntegerField(default=0)  # bytes
    stray_pictures = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)  # ready pictures without bytes

    class Meta:
        constraints = [
            models.UniqueConstraint(  # type: ignore[call-overload]
                Q(finished_at=None), condition=Q(finished_at=None), name="round_one_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["-started_at"], name="round_latest")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.strays} strays"


class Stray(models.Model):
    """Something that does not fit: an object without a row (`key`), or a picture without its bytes (`image`)."""

    round = models.ForeignKey(BucketRound, on_delete=models.CASCADE, related_name="found")
    key = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    written_at = models.DateTimeField(null=True, blank=True)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(key="", image__isnull=False) | (~Q(key="") & Q(image=None)), name="stray_is_one_of_both"
            )
        ]

    def __str__(self) -> str:
        return self.key or str(self.image_id)
