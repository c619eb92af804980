"""The key stays where it belongs, answers stay bounded, connections are shared by nobody who should not."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import threading
import traceback
import tracemalloc
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from editor.flux.client import FluxClient, loopback
from editor.flux.contract import EditRequest
from editor.flux.errors import FluxError, Verdict
from editor.flux.sandbox import Sandbox

from .conftest import KEY, Answerer, Recorder, canned, drawn, error_of, reply

Edit = Callable[..., EditRequest]
StartRecorder = Callable[[Answerer | None], Recorder]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_key_goes_through_no_redirect(recorder: StartRecorder, edit: Edit, code: int) -> None:
    elsewhere = recorder(None)
    first = recorder(canned(code, b"", {"Location": elsewhere.origin + "/x"}))
    client = FluxClient(first.origin, KEY, first.origin)
    assert error_of(lambda: client.img2img(edit())).verdict is Verdict.UNKNOWN
    for call in (lambda: client.fetch("5"), client.system_details, lambda: client.base64_to_url(drawn("red"))):
        assert error_of(call).verdict is Verdict.LATER
    assert (len(first.requests), elsewhere.requests) == (4, [])


ECHOES = [
    canned(401, {"status": "error", "message": f"bad key {KEY}", "key": KEY}),
    canned(200, {"status": "error", "message": {KEY: [KEY]}}),
    canned(200, {"status": "processing", "id": KEY, "message": KEY}),
    canned(
        200, {"status": "success", "id": 5, "output": [f"https://a/{KEY}"], "meta": {"echo": [KEY]}, "messege": KEY}
    ),
    canned(500, KEY.encode()),
    canned(307, b"", {"Location": f"/{KEY}"}),
]


@pytest.mark.parametrize("answer", ECHOES)
def test_key_leaks_nowhere(
    recorder: StartRecorder, edit: Edit, caplog: pytest.LogCaptureFixture, answer: Answerer
) -> None:
    caplog.set_level(logging.DEBUG)
    server = recorder(answer)
    client = FluxClient(server.origin, KEY, server.origin)
    shown = [repr(client)]
    for call in (lambda: client.img2img(edit()), lambda: client.fetch("5"), client.system_details):
        try:
            result = call()
            shown += [repr(result), json.dumps(result.answer), str(getattr(result, "outputs", ""))]
        except FluxError as error:
            shown += leaky_places(error)
    assert KEY.encode() in server.requests[0][2]
    assert KEY not in "".join(shown) + caplog.text


def leaky_places(error: BaseException) -> list[str]:
    """Everything that an error page or a log would show, the local variables of all frames included."""
    assert error.__cause__ is None
    assert error.__context__ is None
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if "editor/flux" in frame.filename]
    return [str(error), repr(error), repr(error.args), repr(vars(error)), str([frame.locals for frame in ours])]


@pytest.mark.parametrize("fault", ["reset", "hang", "cut-json", "gzip-bomb"])
def test_key_does_not_leak_when_the_connection_breaks(
    sandbox: Sandbox, edit: Edit, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client = FluxClient(sandbox.base_url, KEY, read_timeout=0.5)
    error = error_of(lambda: client.img2img(edit(f"x #fault:{fault}")))
    assert KEY not in "".join(leaky_places(error)) + caplog.text


def test_gzip_bomb_takes_little_memory(recorder: StartRecorder, edit: Edit) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as bomb:
        for _ in range(300):
            bomb.write(bytes(1024 * 1024))
    server = recorder(canned(200, packed.getvalue(), {"Content-Encoding": "gzip"}))
    request = edit()
    tracemalloc.start()
    try:
        error = error_of(lambda: FluxClient(server.origin, KEY).img2img(request))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (error.verdict, error.reason) == (Verdict.UNKNOWN, "too-large")
    assert peak < 12 * 1024 * 1024


def test_paid_requests_use_a_connection_of_their_own(recorder: StartRecorder, edit: Edit) -> None:
    ports: list[int] = []

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        ports.append(handler.client_address[1])
        reply(handler, 200, b'{"status": "processing", "id": 5}')

    client = FluxClient(recorder(answer).origin, KEY)
    client.fetch("5")
    client.img2img(edit())
    client.img2img(edit())
    client.fetch("5")
    client.close()
    assert len(set(ports)) == 3
    assert ports[0] == ports[3]


def test_client_survives_a_fork(recorder: StartRecorder) -> None:
    """A child that used its parent's connection would get, or eat, its parent's answers."""
    ports: list[int] = []

    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        ports.append(handler.client_address[1])
        reply(handler, 200, b'{"status": "processing"}')

    client = FluxClient(recorder(answer).origin, KEY)
    client.fetch("1")
    child = os.fork()
    if child == 0:
        os._exit(0 if client.fetch("2").id == "2" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.fetch("3")
    client.close()
    assert ports[0] == ports[2] != ports[1]


def test_sixteen_threads_share_a_client(sandbox: Sandbox, client: FluxClient, edit: Edit) -> None:
    number = client.img2img(edit()).id or ""
    seen: list[str | None] = []

    def ask() -> None:
        for _ in range(10):
            seen.append(client.fetch(number).id)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [number] * 160


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_loopback_is_reached_past_a_proxy(
    sandbox: Sandbox, client: FluxClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert client.system_details().model_count == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8010/x", True),
        ("http://127.9.9.9/", True),
        ("https://localhost/", True),
        ("http://app.localhost:1/", True),
        ("http://[::1]:80/", True),
        ("https://modelslab.com/", False),
        ("https://localhost.example.com/", False),
        ("https://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_loopback_is_what_plainly_names_this_machine(url: str, expected: bool) -> None:
    assert loopback(url) is expected
