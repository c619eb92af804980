"""What people say about a picture: threads of comments, on all of it or on a point."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.shares import Share
from editor.models.workspaces import Workspace

COMMENT_MAX = 2_000  # characters


class Comment(models.Model):
    """The first of a thread, or an answer in it. By a member, or by a guest who came through a shared link."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="comments")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")  # the picture's
    thread = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="answers")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="comments"
    )
    share = models.ForeignKey(Share, on_delete=models.PROTECT, null=True, blank=True, related_name="comments")
    guest_name = models.CharField(max_length=60, blank=True)  # as the guest wrote it: nobody vouches for it
    text = models.TextField(max_length=COMMENT_MAX)
    # The point it is about, from the upper left corner, in parts of the width and the height (0 to 1), and what is
    # written on its pin: counted up for each picture, and never used again.
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # its place in the thread stays, its words go
    resolved_at = models.DateTimeField(null=True, blank=True)  # of a thread: stands at its first comment
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["image", "created_at", "id"], name="comment_of_picture"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="comment_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["image", "number"], name="comment_one_per_pin"),
            models.CheckConstraint(
                condition=Q(made_by__isnull=False, share=None, guest_name="")
                | Q(made_by=None, share__isnull=False, guest_name__gt=""),
                name="comment_member_or_guest",
            ),
            models.CheckConstraint(
                condition=Q(x=None, y=None) | Q(thread=None, x__gte=0, x__lte=1, y__gte=0, y__lte=1),
                name="comment_point_within",
            ),
            models.CheckConstraint(condition=Q(resolved_at=None) | Q(thread=None), name="comment_threads_are_resolved"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} on {self.image_id}"


class CommentVersion(models.Model):
    """What a comment said before it was changed."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField(max_length=COMMENT_MAX)
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["replaced_at", "id"]

    def __str__(self) -> str:
        return f"{self.comment_id} until {self.replaced_at:%Y-%m-%d %H:%M}"


class Mention(models.Model):
    """A member whom a comment calls, or called before it was changed: the text says "@[<id of the user>]"."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.comment_id}"
