"""Small renditions that this process read lately, so that a page of thumbnails does not go to the bucket for each.

An object's bytes never change, so what is held is never stale. Who may see it is asked every time before.
"""

import threading
from collections import OrderedDict

LARGEST = 100_000
"""Bytes of a picture that is held; a thumbnail has some 10 to 30 thousand."""

MOST = 64_000_000
"""Bytes that are held altogether, by each web process."""


class Held:
    """Up to `most` bytes; what was not asked for the longest time goes first. Serves all threads."""

    def __init__(self, most: int = MOST, largest: int = LARGEST) -> None:
        self._most, self._largest = most, largest
        self._bytes = 0
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: str, data: bytes) -> None:
        """Whatever is larger than `largest` is not held."""
        if len(data) > self._largest:
            return
        with self._lock:
            self._bytes += len(data) - len(self._found.pop(key, b""))
            self._found[key] = data
            while self._bytes > self._most:
                _, gone = self._found.popitem(last=False)
                self._bytes -= len(gone)

    def clear(self) -> None:
        with self._lock:
            self._found.clear()
            self._bytes = 0


renditions = Held()
