"""Named points in the portal's code, at which a process of a chaos round can be killed or stopped.

An application for `tests.chaos.settings` alone. A trap is a file ROLE@POINT in the directory CHAOS_TRAPS; the first
process of that role that comes by takes it and does what it says. CHAOS_WITHOUT takes one of the portal's protections
away, so that a test can see chaos notice it.
"""

import importlib
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import AppConfig


class Point(NamedTuple):
    """Before or after a function; after: only if it answered something that `counts`."""

    where: str  # module:name
    after: bool = True
    counts: Callable[[Any], bool] = lambda answer: True


POINTS = {
    # A worker of edits.
    "attempt-committed": Point("editor.jobs.admission:admit_some", counts=bool),
    "request-leaves": Point("editor.jobs.submission:_ask", after=False),
    "request-answered": Point("editor.jobs.submission:_ask"),
    "answer-written": Point("editor.jobs.submission:record"),
    "job-settled": Point("editor.jobs.submission:settle"),
    "check-answered": Point("editor.jobs.checks:_apply", after=False),
    "check-applied": Point("editor.jobs.checks:check"),
    "rows-written": Point("editor.jobs.collection:_rows"),
    "result-fetched": Point("editor.jobs.collection:_raw"),
    "bytes-stored": Point("editor.images.ingest:_become_ready", after=False),
    "picture-ready": Point("editor.images.ingest:_become_ready"),
    "job-done": Point("editor.jobs.collection:_conclude"),
    "ring-answered": Point("editor.rings:answered"),
    # Whoever rings: web, workers, clocks.
    "ring-leaves": Point("editor.rings:_send", after=False),
    "ring-sent": Point("editor.rings:_send"),
    # The web process.
    "upload-has-a-row": Point("editor.images.ingest:_put_raw", after=False),
    "upload-stored": Point("editor.images.ingest:_put_raw"),
    "webhook-noted": Point("editor.views.webhook:look_now", after=False),
    "cancel-written": Point("editor.jobs.control:_cancel_once"),
    # The clock, between its rings and what it does itself.
    "half-a-tick": Point("editor.jobs.pauses:end_of_pause", after=False),
}
OF_EDITS = tuple(POINTS)[: tuple(POINTS).index("ring-answered") + 1]
OF_RINGS = ("ring-leaves", "ring-sent")
OF_PICTURES = ("bytes-stored", "picture-ready", "ring-answered")
OF_UPLOADS = ("upload-has-a-row", "upload-stored", "ring-leaves")
KILL, KILL_ALL, KILL_PARENT, STOP = "kill", "kill-all", "kill-parent", "stop"


class Points(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        traps = os.environ.get("CHAOS_TRAPS")
        if traps:
            for name, point in POINTS.items():
                _lay(name, point, Path(traps))
        _take_away(os.environ.get("CHAOS_WITHOUT", ""))


def role() -> str:
    """What this process is: web, edits, pictures, clock, or whatever command it runs."""
    words = " ".join(sys.orig_argv)
    if "uvicorn" in words:
        return "web"
    return sys.argv[2] if "rqworker" in sys.argv[1:2] else "".join(sys.argv[1:2])


def _lay(name: str, point: Point, traps: Path) -> None:
    module, _, path = point.where.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, last = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function = getattr(owner, last)
    trap = traps / f"{role()}@{name}"

    @wraps(function)
    def passing(*args: Any, **kwargs: Any) -> Any:
        if not point.after:
            _spring(trap)
        answer = function(*args, **kwargs)
        if point.after and point.counts(answer):
            _spring(trap)
        return answer

    setattr(owner, last, passing)


def _spring(trap: Path) -> None:
    taken = trap.with_name(f"sprung-{os.getpid()}-{trap.name}")
    try:
        trap.rename(taken)  # one process gets it
    except OSError:
        return
    action = taken.read_text()
    if action in {KILL_ALL, KILL_PARENT}:
        os.kill(os.getppid(), signal.SIGKILL)
    if action in {KILL_ALL, KILL}:
        os.kill(os.getpid(), signal.SIGKILL)
    if action == STOP:
        _let_others_write()
        os.kill(os.getpid(), signal.SIGSTOP)


def _let_others_write() -> None:
    """On SQLite whoever is stopped while one of its threads writes would hold up everybody: wait until none does."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")


def _take_away(what: str) -> None:
    from editor.jobs import clock, submission
    from editor.models.leases import Leased

    if what == "fence":
        setattr(Leased, "_same", _whoever_has_it)  # noqa: B010
    elif what == "clock":
        clock.tick = lambda: None
    elif what == "unconfirmed":  # what is not known is taken for a refusal, as anybody's first idea is
        submission._settle_unknown = lambda job, attempt: submission._settle_refused(job, attempt, False, False)


def _whoever_has_it(row: Any) -> Any:
    return type(row)._default_manager.filter(pk=row.pk)
