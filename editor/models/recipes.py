"""Recipes: what was asked once and worked, under a name, to be asked again of other pictures."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from editor.models.images import Image
from editor.models.workspaces import Workspace


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

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-changed_at", "-id"], name="recipe_newest"),
        ]

    def __str__(self) -> str:
        return self.name


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
