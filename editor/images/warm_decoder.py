"""The decoder as a process that waits, loaded, and forks for each picture: starting Python anew takes longer than most.

One for each process that decodes, started with its first picture; it ends as soon as that process is gone. Nothing of
ours is in its environment, and no picture is ever read by it, so that each finds a process like the first one did.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

PROGRAM = Path(__file__).with_name("decoder.py")
_STARTS = 60.0  # seconds that it may take to start and to take an order
_GRACE = 5.0  # seconds over the picture's own time
_LONGEST_ANSWER = 1_000_000  # bytes


class NoDecoder(Exception):  # noqa: N818  it says what is the matter
    """There is none, also after a second start."""


class End(NamedTuple):
    """How the process of one picture ended."""

    returncode: int  # negative: by this signal
    expired: bool
    out: bytes
    err: bytes


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    orders: socket.socket
    program: Path

    def end(self) -> None:
        self.orders.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE)
            return
        self.process.kill()
        self.process.wait()


@dataclass
class _Held:
    running: _Running | None = None


_held = _Held()
_lock = threading.Lock()


def _forget() -> None:
    """In a fork: what waits belongs to the parent, and has to see its end."""
    global _lock
    _lock = threading.Lock()
    if _held.running is not None:
        _held.running.orders.close()
        _held.running.process.returncode = 0  # or its end would be waited for here
        _held.running = None


os.register_at_fork(after_in_child=_forget)


def decode(order: dict[str, Any], directory: Path, timeout: float) -> End:
    """Have one order done; `timeout` in seconds. Raises NoDecoder."""
    message = json.dumps({**order, "timeout": timeout}).encode()
    with tempfile.TemporaryFile(dir=directory) as out, tempfile.TemporaryFile(dir=directory) as err:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                _hand_over(message, [out.fileno(), err.fileno(), theirs.fileno()])
            ours.settimeout(timeout + _GRACE)
            try:
                told = ours.recv(1024)
            except TimeoutError:
                return End(-signal.SIGKILL, True, b"", b"")
        how: dict[str, Any] = json.loads(told) if told else {"returncode": -signal.SIGKILL, "expired": False}
        return End(how["returncode"], bool(how["expired"]), _read(out), _read(err))


def stop() -> None:
    """End what waits; the next picture starts another."""
    with _lock:
        if _held.running is not None:
            _held.running.end()
            _held.running = None


atexit.register(stop)


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LONGEST_ANSWER)


def _hand_over(message: bytes, files: list[int]) -> None:
    with _lock:
        for _ in range(2):  # one that was killed is found out now
            running = _running()
            with suppress(OSError):
                socket.send_fds(running.orders, [message], files)
                if running.orders.recv(1):
                    return
            running.end()
            _held.running = None
    raise NoDecoder("the decoder does not start")


def _running() -> _Running:
    found = _held.running
    if found is not None and found.program != PROGRAM:
        found.end()
        found = None
    if found is None:
        found = _held.running = _start()
    return found


def _start() -> _Running:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", str(PROGRAM)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"MALLOC_ARENA_MAX": "2"},  # none of our keys, and no memory set aside per thread
            cwd="/",
            start_new_session=True,
        )
    ours.settimeout(_STARTS)
    return _Running(process, ours, PROGRAM)
