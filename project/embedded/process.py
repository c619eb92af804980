"""One child process: its output, its end, and the end of everything that it started."""

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from project.embedded import keeper as keeping

Say = Callable[[str], None]


class StartError(RuntimeError):
    """A program did not start or did not answer; the text says so in a sentence, with its last words."""


def is_alive() -> bool:
    """The readiness of a program that has no door to knock at."""
    return True


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how to tell that it works.

    `env` is the whole environment. After the start it has to say a line that holds `says`, and then `answers` is asked
    until it is true. `grace` are the seconds between `stop_signal` and SIGKILL. `user` is who runs it, for root only.
    `quiet` ones are heard only when they fail. `after` is called when it has ended.
    """

    name: str
    args: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    answers: Callable[[], bool] = is_alive
    says: str = ""
    grace: float = 8.0
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    quiet: bool = False
    after: Callable[[], None] = field(default=lambda: None)


class Keeper:
    """Our end of the keeper process (see project/embedded/keeper.py)."""

    def __init__(self, *, hold: Sequence[int] = ()) -> None:
        """`hold` are file descriptors (locks) that stay open until all is cleared up."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", keeping.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=hold,
            text=True,
            cwd="/",
        )
        self._lock = threading.Lock()

    def watch(self, session: int) -> None:
        """End this session, should we be killed."""
        self._tell(f"watch {session}")

    def forget(self, session: int) -> None:
        """The session has ended."""
        self._tell(f"forget {session}")

    def remove_at_end(self, path: Path) -> None:
        """Remove this directory when all has ended."""
        self._tell(f"remove {path}")

    def close(self) -> None:
        """End what is still watched, remove what has to go, and wait for that."""
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        # A keeper that somebody killed must not take the portal down with it.
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            pipe.write(line + "\n")
            pipe.flush()


class Child:
    """A program that runs in a session of its own, so that Ctrl-C reaches it in our order and nothing of it stays."""

    def __init__(self, program: Program, keeper: Keeper, say: Say) -> None:
        self.program = program
        self.last_words: collections.deque[str] = collections.deque(maxlen=20)
        self._keeper = keeper
        self._say = say
        self._reader: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def returncode(self) -> int | None:
        """How it ended: None while it runs, negative for a signal."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; raises StartError if it can't be executed."""
        program = self.program
        try:
            self._process = subprocess.Popen(
                list(program.args),
                env=dict(program.env),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
                errors="replace",
                user=program.user,
                group=_group_of(program.user),
                extra_groups=[] if program.user else None,
            )
        except OSError as error:
            raise StartError(f"{program.name} can't be started: {error}.") from error
        self._keeper.watch(self._process.pid)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def wait_until_ready(self, timeout: float = 30.0, *, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until it answers. False if `give_up` says so; raises StartError if it ends or takes too long."""
        deadline = time.monotonic() + timeout
        while not give_up():
            if not self.running:
                raise StartError(f"{self.program.name} ended at once ({self.ending()}).{self._quote()}")
            if self._has_said(self.program.says) and self.program.answers():
                return True
            if time.monotonic() > deadline:
                raise StartError(f"{self.program.name} did not answer within {timeout:.0f} seconds.{self._quote()}")
            time.sleep(0.05)
        return False

    def _has_said(self, words: str) -> bool:
        return not words or any(words in line for line in list(self.last_words))

    def ending(self) -> str:
        """How it ended, in words."""
        code = self.returncode
        if code is None:
            return "still running"
        return f"exit status {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def terminate(self) -> None:
        """Ask the program alone to end: a worker lets the job that it forked for finish."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """SIGKILL to the program and all it has started."""
        if self._process:
            keeping.kill_session(self._process.pid)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended within so many seconds."""
        if not self._process:
            return True
        try:
            self._process.wait(max(timeout, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def bury(self) -> None:
        """After its end: end what it left behind, read its last lines, tell the keeper."""
        if not self._process:
            return
        self.kill()
        self._process.wait()
        if self._reader:
            self._reader.join(2)
        if self._process.stdout:
            self._process.stdout.close()
        self._keeper.forget(self._process.pid)
        self.program.after()
        self._process = None

    def stop(self, grace: float | None = None) -> None:
        """Ask it to end, wait `grace` seconds, then SIGKILL; nothing of it remains."""
        self.terminate()
        self.wait(self.program.grace if grace is None else grace)
        self.bury()

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with contextlib.suppress(ValueError):  # closed while we read
            for line in process.stdout:
                self.last_words.append(line.rstrip())
                if not self.program.quiet:
                    self._say(line.rstrip())

    def _quote(self) -> str:
        if not self.program.quiet:
            return ""
        if self._process and self._process.poll() is not None and self._reader:
            self._reader.join(1)
        return "".join(f"\n    {line}" for line in self.last_words)


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def inherited(*names: str) -> dict[str, str]:
    """What a program that is not ours gets of our environment: where things are, and nothing secret."""
    wanted = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", *names}
    return {name: value for name, value in os.environ.items() if name in wanted}
