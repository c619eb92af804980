"""A stand-in for the flux server over real HTTP: it edits pictures, plays quirks and faults, and keeps a ledger.

In a test: `with Sandbox(seconds=0.05, slots=4) as sandbox: FluxClient(sandbox.base_url, "key", sandbox.upload_url)`.
From a shell: `manage.py fluxsandbox`.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .commands import Downtime
from .endpoints import Site
from .generations import Generations
from .server import Server
from .storage import Storage
from .switches import Switches

__all__ = ["Sandbox"]


class Sandbox:
    """Starts listening with `start()` or as a context manager.

    `seconds` per picture (0 is allowed), `slots` generations at a time, at most `queue_limit` unfinished ones; `bind`
    is host:port with 0 for any free port; without `key` any key is good; results and ledger live in `directory`, or in
    a temporary one that goes away at the end; with `echo` the result is the input, which costs nothing. Results live
    for `keep_hours`, with `temp` for `temp_seconds`; a restart on command takes `restart_seconds`.
    """

    def __init__(
        self,
        *,
        seconds: float = 4.0,
        slots: int = 1,
        queue_limit: int = 10,
        bind: str = "127.0.0.1:0",
        key: str | None = None,
        directory: Path | str | None = None,
        echo: bool = False,
        keep_hours: float = 24.0,
        temp_seconds: float = 60.0,
        restart_seconds: float = 3.0,
    ) -> None:
        host, _, port = bind.rpartition(":")
        self._address = (host.strip("[]") or "127.0.0.1", int(port))
        self._key = key or None
        self._directory = directory
        self._work = {"seconds": max(0.0, seconds), "slots": slots, "queue_limit": queue_limit, "echo": echo}
        self._work |= {"keep_seconds": keep_hours * 3600, "temp_seconds": temp_seconds}
        self._restart_seconds = restart_seconds
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Sandbox:
        """Listen; raises OSError if the address is taken."""
        if self._directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="fluxsandbox-", ignore_cleanup_errors=True)
        directory = Path(self._temporary.name if self._temporary else str(self._directory))
        directory.mkdir(parents=True, exist_ok=True)
        storage = Storage(directory / "storage.json")
        generations = Generations(directory, storage, **self._work)  # type: ignore[arg-type]
        downtime = Downtime(generations, self._restart_seconds)
        try:
            self._server = Server(self._address, Site(generations, storage, Switches(), downtime, self._key))
        except OSError:
            generations.close()
            self._remove_temporary()
            raise
        # The default of half a second is how long a stop would take.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, break off connections and work; harmless when not started."""
        if self._server is None or self._thread is None:
            return
        self._server.close()
        self._thread.join(1)
        self._server = self._thread = None
        self._remove_temporary()

    def __enter__(self) -> Sandbox:
        return self if self._server else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._running.server_address[1])

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = self._address[0]
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What belongs into FLUX_BASE_URL."""
        return self.origin + "/api/v1/enterprise/"

    @property
    def upload_url(self) -> str:
        """What belongs into FLUX_UPLOAD_URL."""
        return self.origin + "/api/v6/base64_to_url"

    @property
    def directory(self) -> Path:
        """Where results and the ledger file lie."""
        return self._running.site.generations.directory

    def ledger(self) -> dict[str, Any]:
        """What `GET /ledger` tells: `accepted` (oldest first), `queued`, `refused` by reason, and `storage`."""
        return self._running.site.ledger()

    def set_faults(self, wanted: Mapping[str, int | bool]) -> None:
        """What `PUT /faults` does: exactly these are on from now; raises ValueError for an unknown one."""
        self._running.site.switches.replace(wanted)

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("The sandbox is not running.")
        return self._server

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None
