"""The ledger of what may have been charged: one row per img2img request, committed before the request leaves."""

import secrets
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.flux_servers import FluxServer
from editor.models.jobs import GenerationJob


class AttemptState(models.TextChoices):
    OPEN = "open"  # on its way, or running with the vendor
    UNKNOWN = "unknown"  # no usable answer: it may be running and charged
    REFUSED = "refused"  # not accepted, not charged
    DISCARDED = "discarded"  # accepted, but its job was canceled
    ENDED = "ended"  # the vendor is done with it
    LOST = "lost"  # given up


COUNTING = {AttemptState.OPEN, AttemptState.UNKNOWN, AttemptState.DISCARDED}  # these fill the vendor's queue


def draw_secret() -> str:
    return secrets.token_urlsafe(32)


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def counting(self) -> "AttemptQuerySet":
        return self.filter(state__in=COUNTING)


class Attempt(models.Model):
    """One img2img request on behalf of a job. Its id is the `track_id`; never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    job = models.ForeignKey(GenerationJob, on_delete=models.PROTECT, related_name="attempts")
    server = models.ForeignKey(FluxServer, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=AttemptState.choices, default=AttemptState.OPEN)
    secret = models.CharField(max_length=64, unique=True, default=draw_secret, editable=False)
    fence = models.PositiveIntegerField()  # the job's fence when it was written

    # The answer to the request: a fact, written once.
    answered_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=20, blank=True)  # "accepted", or the client's verdict
    reason = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    retry_after = models.FloatField(null=True, blank=True)  # seconds
    answer = models.JSONField(null=True, blank=True)  # as it came, without the key

    # What is known of the generation since.
    vendor_id = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001  (unique, so unknown must be null)
    vendor_status = models.CharField(max_length=20, blank=True)
    outputs = models.JSONField(default=list, blank=True)
    nsfw = models.BooleanField(default=False)
    generation_time = models.FloatField(null=True, blank=True)  # seconds, as the vendor says
    eta = models.FloatField(null=True, blank=True)  # seconds
    last_answer = models.JSONField(null=True, blank=True)

    samples = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=4, default=0)  # of all samples, as configured at the time
    created_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField()  # until then it counts as open
    checked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # The order to the server that did not wait for it, which is why it may be lost there.
    cut_by = models.ForeignKey(
        "editor.ServerOrder", on_delete=models.PROTECT, null=True, blank=True, related_name="cut", db_index=False
    )

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["server"], name="attempt_counting", condition=Q(state__in=sorted(COUNTING))),
            models.Index(fields=["-created_at", "-id"], name="attempt_newest"),
            models.Index(fields=["server", "-ended_at"], name="attempt_done", condition=Q(state="ended")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["server", "vendor_id"], name="attempt_vendor_id_unique"),
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state__in=["open", "unknown"]), name="attempt_one_running_per_job"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}: {self.state}"

    def record_answer(self, verdict: str, **facts: Any) -> bool:
        """Write the answer down, once, lease or not. False if one was there."""
        rows = Attempt.objects.filter(pk=self.pk, answered_at=None)
        written = rows.update(answered_at=timezone.now(), verdict=verdict, **facts)
        self.refresh_from_db()
        return bool(written)

    def learn_vendor_id(self, vendor_id: str) -> bool:
        """From a webhook or a late receipt. False if one is known, or if it is another attempt's."""
        if Attempt.objects.filter(server_id=self.server_id, vendor_id=vendor_id).exists():
            return False
        learned = bool(Attempt.objects.filter(pk=self.pk, vendor_id=None).update(vendor_id=vendor_id))
        self.refresh_from_db()
        return learned

    def hinted_since(self, moment: datetime) -> bool:
        """Whether a webhook came since then: whoever held the job's lease meanwhile should look once more."""
        return self.events.filter(received_at__gte=moment).exists()

    def move(self, frm: set[str], to: AttemptState, **values: Any) -> bool:
        if to not in COUNTING:
            values.setdefault("ended_at", timezone.now())
        if not Attempt.objects.filter(pk=self.pk, state__in=frm).update(state=to, **values):
            return False
        for name, value in {"state": to, **values}.items():
            setattr(self, name, value)
        return True


class WebhookEvent(models.Model):
    """What somebody who knew an attempt's secret told us. A hint, not evidence."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="events")
    received_at = models.DateTimeField(default=timezone.now)
    vendor_id = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=20, blank=True)
    body = models.JSONField()

    def __str__(self) -> str:
        return f"{self.status or 'event'} for {self.attempt_id}"
