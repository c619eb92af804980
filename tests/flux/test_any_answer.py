"""Whatever answers, only FluxError leaves the client, and all that is kept can be stored."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from editor.flux import EditRequest, FluxClient, FluxError, Secrets, parse_webhook
from editor.flux.scrubbing import MAX_ANSWER

from .conftest import KEY
from .test_contract import ANSWERS, ANYTHING
from .test_requests import registered

REQUEST = EditRequest(prompt="a hat", init_image="https://a/b.jpg", width=256, height=256, seed=1)
MOST_LINKS = 16 * 4200
"""Characters: how many links of which length are kept of an answer."""
STORED = (registered().access_key_id, registered().secret_access_key)


class Socket:
    """Reads each request to its end, answers with exactly `answer`, whatever that is, and hangs up."""

    def __init__(self) -> None:
        self.answer = b""
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.origin = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = self.listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(2)
                    self._take(connection)
                    connection.sendall(self.answer)

    def _take(self, connection: socket.socket) -> None:
        taken = b""
        while b"\r\n\r\n" not in taken and (part := connection.recv(65536)):
            taken += part
        head, _, body = taken.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        while length and len(body) < int(length[1]) and (part := connection.recv(65536)):
            body += part


@pytest.fixture(scope="module")
def any_server() -> Iterator[Socket]:
    server = Socket()
    yield server
    server.close()


NAMES = ("id", "output", "proxy_links", "message", "messege", "meta", "eta", "image_url", "retry_after", "x")
STATUS = st.sampled_from(["success", "failed", "error", "processing", "ok"])
PIECES = st.sampled_from(
    [KEY, *STORED, "\x00", "\ud800", "x" * 3000, "https://a/", "Invalid API key", "Processing failed"]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
VALUES = TEXTS | st.lists(TEXTS, max_size=20) | st.dictionaries(TEXTS, TEXTS, max_size=3) | ANYTHING
DOCUMENTS = st.fixed_dictionaries({"status": STATUS | ANYTHING}, optional=dict.fromkeys(NAMES, VALUES))
BODIES = DOCUMENTS.map(lambda document: json.dumps(document).encode())
HEADERS = st.sampled_from(
    [
        b"Retry-After: Thu, 01 Jan 0001 00:00:00 +2359",
        b"Retry-After: Fri, 31 Dec 9999 23:59:59 -2359",
        b"Retry-After: Mon, 99 Foo 9 9:9:9",
        b"Retry-After: nan",
        b"Retry-After: \xff",
        b"X-RateLimit-Reset: 1e400",
        b"X-RateLimit-Reset: nan",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Content-Encoding: br",
        b"Content-Encoding: gzip, gzip, deflate",
        b"Content-Length: 3",
        b"Content-Length: -1",
        b"Content-Length: 9, 9",
        b"Location: http://[",
        b"Location: \xff\xfe",
        b"Set-Cookie: \xff=;;;expires=\x00",
        b"X: " + b"y" * 70_000,
        b"no colon",
    ]
) | st.binary(max_size=20).map(lambda junk: b"X-Junk: " + junk)
CODES = st.sampled_from([200] * 6 + [400, 401, 404, 422, 429, 500, 503, 204, 307, 304, 100, 101, 999, 0, -1])


def http(code: int, headers: list[bytes], body: bytes) -> bytes:
    head = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %d X\r\n%b\r\n%b" % (code, head, body)


SANE = st.builds(http, st.sampled_from([200, 200, 400, 500]), st.just([]), BODIES)
STRANGE = st.builds(http, CODES, st.lists(HEADERS, max_size=2), BODIES | BODIES.map(gzip.compress) | st.binary())
CUT = st.builds(lambda whole, length: whole[:length], STRANGE, st.integers(0, 300))
ECHO = json.dumps(dict.fromkeys(["message", "image_url", "x"], f"https://a/{KEY}\ud800\x00{STORED[1]}" + "x" * 3000))


def can_be_stored(kept: Any) -> bool:
    """As JSON and as text in any database, without a secret, at a bounded size."""
    written = json.dumps(kept, allow_nan=False, ensure_ascii=False)
    written.encode()
    bounded = len(written) <= MAX_ANSWER + 2 * MOST_LINKS
    return bounded and "\\u0000" not in written and not shows_a_secret(written)


def shows_a_secret(text: str) -> bool:
    return any(secret in text for secret in (KEY, *STORED))


def calls(client: FluxClient) -> list[Any]:
    return [
        lambda: client.img2img(REQUEST),
        lambda: client.fetch("5"),
        client.system_details,
        client.clear_cache,
        lambda: client.update_s3(registered()),
        lambda: client.upload_image(b"picture"),
        lambda: client.base64_to_url(b"picture"),
    ]


def outcome(call: Any) -> Any:
    """What is left of a call: the answer, or what the one error holds."""
    try:
        answer = call()
    except FluxError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown = str([frame.locals for frame in told.stack if "editor/flux" in frame.filename]) + repr(error)
        clean = error.__context__ is None and not shows_a_secret(shown)
        return vars(error) if clean else {"leaks": shown}
    return answer if isinstance(answer, str) else asdict(answer)


@given(answer=SANE | STRANGE | CUT | st.binary(max_size=100))
@settings(max_examples=60, deadline=None, derandomize=True)
@example(answer=b"")
@example(answer=http(400, [], ECHO.encode()))
@example(answer=http(200, [], b'{"image_url": "https://a/%b"}' % KEY.encode()))
@example(answer=http(200, [b"Transfer-Encoding: chunked"], b"FFFFFFFFFFFFFFFFFF\r\n"))
@example(answer=http(200, [b"Content-Length: 2"], b"\xff\xfe"))
@example(answer=http(200, [], b"[" * 200_000))
@example(answer=http(429, [], b'{"retry_after":' + b"9" * 4000 + b"}"))
def test_whatever_answers_only_the_one_error_leaves_and_all_can_be_stored(any_server: Socket, answer: bytes) -> None:
    any_server.answer = answer
    client = FluxClient(any_server.origin, KEY, any_server.origin + "/u", 2, 2, other_secrets=STORED)
    for call in calls(client):
        left = outcome(call)
        assert "leaks" not in left
        assert can_be_stored(left)


@given(body=st.binary() | (ANSWERS | DOCUMENTS).map(lambda answer: json.dumps(answer).encode()))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_webhook_raises_nothing_but_value_error_and_can_be_stored(body: bytes) -> None:
    try:
        event = parse_webhook(body, Secrets(KEY, *STORED))
    except ValueError:
        return
    assert can_be_stored(asdict(event))
