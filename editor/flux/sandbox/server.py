"""The sandbox's HTTP side: connections, bodies, and the addresses for whoever looks at it or tests against it."""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from . import faults, page
from .endpoints import ENTERPRISE, UPLOAD, Endpoints, Site
from .forms import from_elsewhere, obey
from .mischief import Mischief
from .results import KINDS
from .rules import RefusedError

logger = logging.getLogger(__name__)

_MAX_BODY = 1024 * 1024
_MAX_UPLOAD_BODY = 11 * 1024 * 1024
_MAX_VALUES = 20_000
_MAX_CONNECTIONS = 1500
_READING = 20.0
_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,260}")
_RESULT = re.compile(r"/{1,2}generations/(([0-9a-f]{32})-\d(?:\.(png|jpg|webp|avif|base64))?)")
_THUMBNAIL = re.compile(r"/thumbnails/([0-9a-f]{32}-\d\.webp)")
_UPLOADED = re.compile(r"/uploads/([0-9a-f]{32}\.jpg)")
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
_SAFE = {
    "Content-Security-Policy": _POLICY + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingMixIn, TCPServer):
    """Listens at once; one thread per connection. Whoever sends a request too slowly is cut off."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        self.site = site
        self._connections: dict[socket.socket, float | None] = {}
        self._lock = threading.Lock()
        self._looked = 0.0
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    def close(self) -> None:
        """Stop listening and break off every open connection, so that a kept one does not reach a closed sandbox."""
        self.site.generations.close()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _break_off(connection)

    def reading(self, connection: socket.socket, since: float | None) -> None:
        """Note since when a request is being read from this connection; None when it arrived whole."""
        with self._lock:
            if connection in self._connections:
                self._connections[connection] = since

    def service_actions(self) -> None:
        """Called between requests, many times a second."""
        now = time.monotonic()
        if now - self._looked < 1:
            return
        self._looked = now
        with self._lock:
            slow = [one for one, since in self._connections.items() if since is not None and now - since > _READING]
        for connection in slow:
            _break_off(connection)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        with self._lock:
            return len(self._connections) < _MAX_CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            return  # the other side hung up
        logger.exception("The sandbox failed over a request")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        logger.debug("%s %s", self.address_string(), format % args)

    def handle_one_request(self) -> None:
        self.server.reading(self.connection, None)
        try:
            begun = self.rfile.peek(1)  # type: ignore[attr-defined]  # a BufferedReader, whatever its declaration
        except OSError:
            begun = b""
        if not begun:
            self.close_connection = True
            return
        self.server.reading(self.connection, time.monotonic())
        super().handle_one_request()

    @property
    def origin(self) -> str:
        """The address under which the caller knows this server."""
        host = self.headers.get("Host", "")
        if not _HOST.fullmatch(host):
            host = "{}:{}".format(*self.server.server_address[:2])
        return f"http://{host}"

    @property
    def mischief(self) -> Mischief:
        """Plays faults on this connection."""
        return Mischief(self, self.server.site.generations.stopping)

    def do_GET(self) -> None:
        self.server.reading(self.connection, None)
        path, site = urlsplit("http://sandbox" + self.path).path, self.server.site
        results = site.generations.results
        if path == "/":
            self._send(200, page.render(site).encode("utf-8", "replace"), "text/html; charset=utf-8", _SAFE)
        elif path in page.FILES:
            self._send(200, page.FILES[path].read_bytes(), page.KINDS[path], _SAFE)
        elif path == "/ledger":
            self._json(200, site.ledger())
        elif path == "/faults":
            self._json(200, {"on": site.switches.shown(), "known": faults.CATALOGUE})
        elif match := _RESULT.fullmatch(path):
            self._result(match[1], match[2], match[3] or "")
        elif match := _THUMBNAIL.fullmatch(path):
            self._file(results.thumbnail(match[1]), "image/webp")
        elif match := _UPLOADED.fullmatch(path):
            self._file(results.lent(match[1]), "image/jpeg")
        else:
            self._json(404, {"status": "error", "message": "Not found"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        body = self._document(_MAX_BODY)
        if self._refused_from_elsewhere():
            return
        if urlsplit(self.path).path != "/faults" or body is None:
            self._json(404 if body is not None else 400, {"error": "PUT /faults takes a JSON object."})
            return
        try:
            self.server.site.switches.replace(body)
        except ValueError as error:
            self._json(400, {"error": str(error)})
            return
        self._json(200, {"on": self.server.site.switches.shown()})

    def do_POST(self) -> None:
        path, site = urlsplit("http://sandbox" + self.path).path, self.server.site
        if path in ("/switch", "/command"):
            self._form(path)
            return
        body = self._document(_MAX_UPLOAD_BODY if path in (UPLOAD, ENTERPRISE + "upload_image") else _MAX_BODY)
        if self._refused_from_elsewhere():
            return
        try:
            if body is None:
                raise RefusedError("body", 400, {"status": "error", "message": "The body must be a JSON object."})
            answer = Endpoints(site, self.mischief, self.origin).answer(path, body)
        except RefusedError as refused:
            site.generations.count_refused(refused.reason)
            self._json(refused.code, refused.answer, refused.headers)
        else:
            if answer is not None:
                self._json(200, answer)

    def _form(self, path: str) -> None:
        body = self._body(_MAX_BODY)
        if self._refused_from_elsewhere():
            return
        try:
            obey(self.server.site, path, body or b"")
        except ValueError as error:
            self._send(400, page.sorry(str(error)).encode("utf-8", "replace"), "text/html; charset=utf-8", _SAFE)
        else:
            self._send(303, b"", "text/plain", {"Location": "/"})

    def _refused_from_elsewhere(self) -> bool:
        """Whether a page of another site had the browser send this; then it is answered."""
        if not from_elsewhere(self.headers):
            return False
        self._send(403, page.sorry("This came from a page of another site.").encode(), "text/html; charset=utf-8")
        return True

    def _result(self, name: str, prefix: str, ending: str) -> None:
        generations = self.server.site.generations
        entry = generations.by_prefix(prefix)
        path = generations.results.path(name)
        if entry is None or not path.is_file():
            self.mischief.page(404)
            return
        flaws = frozenset(entry.faults)
        since = time.time() - (entry.finished or 0.0)
        if not self.mischief.at_a_link(flaws, since, path.read_bytes(), redirected=self.path.endswith("?redirected")):
            self._file(path, "text/plain" if "wrong-type" in flaws else KINDS[ending])

    def _file(self, path: Path, kind: str) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            self._send(404, b"<!doctype html><title>Not found</title>", "text/html")
        else:
            self._send(200, content, kind)

    def _body(self, most: int) -> bytes | None:
        """The request's body, or None; an overlong or unmeasured one ends the connection."""
        length = self.headers.get("Content-Length", "")
        body = None
        if re.fullmatch(r"[0-9]{1,9}", length) and int(length) <= most:
            body = self.rfile.read(int(length))
        if body is None or len(body) < int(length):
            self.close_connection = True
            body = None
        self.server.reading(self.connection, None)
        return body

    def _document(self, most: int) -> dict[str, Any] | None:
        """The JSON object in the request's body, or None."""
        body = self._body(most)
        # Each value costs fifty times its two bytes once it is read.
        if body is None or sum(map(body.count, (b"[", b"{", b","))) > _MAX_VALUES:
            return None
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def _json(self, code: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send(code, json.dumps(answer).encode(), "application/json", headers)

    def _send(self, code: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def _break_off(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already gone
