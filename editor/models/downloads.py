"""Ways of downloading that a workspace keeps under names."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from editor.models.workspaces import Workspace

PRESETS_MAX = 50  # of one workspace


class DownloadPreset(models.Model):
    """Settings for a download, seen by all of its workspace. `options` as `images.export_settings` writes them."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="download_presets")
    name = models.CharField(max_length=60)
    options: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    is_default = models.BooleanField(default=False)  # what the form begins with; at most one
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-is_default", "name", "pk"]
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="download_preset_name_once"),
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(is_default=True), name="download_preset_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
