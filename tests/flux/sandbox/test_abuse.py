"""What hostile and clumsy callers send does not take the sandbox down."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from editor.flux.sandbox import Sandbox, server

from ..conftest import KEY
from .conftest import Start, got, posted

PATHS = ("flux_kontext_dev/img2img", "flux_kontext_dev/fetch/1", "update_s3", "upload_image")


@pytest.fixture(autouse=True)
def _still_well(sandbox: Sandbox) -> Iterator[None]:
    yield
    assert posted(sandbox, "flux_kontext_dev/system_details").json()["status"] == "ok"


def raw(sandbox: Sandbox, content: bytes, path: str = "flux_kontext_dev/img2img") -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(sandbox.base_url + path, content, timeout=20)


def told(sandbox: Sandbox, text: bytes) -> bytes:
    """What comes back on a bare connection until it is closed."""
    with closing(socket.create_connection(("127.0.0.1", sandbox.port), 10)) as connection:
        connection.sendall(text)
        parts = b""
        while part := connection.recv(4096):
            parts += part
        return parts


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"key=1&prompt=x",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"key": "k", "prompt": ' + b"[" * 9000 + b"]" * 9000 + b"}",
        b'{"key": [' + b"[]," * 100_000 + b"0]}",
        b"\x00" * 1000,
    ],
)
def test_nonsense_is_refused_in_words(sandbox: Sandbox, path: str, content: bytes) -> None:
    answer = raw(sandbox, content, path)
    assert answer.status_code in (400, 401)
    assert answer.json()["status"] == "error"


def test_document_of_a_hundred_thousand_values_is_not_unpacked(sandbox: Sandbox) -> None:
    small, large = (b'{"key": "k", "x": [' + b"[]," * count + b"0]}" for count in (1000, 100_000))
    assert raw(sandbox, small, "flux_kontext_dev/system_details").status_code == 200
    assert raw(sandbox, large, "flux_kontext_dev/system_details").status_code == 400


@pytest.mark.parametrize(
    "field", ["prompt", "init_image", "width", "samples", "strength", "seed", "webhook", "track_id"]
)
@pytest.mark.parametrize("value", [[], {}, "\x00", "x" * 30_000, 10**300, -1, "http://[", "https://[x"])
def test_strange_value_never_breaks_it(sandbox: Sandbox, field: str, value: object) -> None:
    body = {"key": KEY, "prompt": "hat", "init_image": "http://127.0.0.1:1/x.jpg", field: value}
    answer = raw(sandbox, json.dumps(body).encode())
    assert answer.status_code in (200, 400)
    assert answer.json()["status"] == "error"


def test_body_above_the_limit_is_not_read(sandbox: Sandbox) -> None:
    head = b"POST /api/v1/enterprise/flux_kontext_dev/img2img HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n"
    started_at = time.monotonic()
    assert told(sandbox, head).startswith(b"HTTP/1.1 400 ")
    assert time.monotonic() - started_at < 2


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"x", b"", b"99999999999999999999"])
def test_body_without_a_sane_length_ends_the_connection(sandbox: Sandbox, length: bytes) -> None:
    head = b"POST /api/v1/enterprise/flux_kontext_dev/img2img HTTP/1.1\r\nHost: x\r\nContent-Length: " + length
    assert told(sandbox, head + b"\r\n\r\n{}").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_request_is_answered_and_hung_up(sandbox: Sandbox, text: bytes) -> None:
    answer = told(sandbox, text)
    assert b" 4" in answer[:200] or b" 5" in answer[:200]


def test_slow_senders_are_cut_off(started: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_READING", 0.5)
    own, _ = started()
    halves = (b"", b"POST /api", b"POST /x HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    connections = [socket.create_connection(("127.0.0.1", own.port), 10) for _ in halves]
    for connection, half in zip(connections, halves, strict=True):
        connection.sendall(half)
    assert got(own.origin + "/ledger").status_code == 200
    started_at = time.monotonic()
    for connection, half in zip(connections, halves, strict=True):
        with closing(connection):
            if half:
                connection.settimeout(5)
                assert b"HTTP/1.1 2" not in connection.recv(4096)
    assert time.monotonic() - started_at < 5


def test_more_connections_than_it_bears_are_hung_up_and_harm_nobody(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 5)
    own, _ = started()
    crowd = [socket.create_connection(("127.0.0.1", own.port), 10) for _ in range(5)]
    with closing(socket.create_connection(("127.0.0.1", own.port), 10)) as late:
        late.settimeout(5)
        assert late.recv(1) == b""
    for connection in crowd:
        connection.close()
    deadline = time.monotonic() + 5
    while True:
        try:
            assert got(own.origin + "/ledger").status_code == 200
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
