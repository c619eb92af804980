"""The safe fetcher: results from the flux server, whose links may lead anywhere.

There is no list of hosts that would hold. Instead every address is resolved once, refused unless it is a public one,
and connected to as it was checked (requests-hardened), so that a name which changes its mind in between gains nothing.
Only the exact origins that the caller gives may lie elsewhere. Redirects go through the same checks, hop by hop.
"""

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError, LocationParseError

from editor.images.deadlines import Deadline, WatchedAdapter

MOST_REDIRECTS = 4
CONNECT_TIMEOUT = 10.0
"""Seconds for one connection to come about; all else counts against the caller's total."""

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_CHUNK = 64 * 1024
_BLANKS = b" \t\r\n\v\f"
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4 addresses in an old spelling

Origin = tuple[str, str, int]


class DownloadError(Exception):
    """Base of all that `download` raises."""


class Unsafe(DownloadError):  # noqa: N818  it says what is the matter
    """The link, or one that it redirects to, leads where we don't go. Never worth a retry."""


class NotThereYet(DownloadError):  # noqa: N818  it says what is the matter
    """No picture now, but perhaps later. `retry_after`: seconds that the server asked for, or None."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class TooLarge(DownloadError):  # noqa: N818  it says what is the matter
    """More bytes than allowed, packed or unpacked."""


def download(url: str, *, allowed_origins: Iterable[str] = (), max_bytes: int, timeout: float) -> bytes:
    """The bytes behind a link, at most `max_bytes`, within `timeout` seconds in all; base64 text is decoded.

    `allowed_origins` (scheme, host and port, like ``http://127.0.0.1:8001``) may be private and on any port.
    Raises Unsafe, NotThereYet, TooLarge. What the bytes are is for the decoder to say.
    """
    allowed = {_origin(origin) for origin in allowed_origins}
    with Deadline(timeout) as deadline:
        try:
            body = _follow(url, allowed, most_packed(url, max_bytes), deadline)
        except InvalidIPAddress as error:
            raise Unsafe(f"{_shown(url)} leads to the address {error}") from error
        except (LocationParseError, ValueError) as error:  # requests reads the address of a redirect, too
            raise Unsafe(f"{_shown(url)} is no address: {type(error).__name__}") from error
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            reason = f"{timeout:g} s were over" if deadline.expired else type(error).__name__
            raise NotThereYet(f"{_shown(url)}: {reason}") from error
    return unpacked(url, body, max_bytes)


def most_packed(url: str, max_bytes: int) -> int:
    """Bytes that a file under this link or key may have, if what is in it may have `max_bytes`."""
    return math.ceil(max_bytes * 4 / 3) + 1024 if _is_text(url) else max_bytes


def unpacked(url: str, body: bytes, max_bytes: int) -> bytes:
    """What was found under a link or key, out of base64 if it is in it. Raises NotThereYet, TooLarge."""
    if _is_text(url) or body[:5].lower() == b"data:":
        body = _from_base64(body)
    if len(body) > max_bytes:
        raise TooLarge(f"{_shown(url)}: more than {max_bytes} bytes")
    if not body or _HTML.match(body[:4096]):
        raise NotThereYet(f"{_shown(url)}: {'HTML' if body else 'nothing'} instead of a picture")
    return body


def _is_text(url: str) -> bool:
    return url.partition("?")[0].endswith(".base64")


def _follow(url: str, allowed: set[Origin], max_bytes: int, deadline: Deadline) -> bytes:
    link = _Link(url)
    for _ in range(MOST_REDIRECTS + 1):
        with requests.Session() as session, _ask(session, link, allowed, deadline) as response:
            target = session.get_redirect_target(response) if response.status_code in _REDIRECTS else None
            if target is None:
                return _body(response, link, max_bytes, deadline)
        try:
            link = link.led_to(urljoin(link.url, target))
        except ValueError:
            raise Unsafe(f"{link} redirects to no address") from None
    raise NotThereYet(f"more than {MOST_REDIRECTS} redirects, the last one: {link}")


class _Link(NamedTuple):
    """Where to ask, and for the log the link that it began with: what a redirect names is for nobody to read."""

    url: str
    first: str = ""

    def led_to(self, url: str) -> "_Link":
        return _Link(url, self.first or self.url)

    def __str__(self) -> str:
        return f"a redirect from {_shown(self.first)}" if self.first else _shown(self.url)


def _ask(session: requests.Session, link: _Link, allowed: set[Origin], deadline: Deadline) -> requests.Response:
    """One request, its body yet unread, through an adapter that goes only where this link may lead."""
    url = link.url
    if not url.isprintable() or "\\" in url:
        raise Unsafe("The link holds characters that programs read differently")
    if url.partition(":")[0].lower() not in _PORTS:
        raise Unsafe(f"{link}: only http and https")
    session.trust_env = False  # a proxy of the environment would go wherever it is told; no .netrc either
    session.headers.update({"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"})
    request = session.prepare_request(requests.Request("GET", url))
    prepared = str(request.url)  # what counts is what will be asked, not what was written
    if "@" in urlsplit(prepared).netloc:
        raise Unsafe("The link holds a user name")
    origin = _origin(prepared)
    scheme, _, port = origin
    if origin in allowed:
        adapter: HTTPAdapter = WatchedAdapter()
    elif port == _PORTS[scheme]:
        adapter = _PublicAdapter(scheme)
    else:
        raise Unsafe(f"{link}: port {port}")
    session.mount(f"{scheme}://", adapter)
    left = deadline.left()
    return session.send(request, stream=True, allow_redirects=False, timeout=(min(left, CONNECT_TIMEOUT), left))


class _PublicAdapter(WatchedAdapter, IPFilterAdapter):  # type: ignore[misc]  # the library has no types
    """Connects to public addresses only, and to the very one that was checked."""

    def __init__(self, scheme: str) -> None:
        IPFilterAdapter.__init__(self, is_https_proto=scheme == "https")

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        address = ipaddress.ip_address(host["host"].strip("[]"))
        # Beyond what the library refuses: shared, reserved and site-local ranges, and old spellings of IPv4.
        if not address.is_global or getattr(address, "is_site_local", False) or _is_compatible(address):
            raise InvalidIPAddress(address)
        return host, pool


def _is_compatible(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.version == 6 and address in _COMPATIBLE


def _origin(url: str) -> Origin:
    """Scheme, host and port; raises Unsafe where there is none."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").lower(), parts.port or _PORTS[scheme]
    except (ValueError, KeyError):
        raise Unsafe("The link names no host or port") from None


def _body(response: requests.Response, link: _Link, max_bytes: int, deadline: Deadline) -> bytes:
    if response.status_code != 200:
        raise NotThereYet(f"{link}: HTTP {response.status_code}", _retry_after(response))
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:18]) > max_bytes:
        raise TooLarge(f"{link}: more than {max_bytes} bytes announced")
    parts: list[bytes] = []
    size = 0
    # read1 gives what has arrived, and unpacks no more than it was asked for: neither drops nor bombs get us.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(f"{link}: more than {max_bytes} bytes")
        if deadline.expired:
            break
    if deadline.expired:
        raise NotThereYet(f"{link}: the time was over after {size} bytes")
    return b"".join(parts)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, from either form of the header."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told[:9])
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _from_base64(text: bytes) -> bytes:
    """Base64 with or without ``data:…;base64,``, broken into lines or not, padded or not.

    Piece by piece: text that is one blank to each letter would otherwise take many times its size.
    """
    if _HTML.match(text[:4096]):
        return text  # an error page, for the caller to see
    begin = text.find(b",") + 1 if text[:5].lower() == b"data:" else 0
    found: list[bytes] = []
    rest = b""
    try:
        for at in range(begin, len(text), _CHUNK):
            packed = rest + text[at : at + _CHUNK].translate(None, _BLANKS)
            whole = len(packed) // 4 * 4
            found.append(base64.b64decode(packed[:whole], validate=True))
            rest = packed[whole:]
        found.append(base64.b64decode(rest + b"=" * (-len(rest) % 4), validate=True))
    except binascii.Error as error:
        raise NotThereYet(f"no base64: {error}") from error
    return b"".join(found)


def _shown(url: str) -> str:
    """A link for the log: without the query, which may hold a signature."""
    return repr(url.partition("?")[0][:200])
