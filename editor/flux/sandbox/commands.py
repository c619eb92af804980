"""The commands to the whole server, and what follows from them: minutes of a proxy's error pages, and lost work.

What the vendor does to waiting generations is written down nowhere; assumed is that `clear_queue` forgets them, as it
empties the queue, and that `restart_server` and `update_server` fail them. No webhook tells of either.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from .generations import Generations

COMMANDS = {
    "clear_cache": "Cache cleared successfully.",
    "clear_queue": "Queue cleared successfully. The server restarts.",
    "restart_server": "The server restarts.",
    "update_server": "The server is updated and restarts.",
}
"""The paths, and what they answer."""


class Downtime:
    """The time after a restart in which nobody is there but a proxy. `seconds` is how long it takes."""

    def __init__(self, generations: Generations, seconds: float) -> None:
        self._generations = generations
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._codes = itertools.cycle((502, 503))

    def command(self, name: str) -> dict[str, Any]:
        """Obey one of COMMANDS; the answer still arrives, the server goes down behind it."""
        if name != "clear_cache":
            self.begin(gone=name == "clear_queue")
        return {"status": "success", "message": COMMANDS[name]}

    def begin(self, *, gone: bool = False) -> None:
        """Go down; all that runs or waits is failed, or forgotten if `gone`."""
        with self._lock:
            self._until = time.time() + self._seconds
        self._generations.lose_all(gone=gone, until=self._until)

    def left(self) -> float:
        """Seconds until the server is up again, 0 if it is."""
        return max(0.0, self._until - time.time())

    def code(self) -> int:
        """The HTTP code of the next error page, or 0 while the server is up."""
        with self._lock:
            return next(self._codes) if self.left() else 0
