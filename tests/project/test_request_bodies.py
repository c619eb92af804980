"""What a web process reads of a request."""

import asyncio
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync

from project.request_bodies import GONE, Body, Receive, Scope, Send, serve


def piece(size: int, more: bool = True) -> Mapping[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def read_all(pieces: list[Mapping[str, Any]], most: int, seconds: float = 1.0) -> list[Mapping[str, Any]]:
    """All that a handler gets to see of a client that sends these pieces and then nothing."""
    waiting = iter(pieces)

    async def client() -> Mapping[str, Any]:
        found = next(waiting, None)
        return found if found is not None else await asyncio.sleep(60, GONE)

    async def read() -> list[Mapping[str, Any]]:
        receive = Body(client, most, seconds).read
        seen: list[Mapping[str, Any]] = []
        while not seen or (seen[-1] is not GONE and seen[-1]["more_body"]):
            seen.append(await receive())
        return seen

    return async_to_sync(read)()


def test_body_within_the_bounds_comes_through() -> None:
    pieces = [piece(5), piece(5, more=False)]
    assert read_all(pieces, most=10) == pieces


def test_endless_body_ends_at_the_bound() -> None:
    assert read_all([piece(5)] * 100, most=12) == [piece(5), piece(5), GONE]


def test_client_that_stops_in_the_middle_is_gone() -> None:
    assert read_all([piece(5)], most=100, seconds=0.05) == [piece(5), GONE]


def test_client_may_wait_for_its_answer() -> None:
    async def read() -> bool:
        messages = iter([piece(1, more=False)])

        async def client() -> Mapping[str, Any]:
            found = next(messages, None)
            return found if found is not None else await asyncio.sleep(60, GONE)

        receive = Body(client, 10, chunk_seconds=0.01).read
        await receive()
        later = asyncio.ensure_future(receive())
        await asyncio.sleep(0.05)
        waits = not later.done()
        later.cancel()
        return waits

    assert async_to_sync(read)()


def told(most: int, *, answers_first: bool = False) -> list[Any]:
    """What a client hears that sends ten bytes to a portal which gives up, without a word, when it is gone."""
    sent: list[Any] = []
    pieces = iter([piece(5), piece(5, more=False)])

    async def client() -> Mapping[str, Any]:
        return next(pieces)

    async def hear(message: Mapping[str, Any]) -> None:
        sent.append(message.get("status", message.get("body")))

    async def portal(scope: Scope, receive: Receive, send: Send) -> None:
        if answers_first:
            await send({"type": "http.response.start", "status": 200})
        while (message := await receive()) is not GONE:
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200})
                return

    async_to_sync(serve)(portal, {}, Body(client, most), hear)
    return sent


def test_who_sends_too_much_is_told_so() -> None:
    status, words = told(most=7)
    assert status == 413
    assert b"Nothing was changed" in words


def test_who_sends_no_more_than_allowed_has_the_portals_answer() -> None:
    assert told(most=10) == [200]


def test_nothing_is_said_behind_an_answer_that_has_begun() -> None:
    assert told(most=7, answers_first=True) == [200]


def test_who_is_to_stop_as_a_piece_comes_stops() -> None:
    async def stop() -> bool:
        coming: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()

        async def client() -> Mapping[str, Any]:
            return await coming

        reading = asyncio.ensure_future(Body(client, most_bytes=10).read())
        await asyncio.sleep(0.01)
        coming.set_result(piece(5))
        reading.cancel()
        await asyncio.wait([reading])
        return reading.cancelled()

    assert async_to_sync(stop)()
