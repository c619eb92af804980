"""One edit: what was asked for, and how far it is. The states and who may follow whom stand here and nowhere else."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from editor import events
from editor.log_context import about
from editor.models.allowances import Allowance, settle
from editor.models.images import Image
from editor.models.leases import Leased
from editor.models.workspaces import Workspace

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from editor.models.users import User


class JobState(models.TextChoices):
    HELD = "held"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNCONFIRMED = "unconfirmed"
    PROCESSING = "processing"
    COLLECTING = "collecting"
    SUCCEEDED = "succeeded"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELED = "canceled"


class HeldFor(models.TextChoices):
    """Why an edit waits for a person instead of its turn."""

    RULE = "rule", "A rule on prompts"
    SUSPENDED = "suspended", "Its owner is suspended"
    PAUSED = "paused", "Its batch is paused"


FINAL = {JobState.SUCCEEDED, JobState.BLOCKED, JobState.FAILED, JobState.CANCELED}
WITH_VENDOR = {JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.PROCESSING, JobState.COLLECTING}
OPEN = {JobState.HELD, JobState.QUEUED, *WITH_VENDOR}
GROUPS: dict[str, set[JobState]] = {
    "working": OPEN,
    "done": {JobState.SUCCEEDED},
    "failed": FINAL - {JobState.SUCCEEDED},
}
"""What people tell apart in a history; each has indexes of its own."""
AT_REST: dict[str, Any] = {"lease_until": None, "due_at": None, "deadline_at": None, "tries": 0}
"""As an edit comes to a state, unless that wants something else."""


class JobQuerySet(models.QuerySet["GenerationJob"]):
    def visible_to(self, user: "User") -> "JobQuerySet":
        return self.filter(workspace__memberships__user=user, workspace__trashed_at=None)

    def history_of(self, user: "User") -> "JobQuerySet":
        """A person's own edits in the workspaces they are in, newest first."""
        return self.visible_to(user).listed().filter(made_by=user).order_by("-created_at", "-id")

    def history_in(self, workspace: Workspace) -> "JobQuerySet":
        """Everybody's edits in a workspace, newest first."""
        return self.listed().filter(workspace=workspace).select_related("made_by").order_by("-created_at", "-id")

    def listed(self) -> "JobQuerySet":
        """Without those that were put away."""
        return self.filter(put_away_at=None)

    def older_than(self, created_at: datetime, pk: Any) -> "JobQuerySet":
        """Keyset: what comes after this edit in a list that is newest first."""
        behind = Q(created_at__lt=created_at) | Q(id__lt=pk)
        return self.filter(behind, created_at__lte=created_at)  # the wider bound is what an index knows

    def with_pictures(self) -> "JobQuerySet":
        sources = models.Prefetch("sources", JobSource.objects.select_related("image").order_by("position"))
        results = models.Prefetch("results", Image.objects.select_related("change_map").order_by("position"))
        return self.prefetch_related(sources, results)

    def waiting(self) -> "JobQuerySet":
        """Those that nothing was sent for."""
        return self.filter(state__in=sorted([JobState.HELD, JobState.QUEUED]))

    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=OPEN)

    def due(self, now: datetime) -> "JobQuerySet":
        return self.filter(state__in=OPEN, due_at__lte=now).order_by("due_at")

    def turn_order(self) -> "JobQuerySet":
        """Whose turn it is: interactive before batch, then oldest first."""
        return self.filter(state=JobState.QUEUED).order_by("-interactive", "created_at", "id")

    def hold_all(self, why: HeldFor) -> int:
        """queued → held, all at once; those that are sent at this moment are not."""
        return self.filter(state=JobState.QUEUED).update(state=JobState.HELD, held_for=why, due_at=None)

    def release_all(self, why: HeldFor) -> int:
        """held → queued, those that are held for this."""
        rows = self.filter(state=JobState.HELD, held_for=why)
        return rows.update(state=JobState.QUEUED, held_for="", due_at=timezone.now())

    def cancel_some(self, most: int) -> int:
        """held, queued → canceled, so many at most, the newest first; free. Returns how many.

        Without those that somebody changes at this moment: nobody waits, and nobody is waited for.
        """
        canceled = {"state": JobState.CANCELED, "allowance": Allowance.RELEASED}
        with transaction.atomic():
            rows = self.waiting().order_by("-created_at", "-id")
            if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer anyway
                rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
            jobs = list(rows[:most])
            ids = [job.pk for job in jobs]
            GenerationJob.objects.filter(pk__in=ids).update(**AT_REST, **canceled, finished_at=timezone.now())
            settle(jobs, Allowance.RELEASED)
            for workspace in {job.workspace_id for job in jobs}:
                events.edits_changed([job.pk for job in jobs if job.workspace_id == workspace], workspace)
        if jobs:
            log.info("%s edits are canceled, the first being %s.", len(jobs), ids[0])
        return len(jobs)

    def pictures_spent(self, user: "User", since: datetime) -> int:
        """Pictures that count against a person's allowance since then: held and taken ones."""
        rows = self.filter(made_by=user, created_at__gte=since).exclude(allowance=Allowance.RELEASED)
        return int(rows.aggregate(total=models.Sum("samples"))["total"] or 0)


class GenerationJob(Leased):
    """One edit: up to two source images, a prompt, parameters, up to four results. Final states are final."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="jobs")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    state = models.CharField(max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    allowance = models.CharField(max_length=10, choices=Allowance.choices, default=Allowance.HELD)
    rerun_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reruns")
    form_token = models.CharField(max_length=64)
    interactive = models.BooleanField(default=True)
    batch = models.ForeignKey(
        "editor.Batch", on_delete=models.PROTECT, null=True, blank=True, related_name="jobs", db_index=False
    )
    batch_item = models.ForeignKey(
        "editor.BatchItem", on_delete=models.PROTECT, null=True, blank=True, related_name="edits", db_index=False
    )
    batch_step = models.PositiveSmallIntegerField(null=True, blank=True)  # from 0
    variation_set = models.UUIDField(null=True, blank=True)  # the same for variations of one edit that belong together

    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    ratio = models.CharField(max_length=8, default="match")  # a shape, or the source's own
    width = models.PositiveSmallIntegerField(null=True, blank=True)  # pixels, a multiple of 8;
    height = models.PositiveSmallIntegerField(null=True, blank=True)  # known when the source is ready
    samples = models.PositiveSmallIntegerField(default=1)
    strength = models.FloatField(default=0.7)  # 0 to 1; 1 keeps nothing of the source
    seed = models.PositiveBigIntegerField()  # uint32, drawn by us
    crop = models.JSONField(null=True, blank=True)  # what to cut out of the results when the init image is padded

    held_for = models.CharField(max_length=10, choices=HeldFor.choices, blank=True)

    failure_code = models.CharField(max_length=30, blank=True)
    failure_detail = models.TextField(blank=True)  # for operators: the vendor's words
    note = models.CharField(max_length=30, blank=True)  # a code of something its owner should know, though it succeeded
    second = models.BooleanField(default=False)  # sent again on its owner's word after an unconfirmed request
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)  # of the present state; drives the backoff
    created_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True, blank=True)
    processing_at = models.DateTimeField(null=True, blank=True)
    collecting_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)  # of the present state
    put_away_at = models.DateTimeField(null=True, blank=True)  # it made nothing, and nobody wants to see it in lists

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["made_by", "-created_at", "-id"], name="job_history"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="job_workspace"),
            models.Index(fields=["made_by", "workspace", "-created_at", "-id"], name="job_mine_in"),
            *(
                models.Index(
                    fields=[whose, "-created_at", "-id"],
                    name=f"job_{name}_{group}",
                    condition=Q(state__in=sorted(states)),
                )
                for whose, name in (("made_by", "mine"), ("workspace", "in"))
                for group, states in GROUPS.items()
            ),
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
            models.Index(fields=["due_at"], name="job_due", condition=~Q(state__in=sorted(FINAL))),
            models.Index(fields=["-interactive", "created_at", "id"], name="job_turn", condition=Q(state="queued")),
            models.Index(
                fields=["workspace", "made_by", "interactive", "created_at", "id"],
                name="job_in_line",
                condition=Q(state="queued"),
            ),
            models.Index(fields=["made_by"], name="job_waits_of", condition=Q(state__in=["held", "queued"])),
            models.Index(fields=["workspace"], name="job_waits_in", condition=Q(state__in=["held", "queued"])),
            models.Index(fields=["finished_at"], name="job_finished", condition=Q(finished_at__isnull=False)),
            models.Index(fields=["batch", "created_at", "id"], name="job_of_batch", condition=Q(batch__isnull=False)),
            models.Index(
                fields=["batch_item", "batch_step"], name="job_of_item", condition=Q(batch_item__isnull=False)
            ),
            models.Index(
                fields=["variation_set", "created_at", "id"],
                name="job_variations",
                condition=Q(variation_set__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["made_by", "form_token"], name="job_once_per_form"),
            models.CheckConstraint(
                condition=(
                    Q(state__in=sorted(OPEN), allowance="held", finished_at=None)
                    | Q(state="succeeded", allowance="taken", finished_at__isnull=False)
                    | Q(state__in=["blocked", "failed"], allowance="released", finished_at__isnull=False)
                    | Q(state="canceled", allowance__in=["taken", "released"], finished_at__isnull=False)
                ),
                name="job_state_fits_allowance",
            ),
            models.CheckConstraint(condition=~Q(state="held") | ~Q(held_for=""), name="job_held_says_why"),
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(failure_code="")) | (~Q(state="failed") & Q(failure_code="")),
                name="job_failed_has_a_code",
            ),
            models.CheckConstraint(
                condition=Q(samples__gte=1, samples__lte=4, strength__gte=0, strength__lte=1, seed__lt=2**32)
                & Q(width__gte=256, width__lte=1024, height__gte=256, height__lte=1024),
                name="job_parameters_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt[:60]} ({self.state})"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def source_images(self) -> list[Image]:
        known = "sources" in getattr(self, "_prefetched_objects_cache", {})
        return [source.image for source in (self.sources.all() if known else self.sources.select_related("image"))]

    @property
    def source_image(self) -> Image:
        return self.source_images[0]

    @property
    def duration(self) -> timedelta | None:
        return self.finished_at - self.created_at if self.finished_at else None

    # The doors: one per transition, each a compare-and-set. They answer False when the row was not so any more.

    def _move(self, frm: set[str], to: JobState, **values: Any) -> bool:
        values = {**AT_REST, **values}
        if not self.swap(frm, state=to, **values):
            return False
        events.edit_changed(self.pk, self.workspace_id)
        with about(job=self.pk):
            log.info("Edit %s is %s.", self.pk, to)
        return True

    def _finish(self, frm: set[str], to: JobState, allowance: Allowance, **values: Any) -> bool:
        with transaction.atomic(savepoint=False):  # the end of an edit and its line in the ledger: both or neither
            if not self._move(frm, to, allowance=allowance, finished_at=timezone.now(), **values):
                return False
            settle([self], allowance)
        return True

    def hold(self, why: HeldFor) -> bool:
        """queued → held: it keeps what is set aside for it, and nobody sends it."""
        return self._move({JobState.QUEUED}, JobState.HELD, held_for=why)

    def release(self, why: HeldFor) -> bool:
        """held → queued, if it is held for this."""
        rows = GenerationJob.objects.filter(pk=self.pk, held_for=why)
        return rows.exists() and self._move({JobState.HELD}, JobState.QUEUED, held_for="", due_at=timezone.now())

    def start_submitting(self, lease: timedelta, **size: Any) -> bool:
        """queued → submitting, under a new fence; `size` are width, height and crop, known from the sources by now."""
        now = timezone.now()
        values = {
            **size,
            "fence": self.fence + 1,
            "lease_until": now + lease,
            "due_at": now + lease,
            "submitted_at": now,
        }
        return self._move({JobState.QUEUED}, JobState.SUBMITTING, tries=self.tries, **values)

    def queue_again(self, due_at: datetime) -> bool:
        """submitting, unconfirmed → queued: the request was refused for no fault of the job, or never left."""
        states: set[str] = {JobState.SUBMITTING, JobState.UNCONFIRMED}
        return self._move(states, JobState.QUEUED, due_at=due_at, tries=self.tries + 1)

    def become_unconfirmed(self, deadline: datetime) -> bool:
        """submitting → unconfirmed; an unconfirmed one keeps its first deadline."""
        return self._move({JobState.SUBMITTING}, JobState.UNCONFIRMED, due_at=deadline, deadline_at=deadline)

    def become_processing(self, due_at: datetime, deadline: datetime) -> bool:
        now = timezone.now()
        states: set[str] = {JobState.SUBMITTING, JobState.UNCONFIRMED}
        return self._move(states, JobState.PROCESSING, due_at=due_at, deadline_at=deadline, processing_at=now)

    def start_collecting(self, deadline: datetime, lease: timedelta | None = None) -> bool:
        """submitting, unconfirmed, processing → collecting; with `lease` it stays ours, as whoever asks goes on."""
        now = timezone.now()
        states: set[str] = {JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.PROCESSING}
        kept = {"lease_until": now + lease} if lease else {}
        due_at = now + lease if lease else now
        return self._move(states, JobState.COLLECTING, due_at=due_at, deadline_at=deadline, collecting_at=now, **kept)

    def look_later(self, state: JobState, due_at: datetime) -> bool:
        """No transition: still so, look again then."""
        return self.swap({state}, lease_until=None, due_at=due_at, tries=self.tries + 1)

    def succeed(self, note: str = "") -> bool:
        return self._finish({JobState.COLLECTING}, JobState.SUCCEEDED, Allowance.TAKEN, note=note)

    def become_blocked(self) -> bool:
        return self._finish({JobState.COLLECTING}, JobState.BLOCKED, Allowance.RELEASED)

    def fail(self, code: str, detail: str = "") -> bool:
        states: set[str] = set(OPEN)
        return self._finish(
            states, JobState.FAILED, Allowance.RELEASED, failure_code=code, failure_detail=detail[:4000]
        )

    def cancel(self, allowance: Allowance) -> bool:
        states: set[str] = set(OPEN)
        return self._finish(states, JobState.CANCELED, allowance)

    def send_again(self) -> bool:
        """unconfirmed → queued, on its owner's word."""
        return self._move({JobState.UNCONFIRMED}, JobState.QUEUED, due_at=timezone.now(), second=True)


class JobSource(models.Model):
    """The ordered list of a job's source images."""

    job = models.ForeignKey(GenerationJob, on_delete=models.CASCADE, related_name="sources")
    position = models.PositiveSmallIntegerField()
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="used_by")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="source_one_per_position")]

    def __str__(self) -> str:
        return f"source {self.position + 1} of {self.job_id}"
