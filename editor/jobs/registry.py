"""RQ's register of workers: a process that was killed stays in it for a while, so its last word counts."""

import time
from datetime import datetime

from editor import rings

SILENT = 90.0  # seconds; one that waits says something every 15, one that works every 30


def workers(queue: str) -> tuple[int, int]:
    """How many workers of the queue said something of late, and how many did not. Raises RedisError."""
    bell, alive, known = rings.bell(), 0, 0
    for name in bell.smembers(f"rq:workers:{queue}"):
        heard = bell.hget(name, "last_heartbeat")
        known += 1
        alive += heard is not None and time.time() - _moment(heard) < SILENT
    return alive, known - alive


def _moment(heard: bytes | str) -> float:
    """RQ's text of a time, as seconds; 0 if it is none."""
    text = heard.decode() if isinstance(heard, bytes) else heard
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
