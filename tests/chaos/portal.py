"""A portal with two of everything that there may be two of, each part of which can be broken and is mended again."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from django.db import close_old_connections

from project.embedded.keeper import members, send
from project.embedded.process import Child, Keeper
from tests.chaos.points import KILL
from tests.chaos.proxy import Mood, Proxy
from tests.portal import PROCESSES, Portal, SandboxOptions

TIME_SCALE = 1 / 30
LEASE = 60 * TIME_SCALE  # seconds
ROOM = 24  # so many requests may be open at once, or a few unknown ones would make all others wait
TWINS = {"edits2": "edits", "clock2": "clock"}
EVERYBODY = (*PROCESSES, *TWINS)


class ChaosPortal(Portal):
    """Names: web, edits, edits2, pictures, clock, clock2, redis, sandbox."""

    def __init__(self, keeper: Keeper, scratch: Path, **extra: str) -> None:
        self.proxy = Proxy(os.environ["S3_ENDPOINT_URL"])
        self.traps = scratch / "traps"
        self.traps.mkdir(parents=True)
        self.results = scratch / "sandbox" / "generations"
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "CHAOS_TRAPS": str(self.traps),
            "S3_ENDPOINT_URL": self.proxy.url,
            "TIME_SCALE": f"{TIME_SCALE:.4f}",
            "FLUX_CONNECT_TIMEOUT": "1",
            "FLUX_READ_TIMEOUT": "6",
            "FLUX_QUEUE_LIMIT": str(ROOM),
            "FLUX_OUTSTANDING": str(ROOM),
            "FLUX_PRICE": "0.05",
            "EDITS_PER_DAY": "100000",
            "BLOCKED_PER_DAY": "0",
            "LOG_LEVEL": "WARNING",
        }
        options = SandboxOptions(seconds=0.3, slots=4, queue_limit=2 * ROOM)
        super().__init__(keeper, scratch, sandbox=options, extra=settings | extra)
        for name, twin in TWINS.items():
            program = replace(self.children[twin].program, name=name)
            if twin == "edits":
                program = replace(program, answers=lambda: self.listens("edits", self.pid("edits2")))
            self.children[name] = Child(program, keeper, self._voice(name))
        self.away: set[str] = set()  # those that nobody is to start again for now
        self._programs = {name: child.program for name, child in self.children.items()}
        self._tending = threading.RLock()

    # What is done to it ----------------------------------------------------------------------------------------------

    def lay_trap(self, role: str, point: str, action: str = KILL) -> None:
        """The next process of this role that comes to this point is killed or stopped there."""
        (self.traps / f"{role}@{point}").write_text(action)

    def clear_traps(self) -> int:
        """Take all away; returns how many had sprung."""
        sprung = 0
        for path in list(self.traps.iterdir()):
            sprung += path.name.startswith("sprung-")
            with suppress(FileNotFoundError):
                path.unlink()
        return sprung

    def stopped(self) -> list[int]:
        """The processes that a trap has stopped."""
        return [int(path.name.split("-")[1]) for path in self.traps.glob("sprung-*") if path.read_text() == "stop"]

    def kill(self, name: str) -> None:
        with self._tending:
            super().kill(name)

    def send_all(self, name: str, number: signal.Signals) -> None:
        """A signal to a process and to all that it forked."""
        with suppress(ProcessLookupError):
            for pid in members(self.pid(name)):
                send(pid, number)

    def start_otherwise(self, name: str, **environ: str) -> None:
        """Let it be started again with these further variables."""
        with self._tending:
            child, usual = self.children[name], self._programs[name]
            child.bury()
            child.program = replace(usual, env={**usual.env, **environ})

    def horses(self) -> list[int]:
        """What the workers of edits and pictures forked: those that work on a ring, and their decoders."""
        found: list[int] = []
        for name in ("edits", "edits2", "pictures"):
            with suppress(ProcessLookupError):
                found += self.forked_by(name)
        return found

    # And what makes it well again -----------------------------------------------------------------------------------

    @contextmanager
    def tended(self) -> Iterator[None]:
        """Within it, whatever ends is started again, as whoever looks after a machine does."""
        over = threading.Event()

        def tend() -> None:
            while not over.wait(0.1):
                for name in EVERYBODY:
                    with self._tending:
                        if name not in self.away and not over.is_set() and self.ended(name):
                            self.children[name].bury()
                            self.children[name].start()

        thread = threading.Thread(target=tend, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def mend(self) -> None:
        """End all faults: no traps, nobody stopped, everything up, all parts well."""
        self.proxy.mood = Mood.WELL
        for pid in self.stopped():
            send(pid, signal.SIGCONT)
        self.clear_traps()
        for name in (*EVERYBODY, "redis", "sandbox"):
            self.send_all(name, signal.SIGCONT)
        self.away.clear()
        with self._tending:
            for name, usual in self._programs.items():
                if self.children[name].program is not usual:
                    self.children[name].bury()
                    self.children[name].program = usual
            self.start("redis", "sandbox")
            self.start()
        self.set_faults()
        close_old_connections()

    def stop(self) -> None:
        for name in (*EVERYBODY, "redis", "sandbox"):
            self.send_all(name, signal.SIGCONT)
        for name in TWINS:
            self.children[name].terminate()
        for name in TWINS:
            self.children[name].stop(grace=8)
        super().stop()
        self.proxy.close()
