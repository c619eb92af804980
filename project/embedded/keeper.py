"""The keeper: a tiny process that outlives the one which started it, and clears up behind it.

It reads lines from its standard input and acts when that ends, which the kernel sees to even after kill -9:
every session it was told about gets SIGTERM, then SIGKILL, and every scratch directory is removed.
`watch SID`, `forget SID`, `remove PATH`. Standard library only; run by its path, without the project.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 3.0  # seconds from SIGTERM to SIGKILL


def all_pids() -> Iterator[int]:
    """Every process id of this machine."""
    if Path("/proc/self/stat").exists():
        names = [entry.name for entry in Path("/proc").iterdir()]
    else:
        names = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False).stdout.split()  # noqa: S607
    yield from (int(name) for name in names if name.isdigit())


def has_ended(pid: int) -> bool:
    """Whether the process is a zombie: dead, and only waiting for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return False


def members(session: int) -> list[int]:
    """The living processes of a session: a worker's forked children too, which move to process groups of their own."""
    found = []
    for pid in all_pids():
        try:
            if os.getsid(pid) == session and not has_ended(pid):
                found.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone already is no error."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def kill_session(session: int) -> None:
    """SIGKILL to all of a session, until none is left (a member may fork while we look)."""
    deadline = time.monotonic() + 5
    while (pids := members(session)) and time.monotonic() < deadline:
        for pid in pids:
            send(pid, signal.SIGKILL)
        time.sleep(0.01)


def clear_up(sessions: set[int], scratch: set[str]) -> None:
    """End all sessions, then remove all scratch directories."""
    living = {session for session in sessions if members(session)}
    for session in living:
        send(session, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while living and time.monotonic() < deadline:
        time.sleep(0.05)
        living = {session for session in living if members(session)}
    for session in living:
        kill_session(session)
    for path in scratch:
        shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sessions: set[int] = set()
    scratch: set[str] = set()
    for line in sys.stdin:
        verb, _, what = line.rstrip("\n").partition(" ")
        if verb == "watch":
            sessions.add(int(what))
        elif verb == "forget":
            sessions.discard(int(what))
        elif verb == "remove":
            scratch.add(what)
    clear_up(sessions, scratch)


if __name__ == "__main__":
    main()
