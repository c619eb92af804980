"""Keeps a set of processes alive, and ends them in order."""

import threading
import time
from dataclasses import dataclass

from project.embedded.log import Log
from project.embedded.process import Child, Keeper, Program, StartError

BACKOFF_FIRST, BACKOFF_LAST = 0.5, 30.0  # seconds
HEALTHY_AFTER = 60.0  # seconds of life after which the backoff starts anew


class Stopped(Exception):  # noqa: N818  (asked for, so no error)
    """Somebody asked us to stop while we were starting."""


@dataclass
class Watched:
    """A child with the history of its restarts."""

    child: Child
    is_part: bool
    started_at: float
    backoff: float = BACKOFF_FIRST
    due_at: float | None = None


class Supervisor:
    """Starts programs, starts them again when they die, stops processes first and then the parts that they need."""

    def __init__(self, keeper: Keeper, log: Log) -> None:
        self.stopping = threading.Event()
        self._keeper = keeper
        self._log = log
        self._watched: list[Watched] = []

    def start(self, program: Program, *, is_part: bool = False) -> Child:
        """Start a program and keep it alive from now on; `is_part` ends it after all that are none."""
        self._go_on()
        child = self._child(program)
        self._watched.append(Watched(child, is_part, time.monotonic()))
        child.start()
        return child

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until all answer; raises StartError, or Stopped."""
        for watched in self._watched:
            watched.child.wait_until_ready(timeout, give_up=self.stopping.is_set)
        self._go_on()

    def run_once(self, program: Program) -> None:
        """Run a command to its end; raises StartError if it fails, or Stopped."""
        self._go_on()
        child = self._child(program)
        child.start()
        try:
            while not child.wait(0.1):
                self._go_on()
            failed, ending = child.returncode != 0, child.ending()
        finally:
            child.stop(grace=2)
        if failed:
            raise StartError(f"{program.name} failed ({ending}); the lines above say why.")

    def watch(self) -> None:
        """Until asked to stop: whatever has died is started again, later and later if it keeps dying."""
        while not self.stopping.wait(0.2):
            for watched in self._watched:
                self._look_after(watched)

    def stop(self) -> None:
        """End the processes, each in its own way and all at once, then the parts."""
        self.stopping.set()
        for is_part in (False, True):
            children = [watched.child for watched in self._watched if watched.is_part == is_part]
            for child in children:
                child.terminate()
            began = time.monotonic()
            for child in children:
                child.stop(grace=began + child.program.grace - time.monotonic())

    def kill(self) -> None:
        """End everything at once."""
        self.stopping.set()
        for watched in self._watched:
            watched.child.kill()

    def _child(self, program: Program) -> Child:
        return Child(program, self._keeper, self._log.voice(program.name))

    def _go_on(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    def _look_after(self, watched: Watched) -> None:
        child, now = watched.child, time.monotonic()
        if watched.due_at is not None:
            if now >= watched.due_at:
                self._start_again(watched, now)
            return
        if child.running:
            return
        if now - watched.started_at > HEALTHY_AFTER:
            watched.backoff = BACKOFF_FIRST
        name = child.program.name
        self._log.say("retake", f"{name} ended ({child.ending()}); starting it again in {watched.backoff:g} s.")
        child.bury()
        for line in child.last_words if child.program.quiet else ():
            self._log.say(name, line)
        watched.due_at = now + watched.backoff
        watched.backoff = min(watched.backoff * 2, BACKOFF_LAST)

    def _start_again(self, watched: Watched, now: float) -> None:
        watched.due_at = None
        watched.started_at = now
        watched.child = self._child(watched.child.program)
        try:
            watched.child.start()
        except StartError as error:
            self._log.say("retake", str(error))
            watched.due_at = now + watched.backoff
