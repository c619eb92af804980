"""What a workspace may spend in a month, and the ledger of what it did: entries are added, never changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.jobs import Allowance, GenerationJob
from editor.models.workspaces import Workspace


class AllowanceEntry(models.Model):
    """One movement: pictures and money are held when an edit is made, and taken or released when it ends.

    Each job has one *held* entry and, once it is final, exactly one other of the same amounts.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="allowance_entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(GenerationJob, on_delete=models.PROTECT, related_name="allowance_entries")
    kind = models.CharField(max_length=10, choices=Allowance.choices)
    month = models.DateField()  # the first day of the month in which the edit was made
    pictures = models.PositiveSmallIntegerField()
    money = models.DecimalField(max_digits=12, decimal_places=4)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["workspace", "month"], name="allowance_by_month")]
        constraints = [
            models.UniqueConstraint(fields=["job"], condition=Q(kind="held"), name="allowance_held_once"),
            models.UniqueConstraint(fields=["job"], condition=~Q(kind="held"), name="allowance_settled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pictures} for {self.job_id}"


class Usage(models.Model):
    """The ledger added up per workspace, person and month, so that nothing is summed while somebody waits."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="usage")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    pictures_held = models.PositiveIntegerField(default=0)
    pictures_taken = models.PositiveIntegerField(default=0)
    money_held = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    money_taken = models.DecimalField(max_digits=14, decimal_places=4, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "month"], name="usage_once_per_month")]

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.month:%Y-%m}"
