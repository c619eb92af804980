"""Quick probes of the parts that a web process needs: each answers within PATIENCE or counts as away."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field

from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from editor import rings
from editor.images import bucket
from editor.images.bucket import BucketUnavailable, Missing

PATIENCE = 2.0  # seconds for all of them together
REMEMBERED = 2.0  # seconds for which an answer is given again: many ask, and each question costs three round trips
FINE = "ok"


def ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # this thread's own; others keep theirs


def ask_redis() -> None:
    rings.bell().ping()


def ask_bucket() -> None:
    with bucket.talking("the bucket", hurried=True) as (client, name):
        client.head_bucket(Bucket=name)


PROBES: dict[str, Callable[[], None]] = {"database": ask_database, "redis": ask_redis, "bucket": ask_bucket}


@dataclass
class Readiness:
    """Asks all parts at once, and keeps the answers for a moment. For many threads."""

    probes: dict[str, Callable[[], None]]
    patience: float = PATIENCE
    remembered: float = REMEMBERED
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: dict[str, Future[None]] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _known_at: float = 0.0

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(len(self.probes), thread_name_prefix="probe")

    def answers(self) -> dict[str, str]:
        """By part "ok", or what is the matter in two words; never a detail."""
        with self._lock:
            if not self._known or time.monotonic() - self._known_at > self.remembered:
                self._known = self._asked()
                self._known_at = time.monotonic()
            return dict(self._known)

    def forget(self) -> None:
        """Ask anew next time."""
        with self._lock:
            self._known = {}

    def _asked(self) -> dict[str, str]:
        for name, ask in self.probes.items():
            # One that still hangs is not asked again: it would only pile up threads.
            if name not in self._under_way:
                self._under_way[name] = self._threads.submit(ask)
        wait_for(self._under_way.values(), self.patience)
        return {name: self._said(name) for name in self.probes}

    def _said(self, name: str) -> str:
        asked = self._under_way[name]
        if not asked.done():
            return "no answer"
        del self._under_way[name]
        match asked.exception():
            case None:
                return FINE
            case DatabaseError() | RedisError() | BucketUnavailable() | OSError():
                return "not reached"
            case Missing():
                return "not there"
            case _:
                return "broken"


readiness = Readiness(PROBES)
