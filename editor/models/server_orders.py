"""What an operator has the flux server do as a whole: clear, restart or update it, or deliver into our inbox.

An order is a row so that it outlives whoever carries it out. It goes on from the row by whatever worker looks next, and
what must not be done twice has a state of its own, in which nobody begins anew:

    draining ─▶ calling ─▶ watching ─▶ done | failed      clear, restart, update; withdrawn while draining
    checking ─▶ calling ─▶ trying ─▶ done | failed        register the inbox; calling ─▶ done without a test edit
                calling ─▶ done | failed                  take the registration back
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.flux_servers import FluxServer
from editor.models.leases import Leased

if TYPE_CHECKING:
    from editor.models.users import User


class OrderKind(models.TextChoices):
    CLEAR_CACHE = "clear_cache", "Clear the cache"
    CLEAR_QUEUE = "clear_queue", "Clear the queue"
    RESTART = "restart_server", "Restart"
    UPDATE = "update_server", "Update"
    REGISTER = "update_s3", "Register the inbox"
    RESET = "reset_s3", "Stop using the inbox"


class OrderState(models.TextChoices):
    DRAINING = "draining"  # nothing is sent any more; what is under way may end
    CHECKING = "checking"  # the keys of the inbox are being tried
    CALLING = "calling"  # about to tell the flux server, or just did
    WATCHING = "watching"  # told; until it is well again
    TRYING = "trying"  # told; a test edit is on its way
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn", "Broken off"  # before anything was done


DRAINED = frozenset({OrderKind.CLEAR_CACHE, OrderKind.CLEAR_QUEUE, OrderKind.RESTART, OrderKind.UPDATE})
LOSING = DRAINED - {OrderKind.CLEAR_CACHE}
"""After these the server has forgotten, or failed, all that it worked on."""
OVER = frozenset({OrderState.DONE, OrderState.FAILED, OrderState.WITHDRAWN})
GOING_ON = frozenset(OrderState) - OVER


class OrderQuerySet(models.QuerySet["ServerOrder"]):
    def going_on(self) -> "OrderQuerySet":
        return self.filter(state__in=sorted(GOING_ON))

    def due(self, now: datetime) -> "OrderQuerySet":
        return self.going_on().filter(due_at__lte=now)


class ServerOrder(Leased):
    """One order; at most one of a server goes on at a time."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    server = models.ForeignKey(FluxServer, on_delete=models.PROTECT, related_name="orders")
    kind = models.CharField(max_length=20, choices=OrderKind.choices)
    state = models.CharField(max_length=10, choices=OrderState.choices)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    form_token = models.CharField(max_length=64, unique=True)
    open_at_first = models.PositiveIntegerField(default=0)  # requests that were under way then
    hurried_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    hurried_at = models.DateTimeField(null=True, blank=True)  # somebody did not want to wait any longer
    left_open = models.PositiveIntegerField(default=0)  # requests that were under way when it was called

    verdict = models.CharField(max_length=10, blank=True)  # of the call: "done", "refused", "not-sent", "unknown"
    message = models.CharField(max_length=500, blank=True)  # what the flux server said to it
    trouble = models.CharField(max_length=500, blank=True)  # what it said last while it was watched and not well
    outcome = models.CharField(max_length=1000, blank=True)  # how it ended, where that needs words

    deploy_type = models.CharField(max_length=40, blank=True)  # of the inbox's
    tested = models.BooleanField(default=False)  # whether a test edit belongs to it
    job = models.ForeignKey("editor.GenerationJob", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    notes = models.JSONField(default=list, blank=True)  # sentences about what is odd but may do

    created_at = models.DateTimeField(default=timezone.now)
    called_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    well_since = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)  # of the present state
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["server", "-created_at"], name="server_order_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(state__in=sorted(GOING_ON)), name="server_order_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(GOING_ON), ended_at=None)
                | Q(state__in=sorted(OVER), ended_at__isnull=False),
                name="server_order_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def drains(self) -> bool:
        return self.kind in DRAINED

    # The doors. Each answers False when the row was not so any more.

    def _move(self, frm: set[str], to: OrderState, **values: Any) -> bool:
        now = timezone.now()
        ended = {"due_at": None, "ended_at": now} if to in OVER else {"due_at": now}
        return self.swap(frm, state=to, **{"lease_until": None, "deadline_at": None, **ended, **values})

    def hurry(self, person: "User") -> bool:
        """Don't wait any longer for what is under way: a decision of its own, made once."""
        rows = ServerOrder.objects.filter(pk=self.pk, state=OrderState.DRAINING, hurried_at=None)
        now = timezone.now()
        hurried = bool(rows.update(hurried_by=person, hurried_at=now, due_at=now))
        self.refresh_from_db()
        return hurried

    def withdraw(self) -> bool:
        """draining → withdrawn: nothing was done."""
        return self._move({OrderState.DRAINING}, OrderState.WITHDRAWN)

    def start_calling(self, lease: timedelta, **values: Any) -> bool:
        """draining, checking → calling, under a new fence: from now on nobody begins the call anew."""
        now = timezone.now()
        held = {"fence": self.fence + 1, "lease_until": now + lease, "due_at": now + lease, "called_at": now}
        states: set[str] = {OrderState.DRAINING, OrderState.CHECKING}
        return self._move(states, OrderState.CALLING, **held, **values)

    def start_watching(self, verdict: str, message: str, due_at: datetime, patience: timedelta) -> bool:
        """calling → watching: what the answer was, or that nobody knows it."""
        now = timezone.now()
        told = {"verdict": verdict, "message": message[:500], "answered_at": now if verdict == "done" else None}
        return self._move({OrderState.CALLING}, OrderState.WATCHING, due_at=due_at, deadline_at=now + patience, **told)

    def start_trying(self, message: str, patience: timedelta) -> bool:
        """calling → trying: registered, and to be seen to work."""
        now = timezone.now()
        told = {"verdict": "done", "message": message[:500], "answered_at": now}
        return self._move({OrderState.CALLING}, OrderState.TRYING, deadline_at=now + patience, **told)

    def look_later(self, due_at: datetime, **values: Any) -> bool:
        """No transition: look again then."""
        return self.swap(set(GOING_ON), lease_until=None, due_at=due_at, **values)

    def finish(self, outcome: str = "", **values: Any) -> bool:
        return self._move(set(GOING_ON), OrderState.DONE, outcome=outcome[:1000], **values)

    def fail(self, outcome: str, **values: Any) -> bool:
        return self._move(set(GOING_ON), OrderState.FAILED, outcome=outcome[:1000], **values)
