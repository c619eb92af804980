"""Log lines say what they are about: request, edit and attempt, for people and for programs."""

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from editor import rings
from editor.log_context import Context, JsonFormatter, LineFormatter, about, request_id
from project import request_ids


def line(formatter: logging.Formatter, message: str, *args: object, **fields: Any) -> str:
    """What the console handler writes for a record that is made now."""
    record = logging.makeLogRecord({"name": "editor.x", "levelname": "INFO", "msg": message, "args": args, **fields})
    assert Context().filter(record)
    return formatter.format(record)


def test_line_carries_what_it_is_about_and_nothing_where_it_is_about_nothing() -> None:
    assert line(LineFormatter(), "Hello %s", "you") == "INFO editor.x Hello you"
    with about(request="r1", job="j1"):
        with about(attempt="a1", job="j2"):
            assert line(LineFormatter(), "Hello") == "INFO editor.x Hello [request=r1 job=j2 attempt=a1]"
        assert line(LineFormatter(), "Hello") == "INFO editor.x Hello [request=r1 job=j1]"
    assert line(LineFormatter(), "Hello") == "INFO editor.x Hello"


def test_json_is_one_object_a_line_whatever_it_holds() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        found = sys.exc_info()
    with about(request="r1", job="j1", attempt=""):
        said = line(JsonFormatter(), 'quote " and\nline %s', "end", exc_info=found)
    assert "\n" not in said
    read = json.loads(said)
    assert (read["message"], read["request"], read["job"]) == ('quote " and\nline end', "r1", "j1")
    assert "attempt" not in read
    assert read["exception"].endswith("ValueError: two\nlines")
    assert read["time"].endswith("+00:00")


def answered(*given: str) -> tuple[str, str]:
    """The id that a request works under, and the one that it is answered with."""
    sent: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    async def ask() -> str:
        name = request_ids.taken_or_made([(b"X-Request-ID", value.encode()) for value in given])
        answer = request_ids.answering(send, name)
        await answer({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await answer({"type": "http.response.body", "body": b""})
        return name

    name = async_to_sync(ask)()
    assert sent[0]["headers"][0] == (b"a", b"b")
    assert "headers" not in sent[1]
    return name, dict(sent[0]["headers"])[b"x-request-id"].decode()


def test_id_of_a_proxy_is_taken_and_answered() -> None:
    assert answered("a1b2c3d4-e5f6") == ("a1b2c3d4-e5f6", "a1b2c3d4-e5f6")


@pytest.mark.parametrize(
    "given", [[], [""], ["short"], ["x" * 65], ["with space"], ["line\nbreak-x"], ['}{"x":1}xx'], ["a" * 9, "b" * 9]]
)
def test_id_that_is_none_is_replaced(given: list[str]) -> None:
    name, said = answered(*given)
    assert name == said
    assert len(name) == 32
    assert name not in given


@pytest.mark.django_db(transaction=True)
def test_ring_carries_the_id_of_the_request_that_rang() -> None:
    import django_rq

    with about(request="click-12345"):
        rings.ring_checks()
    [ring] = django_rq.get_queue("edits").get_jobs()
    assert ring.meta == {"request": "click-12345"}
    assert request_id() == ""
