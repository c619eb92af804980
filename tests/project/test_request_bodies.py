"""What a web process reads of a request."""

import asyncio
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync

from project.request_bodies import GONE, bounded


def piece(size: int, more: bool = True) -> Mapping[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def read_all(pieces: list[Mapping[str, Any]], most: int, seconds: float = 1.0) -> list[Mapping[str, Any]]:
    """All that a handler gets to see of a client that sends these pieces and then nothing."""
    waiting = iter(pieces)

    async def client() -> Mapping[str, Any]:
        found = next(waiting, None)
        return found if found is not None else await asyncio.sleep(60, GONE)

    async def read() -> list[Mapping[str, Any]]:
        receive = bounded(client, most, seconds)
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

        receive = bounded(client, 10, chunk_seconds=0.01)
        await receive()
        later = asyncio.ensure_future(receive())
        await asyncio.sleep(0.05)
        waits = not later.done()
        later.cancel()
        return waits

    assert async_to_sync(read)()
