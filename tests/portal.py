"""A whole portal of real processes on loopback: web, both workers, the clock, a Redis and a sandbox of their own.

The database and the bucket are those of the process that starts it, so that a test or a measurement makes rows on one
side and sees what becomes of them on the other. Nobody restarts what dies: that is for the test to say.
"""

import collections
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import requests
from django.conf import settings
from django.db import connection
from redis import Redis

from editor import rings
from editor.models import GenerationJob
from project.embedded import programs, redis
from project.embedded.keeper import members, send
from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Child, Keeper, Program, StartError

KEY = "key-of-a-portal-beside-the-tests"
PROCESSES = ("web", "edits", "pictures", "clock")
LOG_LINES = 400
# What the portal's processes share with us; everything else is said for them anew.
SHARED = ("SECRET_KEY", "S3_ENDPOINT_URL", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class SandboxOptions:
    """How the sandbox works: `seconds` a picture, `slots` at a time, `queue_limit` waiting; `echo` paints nothing."""

    seconds: float = 0.3
    slots: int = 3
    queue_limit: int = 20
    echo: bool = False


def database_url() -> str:
    """The address of the database that this process uses: in a test, the test's own."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(known['NAME']))}"
    user, password = quote(str(known["USER"]), safe=""), quote(str(known["PASSWORD"]), safe="")
    host, port = str(known["HOST"] or ""), known["PORT"] or 5432
    if host.startswith("/"):
        return f"postgres://{user}:{password}@/{known['NAME']}?{urlencode({'host': host})}"
    return f"postgres://{user}:{password}@{host}:{port}/{known['NAME']}"


def wait_until(true: Callable[[], bool], within: float = 20.0, what: str = "it") -> None:
    """Ask until it is so; raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within:g} s.")
        time.sleep(0.02)


class Portal:
    """Starts, kills and ends the processes of one portal. Names: web, edits, pictures, clock, redis, sandbox."""

    def __init__(
        self,
        keeper: Keeper,
        scratch: Path,
        *,
        sandbox: SandboxOptions | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """`extra` are further variables of the portal's environment; `scratch` is a directory of its own."""
        self.lines: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._keeper = keeper
        self._book = PortBook(scratch / "ports.json")
        self._redis = redis.prepare(scratch / "redis", self._book, "portal")
        self.redis_url = self._redis.url
        self.port = self._book.take("web", scattered())
        self.url = f"http://{HOST}:{self.port}"
        self.sandbox_port = self._book.take("sandbox", scattered())
        self.sandbox_url = f"http://{HOST}:{self.sandbox_port}"
        self.environ = self._environ(scratch) | dict(extra or {})
        found = [self._redis.program, self._sandbox(scratch / "sandbox", sandbox or SandboxOptions())]
        found.append(programs.web(self.environ, HOST, self.port))
        found += [self._worker(queue) for queue in ("edits", "pictures")]
        found.append(programs.clock(self.environ))
        self.children = {program.name: Child(program, keeper, self._voice(program.name)) for program in found}

    def _environ(self, scratch: Path) -> dict[str, str]:
        base = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        shared = {name: os.environ[name] for name in SHARED}
        own = {
            "EMBEDDED": "0",
            "DEBUG": "0",
            "BIND": f"{HOST}:{self.port}",
            "PUBLIC_URL": self.url,
            "VAR_DIR": str(scratch / "var"),
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.redis_url,
            "FLUX_API_KEY": KEY,
            "FLUX_BASE_URL": f"{self.sandbox_url}/api/v1/enterprise/",
            "PYTHONUNBUFFERED": "1",
        }
        return base | shared | own

    def _sandbox(self, directory: Path, how: SandboxOptions) -> Program:
        options = {"bind": f"{HOST}:{self.sandbox_port}", "key": self.environ["FLUX_API_KEY"], "dir": str(directory)}
        options |= {"seconds": str(how.seconds), "slots": str(how.slots), "queue-limit": str(how.queue_limit)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        program = programs.command(self.environ, "fluxsandbox", *words, *(["--echo"] if how.echo else []))
        return replace(
            program, name="sandbox", grace=3.0, answers=lambda: programs.gets_answer(HOST, self.sandbox_port, "/ledger")
        )

    def _worker(self, queue: str) -> Program:
        # A killed worker stays in RQ's register for a while: its successor must not be taken for it.
        return replace(programs.worker(self.environ, queue), answers=lambda: self.listens(queue, self.pid(queue)))

    def listens(self, queue: str, pid: int | None) -> bool:
        """Whether RQ's register names this process as a worker of the queue."""
        with Redis.from_url(self.redis_url, decode_responses=True) as register:
            names = register.smembers(f"rq:workers:{queue}")
            return str(pid) in {register.hget(name, "pid") for name in names}

    def _voice(self, name: str) -> Callable[[str], None]:
        return lambda line: self.lines.append(f"{name:<10}{line}")

    # Starting and ending -------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start these, or everything that does not run, and wait until all answer. Raises StartError."""
        wanted = [self.children[name] for name in names or self.children]
        started = [child for child in wanted if not child.running]
        for child in started:
            child.bury()
            child.start()
        try:
            for child in started:
                child.wait_until_ready(60)
        except StartError as error:
            raise StartError(f"{error}\n{self.said()}") from error

    def renew(self, *names: str, **environ: str) -> None:
        """End these and start them with other variables in their environment, as whoever runs a machine does."""
        for name in names:
            child = self.children[name]
            child.terminate()
            child.stop(grace=8)
            program = replace(child.program, env={**child.program.env, **environ})
            self.children[name] = Child(program, self._keeper, self._voice(name))
        self.start(*names)

    def run(self, name: str, *options: str) -> None:
        """`manage.py NAME OPTIONS` in the portal's environment; raises StartError if it fails."""
        child = Child(programs.command(self.environ, name, *options), self._keeper, self._voice(name))
        child.start()
        child.wait(120)
        failed = child.returncode != 0
        child.bury()
        if failed:
            raise StartError(f"manage.py {name} failed.\n{self.said()}")

    def stop(self) -> None:
        """End everything, the parts last."""
        for names in (PROCESSES, ("sandbox", "redis")):
            for name in names:
                self.children[name].terminate()
            for name in names:
                self.children[name].stop(grace=8)

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Within it, processes that ended are started again, as whoever looks after a machine does."""
        over = threading.Event()

        def tend() -> None:
            while not over.wait(0.1):
                for name in PROCESSES:
                    if self.ended(name):
                        self.children[name].bury()
                        self.children[name].start()

        thread = threading.Thread(target=tend, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def kill(self, name: str) -> None:
        """kill -9 to a process and everything that it forked."""
        self.children[name].bury()

    def kill_parent(self, name: str) -> None:
        """kill -9 to a worker alone; the horse that it forked for a ring goes on as an orphan."""
        send(self.pid(name), signal.SIGKILL)
        self.children[name].wait(5)

    def kill_horse(self, name: str) -> None:
        """kill -9 to what a worker forked for the ring that it works on."""
        wait_until(lambda: bool(self.forked_by(name)), 10, f"{name} has a horse")
        for pid in self.forked_by(name):
            send(pid, signal.SIGKILL)

    def terminate(self, name: str) -> None:
        """SIGTERM to a process alone, as the supervisor of a machine sends it; returns at once."""
        self.children[name].terminate()

    def ended(self, name: str) -> bool:
        return not self.children[name].running

    def pid(self, name: str) -> int:
        """Raises ProcessLookupError when it does not run."""
        pid = self.children[name].pid
        if pid is None:
            raise ProcessLookupError(name)
        return pid

    def forked_by(self, name: str) -> list[int]:
        """The living processes that this one started."""
        pid = self.pid(name)
        return [member for member in members(pid) if member != pid]

    # Looking ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def adopted(self) -> Iterator[None]:
        """Within it, rings of this process reach the portal's workers."""
        before = settings.REDIS_URL
        settings.REDIS_URL = self.redis_url
        rings.bell.cache_clear()
        try:
            yield
        finally:
            settings.REDIS_URL = before
            rings.bell().close()
            rings.bell.cache_clear()

    def ledger(self) -> list[dict[str, Any]]:
        """What the sandbox accepted, oldest first."""
        answer = requests.get(f"{self.sandbox_url}/ledger", timeout=10)
        accepted: list[dict[str, Any]] = answer.json()["accepted"]
        return accepted

    def accepted_for(self, job: GenerationJob) -> list[dict[str, Any]]:
        """What the sandbox accepted on behalf of this job."""
        attempts = {str(pk) for pk in job.attempts.values_list("pk", flat=True)}
        return [entry for entry in self.ledger() if entry["track_id"] in attempts]

    def set_faults(self, **faults: bool | int) -> None:
        """Switch on exactly these faults of the sandbox; underscores stand for hyphens."""
        wanted = {name.replace("_", "-"): value for name, value in faults.items()}
        requests.put(f"{self.sandbox_url}/faults", json=wanted, timeout=10).raise_for_status()

    def said(self, count: int = 60) -> str:
        """The last lines of all processes."""
        return "\n".join(list(self.lines)[-count:])


def as_file(data: bytes) -> io.BytesIO:
    """Bytes as an uploaded file."""
    return io.BytesIO(data)
