"""Connections are kept for what is free, never shared with another process, and never trusted with what is paid."""

from __future__ import annotations

import gzip
import io
import os
import signal
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest

from editor.flux import EditRequest, FluxClient, Verdict

from .conftest import KEY, Answerer, Recorder, canned, error_of, reply

Edit = Callable[..., EditRequest]
StartRecorder = Callable[[Answerer | None], Recorder]
WORKING = b'{"status": "processing", "id": 5}'


class Line:
    """Answers, and counts the connections it came over; hangs up instead when told to."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.hang_up_on: set[int] = set()

    def __call__(self, handler: BaseHTTPRequestHandler, _: bytes) -> None:
        self.ports.append(handler.client_address[1])
        if len(self.ports) in self.hang_up_on:
            handler.close_connection = True
        else:
            reply(handler, 200, WORKING)


@pytest.fixture
def line() -> Line:
    return Line()


def test_free_calls_share_one_connection(recorder: StartRecorder, line: Line) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    for number in range(1, 6):
        client.fetch(str(number))
    client.close()
    assert (len(line.ports), len(set(line.ports))) == (5, 1)


def test_order_to_the_server_takes_no_kept_connection_that_might_send_it_twice(
    recorder: StartRecorder, line: Line
) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    client.fetch("1")
    client.restart_server()
    client.close()
    assert (len(line.ports), len(set(line.ports))) == (2, 2)


def test_closed_client_opens_a_new_connection(recorder: StartRecorder, line: Line) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    client.fetch("1")
    client.close()
    client.fetch("2")
    client.close()
    assert len(set(line.ports)) == 2


def test_kept_connection_that_was_closed_meanwhile_goes_unnoticed(recorder: StartRecorder, line: Line) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    client.fetch("1")
    line.hang_up_on = {2}
    assert client.fetch("2").id == "2"
    client.close()
    assert line.ports[0] == line.ports[1] != line.ports[2]
    assert len(line.ports) == 3


def test_free_call_is_repeated_once_and_no_more(recorder: StartRecorder, line: Line) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    client.fetch("1")
    line.hang_up_on = {2, 3}
    error = error_of(lambda: client.fetch("2"))
    client.close()
    assert (error.verdict, error.reason, len(line.ports)) == (Verdict.LATER, "connection-lost", 3)


def test_new_connection_that_breaks_is_told_at_once(recorder: StartRecorder, line: Line) -> None:
    line.hang_up_on = {1}
    client = FluxClient(recorder(line).origin, KEY)
    error = error_of(lambda: client.fetch("1"))
    assert (error.verdict, error.reason, len(line.ports)) == (Verdict.LATER, "connection-lost", 1)


def test_paid_request_is_never_repeated(recorder: StartRecorder, line: Line, edit: Edit) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    client.fetch("1")
    line.hang_up_on = {2}
    error = error_of(lambda: client.img2img(edit()))
    client.close()
    assert (error.verdict, error.reason, len(line.ports)) == (Verdict.UNKNOWN, "connection-lost", 2)
    assert line.ports[0] != line.ports[1]


def test_threads_keep_no_more_connections_than_they_are(recorder: StartRecorder, line: Line) -> None:
    client = FluxClient(recorder(line).origin, KEY)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda number: client.fetch(str(number)).id, range(1, 81)))
    client.close()
    assert seen == [str(number) for number in range(1, 81)]
    assert len(set(line.ports)) <= 8


def test_child_asks_while_its_parents_threads_do(recorder: StartRecorder, line: Line) -> None:
    """A lock that a thread holds at the moment of a fork stays locked in the child for ever."""
    client = FluxClient(recorder(line).origin, KEY)
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            client.fetch("1")

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(busy) for _ in range(4)]
        codes = [_child_asking(client) for _ in range(5)]
        over.set()
        for thread in asking:
            thread.result()
    client.close()
    assert codes == [0] * 5


def _child_asking(client: FluxClient) -> int:
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if all(client.fetch(str(number)).id == str(number) for number in (7, 8, 9)) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_body_of_a_redirect_is_no_way_around_the_limits(recorder: StartRecorder, edit: Edit) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as bomb:
        for _ in range(100):
            bomb.write(bytes(1024 * 1024))
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    client = FluxClient(recorder(canned(307, packed.getvalue(), headers)).origin, KEY)
    request = edit()
    tracemalloc.start()
    try:
        error = error_of(lambda: client.img2img(request))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (error.verdict, error.reason) == (Verdict.UNKNOWN, "too-large")
    assert peak < 12 * 1024 * 1024
