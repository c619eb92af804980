"""Which faults are on for the whole server, each for a number of times or until further notice."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from .faults import CATALOGUE, DOOR, ENDPOINTS, LATER


class Switches:
    """The faults that are on for the whole server, each for a number of times or until further notice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, int | bool] = {}

    def replace(self, wanted: Mapping[str, object]) -> None:
        """Switch on exactly these; raises ValueError, changing nothing, for an unknown name or a strange count."""
        checked = {name: count for name, value in wanted.items() if (count := _checked(name, value))}
        with self._lock:
            self._on = checked

    def turn(self, name: str, count: int | bool) -> None:
        """Switch one on or off and leave the others; raises ValueError like `replace`."""
        checked = _checked(name, count)
        with self._lock:
            self._on.pop(name, None)
            if checked:
                self._on[name] = checked

    def shown(self) -> dict[str, int | bool]:
        """What is on, and for how many more times."""
        with self._lock:
            return dict(self._on)

    def door(self, endpoint: str, also: frozenset[str] = frozenset()) -> str:
        """The one fault at the door for this request, or "": the request's own before the server's."""
        for name in DOOR:
            if name in also:
                return name
        prefix = "" if endpoint == "img2img" else endpoint + ":"
        return next((name for name in DOOR if self._taken(prefix + name)), "")

    def later(self) -> frozenset[str]:
        """The faults for a request that was accepted."""
        return frozenset(name for name in LATER if self._taken(name))

    def _taken(self, name: str) -> bool:
        with self._lock:
            count = self._on.get(name, False)
            if count is not True and count:
                self._on[name] = count - 1
                if count == 1:
                    del self._on[name]
            return bool(count)


def _checked(name: str, count: object) -> int | bool:
    endpoint, _, bare = name.rpartition(":")
    known = bare in CATALOGUE if not endpoint else endpoint in ENDPOINTS and bare in DOOR
    if not known:
        raise ValueError(f"There is no fault {name!r}.")
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"{name!r} must be true, false or a number of times.")
    return count
