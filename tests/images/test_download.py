"""What the safe fetcher brings home, and how it says what it could not."""

import base64
import gzip
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from editor.images.download import MOST_REDIRECTS, NotThereYet, TooLarge, Unsafe, download
from tests.images.hostile_files import saved, scene
from tests.images.loopback import Answer, Loopback, dripping, serving

PICTURE = saved(scene(), "PNG")
PUBLIC = "93.184.215.14"


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        server.answer = Answer(body=PICTURE)
        yield server


@pytest.fixture
def fetch(loopback: Loopback) -> Callable[..., bytes]:
    """Download a path of the loopback server, whose origin is allowed."""

    def run(path: str = "/generations/a-0.png", max_bytes: int = 1_000_000, timeout: float = 5) -> bytes:
        url = loopback.origin + path
        return download(url, allowed_origins=[loopback.origin], max_bytes=max_bytes, timeout=timeout)

    return run


@pytest.fixture
def resolutions(monkeypatch: pytest.MonkeyPatch, loopback: Loopback) -> list[str]:
    """Names that were looked up. `pictures.example` has a public address, whose port 80 is the loopback server."""
    asked: list[str] = []
    connect = socket.socket.connect

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        # Whoever asks again for what was already checked is told another address.
        address = PUBLIC if host == PUBLIC or not asked else "127.0.0.1"
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 80))]

    def redirected(self: socket.socket, address: Any) -> None:
        connect(self, ("127.0.0.1", loopback.port) if address == (PUBLIC, 80) else address)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", redirected)
    return asked


def test_picture_comes_home(fetch: Callable[..., bytes]) -> None:
    assert fetch() == PICTURE


def test_public_picture_comes_home_from_the_address_that_was_checked(
    resolutions: list[str], loopback: Loopback
) -> None:
    assert download("http://pictures.example/a.png", max_bytes=10_000, timeout=5) == PICTURE
    assert loopback.headers[0]["Host"] == "pictures.example"
    # The name was looked up once; after that only the address itself was.
    assert resolutions.count("pictures.example") == 1


def test_double_slashes_are_kept(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    fetch("//generations//a-0.png")
    assert loopback.paths == ["//generations//a-0.png"]


def test_redirect_is_followed(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = lambda path: (
        Answer(body=PICTURE) if path == "/b?x=1" else Answer(status=302, headers={"Location": "/b?x=1"})
    )
    assert fetch() == PICTURE


def test_redirects_in_a_circle_end(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(status=302, headers={"Location": "/again"})
    with pytest.raises(NotThereYet, match="redirects"):
        fetch()
    assert len(loopback.paths) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("status", [403, 404, 408, 410, 429, 500, 502, 503])
def test_answer_other_than_200_may_come_later(fetch: Callable[..., bytes], loopback: Loopback, status: int) -> None:
    loopback.answer = Answer(status=status, body=b"<html>not yet</html>")
    with pytest.raises(NotThereYet, match=str(status)) as caught:
        fetch()
    assert caught.value.retry_after is None


def test_server_says_when_to_come_again(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for told, least, most in (("30", 30, 30), (in_a_minute, 50, 60), ("9" * 50, 1e8, 1e9)):
        loopback.answer = Answer(status=429, headers={"Retry-After": told})
        with pytest.raises(NotThereYet) as caught:
            fetch()
        assert caught.value.retry_after is not None
        assert least <= caught.value.retry_after <= most


@pytest.mark.parametrize("told", ["soon", "-5", "Tue, 99 Foo 2026"])
def test_nonsense_about_when_to_come_again_is_ignored(
    fetch: Callable[..., bytes], loopback: Loopback, told: str
) -> None:
    loopback.answer = Answer(status=429, headers={"Retry-After": told})
    with pytest.raises(NotThereYet) as caught:
        fetch()
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html>404</html>",
        b"\n  <HTML lang=en>",
        b"\xef\xbb\xbf<!-- x -->\n<html>",
        b"<head></head>",
    ],
)
def test_html_or_nothing_with_200_may_become_a_picture(
    fetch: Callable[..., bytes], loopback: Loopback, body: bytes
) -> None:
    loopback.answer = Answer(body=body, headers={"Content-Type": "image/png"})
    with pytest.raises(NotThereYet, match="instead of a picture"):
        fetch()
    with pytest.raises(NotThereYet, match="instead of a picture"):
        fetch("/a.base64")


def test_picture_called_html_is_a_picture(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(body=PICTURE, headers={"Content-Type": "text/html"})
    assert fetch() == PICTURE


def test_nobody_there_may_come_later() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(NotThereYet, match="ConnectionError"):
            download(f"{origin}/a.png", allowed_origins=[origin], max_bytes=100, timeout=2)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:;base64,", "DATA:image/png;base64,"])
@pytest.mark.parametrize("path", ["/a-0.base64", "/a-0.base64?signature=x"])
def test_base64_text_becomes_the_picture(
    fetch: Callable[..., bytes], loopback: Loopback, prefix: str, path: str
) -> None:
    packed = base64.b64encode(PICTURE).decode()
    lines = "\r\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))
    for text in (packed, lines, packed.rstrip("="), f"\n{packed}\n" if not prefix else packed):
        loopback.answer = Answer(body=(prefix + text).encode())
        assert fetch(path, max_bytes=len(PICTURE)) == PICTURE


def test_data_address_is_decoded_under_any_name(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(body=b"data:image/png;base64," + base64.b64encode(PICTURE))
    assert fetch("/a-0.png") == PICTURE


@pytest.mark.parametrize("body", [b" \n" * 500, b"\x89PN not base64", b"a"])
def test_base64_that_is_none_may_come_later(fetch: Callable[..., bytes], loopback: Loopback, body: bytes) -> None:
    loopback.answer = Answer(body=body)
    with pytest.raises(NotThereYet):
        fetch("/a.base64")


def test_exactly_at_the_limit_comes_home(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    assert fetch(max_bytes=len(PICTURE)) == PICTURE
    loopback.answer = Answer(body=base64.b64encode(PICTURE))
    with pytest.raises(TooLarge):
        fetch("/a.base64", max_bytes=len(PICTURE) - 1)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": ""}])
def test_one_byte_over_the_limit_is_too_large(
    fetch: Callable[..., bytes], loopback: Loopback, headers: dict[str, str]
) -> None:
    loopback.answer = Answer(body=PICTURE, headers=headers)
    with pytest.raises(TooLarge):
        fetch(max_bytes=len(PICTURE) - 1)


def test_200_mb_are_not_even_begun(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(body=b"x", headers={"Content-Length": "200000000"})
    with pytest.raises(TooLarge, match="announced"):
        fetch()


def test_packed_picture_is_unpacked(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(body=gzip.compress(PICTURE), headers={"Content-Encoding": "gzip"})
    assert fetch() == PICTURE


@pytest.mark.parametrize("layers", [1, 2])
def test_gzip_bomb_is_too_large_and_takes_no_memory(
    fetch: Callable[..., bytes], loopback: Loopback, layers: int
) -> None:
    bomb = gzip.compress(bytes(10_000_000)) * 100  # a gzip file may have several members
    if layers == 2:
        bomb = gzip.compress(bomb)
    loopback.answer = Answer(body=bomb, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            fetch(max_bytes=20_000_000)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", [b"QU JD " * 3_000_000, b"Q\n" * 9_000_000, b" " * 20_000_000])
def test_base64_full_of_blanks_takes_no_more_memory_than_its_length(
    fetch: Callable[..., bytes], loopback: Loopback, text: bytes
) -> None:
    loopback.answer = Answer(body=text)
    tracemalloc.start()
    try:
        with suppress(NotThereYet):
            fetch("/a.base64", max_bytes=20_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_address_that_a_redirect_names_stays_out_of_its_errors(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    for target in ("http://127.0.0.1:9/secret", "ftp://x/secret", "http://secret@x/", "/secret", "http://[secret/"):
        loopback.answer = lambda path, target=target: (
            Answer(status=404) if path == "/secret" else Answer(status=302, headers={"Location": target})
        )
        with pytest.raises((Unsafe, NotThereYet)) as caught:
            fetch("/first.png")
        assert "secret" not in str(caught.value)


def test_picture_cut_off_on_its_way_may_come_whole_later(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(body=PICTURE, headers={"Content-Length": str(len(PICTURE) + 10)})
    with pytest.raises(NotThereYet):
        fetch()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(delay=3),
        Answer(body=b"x" * 500, drip=0.05),
        Answer(body=b"x" * 500, drip=0.05, headers={"Content-Length": ""}),
    ],
    ids=["silent", "dripping", "dripping without a length"],
)
def test_slow_server_is_given_up_when_the_time_is_over(
    fetch: Callable[..., bytes], loopback: Loopback, answer: Answer
) -> None:
    loopback.answer = answer
    began = time.monotonic()
    with pytest.raises(NotThereYet):
        fetch(timeout=0.4)
    assert time.monotonic() - began < 2


def test_headers_that_drip_for_ever_are_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with dripping(server), pytest.raises(NotThereYet, match="over"):
            download(f"{origin}/a.png", allowed_origins=[origin], max_bytes=100, timeout=0.5)
        assert time.monotonic() - began < 2


def test_secrets_of_a_link_stay_out_of_its_errors(fetch: Callable[..., bytes], loopback: Loopback) -> None:
    loopback.answer = Answer(status=404)
    with pytest.raises(NotThereYet) as caught:
        fetch("/a.png?X-Amz-Signature=secret")
    assert "secret" not in str(caught.value)
    with pytest.raises(Unsafe) as refused:
        download("http://user:secret@pictures.example/a.png?key=secret", max_bytes=100, timeout=1)
    assert "secret" not in str(refused.value)
