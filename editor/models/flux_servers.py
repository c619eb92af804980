"""The flux server as a row: its limits, its pause with the reason, its health. Its lock is the door of admission.

A trouble lasts from `paused_since` until a request is accepted again. While it lasts the server is either paused, or
`probing`: it is tried with one request at a time.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

QUEUE_FULL = "queue-full"
MAINTENANCE = "maintenance"
"""The pause while an order to the server is carried out; it ends with the order."""
ANSWERS_TOLD = timedelta(seconds=1)
NO_TROUBLE = {
    "paused_until": None,
    "paused_since": None,
    "paused_by_hand": False,
    "pause_reason": "",
    "pause_detail": "",
    "probing": False,
    "probes": 0,
    "told_admins_at": None,
    "told_of": "",
}


class FluxServerManager(models.Manager["FluxServer"]):
    def current(self) -> "FluxServer":
        return self.get_or_create(name="default")[0]

    def locked(self) -> "FluxServer":
        """The row under its lock; only inside a transaction. (SQLite locks the whole file at BEGIN IMMEDIATE.)"""
        locked = self.select_for_update().filter(name="default").first()
        return locked or self.select_for_update().get(pk=self.current().pk)


class FluxServer(models.Model):
    name = models.CharField(max_length=40, unique=True, default="default")
    queue_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: FLUX_QUEUE_LIMIT.")
    outstanding = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: FLUX_OUTSTANDING.")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_since = models.DateTimeField(null=True, blank=True)  # when this trouble began
    paused_by_hand = models.BooleanField(default=False)  # then no clock ends it
    pause_reason = models.CharField(max_length=30, blank=True)
    pause_detail = models.CharField(max_length=300, blank=True)
    probing = models.BooleanField(default=False)  # the pause is over, and one request at a time tries how things are
    probes = models.PositiveIntegerField(default=0, editable=False)  # of this trouble; drives the backoff
    told_admins_at = models.DateTimeField(null=True, blank=True, editable=False)
    told_of = models.CharField(max_length=200, blank=True, editable=False)  # reasons that administrators were mailed
    last_answer_at = models.DateTimeField(null=True, blank=True, editable=False)
    turns = models.PositiveBigIntegerField(default=0, editable=False)  # ever taken
    batch_passed = models.PositiveIntegerField(default=0, editable=False)  # turns that a waiting batch let others have

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
        return self.paused_by_hand or (self.paused_until is not None and self.paused_until > timezone.now())

    @property
    def in_trouble(self) -> bool:
        return self.paused_by_hand or self.paused_until is not None or self.probing

    @property
    def tried_singly(self) -> bool:
        """One request at a time may go and see. A full queue needs no question first: its time is simply over."""
        over = self.paused_until is not None and self.pause_reason == QUEUE_FULL
        return not self.paused and (self.probing or over)

    def pause(self, reason: str, detail: str, length: timedelta) -> None:
        """Stop submitting for `length`; never shortens a pause, and leaves one made by hand alone."""
        with transaction.atomic():
            known = FluxServer.objects.select_for_update().get(pk=self.pk)
            now = timezone.now()
            until = now + length
            if known.paused_by_hand or (known.paused_until is not None and known.paused_until >= until):
                return
            same = known.in_trouble and known.pause_reason == reason
            FluxServer.objects.filter(pk=self.pk).update(
                paused_until=until,
                paused_since=known.paused_since if same and known.paused_since else now,
                pause_reason=reason,
                pause_detail=detail[:300],
                probing=False,
            )
        self.refresh_from_db()

    def pause_by_hand(self, reason: str) -> None:
        """Until somebody resumes it. Takes the place of whatever trouble there is."""
        now = timezone.now()
        told = {"paused_since": now, "paused_by_hand": True, "pause_reason": "operator", "pause_detail": reason[:300]}
        FluxServer.objects.filter(pk=self.pk).update(**{**NO_TROUBLE, **told})
        self.refresh_from_db()

    def pause_for_order(self, reason: str) -> None:
        """Until the order has ended. A pause that somebody made by hand stays as it is, and outlasts the order."""
        rows = FluxServer.objects.filter(pk=self.pk, paused_by_hand=False)
        told = {"paused_since": timezone.now(), "paused_by_hand": True, "pause_reason": MAINTENANCE}
        rows.update(**{**NO_TROUBLE, **told, "pause_detail": reason[:300]})
        self.refresh_from_db()

    def resume_after_order(self, trouble: str = "", detail: str = "") -> None:
        """End the pause of an order, and no other. With `trouble`, the clock tries from now on how things are."""
        values: dict[str, object] = {**NO_TROUBLE}
        if trouble:
            now = timezone.now()
            values |= {"paused_since": now, "paused_until": now, "pause_reason": trouble, "pause_detail": detail[:300]}
        FluxServer.objects.filter(pk=self.pk, paused_by_hand=True, pause_reason=MAINTENANCE).update(**values)
        self.refresh_from_db()

    def look_now(self) -> bool:
        """End the waiting of a pause that nobody made by hand: the clock asks at once. False: there is none."""
        now = timezone.now()
        rows = FluxServer.objects.filter(pk=self.pk, paused_by_hand=False, paused_until__gt=now)
        return bool(rows.update(paused_until=now))

    def resume(self) -> None:
        """Whatever it was, it is over, and all that waits may go."""
        FluxServer.objects.filter(pk=self.pk).update(**NO_TROUBLE)
        self.refresh_from_db()

    def claim_probe(self, length: timedelta) -> bool:
        """For exactly one caller, once the pause ran out: True if it is ours to find out how things are now."""
        ended, until = self.paused_until, timezone.now() + length
        if self.paused or ended is None:
            return False
        rows = FluxServer.objects.filter(pk=self.pk, paused_until=ended, paused_by_hand=False)
        claimed = bool(rows.update(paused_until=until, probes=F("probes") + 1))
        self.refresh_from_db()
        return claimed

    def conclude_probe(self, length: timedelta | None) -> bool:
        """After a claimed probe: paused for `length` more, or on with one request at a time. False if overtaken."""
        until = None if length is None else timezone.now() + length
        rows = FluxServer.objects.filter(pk=self.pk, paused_until=self.paused_until, paused_by_hand=False)
        concluded = bool(rows.update(paused_until=until, probing=length is None))
        self.refresh_from_db()
        return concluded

    def end_trouble(self) -> str:
        """If it was being tried: all may go again. Returns what administrators were told of, "" for nothing."""
        with transaction.atomic():
            known = FluxServer.objects.select_for_update().get(pk=self.pk)
            if not known.tried_singly:
                return ""
            FluxServer.objects.filter(pk=self.pk).update(**NO_TROUBLE)
        self.refresh_from_db()
        return known.told_of

    def tell_once(self, reason: str) -> bool:
        """True for exactly one caller per trouble and reason."""
        with transaction.atomic():
            known = FluxServer.objects.select_for_update().get(pk=self.pk)
            told = known.told_of.split()
            if reason in told:
                return False
            told_of = " ".join([*told, reason])
            FluxServer.objects.filter(pk=self.pk).update(told_of=told_of, told_admins_at=timezone.now())
        return True

    def answered(self, now: datetime) -> None:
        """A request was accepted. Told once a second at most: admission waits for whoever writes this row."""
        if self.last_answer_at is not None and now - ANSWERS_TOLD < self.last_answer_at <= now:
            return
        FluxServer.objects.filter(pk=self.pk).update(last_answer_at=now)
