"""Workspaces own pictures and jobs; memberships say who is in them."""

from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from editor.models.users import User


class Role(models.TextChoices):
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def of(self, user: "User") -> "WorkspaceQuerySet":
        return self.filter(memberships__user=user)

    def personal_of(self, user: "User") -> "Workspace":
        """The person's own workspace, made when it is first asked for."""
        workspace = self.filter(personal_for=user).first()
        if workspace is None:
            with transaction.atomic():
                workspace, _ = self.get_or_create(personal_for=user, defaults={"name": "Personal"})
                Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": Role.OWNER})
        return workspace


class Workspace(models.Model):
    """Owns pictures, jobs and a library. *Personal* ones belong to exactly one person, the others are teams."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=80)
    personal_for = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="personal_workspace"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        return self.personal_for_id is not None


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"
