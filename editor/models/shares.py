"""Links for people outside: to a picture, a collection, or a before and after. They open nothing else."""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.library import Collection
from editor.models.workspaces import Workspace

if TYPE_CHECKING:
    from editor.models.users import User


class ShareKind(models.TextChoices):
    PICTURE = "picture"
    COLLECTION = "collection"
    BEFORE_AFTER = "before-after", "Before and after"


def new_token() -> str:
    return secrets.token_urlsafe(24)


class ShareQuerySet(models.QuerySet["Share"]):
    def open_at(self, now: datetime) -> "ShareQuerySet":
        """Those that still open something: not revoked, not expired, their workspace not in the trash."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at=None, workspace__trashed_at=None)

    def revoke(self, by: "User | None" = None) -> int:
        """From now on they open nothing, for good. How many that were."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by)

    def shown_before(self, share: "Share") -> "ShareQuerySet":
        """Keyset: what comes after this one in a list that is newest first."""
        behind = Q(created_at__lt=share.created_at) | Q(pk__lt=share.pk)
        return self.filter(Q(created_at__lte=share.created_at) & behind)


class Share(models.Model):
    """A link, and what whoever has it may see and do there. Whoever has it needs no account."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="shares")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shares")
    kind = models.CharField(max_length=12, choices=ShareKind.choices)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, blank=True, related_name="shares")
    before = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    # None of a collection that is no more: then the link opens nothing, and what guests said through it stays.
    collection = models.ForeignKey(Collection, on_delete=models.SET_NULL, null=True, blank=True, related_name="shares")
    title = models.CharField(max_length=120, blank=True)  # what guests read above the pictures
    password = models.CharField(max_length=128, blank=True)  # hashed as those of accounts; "": none is asked for
    expires_at = models.DateTimeField(null=True, blank=True)
    may_download = models.BooleanField(default=False)
    shows_prompts = models.BooleanField(default=False)
    watermark = models.CharField(max_length=60, blank=True)  # drawn over what guests get; "": nothing
    may_comment = models.BooleanField(default=False)
    may_decide = models.BooleanField(default=False)  # guests approve and reject
    views = models.PositiveIntegerField(default=0)
    viewed_at = models.DateTimeField(null=True, blank=True)  # last
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ShareQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="share_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="picture", image__isnull=False, before=None, collection=None)
                | Q(kind="collection", image=None, before=None)
                | Q(kind="before-after", image__isnull=False, before__isnull=False, collection=None),
                name="share_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.workspace_id}"

    def is_open_at(self, now: datetime) -> bool:
        """The same as `open_at`, of a row whose workspace is at hand."""
        unexpired = self.expires_at is None or self.expires_at > now
        return unexpired and self.revoked_at is None and self.workspace.trashed_at is None
