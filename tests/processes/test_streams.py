"""Event streams of real web processes: who loses them, and that none holds up a deploy."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import requests
from django.db import transaction

from editor.desk import suspension
from editor.models import User
from project.embedded import programs
from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Child, Keeper
from tests.makers import make_image, make_job
from tests.people import client_of
from tests.portal import Portal, wait_until


class Stream:
    """One browser's event stream, read line by line."""

    def __init__(self, url: str, session: str) -> None:
        self.cookies = {"sessionid": session}
        asked = requests.get(
            f"{url}/events/pass/", cookies=self.cookies, headers={"Accept": "application/json"}, timeout=20
        )
        self.status, self.answer = asked.status_code, asked
        self.lines: Iterator[Any] = iter(())
        if asked.ok:
            address = f"{url}{asked.json()['address']}"
            self.answer = requests.get(address, cookies=self.cookies, stream=True, timeout=20)
            self.status, self.lines = self.answer.status_code, self.answer.iter_lines(decode_unicode=True)
        if self.status == requests.codes.ok:
            assert self.next() == "event: hello"

    def next(self) -> str:
        """The next line that says something; "" at the end."""
        return str(next((line for line in self.lines if line and line != "data: 1"), ""))


@contextmanager
def another_web(portal: Portal, port: int, keeper: Keeper) -> Iterator[str]:
    program = replace(programs.web(portal.environ, HOST, port), name="web2")
    child = Child(program, keeper, lambda line: portal.lines.append(f"web2 {line}"))
    child.start()
    child.wait_until_ready(60)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        child.terminate()
        child.stop(grace=8)


@pytest.fixture
def session(person: User) -> str:
    return client_of(person).cookies["sessionid"].value


def test_change_is_heard_in_every_web_process(
    portal: Portal, person: User, session: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keeper = Keeper()
    port = PortBook(tmp_path_factory.mktemp("web2") / "ports.json").take("web2", scattered())
    with another_web(portal, port, keeper) as url:
        streams = [Stream(portal.url, session), Stream(url, session)]
        assert streams[0].answer.headers["X-Accel-Buffering"] == "no"
        job = make_job(person, make_image(person, state="received"))
        assert job.cancel("released")  # type: ignore[arg-type]
        for stream in streams:
            assert f"edit:{job.pk}" in stream.next()
    keeper.close()


def test_suspended_person_loses_the_stream_at_once_and_gets_no_other(
    portal: Portal, person: User, session: str
) -> None:
    stream = Stream(portal.url, session)
    with transaction.atomic():
        suspension.shut_out(person)
    assert stream.next() == ""
    assert requests.get(stream.answer.url, cookies=stream.cookies, timeout=20).status_code == 403
    assert Stream(portal.url, session).status == 401


def test_streams_end_with_redis_and_begin_again_with_it(portal: Portal, person: User, session: str) -> None:
    stream = Stream(portal.url, session)
    portal.kill("redis")
    assert stream.next() == ""
    assert Stream(portal.url, session).status == 503
    portal.start("redis")
    with portal.kept_alive():  # RQ ends a worker that loses Redis while it works
        wait_until(lambda: Stream(portal.url, session).status == 200, 10, "A new stream")


def test_open_streams_hold_up_no_deploy(portal: Portal, session: str) -> None:
    streams = [Stream(portal.url, session) for _ in range(5)]
    began = time.monotonic()
    portal.terminate("web")
    assert [stream.next() for stream in streams] == [""] * 5
    wait_until(lambda: portal.ended("web"), 4, "The end of the web process")  # cut off, it would take five seconds
    assert time.monotonic() - began < 4
    portal.start("web")
    wait_until(lambda: Stream(portal.url, session).status == 200, 10, "A new stream")
