"""The portal's settings for processes that chaos has its hands in: with named points, and a clock that may be off."""

import os
from datetime import datetime, timedelta

from django.utils import timezone

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.points.Points"]

if _off := timedelta(seconds=float(os.environ.get("CHAOS_OFF", "0"))):
    _right = timezone.now

    def _wrong() -> datetime:
        return _right() + _off

    timezone.now = _wrong  # before any model is read, whose defaults are this very function
