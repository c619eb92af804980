"""When to look again."""

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def retry_at(tries: int) -> datetime:
    """After something that went wrong: doubling, with jitter so that many don't come back at once."""
    wait = _grown(settings.JOB_RETRY_FIRST, settings.JOB_RETRY_LAST, 2.0, tries)
    return timezone.now() + wait * random.uniform(0.7, 1.3)  # noqa: S311  (no secret)


def poll_at(tries: int, eta: float | None = None) -> datetime:
    """The next check of a generation; `eta` in seconds is the vendor's hint, trusted only within our bounds."""
    wait = _grown(settings.JOB_POLL_FIRST, settings.JOB_POLL_LAST, 1.4, tries)
    if eta is not None and tries == 0:
        wait = min(max(timedelta(seconds=eta) * 0.8, settings.JOB_POLL_FIRST), settings.JOB_POLL_FIRST * 5)
    return timezone.now() + wait


def _grown(first: timedelta, last: timedelta, factor: float, tries: int) -> timedelta:
    return min(first * factor ** min(tries, 20), last)
