"""Pictures: rows that say what lies in the bucket under keys that follow from them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from editor import events
from editor.models.leases import Leased
from editor.models.workspaces import Membership, Role, Workspace

if TYPE_CHECKING:
    from editor.models.users import User


class ImageKind(models.TextChoices):
    UPLOADED = "uploaded"
    GENERATED = "generated"


class ImageState(models.TextChoices):
    RECEIVED = "received"  # its raw bytes are (or will be) in the bucket; nobody looked at them yet
    READY = "ready"
    REFUSED = "refused"


class Licence(models.TextChoices):
    """What may be done with a picture, from the least to the most strict: a merge inherits the strictest."""

    OWN = "own", "Ours"
    LICENSED = "licensed", "Licensed"
    EDITORIAL = "editorial", "Editorial use only"
    INTERNAL = "internal", "Internal use only"


class Consent(models.TextChoices):
    """Whether the people who can be seen agreed, from the least to the most strict."""

    NOBODY = "nobody", "Nobody can be seen"
    GIVEN = "given", "Given"
    UNKNOWN = "unknown", "Not known"
    REFUSED = "refused", "Not given"


class Shape(models.TextChoices):
    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"

    @classmethod
    def of(cls, width: int, height: int) -> "Shape":
        """A picture whose sides differ by a twentieth at most is a square to the eye."""
        if max(width, height) * 20 <= min(width, height) * 21:
            return cls.SQUARE
        return cls.LANDSCAPE if width > height else cls.PORTRAIT


_NEWEST = ["-created_at", "-id"]
_LIBRARY_ORDERS = {
    "library": _NEWEST,
    "by_kind": ["kind", *_NEWEST],
    "by_shape": ["shape", *_NEWEST],
    "by_member": ["made_by", *_NEWEST],
    "by_name": ["name", "id"],
}


def file_name(name: str, extension: str) -> str:
    """What a picture is called as a file: nothing but letters, digits, spaces, hyphens before its ending."""
    stem = "".join(c for c in name.rsplit(".", 1)[0] if c.isalnum() or c in " -_").strip()[:60]
    return f"{stem or 'picture'}.{extension}"


class ImageQuerySet(models.QuerySet["Image"]):
    def shown_to(self, user: "User") -> "ImageQuerySet":
        """Of a workspace's pictures those that lie open: not in the trash, nor kept back from all but their maker."""
        return self.there_for(user).filter(trashed_at=None)

    def there_for(self, user: "User") -> "ImageQuerySet":
        """Without those that are kept back from all but their maker, and those that moderation removed."""
        return self.filter(Q(withheld_at=None) | Q(made_by=user), removed_at=None)

    def visible_to(self, user: "User") -> "ImageQuerySet":
        return self.shown_to(user).filter(workspace__memberships__user=user, workspace__trashed_at=None)

    def sources_for(self, user: "User") -> "ImageQuerySet":
        """What a person may pick as a source: ready pictures of theirs, newest first."""
        return self.visible_to(user).filter(state=ImageState.READY).order_by("-created_at", "-id")

    def trashed_of(self, user: "User") -> "ImageQuerySet":
        """What a person may put back: in the trash, its bytes still there, and theirs to edit; the latest first."""
        open_ones = Workspace.objects.filter(archived_at=None, trashed_at=None)
        editable = Membership.objects.filter(user=user, workspace__in=open_ones).exclude(role=Role.VIEWER)
        trashed = self.filter(workspace__memberships__in=editable, trashed_at__isnull=False, purged_at=None)
        return trashed.there_for(user).order_by("-trashed_at", "-id")

    def hold_unlocked(self) -> "list[UUID]":
        """The ids of those that may go into the trash: not approved and locked. In a transaction.

        All are held until it ends, so that nobody locks one meanwhile.
        """
        ids = list(self.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        return list(Image.objects.filter(pk__in=ids, approval__locked_at=None).values_list("pk", flat=True))

    def due(self, now: datetime) -> "ImageQuerySet":
        return self.filter(state=ImageState.RECEIVED, due_at__lte=now).order_by("due_at")


class Image(Leased):
    """A picture in the bucket, uploaded or generated; both are sources of the next edit. Its bytes never change."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="images")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="images")
    kind = models.CharField(max_length=10, choices=ImageKind.choices)
    state = models.CharField(max_length=10, choices=ImageState.choices, default=ImageState.RECEIVED)
    refused_code = models.CharField(max_length=30, blank=True)
    name = models.CharField(max_length=120, blank=True)  # for people's eyes; never a path, never a header as it is
    root = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="descendants")
    job = models.ForeignKey(
        "editor.GenerationJob", on_delete=models.PROTECT, null=True, blank=True, related_name="results"
    )
    position = models.PositiveSmallIntegerField(default=0)  # which of the job's results
    sandbox = models.BooleanField(default=False)  # made by the sandbox, and says so

    width = models.PositiveIntegerField(null=True, blank=True)  # of the master, in pixels
    height = models.PositiveIntegerField(null=True, blank=True)
    byte_size = models.PositiveBigIntegerField(null=True, blank=True)  # of the master
    copies_size = models.PositiveBigIntegerField(null=True, blank=True, editable=False)  # bytes of all smaller ones
    raw_size = models.PositiveBigIntegerField(default=0, editable=False)  # bytes of what was kept as it came
    master_ext = models.CharField(max_length=5, blank=True)
    content_type = models.CharField(max_length=20, blank=True)
    raw_sha256 = models.CharField(max_length=64, blank=True)
    master_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    rendition_widths = models.JSONField(default=list, blank=True)
    thumbhash = models.CharField(max_length=60, blank=True)  # base64
    init_width = models.PositiveIntegerField(null=True, blank=True)  # the size of an edit of this picture
    init_height = models.PositiveIntegerField(null=True, blank=True)
    init_crop = models.JSONField(null=True, blank=True)  # [left, top, right, bottom] if the init image is padded
    frames_dropped = models.BooleanField(default=False)

    # What people say about it.
    description = models.TextField(blank=True, max_length=2000)
    alt_text = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=10, choices=Licence.choices, blank=True)
    credit = models.CharField(max_length=400, blank=True)  # where it comes from; of a merge, both
    consent = models.CharField(max_length=10, choices=Consent.choices, blank=True)
    usable_until = models.DateField(null=True, blank=True)  # the last day on which it may be edited

    # What finds it, and others like it.
    shape = models.CharField(max_length=10, choices=Shape.choices, blank=True)
    # A perceptual hash of 64 bits in four parts: two pictures that differ in up to three bits share one of them.
    phash_a = models.PositiveIntegerField(null=True, blank=True, editable=False)
    phash_b = models.PositiveIntegerField(null=True, blank=True, editable=False)
    phash_c = models.PositiveIntegerField(null=True, blank=True, editable=False)
    phash_d = models.PositiveIntegerField(null=True, blank=True, editable=False)
    upload_token = models.CharField(
        max_length=64, blank=True, editable=False
    )  # sending a file again makes no second one

    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True, blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)  # the bytes are gone, the row stays for lineage and cost

    # What moderation decided about it.
    sensitive = models.BooleanField(default=False, editable=False)  # blurred until somebody wants to see it
    sensitive_inherited = models.BooleanField(default=False, editable=False)  # only since what it comes from is
    withheld_at = models.DateTimeField(null=True, blank=True, editable=False)  # its maker alone sees it until a look
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)  # in the trash, and nobody gets it back
    quarantined_at = models.DateTimeField(null=True, blank=True, editable=False)  # the bytes lie apart since then

    objects = ImageQuerySet.as_manager()

    class Meta:
        indexes = [
            # A library is read without what lies in the trash or is gone, however much that is.
            *(
                models.Index(fields=["workspace", *fields], name=f"image_{name}", condition=Q(trashed_at=None))
                for name, fields in _LIBRARY_ORDERS.items()
            ),
            models.Index(
                fields=["-trashed_at", "-id"],
                name="image_in_trash",
                condition=Q(trashed_at__isnull=False, purged_at=None),
            ),
            models.Index(fields=["workspace", "master_sha256"], name="image_same_bytes"),
            models.Index(fields=["workspace", "raw_sha256"], name="image_same_raw"),
            *(models.Index(fields=["workspace", f"phash_{part}"], name=f"image_like_{part}") for part in "abcd"),
            models.Index(fields=["made_by", "-created_at"], name="image_by_person"),
            models.Index(fields=["-created_at", "-id"], name="image_newest"),
            models.Index(fields=["ready_at"], name="image_ready_at", condition=Q(state="ready")),
            models.Index(fields=["purged_at"], name="image_purged_at", condition=Q(purged_at__isnull=False)),
            models.Index(fields=["due_at"], name="image_due", condition=Q(state="received")),
            models.Index(fields=["removed_at"], name="image_removed", condition=Q(removed_at__isnull=False)),
            models.Index(
                fields=["removed_at"],
                name="image_to_quarantine",
                condition=Q(removed_at__isnull=False, quarantined_at=None, purged_at=None),
            ),
            models.Index(
                fields=["quarantined_at"],
                name="image_to_release",
                condition=Q(removed_at=None, quarantined_at__isnull=False, purged_at=None),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="image_one_per_result"),
            models.UniqueConstraint(
                fields=["made_by", "upload_token"], condition=~Q(upload_token=""), name="image_once_per_upload"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(width__gt=0, height__gt=0, master_ext__gt="", ready_at__isnull=False),
                name="image_ready_is_whole",
            ),
            models.CheckConstraint(
                condition=(Q(state="refused") & ~Q(refused_code="")) | (~Q(state="refused") & Q(refused_code="")),
                name="image_refused_has_a_code",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(trashed_at__isnull=False), name="image_removed_is_trashed"
            ),
            models.CheckConstraint(
                condition=Q(kind="uploaded", job=None) | Q(kind="generated", job__isnull=False),
                name="image_generated_has_a_job",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    def become_ready(self, **facts: Any) -> bool:
        """received → ready; `facts` are the columns that describe the master."""
        now = timezone.now()
        return self._settle(state=ImageState.READY, ready_at=now, **facts)

    def refuse(self, code: str) -> bool:
        """received → refused."""
        return self._settle(state=ImageState.REFUSED, refused_code=code)

    def _settle(self, **values: Any) -> bool:
        settled = self.swap({ImageState.RECEIVED}, lease_until=None, due_at=None, **values)
        return self._told(settled)

    def trash(self) -> bool:
        """False if it lies there already, or is locked."""
        with transaction.atomic():
            there = Image.objects.filter(pk=self.pk, trashed_at=None).hold_unlocked()
            return self._told(bool(Image.objects.filter(pk__in=there).update(trashed_at=timezone.now())))

    def restore(self) -> bool:
        rows = Image.objects.filter(pk=self.pk, trashed_at__isnull=False, purged_at=None, removed_at=None)
        return self._told(bool(rows.update(trashed_at=None)))

    def _told(self, changed: bool) -> bool:
        if changed:
            events.image_changed(self.pk, self.made_by_id, self.workspace_id)
        return changed

    def is_there_for(self, user: "User") -> bool:
        """The same as `there_for`, of a row that is at hand."""
        return self.removed_at is None and (self.withheld_at is None or self.made_by_id == user.pk)

    def is_shown_to(self, user: "User") -> bool:
        """The same as `shown_to`."""
        return self.trashed_at is None and self.is_there_for(user)

    def lies_over(self, other: "Image") -> bool:
        """Whether both have the same shape, give or take what nobody sees; of pictures that are ready."""
        if not (self.width and self.height and other.width and other.height):
            return False
        return abs(self.width * other.height / (self.height * other.width) - 1) < 0.02

    @property
    def is_ready(self) -> bool:
        return self.state == ImageState.READY

    @property
    def first_upload(self) -> "Image":
        return self.root or self

    @property
    def download_name(self) -> str:
        return file_name(self.name, self.master_ext)
