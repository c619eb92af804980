"""The flux servers that the contract is tried on: the sandbox always, the live service for whoever has a key."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
import requests

import tests.conftest
from editor.flux.client import FluxClient
from editor.flux.contract import EditRequest, Generation
from editor.flux.sandbox import Sandbox
from editor.images.download import download
from tests.flux.conftest import Recorder, drawn, reply
from tests.portal import wait_until

SANDBOX, LIVE = "sandbox", "live service"
KEY = "only-for-tests/1f3a"
PICTURES = 8
"""That one run asks for at most, and pays for."""
NOTICE = f"At most {PICTURES} pictures of 256 × 256 are made and charged."
WITHOUT_KEY = (
    "set FLUX_LIVE_API_KEY, and FLUX_LIVE_SOURCE_URL (a public JPEG) or FLUX_LIVE_UPLOAD_URL, to ask the live service. "
    + NOTICE
)


@dataclass
class Service:
    """One flux server, and what may be done with it. `webhook` is the address under which it can reach `calls`."""

    name: str
    client: FluxClient
    key: str = field(repr=False)
    source: str
    orders: bool
    webhook: str | None
    calls: list[dict[str, str]] = field(default_factory=list)

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> requests.Response:
        """A request as it is, for what the client rightly refuses to send."""
        whole = {"key": self.key if key is None else key} | body
        return requests.post(self.client.base_url + path, json=whole, timeout=(10, 300), allow_redirects=False)

    def request(self, **fields: Any) -> EditRequest:
        """A small, cheap edit with a fixed seed."""
        plain: dict[str, Any] = {"prompt": "make it look like a watercolour", "init_image": self.source}
        return EditRequest(**plain | {"width": 256, "height": 256, "seed": 20_261_122} | fields)

    def download(self, link: str) -> bytes:
        """A result, wherever it lies."""
        with opened(urlsplit(link).hostname or ""):
            return download(link, allowed_origins=[_origin(self.client.base_url)], max_bytes=40_000_000, timeout=60)

    def without_key(self, text: str) -> str:
        """For the record."""
        return text.replace(self.key, "[key]")


@contextmanager
def sandbox_service(place: Path) -> Iterator[Service]:
    """A sandbox of its own, with a picture that it can GET and an address that it can call."""
    with ExitStack() as parts:
        sandbox = parts.enter_context(Sandbox(seconds=0.3, slots=2, queue_limit=20, key=KEY, directory=place))
        client = FluxClient(sandbox.base_url, KEY, sandbox.upload_url, read_timeout=60)
        service = Service(SANDBOX, client, KEY, "", orders=True, webhook=None)
        ours = listening(service, parts).origin
        service.source, service.webhook = ours + "/source.jpg", ours + "/hook"
        yield service


@contextmanager
def live_service(environ: "os._Environ[str]") -> Iterator[Service]:
    """The service that the environment names; skips the test without a key, or where workers would pay twice."""
    key, base = environ.get("FLUX_LIVE_API_KEY"), environ.get("FLUX_LIVE_BASE_URL")
    source, upload = environ.get("FLUX_LIVE_SOURCE_URL"), environ.get("FLUX_LIVE_UPLOAD_URL")
    if not key or not (source or upload):
        pytest.skip(WITHOUT_KEY)
    if "PYTEST_XDIST_WORKER" in environ:
        pytest.skip("the live service is asked in one process only: add -n 0")
    client = FluxClient(base or "https://modelslab.com/api/v1/enterprise/", key, upload, read_timeout=300)
    orders = environ.get("FLUX_LIVE_ORDERS") == "1"
    with ExitStack() as parts:
        for address in filter(None, [client.base_url, upload]):
            parts.enter_context(opened(urlsplit(address).hostname or ""))
        service = Service(LIVE, client, key, source or "", orders, environ.get("FLUX_LIVE_WEBHOOK_URL"))
        if service.webhook:
            listening(service, parts, int(environ.get("FLUX_LIVE_WEBHOOK_PORT", "0")))
        service.source = source or client.base64_to_url(drawn("firebrick"))
        yield service


def listening(service: Service, parts: ExitStack, port: int = 0) -> Recorder:
    """A server of ours that gives out a picture, and keeps the headers of each call."""
    picture = drawn("firebrick")

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if handler.command == "POST":
            service.calls.append(dict(handler.headers.items()))
        reply(handler, 200, picture if handler.command == "GET" else b"{}")

    recorder = Recorder(answer, port)
    parts.callback(recorder.close)
    return recorder


@contextmanager
def opened(host: str) -> Iterator[None]:
    """Let connections out to this one host; the guard of all tests stays closed for every other."""
    need, ask = tests.conftest.need_loopback, socket.getaddrinfo
    known = {host}

    def need_known(address: object) -> None:
        if address not in known:
            need(address)

    def remembered(name: Any, *arguments: Any, **options: Any) -> Any:
        found = ask(name, *arguments, **options)
        if name in known:
            known.update(str(entry[4][0]) for entry in found)
        return found

    with patch.object(tests.conftest, "need_loopback", need_known), patch.object(socket, "getaddrinfo", remembered):
        yield


def finished(service: Service, generation: Generation) -> Generation:
    """Asks until it is done; a generation without an id must be done already."""
    latest = [generation]

    def done() -> bool:
        if latest[0].status == "processing" and latest[0].id:
            latest[0] = service.client.fetch(latest[0].id)
        return latest[0].status != "processing"

    wait_until(done, 300, "The picture")
    return latest[0]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
