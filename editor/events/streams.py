"""The address of event streams, beside Django: it takes no thread, no transaction and no database connection."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http.cookie import parse_cookie

from editor.events import passes
from editor.events.hub import PATIENCE, Hub, Send, Stream

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

PATH = "/events/"
HELD = 300.0  # seconds, give or take a fifth: then it is asked again whether the person is still signed in
LONGEST_QUERY = 8_000  # characters

hub = Hub()  # of this process

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events until it has a page full
    (b"x-content-type-options", b"nosniff"),
]


async def answer(scope: Mapping[str, Any], receive: Receive, send: Send, hub: Hub = hub) -> None:
    """A stream for whoever brings a pass: 403 without a good one, 429 for too many, 503 while nothing can be heard."""
    if scope["method"] != "GET":
        return await _refuse(send, 405)
    try:
        known = passes.read(_pass_in(scope), _session_in(scope))
    except passes.Refused:
        return await _refuse(send, 403)
    if hub.hears_since is None:
        return await _refuse(send, 503)
    if hub.is_over(known):
        return await _refuse(send, 403)
    if not hub.has_room_for(known):
        return await _refuse(send, 429)
    return await _hold(Stream(known), receive, send, hub)


async def _hold(stream: Stream, receive: Receive, send: Send, hub: Hub) -> None:
    hub.join(stream)  # before the browser is told that it begins: what happens from now on reaches it
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"event: hello\ndata: 1\n\n", "more_body": True})
        async with asyncio.timeout(HELD * random.uniform(0.8, 1.2)) as bound:  # noqa: S311  so that not all end at once
            stream.open(send, bound)
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    finally:
        hub.leave(stream)
        stream.close()
    with suppress(TimeoutError):  # of one that takes nothing
        async with asyncio.timeout(PATIENCE):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _pass_in(scope: Mapping[str, Any]) -> str:
    query = scope["query_string"][:LONGEST_QUERY].decode("ascii", "replace")
    return parse_qs(query, max_num_fields=8).get("pass", [""])[0] if query.count("&") < 8 else ""


def _session_in(scope: Mapping[str, Any]) -> str:
    """The key of the session whose cookie the browser sent; "" without one."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    cookies = b"; ".join(value for name, value in headers if name.lower() == b"cookie")
    return parse_cookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
