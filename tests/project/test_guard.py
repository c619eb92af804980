"""No test reaches another machine."""

import socket

import pytest
import requests

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


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
