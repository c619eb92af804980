"""`manage.py clock`: rings what is due, ends what is dead, empties trash and inbox, counts the hours.

Many together do no harm.
"""

import logging
import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django.utils import timezone

from editor.doctor import daily
from editor.jobs import clock, figures, purging, retention, storage
from editor.models import Mark
from editor.moderation import trust

log = logging.getLogger(__name__)

TRASH_EVERY = 600  # ticks
RULES_EVERY = 10


class Command(BaseCommand):
    help = "Rings what is due, ends what is dead, empties the trash, lets old pictures go by rules."
    emptying = False
    retiring = False
    marked_at = 0.0  # by time.monotonic

    def handle(self, *args: Any, **options: Any) -> None:
        over = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: over.set())
        self.stdout.write("The clock ticks.")
        ticks = 0
        while not over.is_set():
            self.tick(ticks)
            ticks += 1
            over.wait(self.pause())

    def pause(self) -> float:
        """Seconds until the next tick."""
        try:
            return clock.until_next(settings.CLOCK_TICK)
        except Error:
            return settings.CLOCK_TICK.total_seconds()

    def tick(self, ticks: int) -> None:
        """One tick. Whatever is wrong with one row or one part, the clock goes on for all the others."""
        close_old_connections()
        try:
            clock.tick()
            self.mark()
            if self.emptying or ticks % TRASH_EVERY == 0:
                self.emptying = clock.empty_trash() >= purging.MOST_PICTURES  # there is more
            if self.retiring or ticks % RULES_EVERY == 0:
                self.retiring = retention.step(timezone.now()) >= retention.AT_ONCE  # there is more
            storage.keep(timezone.now())
            if ticks % TRASH_EVERY == 0:
                clock.sweep_inbox()
                trust.grow()
                daily.keep(timezone.now())
            figures.keep(timezone.now())
        except Error as error:
            log.error("The clock missed a tick: %s", error)
        except Exception:
            log.exception("The clock missed a tick.")

    def mark(self) -> None:
        """Say in the database that a clock ticks; `manage.py doctor` and the metrics read it."""
        now = time.monotonic()
        if self.marked_at == 0.0 or now - self.marked_at >= settings.CLOCK_MARK.total_seconds():
            Mark.objects.tick()
            self.marked_at = now
