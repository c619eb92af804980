"""The audit log: what staff did, in a chain in which each entry carries the hash of the one before."""

from typing import Any

from django.conf import settings
from django.db import models


class AuditHead(models.Model):
    """One row: how long the chain is and how it ends. Its lock makes entries come one after the other."""

    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.length} entries"


class AuditEntry(models.Model):
    """One thing that was done; written by `editor.moderation.audit`, never changed, never deleted."""

    number = models.PositiveBigIntegerField(primary_key=True)  # 1, 2, 3 … without a gap
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="audit_entries"
    )  # None: the portal itself, or a command
    action = models.CharField(max_length=40)
    about = models.CharField(max_length=80, blank=True)  # "image:<id>", "user:<id>"
    words = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict, blank=True)  # text and whole numbers, so that it is read as it was written
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["actor", "-number"], name="audit_by_actor"),
            models.Index(fields=["action", "-number"], name="audit_by_action"),
            models.Index(fields=["about", "-number"], name="audit_about"),
            models.Index(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.action} {self.about}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises TypeError for an entry that is written already."""
        if not self._state.adding:
            raise TypeError("An entry of the audit log is never changed.")
        super().save(*args, force_insert=True, **{k: v for k, v in kwargs.items() if k != "force_insert"})

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises TypeError, always."""
        raise TypeError("An entry of the audit log is never deleted.")
