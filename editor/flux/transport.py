"""One POST to the flux server: no redirects, no cookies, bounded in time and size.

A call that costs nothing takes a kept connection, and is repeated once where that turns out to be closed; a paid one
takes a connection of its own and is never repeated.

Nothing here raises. requests' exceptions carry the request, and the request carries the key; so what went wrong leaves
as a `Lost` with a short code, and the exception ends where it was caught.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

MAX_REPLY = 2 * 1024 * 1024
"""Bytes of an answer, after decompression."""

_POOL = 32
_CHUNK = 64 * 1024
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
_NO_CONNECTION = "refused-connection"


@dataclass(frozen=True)
class Reply:
    """An answer that arrived whole; `body` is already decompressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Lost:
    """No usable answer.

    `sent` is False only if not a byte of the body can have left; `status` is the HTTP code if the headers still came.
    """

    reason: str
    sent: bool
    status: int | None = None


class Body:
    """A JSON body that remembers how it went with sending it, and that shows its content to nobody else.

    `begun` says whether a byte of it may have left, `reused` whether it went over a connection that was kept.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._bytes = json.dumps(document, allow_nan=False).encode()
        self._position = 0
        self.begun = False
        self.reused = False

    def again(self) -> Body:
        """The same body, not yet sent."""
        fresh = copy(self)
        fresh._position, fresh.begun, fresh.reused = 0, False, False
        return fresh

    def __len__(self) -> int:
        return len(self._bytes)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(_CHUNK):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """The next bytes for the wire."""
        self.begun = True
        end = len(self._bytes) if size is None or size < 0 else self._position + size
        chunk = self._bytes[self._position : end]
        self._position += len(chunk)
        return chunk


class Transport:
    """Sends POST requests; may be shared by threads and carried across a fork.

    A connection inherited through a fork would be shared with the parent, so each process makes its own session.
    """

    def __init__(self, connect_timeout: float, read_timeout: float, total_timeout: float) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        self._total_timeout = total_timeout
        self._kept: tuple[int, dict[bool, requests.Session]] = (os.getpid(), {})

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        owner, sessions = self._kept
        if owner == os.getpid():
            for session in list(sessions.values()):
                session.close()

    def post(self, url: str, body: Body, *, once: bool = False) -> Reply | Lost:
        """POST the body.

        `once` takes a connection of its own: a kept one may be closed by the server at the very moment it is used
        again, and then nobody could tell whether the request was taken. Without it the request is repeated once, if
        that is what seems to have happened.
        """
        direct = loopback(url)
        started = time.monotonic()
        deadline = started + self._total_timeout
        if not once:
            reply = self._post(self._shared_session(direct), url, body, deadline)
            # A connection that was closed before we used it breaks at once; one that breaks later is another matter.
            if not body.reused or not _broken_off(reply) or time.monotonic() - started > self._timeouts[0]:
                return reply
            body = body.again()
        with _session(direct) as session:
            return self._post(session, url, body, deadline)

    def _post(self, session: requests.Session, url: str, body: Body, deadline: float) -> Reply | Lost:
        try:
            with session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                return _read(response, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Lost(_reason(error, body.begun), body.begun)

    def _shared_session(self, direct: bool) -> requests.Session:
        # No lock: another thread could hold it at the moment of a fork. Two threads that meet here waste a session.
        owner, sessions = self._kept
        if owner != os.getpid():
            sessions = {}
            self._kept = os.getpid(), sessions
        return sessions.get(direct) or sessions.setdefault(direct, _session(direct))


def loopback(url: str) -> bool:
    """Whether the address plainly names this machine (localhost, 127.0.0.0/8, ::1); asks no name server."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


class _Connection(urllib3.connection.HTTPConnection):
    """Tells the body that it carries whether it carried another one before."""

    _used = False

    def connect(self) -> None:
        super().connect()
        self._used = False

    def request(self, method: str, url: str, body: Any = None, *args: Any, **options: Any) -> None:
        if isinstance(body, Body):
            body.reused = self._used and self.sock is not None
        super().request(method, url, body, *args, **options)
        self._used = True


class _SecureConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even when it follows no redirect, requests would read the whole body of one to prepare for it, whatever its
        # size is.
        return None


def _session(direct: bool) -> requests.Session:
    session = _Session()
    session.trust_env = not direct  # a proxy named by the environment can't reach our loopback
    adapter = _Adapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.auth = _no_auth  # or requests would look for credentials in ~/.netrc
    session.cookies.set_policy(_NO_COOKIES)
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "retake"})
    return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response, deadline: float) -> Reply | Lost:
    """Read the body in small steps, so that neither a slow nor a huge answer (also after gzip) gets past its limit."""
    parts: list[bytes] = []
    size = 0
    try:
        while part := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MAX_REPLY:
                return Lost("too-large", True, response.status_code)
            if time.monotonic() > deadline:
                return Lost("timeout", True, response.status_code)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        timed_out = isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError)
        return Lost("timeout" if timed_out else "unreadable", True, response.status_code)
    return Reply(response.status_code, dict(response.headers.lower_items()), b"".join(parts))


def _broken_off(reply: Reply | Lost) -> bool:
    return isinstance(reply, Lost) and reply.status is None and reply.reason in {"connection-lost", _NO_CONNECTION}


def _reason(error: Exception, begun: bool) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return "timeout" if begun else "connect-timeout"
    if begun:
        return "connection-lost"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    return _NO_CONNECTION if isinstance(error, requests.ConnectionError) else "address"
