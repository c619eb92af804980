"""The same steps for many pictures: what was asked once. Each picture is an item, which knows how far it is."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.library import Collection
from editor.models.recipes import Recipe
from editor.models.workspaces import Workspace


class Batch(models.Model):
    """What its edits have in common, and who is told when the last of them has ended."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="batches")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    form_token = models.CharField(max_length=64)
    prompt = models.TextField()  # of the first step, or the name of the recipe: what it is called
    # As `jobs.steps` writes them, with their placeholders.
    steps: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField(default=list)
    recipe = models.ForeignKey(
        Recipe, on_delete=models.SET_NULL, null=True, blank=True, related_name="batches", db_index=False
    )
    gate = models.BooleanField(default=False)  # somebody looks at each result before it goes on
    collection = models.ForeignKey(  # in which its results are put as they are kept
        Collection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)  # no step begins any more
    mail_due_at = models.DateTimeField(null=True, blank=True)  # wanted, and not sent yet: when to look (again)
    tell_due_at = models.DateTimeField(null=True, blank=True)  # its end is to be told, and was not yet

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["made_by", "-created_at", "-id"], name="batch_newest"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="batch_of_workspace"),
            models.Index(fields=["mail_due_at"], name="batch_mail", condition=Q(mail_due_at__isnull=False)),
            models.Index(fields=["tell_due_at"], name="batch_tell", condition=Q(tell_due_at__isnull=False)),
        ]
        constraints = [models.UniqueConstraint(fields=["made_by", "form_token"], name="batch_once_per_form")]

    def __str__(self) -> str:
        return self.prompt[:60]


class ItemState(models.TextChoices):
    """Where a picture of a batch is; how its present edit is, the edit says."""

    WORKING = "working"  # its edit is under way, or went wrong, or is about to be made
    LOOKING = "looking"  # its result waits for somebody to look at it
    KEPT = "kept"  # through all steps
    DROPPED = "dropped"  # somebody did not want it
    STOPPED = "stopped"  # its next edit was not to be made; `said` says why


class ItemQuerySet(models.QuerySet["BatchItem"]):
    def of(self, batch: Batch) -> "ItemQuerySet":
        """Without those whose edits were moved to another workspace since: who sees the batch may not be in it."""
        return self.filter(batch=batch, job__workspace=batch.workspace_id)

    def due(self, now: datetime) -> "ItemQuerySet":
        """Those whose next edit is to be made, and may be."""
        return self.filter(due_at__lte=now, batch__paused_at=None)


class BatchItem(models.Model):
    """One picture on its way through the steps. Of its edits, one is the present one."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items", db_index=False)
    number = models.PositiveIntegerField()  # from 0, in the order in which they were chosen
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+", db_index=False)
    values: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict)  # of placeholders
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WORKING)
    step = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)  # edits made for it so far, of all steps
    source = models.ForeignKey(  # what the present step is made of; None: the picture itself
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    job = models.ForeignKey("editor.GenerationJob", on_delete=models.PROTECT, related_name="+", db_index=False)
    kept = models.ForeignKey(  # the result that was chosen in the end; None: all of its last edit
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    said = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)  # when its next edit is to be made

    objects = ItemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="item_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="item_once_per_number"),
            models.CheckConstraint(condition=Q(due_at=None) | Q(state="working"), name="item_due_is_working"),
            models.CheckConstraint(condition=~Q(state="stopped") | ~Q(said=""), name="item_stopped_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.number + 1} of {self.batch_id} ({self.state})"

    @property
    def stamp(self) -> str:
        """Which of its edits somebody looks at: what they decide holds for that one alone."""
        return f"{self.step}.{self.tries}"

    @property
    def made_of(self) -> Image:
        """The source of its present step."""
        return self.source or self.image

    def swap(self, states: set[str], **values: Any) -> bool:
        """The one way an item changes: compare-and-set. False if it was not so any more."""
        seen = {"pk": self.pk, "state__in": states, "step": self.step, "tries": self.tries, "job": self.job_id}
        if not BatchItem.objects.filter(**seen).update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def begin(self, states: set[str], step: int, source: Image | None, now: datetime | None = None) -> bool:
        """To the edit of a step, which somebody makes of the row from now on."""
        values = {"state": ItemState.WORKING, "step": step, "source": source, "kept": None, "said": ""}
        return self.swap(states, **values, due_at=now or timezone.now())

    def stop(self, said: str) -> bool:
        """Its next edit is not made, and why."""
        return self.swap({ItemState.WORKING}, state=ItemState.STOPPED, said=said, due_at=None)
