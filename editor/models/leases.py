"""A lease with a fencing number: who works on a row, until when, and in which turn."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Leased(models.Model):
    """A row that one process at a time works on.

    `fence` grows with each claim. Every write of the work is a compare-and-set on it, so that whoever lost the lease
    (stopped, stalled, cut off) changes nothing any more.
    """

    fence = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)  # when to look at the row again; null: never
    # `state` is each model's own column.

    class Meta:
        abstract = True

    @property
    def leased(self) -> bool:
        return self.lease_until is not None and self.lease_until > timezone.now()

    def claim(self, states: set[str], length: timedelta) -> bool:
        """Take the lease if the row is in one of `states` and nobody holds it. True if it is ours now."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        rows = self._same().filter(free, state__in=states)
        if not rows.update(fence=F("fence") + 1, lease_until=now + length, due_at=now + length):
            return False
        self.refresh_from_db()
        return True

    def renew(self, length: timedelta) -> bool:
        """The heartbeat. False if the lease was lost."""
        until = timezone.now() + length
        return bool(self._same().filter(lease_until__isnull=False).update(lease_until=until, due_at=until))

    def swap(self, states: set[str], **values: Any) -> bool:
        """The one way a row changes its state: compare-and-set on state and fence. False if it was not so any more."""
        rows = self._same().filter(state__in=states)
        if not rows.update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def let_go(self, due_at: Any = None) -> bool:
        """End the lease without a transition; look again at `due_at`."""
        return bool(self._same().update(lease_until=None, due_at=due_at))

    def _same(self) -> "models.QuerySet[Any]":
        """This row, as long as nobody claimed it since."""
        return type(self)._default_manager.filter(pk=self.pk, fence=self.fence)
