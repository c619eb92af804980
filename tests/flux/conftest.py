"""A sandbox per module and a picture server: the real things, over real HTTP."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image, ImageDraw

from editor.flux.client import FluxClient
from editor.flux.contract import EditRequest
from editor.flux.errors import FluxError
from editor.flux.sandbox import Sandbox

KEY = "sk-live/9f8e+7d6c"


def drawn(colour: str, size: tuple[int, int] = (320, 256)) -> bytes:
    """A JPEG with something in it."""
    picture = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 40, 220, 200), fill="white", outline="black", width=6)
    draw.line((0, 0, *size), fill="navy", width=9)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=92)
    return target.getvalue()


Answerer = Callable[[BaseHTTPRequestHandler, bytes], None]


class Recorder:
    """A server that keeps what it was sent, and answers as it is told."""

    def __init__(self, answer: Answerer | None = None, port: int = 0) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.files: dict[str, bytes] = {}
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                recorder.requests.append((self.command, self.path, body))
                if answer:
                    answer(self, body)
                else:
                    reply(
                        self, 200 if self.path in recorder.files or body else 404, recorder.files.get(self.path, b"{}")
                    )

            do_GET = do_POST = _take  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exc_info()[1], OSError):  # else the client hung up, as some tests want
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def reply(handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    """One whole answer."""
    handler.send_response(code)
    for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def canned(code: int, body: object, headers: dict[str, str] | None = None) -> Answerer:
    """Answers everything alike."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        reply(handler, code, text, headers)

    return answer


def error_of(call: Callable[[], object]) -> FluxError:
    with pytest.raises(FluxError) as caught:
        call()
    return caught.value


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=0.01, slots=4, queue_limit=50) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.set_faults({})


@pytest.fixture(scope="module")
def pictures() -> Iterator[Recorder]:
    server = Recorder()
    server.files = {"/red.jpg": drawn("firebrick"), "/green.jpg": drawn("seagreen"), "/broken.jpg": b"not a picture"}
    yield server
    server.close()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[FluxClient]:
    talking = FluxClient(sandbox.base_url, KEY, sandbox.upload_url, read_timeout=2)
    yield talking
    talking.close()


@pytest.fixture
def edit(pictures: Recorder) -> Callable[..., EditRequest]:
    """Makes requests: small, instant, with a fixed seed unless told otherwise."""

    def made(prompt: str = "make it a watercolour", **changes: Any) -> EditRequest:
        fields: dict[str, Any] = {"init_image": pictures.origin + "/red.jpg", "width": 256, "height": 256, "seed": 7}
        return EditRequest(prompt=prompt, **(fields | changes))

    return made


@pytest.fixture
def recorder() -> Iterator[Callable[[Answerer | None], Recorder]]:
    """Starts recording servers that end with the test."""
    running: list[Recorder] = []

    def started(answer: Answerer | None = None) -> Recorder:
        running.append(Recorder(answer))
        return running[-1]

    yield started
    for server in running:
        server.close()
