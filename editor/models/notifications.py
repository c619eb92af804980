"""What people are told about the work of others, and how they want to be told."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.batches import Batch
from editor.models.comments import Comment
from editor.models.images import Image
from editor.models.reviews import Review
from editor.models.shares import Share
from editor.models.workspaces import Workspace


class About(models.TextChoices):
    """What may be chosen apart."""

    MENTION = "mention", "Somebody mentions me"
    COMMENT = "comment", "Comments on my pictures, and answers to me"
    REVIEW_ASKED = "review-asked", "I am asked for a review"
    REVIEW_DECIDED = "review-decided", "My pictures are approved or rejected"
    GUEST = "guest", "Guests comment or decide on what I shared"
    BATCH = "batch", "My batches are finished"


class Notification(models.Model):
    """Told to one person. `subject` is what mails are bundled by: "image:<id>", "batch:<id>", "share:<id>"."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    about = models.CharField(max_length=20, choices=About.choices)
    subject = models.CharField(max_length=60)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    review = models.ForeignKey(Review, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    share = models.ForeignKey(Share, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=200)  # one sentence without its subject's address
    in_portal = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True)  # None: it was mailed, or is not to be

    class Meta:
        indexes = [
            models.Index(fields=["person", "-created_at", "-id"], name="notification_newest"),
            models.Index(fields=["person", "subject"], name="notification_unseen", condition=Q(seen_at=None)),
            models.Index(fields=["mail_due_at"], name="notification_to_mail", condition=Q(mail_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.about} for {self.person_id}"


class MailedSubject(models.Model):
    """When a person was last mailed about a subject: once an hour is enough. Its lock is the door of those mails."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=60)
    at = models.DateTimeField(null=True, blank=True)  # None: never yet
    sending_until = models.DateTimeField(null=True, blank=True)  # a worker sends one, or died in the middle of it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "subject"], name="mailed_subject_once")]
        indexes = [models.Index(fields=["at"], name="mailed_subject_old")]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.subject}"


class ToldBy(models.Model):
    """How a person wants to be told about something; without a row, as `notifications.choices` says."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="told_by")
    about = models.CharField(max_length=20, choices=About.choices)
    in_portal = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "about"], name="told_by_once")]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.about}"
