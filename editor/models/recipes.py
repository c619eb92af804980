"""Recipes: what was asked once and worked, under a name, to be asked again of other pictures."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.workspaces import Workspace

if TYPE_CHECKING:
    from editor.models.users import User


class RecipeQuerySet(models.QuerySet["Recipe"]):
    def known_to(self, user: "User") -> "RecipeQuerySet":
        """Their own and the shared ones of the workspaces that they are in, those that were put away included."""
        theirs = Q(made_by=user) | Q(shared=True)
        return self.filter(theirs, workspace__memberships__user=user, workspace__trashed_at=None)

    def visible_to(self, user: "User") -> "RecipeQuerySet":
        return self.known_to(user).filter(put_away_at=None)

    def newest_first(self) -> "RecipeQuerySet":
        return self.select_related("workspace", "made_by", "picture").order_by("-changed_at", "-id")

    def older_than(self, changed_at: datetime, pk: UUID) -> "RecipeQuerySet":
        """Keyset: what comes after this one in a list that is newest first."""
        return self.filter(Q(changed_at__lt=changed_at) | Q(changed_at=changed_at, id__lt=pk))


class Recipe(models.Model):
    """One step, or a chain of them: what is made by one is the source of the next.

    Seen by its maker alone, or, `shared`, by all of its workspace. What it says stands in its versions.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="recipes")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recipes")
    name = models.CharField(max_length=80)
    shared = models.BooleanField(default=False)
    picture = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    put_away_at = models.DateTimeField(null=True, blank=True)  # deleted by somebody, with a way back

    objects = RecipeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-changed_at", "-id"], name="recipe_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    def picture_for(self, user: "User") -> Image | None:
        """What stands beside its name, if it may lie open before this person and still is in the same workspace."""
        image = self.picture
        if image is None or image.sensitive or image.purged_at is not None or not image.is_ready:
            return None
        here = image.workspace_id == self.workspace_id
        return image if here and image.is_shown_to(user) else None


class RecipeVersion(models.Model):
    """What a recipe said from a moment on; never changed. `steps` as `jobs.steps` writes and reads them."""

    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()  # from 1
    steps: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["recipe", "number"], name="recipe_version_once")]

    def __str__(self) -> str:
        return f"{self.recipe_id}, version {self.number}"
