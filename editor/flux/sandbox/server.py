"""The sandbox's HTTP side: the vendor's endpoints, its file store, and the addresses for whoever tests against it."""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import threading
import time
import uuid
from base64 import b64decode
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from . import answers, faults, painting
from .download import download
from .generations import Entry, Generations
from .mischief import Mischief, refusal
from .page import render
from .rules import RefusedError, Wanted, check_key, check_request

logger = logging.getLogger(__name__)

_ENTERPRISE = "/api/v1/enterprise/flux_kontext_dev/"
_UPLOAD = "/api/v6/base64_to_url"
_MAX_BODY = 8 * 1024 * 1024
_MAX_UPLOAD = 5_000_000
_HOLD = 10.0
_ANNOUNCED = 60.0
_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,260}")
_RESULT = re.compile(r"/generations/(([0-9a-f]{32})-\d\.(?:png|base64))")
_UPLOADED = re.compile(r"/uploads/([0-9a-f]{32}\.jpg)")


class Server(ThreadingMixIn, TCPServer):
    """Listens at once; one thread per connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], generations: Generations, key: str | None) -> None:
        self.generations = generations
        self.key = key
        self.switches = faults.Switches()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    def close(self) -> None:
        """Stop listening and break off every open connection, so that a kept one does not reach a closed sandbox."""
        self.generations.close()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already gone

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
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
        return Mischief(self, self.server.generations.stopping)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/":
            page = render(self.server.generations.ledger(), self.server.switches.shown())
            self._send(200, page.encode(), "text/html; charset=utf-8")
        elif path == "/ledger":
            self._json(200, self.server.generations.ledger())
        elif path == "/faults":
            self._json(200, {"on": self.server.switches.shown(), "known": faults.CATALOGUE})
        elif match := _RESULT.fullmatch(path):
            self._result(match[1], match[2])
        elif match := _UPLOADED.fullmatch(path):
            self._file(self.server.generations.directory / "uploads" / match[1], "image/jpeg")
        else:
            self._json(404, {"status": "error", "message": "Not found"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        body = self._body()
        if urlsplit(self.path).path != "/faults" or body is None:
            self._json(404 if body is not None else 400, {"error": "PUT /faults takes a JSON object."})
            return
        try:
            self.server.switches.replace(body)
        except ValueError as error:
            self._json(400, {"error": str(error)})
            return
        self._json(200, {"on": self.server.switches.shown()})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        body = self._body()
        try:
            if body is None:
                raise RefusedError("body", 400, {"status": "error", "message": "The body must be a JSON object."})
            self._endpoint(path, body)
        except RefusedError as refused:
            self.server.generations.count_refused(refused.reason)
            self._json(refused.code, refused.answer, refused.headers)

    def _endpoint(self, path: str, body: dict[str, Any]) -> None:
        if path == _ENTERPRISE + "img2img":
            self._img2img(body)
        elif path.startswith(_ENTERPRISE + "fetch/"):
            if self._admitted("fetch", body):
                self._fetch(path.rpartition("/")[2])
        elif path == _ENTERPRISE + "system_details":
            if self._admitted("details", body):
                waiting = self.server.generations.ledger()["queued"]
                self._json(200, {"status": "ok", "model_count": 1, "queue_time": waiting})
        elif path == _UPLOAD:
            if self._admitted("upload", body):
                self._upload(body)
        else:
            raise RefusedError("path", 404, {"status": "error", "message": "Not found"})

    def _admitted(self, endpoint: str, body: dict[str, Any], marked: frozenset[str] = frozenset()) -> bool:
        """Whether the request gets past the door; a fault that stands there answers it."""
        name = self.server.switches.door(endpoint, marked)
        if name:
            if refused := refusal(name, self.server.generations.queue_limit):
                raise refused
            self.server.generations.count_refused(name)
            self.mischief.at_the_door(name)
            return False
        check_key(body, self.server.key)
        return True

    def _img2img(self, body: dict[str, Any]) -> None:
        generations = self.server.generations
        prompt = body.get("prompt")
        marked = _marked(prompt if isinstance(prompt, str) else "")
        if not self._admitted("img2img", body, marked):
            return
        wanted = check_request(body)
        generations.refuse_if_full()
        sources = [_source(address) for address in wanted.init_images]
        flaws = frozenset(marked | self.server.switches.later())
        entry = generations.accept(wanted, sources, flaws, self.origin)
        self._hold(entry, wanted)
        answer = answers.to_img2img(entry, self.origin, generations.eta(entry))
        if not self.mischief.instead_of(answer, flaws):
            self._json(200, answer)

    def _hold(self, entry: Entry, wanted: Wanted) -> None:
        work = self.server.generations.work(entry)
        if "webhook-early" in entry.faults:
            work.announced.wait(_ANNOUNCED)
        elif "held" in entry.faults:
            work.done.wait(_ANNOUNCED)
        elif not wanted.instant_response:
            work.done.wait(_HOLD)

    def _fetch(self, number: str) -> None:
        entry = self.server.generations.entry(int(number)) if re.fullmatch(r"\d{1,18}", number) else None
        if entry is None or "forgotten" in entry.faults:
            raise RefusedError("forgotten", 404, {"status": "error", "message": "Request not found"})
        self._json(200, answers.to_fetch(entry, self.origin))

    def _upload(self, body: dict[str, Any]) -> None:
        text = body.get("base64_string")
        if not isinstance(text, str) or len(text) > _MAX_UPLOAD:
            raise RefusedError("upload", 400, {"status": "error", "message": "The base64 string field is required."})
        try:
            picture = b64decode(text.rpartition(",")[2], validate=True)
            painting.check(picture)
        except ValueError:
            wrong = {"base64_string": ["The base64 string must be a picture."]}
            raise RefusedError("upload", 400, {"status": "error", "message": wrong}) from None
        name = f"{uuid.uuid4().hex}.jpg"
        folder = self.server.generations.directory / "uploads"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(picture)
        self._json(200, {"status": "success", "id": None, "output": [f"{self.origin}/uploads/{name}"]})

    def _result(self, name: str, prefix: str) -> None:
        entry = self.server.generations.by_prefix(prefix)
        flaws = frozenset(entry.faults) if entry else frozenset()
        since = time.time() - entry.finished if entry and entry.finished else 0.0
        if not self.mischief.at_a_link(flaws, since):
            kind = "text/plain" if name.endswith(".base64") else "image/png"
            self._file(self.server.generations.directory / "generations" / name, kind)

    def _file(self, path: Path, kind: str) -> None:
        if path.is_file():
            self._send(200, path.read_bytes(), kind)
        else:
            self._send(404, b"<!doctype html><title>Not found</title>", "text/html")

    def _body(self) -> dict[str, Any] | None:
        """The JSON object in the request's body, or None; an overlong or unmeasured one ends the connection."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > _MAX_BODY:
            self.close_connection = True
            return None
        try:
            document = json.loads(self.rfile.read(int(length)))
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


def _marked(prompt: str) -> frozenset[str]:
    try:
        return faults.marked(prompt)
    except ValueError as error:
        wrong = {"prompt": [f"The sandbox knows no fault named {error}."]}
        raise RefusedError("prompt", 400, {"status": "error", "message": wrong}) from None


def _source(address: str) -> bytes:
    try:
        picture = download(address)
        painting.check(picture)
    except ValueError:
        raise RefusedError("image", 200, {"status": "error", "message": "Failed to fetch init image."}) from None
    return picture
