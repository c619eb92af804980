"""One time limit for a whole HTTP exchange.

The timeouts of `requests` begin anew with every byte that arrives, so a server that sends a byte now and then, be it
of its headers, could hold a worker for hours. A deadline shuts the connection down instead.
"""

import contextvars
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """Within its block, every connection that a WatchedAdapter opens ends after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    def left(self) -> float:
        """Seconds until the end, never quite none: zero would mean something else to a socket."""
        return max(0.001, self._ends - time.monotonic())

    def watch(self, connected: socket.socket) -> None:
        """Shut this connection down at the end. A duplicate is kept, as TLS takes the original over."""
        with self._lock:
            self._sockets.append(connected.dup())

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for watched in self._sockets:
                with suppress(OSError):  # it is closed already
                    watched.shutdown(socket.SHUT_RDWR)


_current: contextvars.ContextVar[Deadline] = contextvars.ContextVar("deadline")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        _current.get().watch(connected)
        return connected


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, then TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class WatchedAdapter(HTTPAdapter):
    """Opens connections that the deadline of the surrounding block ends."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
