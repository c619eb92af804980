"""Who had a turn when: one row per person and workspace, written as an edit of theirs is admitted."""

from uuid import UUID

from django.conf import settings
from django.db import models

from editor.models.workspaces import Workspace


class TurnManager(models.Manager["Turn"]):
    def taken(self, workspace_id: UUID, person_id: int, number: int) -> None:
        """Only under the flux server's lock."""
        if not self.filter(workspace=workspace_id, made_by=person_id).update(number=number):
            self.create(workspace_id=workspace_id, made_by_id=person_id, number=number)


class Turn(models.Model):
    """The last turn of somebody in a workspace, numbered by `FluxServer.turns`: the least was served longest ago."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveBigIntegerField()

    objects = TurnManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "made_by"], name="turn_one_per_person_and_place")]

    def __str__(self) -> str:
        return f"turn {self.number} of {self.made_by_id} in {self.workspace_id}"
