"""Marks that processes leave for others to read: when the clock ticked last, how far a sweep of the bucket came."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

CLOCK = "clock"


class MarkManager(models.Manager["Mark"]):
    def leave(self, name: str, value: str = "", *, at_most_every: timedelta = timedelta(0)) -> bool:
        """Write the mark anew, unless somebody did within `at_most_every`; True if it was written."""
        now, value = timezone.now(), value[:200]
        known = self.filter(pk=name)
        # One from the future was left by a machine whose clock is wrong, and must not stand for an hour.
        old = known.filter(models.Q(at__lte=now - at_most_every) | models.Q(at__gt=now + at_most_every))
        if old.update(at=now, value=value):
            return True
        if known.exists():
            return False
        return self.get_or_create(pk=name, defaults={"at": now, "value": value})[1]

    def value_of(self, name: str) -> str:
        """What the mark says; "" where there is none."""
        mark = self.filter(pk=name).first()
        return mark.value if mark else ""

    def age_of_tick(self, now: datetime | None = None) -> timedelta | None:
        """How long ago a clock ticked, give or take CLOCK_MARK; None if none ever did. Negative: clocks disagree."""
        mark = self.filter(pk=CLOCK).first()
        return (now or timezone.now()) - mark.at if mark else None

    def tick(self) -> bool:
        """A clock has ticked."""
        return self.leave(CLOCK, at_most_every=settings.CLOCK_MARK)


class Mark(models.Model):
    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    value = models.CharField(max_length=200, blank=True)

    objects = MarkManager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
