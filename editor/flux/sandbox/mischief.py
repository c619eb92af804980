"""The faults that need the connection itself: broken, slow, huge and nonsensical answers."""

from __future__ import annotations

import gzip
import json
import os
import socket
import struct
import threading
import time
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

from .answers import INTERNAL
from .rules import RefusedError, queue_full
from .spoiling import HTML, spoiled

_HANG = 300.0
_BOMB = 48 * 1024 * 1024
_HUGE = 200 * 1024 * 1024
_FOR_A_WHILE = 2
_SOON = 2.0
_PNG_START = b"\x89PNG\r\n\x1a\n"


def _error(code: int, message: object, name: str = "message") -> tuple[int, dict[str, Any]]:
    return code, {"status": "error", name: message}


_PAGES = {"refuse-before": 503, "http-404": 404, "http-502": 502, "http-504": 504, "html-200": 200}
_DEEP = b'{"status":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
_BODIES = {
    "empty-200": (b"", "application/json"),
    "json-null": (b"null", "application/json"),
    "json-list": (b"[]", "application/json"),
    "not-utf8": (b'{"status": "\xff\xfe"}', "application/json"),
    "deep-json": (_DEEP, "application/json"),
}
_NOT_FOUND = b'{"status": "error", "message": "Request not found"}'
_STRANGE = b'{"status": "error", "message": "Something went wrong."}'
_FETCHED: dict[str, tuple[int, bytes, str, dict[str, str]]] = {
    "fetch-404-for-a-while": (404, _NOT_FOUND, "application/json", {}),
    "fetch-500-for-a-while": (500, HTML, "text/html", {}),
    "fetch-html-for-a-while": (200, HTML, "text/html", {}),
    "fetch-429-for-a-while": (429, HTML, "text/html", {"Retry-After": "1"}),
    "fetch-error-for-a-while": (200, _STRANGE, "application/json", {}),
}
_FIELD = {"width": ["The width must be a multiple of 8."]}
_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "bad-key": _error(401, "Invalid API key"),
    "bad-key-200": _error(200, "Invalid API key"),
    "no-credit": _error(402, "Insufficient credits"),
    "no-credit-200": _error(200, "limit exceeded, upgrade"),
    "plan": _error(403, "Your plan does not include this model."),
    "field-error": _error(400, _FIELD),
    "field-error-200": _error(200, _FIELD),
    "bad-image": _error(200, "Failed to fetch init image."),
    "bad-prompt": _error(200, "Prompt contains prohibited words."),
    "messege": _error(200, "Invalid API key", "messege"),
    "quoting": _error(200, 'No idea what to do with "Invalid API key. Rate limit exceeded."'),
    "http-500": _error(500, "Server Error"),
}


def refusal(name: str, queue_limit: int) -> RefusedError | None:
    """The plain answer that this fault at the door consists of, if that is all."""
    if name in _REFUSALS:
        code, answer = _REFUSALS[name]
        return RefusedError(name, code, answer)
    if name.startswith("queue-full"):
        full = queue_full(queue_limit)
        return RefusedError(name, 200 if name.endswith("200") else full.code, full.answer, full.headers)
    return None


class Mischief:
    """Plays connection faults through the handler of one request."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        self._handler = handler
        self._stopping = stopping

    def at_the_door(self, name: str) -> None:
        """Turn a request away by a fault for which a plain refusal is not enough."""
        if name in _PAGES:
            self.page(_PAGES[name])
        elif name in _BODIES:
            self.send(200, *_BODIES[name])
        elif name == "bad-gzip":
            self.send(200, b'{"status": "ok"}', "application/json", {"Content-Encoding": "gzip"})
        elif name == "restarting":
            self.send(503, HTML, "text/html", {"Retry-After": "2"})
        elif name == "rate-date":
            self.send(429, HTML, "text/html", {"Retry-After": formatdate(time.time() + 3, usegmt=True)})
        elif name == "rate-reset":
            self.send(429, HTML, "text/html", {"X-RateLimit-Reset": str(int(time.time()) + 3)})
        elif name == "redirect":
            self.send(307, b"", "text/plain", {"Location": "/elsewhere/redirected"})
        elif name == "hang":
            self._hang()
        else:
            self._reset()

    def page(self, code: int) -> None:
        """A proxy's error page."""
        self.send(code, HTML, "text/html")

    def instead_of(self, answer: dict[str, Any], flaws: frozenset[str]) -> bool:
        """Lose or spoil the answer to an accepted request; False if none of the faults is about that."""
        text = json.dumps(answer).encode()
        if "accept-then-500" in flaws:
            self.page(500)
        elif "accept-then-504" in flaws:
            self.page(504)
        elif "accept-then-html" in flaws:
            self.send(200, HTML, "text/html")
        elif "accept-then-reset" in flaws:
            self._reset()
        elif "accept-then-hang" in flaws:
            self._hang()
        elif "cut-json" in flaws:
            self._begin(200, len(text))
            self._write(text[: len(text) // 2])
        elif "cut-short" in flaws:
            self.send(200, text[: len(text) // 2], "application/json")
        elif "gzip-bomb" in flaws:
            self.send(200, _bomb(), "application/json", {"Content-Encoding": "gzip"})
        elif "slow-drip" in flaws:
            self._drip(text)
        else:
            return self._escaped(answer, flaws)
        return True

    def instead_of_fetch(self, answer: dict[str, Any], flaws: frozenset[str], times: int) -> bool:
        """Spoil the answer to `fetch`, asked for the `times`-th time; False if not asked to."""
        if times <= _FOR_A_WHILE:
            for name, (code, body, kind, headers) in _FETCHED.items():
                if name in flaws:
                    self.send(code, body, kind, headers)
                    return True
            if "fetch-reset-for-a-while" in flaws:
                self._reset()
                return True
        return self._escaped(answer, flaws)

    def at_a_link(self, flaws: frozenset[str], since_done: float, picture: bytes, *, redirected: bool) -> bool:
        """Spoil the download of a result, asked for `since_done` seconds after it was ready; False if not asked to."""
        soon = since_done < _SOON
        if "link-404" in flaws or ("link-404-for-a-while" in flaws and soon):
            self.page(404)
        elif "link-429" in flaws or ("link-429-for-a-while" in flaws and soon):
            self.send(429, HTML, "text/html", {"Retry-After": "1"})
        elif "link-500-for-a-while" in flaws and soon:
            self.page(500)
        elif "link-redirect" in flaws and not redirected:
            self.send(302, b"", "text/plain", {"Location": "?redirected"})
        elif "link-redirect-internal" in flaws:
            self.send(302, b"", "text/plain", {"Location": f"{INTERNAL}/picture.png"})
        elif "link-cut" in flaws:
            self._begin(200, len(picture), "image/png")
            self._write(picture[: len(picture) // 2])
        elif "link-drip" in flaws:
            self._drip(picture, "image/png")
        elif bad := spoiled(flaws):
            self.send(200, *bad)
        elif "link-huge" in flaws:
            self._huge()
        else:
            return False
        return True

    def send(self, code: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        """One whole answer."""
        self._begin(code, len(body), kind, headers)
        self._write(body)
        self._handler.close_connection = False

    def _begin(
        self, code: int, length: int, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self._handler.send_response(code)
        for name, value in ({"Content-Type": kind, "Content-Length": str(length)} | (headers or {})).items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        self._handler.close_connection = True

    def _write(self, body: bytes) -> None:
        if self._handler.command != "HEAD":
            self._handler.wfile.write(body)
        self._handler.wfile.flush()

    def _hang(self) -> None:
        self._stopping.wait(_HANG)
        self._handler.close_connection = True

    def _reset(self) -> None:
        self._handler.close_connection = True
        connection: socket.socket = self._handler.connection
        # Lingering for no time makes the close a reset; the streams above would otherwise hold the socket open.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())

    def _escaped(self, answer: dict[str, Any], flaws: frozenset[str]) -> bool:
        if "escaped-slashes" not in flaws:
            return False
        self.send(200, json.dumps(answer).replace("/", "\\/").encode(), "application/json")
        return True

    def _drip(self, text: bytes, kind: str = "application/json") -> None:
        self._begin(200, len(text), kind)
        for position in range(len(text)):
            self._write(text[position : position + 1])
            if self._stopping.wait(1):
                return

    def _huge(self) -> None:
        self._begin(200, _HUGE, "image/png")
        chunk = bytes(1024 * 1024)
        self._write(_PNG_START)
        for _ in range(_HUGE // len(chunk)):
            self._write(chunk)


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"status": "' + b" " * _BOMB, 1)
