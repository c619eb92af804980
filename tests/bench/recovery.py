"""How soon an edit goes on by itself after something died, with the real time constants, against a task of RQ.

RQ looks for the tasks of killed workers by its own means, which takes it many minutes: all samples of it wait at once,
while ours follow one another.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from redis import Redis

from editor import rings
from editor.jobs.creation import EditSpec, create_job
from editor.models import GenerationJob, Image
from project.embedded import redis
from project.embedded.ports import PortBook
from project.embedded.process import Child, Keeper, Program
from project.embedded.programs import ROOT
from tests.bench.stage import Stage
from tests.bench.table import Row, percentile
from tests.chaos.task import call_lingering
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions, wait_until

SAMPLES = 3
KILLED, TIMES_SOONER, WIPED, UNRUNG = 90.0, 8, 60.0, 30.0  # seconds, and how many times sooner than the control
PATIENCE, OF_CONTROL, NEVER = 180.0, 1500.0, 60.0  # seconds
ROOM = {"FLUX_QUEUE_LIMIT": "20", "FLUX_OUTSTANDING": "20"}  # what is unconfirmed takes its place for half an hour
NEXT = {
    "wiped": ("Redis wiped → the edit is sent", WIPED),
    "empty": ("Redis killed, back without its data → the edit is sent", WIPED),
    "unrung": ("commit without a ring → the edit is sent", UNRUNG),
}


def measure(stage: Stage) -> list[Row]:
    with control() as plain:
        with stage.portal(SandboxOptions(seconds=0.3), extra=ROOM) as portal:
            picture = make_image(make_user("recovery@example.com"), stored=True)
            found = {name: [sample(portal, picture) for _ in range(SAMPLES)] for name, sample in OURS.items()}
        again = plain.again()
        lost = plain.lost()
    return rows(found, again, lost)


def rows(found: dict[str, list[float]], again: list[float], lost: int) -> list[Row]:
    killed, control = percentile(found["killed"], 0.95), percentile(again, 0.95)
    bound = min(KILLED, control / TIMES_SOONER)
    table = [
        Row(
            "worker killed → its edit is somebody's again, p95",
            f"{killed:.1f} s",
            f"{control:.0f} s by RQ's own retries",
            f"≤ {KILLED:.0f} s and ⅛",
            killed <= bound,
        ),
        Row("  each", _each(found["killed"]), _each(again)),
    ]
    for name, (words, most) in NEXT.items():
        worst = max(found[name])
        never = f"{lost} of {SAMPLES} tasks not within {NEVER:.0f} s" if name != "unrung" else "never"
        table.append(Row(f"{words}, longest of {SAMPLES}", f"{worst:.1f} s", never, f"≤ {most:.0f} s", worst <= most))
    return table


def _each(seconds: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds) + " s"


# Ours ---------------------------------------------------------------------------------------------------------------


def _ask(picture: Image, marks: str = "") -> GenerationJob:
    return create_job(picture.made_by, [picture], EditSpec(f"a mosaic {marks}", seed=1), uuid4().hex)


def _took(portal: Portal, true: Callable[[], bool], since: float, what: str) -> float:
    """Seconds until it is so, while the worker is started again whenever it has ended."""

    def there() -> bool:
        if portal.ended("edits"):
            portal.start("edits")
        return true()

    wait_until(there, PATIENCE, what)
    return time.monotonic() - since


def _sent(job: GenerationJob) -> bool:
    return job.attempts.exists()


def killed(portal: Portal, picture: Image) -> float:
    """In the middle of the paid request, which it holds; nothing but the end of its lease gives the edit away."""
    job = _ask(picture, "#fault:accept-then-hang #fault:webhook-lost")
    wait_until(lambda: bool(portal.accepted_for(job)), PATIENCE, "The request")
    fence = GenerationJob.objects.values_list("fence", flat=True).get(pk=job.pk)
    since = time.monotonic()
    portal.kill("edits")
    return _took(portal, lambda: GenerationJob.objects.filter(pk=job.pk, fence__gt=fence).exists(), since, "An owner")


def wiped(portal: Portal, picture: Image) -> float:
    """While the ring waits there for a worker that is just being started."""
    portal.kill("edits")
    job = _ask(picture)
    since = time.monotonic()
    with Redis.from_url(portal.redis_url) as connection:
        connection.flushall()
    return _took(portal, partial(_sent, job), since, "A request")


def empty(portal: Portal, picture: Image) -> float:
    portal.kill("redis")
    job = _ask(picture)
    since = time.monotonic()
    portal.start("redis")
    with Redis.from_url(portal.redis_url) as connection:
        connection.flushall()
    return _took(portal, partial(_sent, job), since, "A request")


def unrung(portal: Portal, picture: Image) -> float:
    with patch.object(rings, "_send"):
        job = _ask(picture)
    return _took(portal, partial(_sent, job), time.monotonic(), "A request")


OURS = {"killed": killed, "wiped": wiped, "empty": empty, "unrung": unrung}


# The control --------------------------------------------------------------------------------------------------------


@dataclass
class Control:
    """Tasks of RQ whose workers were killed, and one more worker, that has nothing to do."""

    url: str
    notes: list[str]
    killed_at: float
    worker: Child

    def began(self, note: str) -> list[float]:
        """When the task with this note began, each time."""
        with Redis.from_url(self.url) as connection:
            return [float(moment) for moment in connection.lrange(note, 0, -1)]

    def again(self) -> list[float]:
        """Seconds until each began anew; OF_CONTROL for one that did not by then."""
        until = self.killed_at + OF_CONTROL
        while time.time() < until and not all(len(self.began(note)) > 1 for note in self.notes):
            time.sleep(1)
        found = [[*self.began(note), until][:2] for note in self.notes]
        return [(times[1] if len(times) > 1 else until) - self.killed_at for times in found]

    def lost(self) -> int:
        """How many tasks that wait in a wiped Redis are not begun within NEVER."""
        self.worker.bury()
        notes = [f"wiped:{number}" for number in range(SAMPLES)]
        for note in notes:
            call_lingering(self.url, note)
        with Redis.from_url(self.url) as connection:
            connection.flushall()
        self.worker.start()
        time.sleep(NEVER)
        return sum(not self.began(note) for note in notes)


@contextmanager
def control() -> Iterator[Control]:
    """On a Redis of its own, since ours is wiped."""
    keeper = Keeper()
    scratch = Path(os.environ["VAR_DIR"]) / "control"
    server = redis.prepare(scratch, PortBook(scratch.parent / "control-ports.json"), "control")
    children = [Child(server.program, keeper, _silent)]
    command, environ = [sys.executable, "-m", "tests.chaos.task"], {**os.environ, "REDIS_URL": server.url}
    worker = Program(name="control", args=command, env=environ, cwd=ROOT)
    plain = Control(server.url, [f"killed:{number}" for number in range(SAMPLES)], 0.0, Child(worker, keeper, _silent))
    try:
        children[0].start()
        children[0].wait_until_ready(30)
        for note in plain.notes:
            children.append(Child(worker, keeper, _silent))
            children[-1].start()
            call_lingering(server.url, note)
            wait_until(lambda note=note: bool(plain.began(note)), PATIENCE, "The control’s task")  # type: ignore[misc]
        for child in children[1:]:
            child.bury()
        plain.killed_at = time.time()
        plain.worker.start()
        yield plain
    finally:
        for child in (plain.worker, *children):
            child.stop(grace=1)
        keeper.close()


def _silent(line: str) -> None:
    """What it says is of no interest."""
