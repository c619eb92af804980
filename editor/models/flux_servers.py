"""The flux server as a row: its limits, its pause with the reason, its health. Its lock is the door of admission."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class FluxServerManager(models.Manager["FluxServer"]):
    def current(self) -> "FluxServer":
        return self.get_or_create(name="default")[0]

    def locked(self) -> "FluxServer":
        """The row under its lock; only inside a transaction. (SQLite locks the whole file at BEGIN IMMEDIATE.)"""
        self.current()
        return self.select_for_update().get(name="default")


class FluxServer(models.Model):
    name = models.CharField(max_length=40, unique=True, default="default")
    queue_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: FLUX_QUEUE_LIMIT.")
    outstanding = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: FLUX_OUTSTANDING.")
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=30, blank=True)
    pause_detail = models.CharField(max_length=300, blank=True)
    told_admins_at = models.DateTimeField(null=True, blank=True, editable=False)  # once per trouble
    last_answer_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = FluxServerManager()

    def __str__(self) -> str:
        return self.name

    @property
    def limit(self) -> int:
        """Requests that may be open with the vendor at once."""
        ours = self.outstanding or settings.FLUX_OUTSTANDING
        return min(ours, self.queue_limit or settings.FLUX_QUEUE_LIMIT)

    @property
    def paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()

    def pause(self, reason: str, detail: str, length: timedelta) -> None:
        """Stop submitting for `length`; never shortens a pause."""
        until = timezone.now() + length
        shorter = models.Q(paused_until=None) | models.Q(paused_until__lt=until)
        rows = FluxServer.objects.filter(shorter, pk=self.pk)
        rows.update(paused_until=until, pause_reason=reason, pause_detail=detail[:300])

    def resume(self) -> None:
        FluxServer.objects.filter(pk=self.pk).update(paused_until=None, pause_reason="", pause_detail="")

    def accepted(self) -> None:
        """A request was accepted: whatever the trouble was, it is over, and the next one is worth a mail again."""
        FluxServer.objects.filter(pk=self.pk).update(last_answer_at=timezone.now(), told_admins_at=None)

    def tell_admins_once(self, now: datetime) -> bool:
        """True for exactly one caller per trouble."""
        return bool(FluxServer.objects.filter(pk=self.pk, told_admins_at=None).update(told_admins_at=now))
