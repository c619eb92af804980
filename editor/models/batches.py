"""One prompt on many pictures: what was asked once. Each picture has an edit of its own, which knows its batch."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from editor.models.workspaces import Workspace


class Batch(models.Model):
    """What its edits have in common, and who is told when the last of them has ended."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="batches")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    form_token = models.CharField(max_length=64)
    prompt = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    mail_due_at = models.DateTimeField(null=True, blank=True)  # wanted, and not sent yet: when to look (again)

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["made_by", "-created_at", "-id"], name="batch_newest"),
            models.Index(fields=["mail_due_at"], name="batch_mail", condition=models.Q(mail_due_at__isnull=False)),
        ]
        constraints = [models.UniqueConstraint(fields=["made_by", "form_token"], name="batch_once_per_form")]

    def __str__(self) -> str:
        return self.prompt[:60]
