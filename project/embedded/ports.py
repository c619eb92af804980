"""Loopback ports: which are free, and which were taken the last time."""

import json
import random
import socket
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

HOST = "127.0.0.1"
# Below 32768 nothing is handed out to outgoing connections on Linux, and S3 needs a second port 10000 above each.
SCATTER = range(10_000, 22_000)


class NoFreePortError(RuntimeError):
    """None of the ports that were tried was free."""


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that lingers from the last run is no obstacle, another listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except (OSError, OverflowError):
            return False
    return True


def all_free(port: int, offsets: Iterable[int] = (0,), host: str = HOST) -> bool:
    """Whether the port and its neighbours (port + offset each) are free."""
    return all(is_free(port + offset, host) for offset in offsets)


def scattered(step: int = 1) -> Iterator[int]:
    """Ports in random order, so that two runs that start at the same moment do not try the same ones."""
    yield from random.sample(range(SCATTER.start, SCATTER.stop, step), 200)


def successive(wish: int) -> Iterator[int]:
    """The wished port and the hundred after it."""
    yield from range(wish, min(wish + 101, 65_536))


class Claims:
    """Ports on which a server is going to listen: other starts on this machine pass them by in the meantime.

    A UDP socket holds the number, which the kernel gives to one process alone and takes back when that ends.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def hold(self, port: int) -> bool:
        """False if somebody else has it."""
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((HOST, port))
        except OSError:
            claim.close()
            return False
        self._held.append(claim)
        return True

    def let_go(self) -> None:
        while self._held:
            self._held.pop().close()


class PortBook:
    """The ports of one VAR_DIR, kept in a JSON file of `{"name": port}` so that addresses stay the same."""

    def __init__(self, path: Path, claims: Claims | None = None) -> None:
        """With `claims`, what is taken is held there."""
        self.path = path
        self._claims = claims

    def take(
        self,
        name: str,
        candidates: Iterable[int],
        *,
        offsets: Iterable[int] = (0,),
        avoid: AbstractSet[int] = frozenset(),
        host: str = HOST,
    ) -> int:
        """The port kept for `name` if it is free, else the first free candidate, which is kept from now on.

        `offsets` are the neighbours that have to be free as well; none of them is among those to `avoid`. Raises
        NoFreePortError.
        """
        offsets = tuple(offsets)
        kept = self._read()
        wishes = [kept[name]] if name in kept else []
        others = {port for other, port in kept.items() if other != name}
        for port in [*wishes, *candidates]:
            if port in others or not avoid.isdisjoint(port + offset for offset in offsets):
                continue
            if all_free(port, offsets, host) and self._is_ours(port):
                self._write({**kept, name: port})
                return port
        raise NoFreePortError(f"No free port was found on {host} for {name}.")

    def _is_ours(self, port: int) -> bool:
        return self._claims is None or self._claims.hold(port)

    def _read(self) -> dict[str, int]:
        try:
            kept = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {name: port for name, port in kept.items() if isinstance(port, int) and 0 < port < 65_536}

    def _write(self, kept: dict[str, int]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(kept, indent=2) + "\n")
        draft.replace(self.path)
