"""One portal per VAR_DIR."""

import fcntl
import os
import time
from pathlib import Path

from project.embedded.process import StartError

PATIENCE = 12.0  # seconds that the keeper of a killed run may take to clear up


class Lock:
    """Held by an open file: the kernel lets go of it when its holders have ended, however they ended.

    The keeper inherits the descriptor, so that a new start waits until the processes of a killed one are gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = -1

    def acquire(self) -> None:
        """Take it; raises StartError saying who has it and where that one answers."""
        self.descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._wait_or_refuse(deadline)
        self.note("")

    def note(self, url: str) -> None:
        """Write down who we are, for the one that comes second."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()} {url}\n".encode(), 0)

    def _wait_or_refuse(self, deadline: float) -> None:
        pid, _, url = self._path.read_text().strip().partition(" ")
        ending = pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists()
        if not ending or time.monotonic() > deadline:
            os.close(self.descriptor)
            where = f"at {url}" if url else "and is starting or stopping"
            raise StartError(
                f"Retake already runs on {self._path.parent} {where} (process {pid}). Stop that one first, or set "
                "VAR_DIR to start a second one beside it."
            )
        time.sleep(0.1)
