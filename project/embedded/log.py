"""One log for many processes: each line behind the name of who said it."""

import functools
import sys
import threading
from collections.abc import Callable
from typing import TextIO

WIDTH = 10
COLOURS = {"retake": 1, "web": 36, "edits": 33, "pictures": 35, "clock": 34, "sandbox": 32, "redis": 90, "s3": 90}
OTHERS = 90


class Log:
    """Writes whole lines, one at a time. Colours only on a terminal."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._coloured = stream.isatty()
        self._lock = threading.Lock()

    def say(self, name: str, line: str) -> None:
        prefix = name.ljust(WIDTH)
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, OTHERS)}m{prefix}\x1b[0m"
        with self._lock:
            # A reader that went away (`make run | head`) is no reason to fall over before everything is stopped.
            try:
                self._stream.write(f"{prefix} {line}\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                return

    def voice(self, name: str) -> Callable[[str], None]:
        """A function that says lines in this name."""
        return functools.partial(self.say, name)
