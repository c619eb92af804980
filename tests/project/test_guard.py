"""No test reaches another machine."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import urllib3
from botocore.exceptions import HTTPClientError
from redis import Redis

from project.embedded.s3 import make_client
from tests.conftest import OutsideConnectionError


def test_another_machine_is_refused_before_anything_leaves() -> None:
    with socket.socket() as outside, pytest.raises(OutsideConnectionError):
        outside.connect(("192.0.2.1", 80))


def test_a_name_is_not_asked_for() -> None:
    with pytest.raises(OutsideConnectionError):
        requests.get("http://example.com/", timeout=1)


def test_a_datagram_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as outside, pytest.raises(OutsideConnectionError):
        outside.sendto(b"hello", ("192.0.2.1", 53))


def test_a_message_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as outside, pytest.raises(OutsideConnectionError):
        outside.sendmsg([b"hello"], [], 0, ("192.0.2.1", 53))


@pytest.mark.parametrize("ask", [socket.gethostbyname, socket.gethostbyname_ex, socket.gethostbyaddr, socket.getfqdn])
def test_no_function_asks_for_a_name(ask: Callable[[str], object]) -> None:
    with pytest.raises(OutsideConnectionError):
        getattr(socket, ask.__name__)("example.com")


OUTSIDE: dict[str, Callable[[], object]] = {
    "requests": lambda: requests.get("http://192.0.2.1/", timeout=1),
    "urllib3": lambda: urllib3.PoolManager(retries=False).request("GET", "http://192.0.2.1/", timeout=1),
    "boto3": lambda: make_client("http://192.0.2.1", "us-east-1", "a", "b").list_buckets(),
    "redis": lambda: Redis("192.0.2.1").ping(),
    "asyncio": lambda: asyncio.run(asyncio.open_connection("192.0.2.1", 80)),
    "a name": lambda: socket.create_connection(("example.com", 80), timeout=1),
}


@pytest.mark.parametrize("library", OUTSIDE)
def test_no_library_gets_out(library: str) -> None:
    with pytest.raises((OutsideConnectionError, HTTPClientError), match="only loopback is open"):
        OUTSIDE[library]()


def test_no_thread_gets_out() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(OutsideConnectionError):
        pool.submit(OUTSIDE["requests"]).result()


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
