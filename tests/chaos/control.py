"""`make chaos CONTROL=1`: a plain task of RQ under the same kinds of faults. It must lose or repeat some edits."""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from redis import Redis
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from editor.models import Image
from project.embedded.keeper import members, send
from project.embedded.process import Child, Keeper, Program
from project.embedded.programs import ROOT, listens
from tests.bench.overhead import plain_request
from tests.bench.stage import Stage
from tests.chaos.portal import ChaosPortal
from tests.chaos.proxy import Mood
from tests.chaos.task import POINTS, QUEUE, call
from tests.makers import make_image, make_user
from tests.portal import wait_until

SAMPLES = 2  # edits at once
PATIENCE = 8.0  # seconds after a fault
MARKS = (
    "accept-then-500",
    "accept-then-reset",
    "accept-then-hang",
    "cut-json",
    "http-500",
    "link-404-for-a-while",
)  # once an edit
HEAD = f"{'fault':<44}{'edits':>6}{'lost':>6}{'repeated':>10}"


class Control:
    """A worker of its own, tended like the portal's, and the parts that it shares with the portal."""

    def __init__(self, portal: ChaosPortal, keeper: Keeper) -> None:
        self.portal = portal
        user = make_user(f"control-{uuid4().hex[:8]}@example.com")
        self.picture: Image = make_image(user, stored=True)
        program = Program(
            name=QUEUE,
            args=[sys.executable, "-m", "tests.chaos.task"],
            env=portal.environ,
            cwd=ROOT,
            answers=lambda: listens(portal.redis_url, QUEUE),
        )
        self.worker = Child(replace(program), keeper, lambda line: portal.lines.append(f"control   {line}"))
        self._lock = threading.Lock()

    @contextmanager
    def tended(self) -> Iterator[None]:
        over = threading.Event()

        def tend() -> None:
            while not over.wait(0.1):
                with self._lock:
                    if not over.is_set() and not self.worker.running:
                        self.worker.bury()
                        self.worker.start()

        thread = threading.Thread(target=tend, daemon=True)
        thread.start()
        try:
            self.portal.start("redis")
            yield
        finally:
            over.set()
            thread.join()
            self.worker.stop(grace=1)

    def sample(self, mark: str, breaks: Callable[["Control"], None]) -> tuple[int, int]:
        """How many of some edits were lost, and how many were accepted more than once."""
        before = len(self.portal.ledger())
        self.portal.set_faults(**({mark: SAMPLES} if mark else {}))
        tracks: dict[str, str] = {}
        for _ in range(SAMPLES):
            body = plain_request(self.portal, self.picture, f"a mosaic {uuid4().hex}")
            key = f"control/{uuid4().hex}"
            tracks[str(body["track_id"])] = key
            call(self.portal.redis_url, self.portal.environ["FLUX_BASE_URL"], body, key)
        breaks(self)
        self.portal.start("redis")
        for _ in range(2):
            with suppress(TimeoutError):
                wait_until(lambda: all(self._stored(key) for key in tracks.values()), PATIENCE)
            self._let_time_pass()
        lost = sum(not self._stored(key) for key in tracks.values())
        times = Counter(entry["track_id"] for entry in self.portal.ledger()[before:])
        return lost, sum(times[track] > 1 for track in tracks)

    def _stored(self, key: str) -> bool:
        from editor.images import bucket

        return bucket.exists(key)

    def _let_time_pass(self) -> None:
        """RQ looks for abandoned tasks every ten minutes; here it does so now, as if they were long over."""
        with Redis.from_url(self.portal.redis_url) as connection:
            registry = StartedJobRegistry(QUEUE, connection=connection, serializer=JSONSerializer)
            registry.cleanup(timestamp=int(time.time()) + 86_400)


def faults() -> dict[str, tuple[str, Callable[[Control], None]]]:
    """By name: a fault of the flux server, and what else is broken once the edits are asked for."""
    found: dict[str, tuple[str, Callable[[Control], None]]] = {}
    for point in POINTS:
        for action, words in (("kill", "horse killed"), ("kill-all", "worker killed")):
            found[f"{words} at {point}"] = ("", lambda here, point=point, action=action: _trap(here, point, action))  # type: ignore[misc]
    found["SIGTERM to worker and horse"] = ("", _terminate)
    found["redis wiped"] = ("", _wipe)
    found["redis down, and back without its data"] = ("", _lose)
    found["bucket errors"] = ("", lambda here: _bucket(here, Mood.ERRORS))
    found["bucket answer-lost"] = ("", lambda here: _bucket(here, Mood.ANSWER_LOST))
    found |= {f"#{mark}": (mark, lambda here: None) for mark in MARKS}
    return found


def _trap(here: Control, point: str, action: str) -> None:
    here.portal.lay_trap(QUEUE, point, action)
    time.sleep(2)
    here.portal.clear_traps()


def _terminate(here: Control) -> None:
    time.sleep(random.uniform(0.1, 0.6))
    for pid in members(here.worker.pid or 0):
        send(pid, signal.SIGTERM)


def _wipe(here: Control) -> None:
    time.sleep(0.2)
    with Redis.from_url(here.portal.redis_url) as connection:
        connection.flushall()


def _lose(here: Control) -> None:
    here.portal.kill("redis")
    here.portal.start("redis")
    _wipe(here)


def _bucket(here: Control, mood: Mood) -> None:
    here.portal.proxy.mood = mood
    time.sleep(3)
    here.portal.proxy.mood = Mood.WELL


def main(stage: Stage) -> int:
    """Print a line for each fault; 1 if nothing at all was lost or repeated."""
    scratch = Path(os.environ["VAR_DIR"]) / "control"
    scratch.mkdir(parents=True)
    keeper = Keeper()
    portal = ChaosPortal(keeper, scratch)
    total: Counter[str] = Counter()
    try:
        portal.run("collectstatic", "--noinput", "--verbosity=0")
        portal.start("redis", "sandbox", "web")
        print(HEAD, flush=True)
        control = Control(portal, keeper)
        with control.tended():
            for name, (mark, breaks) in faults().items():
                lost, repeated = control.sample(mark, breaks)
                total += Counter(lost=lost, repeated=repeated, edits=SAMPLES)
                print(f"{name:<44}{SAMPLES:>6}{lost:>6}{repeated:>10}", flush=True)
    finally:
        portal.stop()
        keeper.close()
    print(f"{'all':<44}{total['edits']:>6}{total['lost']:>6}{total['repeated']:>10}")
    if not total["lost"] + total["repeated"]:
        print("The control lost and repeated nothing: the harness is blind.")
        return 1
    return 0
