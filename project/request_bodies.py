"""Bounds on what a web process reads of a request before anybody knows who sent it.

Django's ASGI handler stores a request's whole body in a temporary file before a view sees it, however long it is and
however slowly it comes. Whatever goes beyond these bounds is treated as a client that went away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

GONE: Mapping[str, Any] = {"type": "http.disconnect"}
CHUNK_SECONDS = 30.0  # between two pieces of a body
FORM_BYTES = 4_000_000  # of any request but an upload; our forms say no to far less, and in words


def bounded(receive: Receive, most_bytes: int, chunk_seconds: float = CHUNK_SECONDS) -> Receive:
    """Reads at most `most_bytes` of a body, and waits at most `chunk_seconds` for each piece of it."""
    seen, complete = 0, False

    async def read() -> Mapping[str, Any]:
        nonlocal seen, complete
        if complete:  # what comes now is only the news that the client went away: that may take as long as it likes
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), chunk_seconds)
        except TimeoutError:
            return GONE
        seen += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        return message if seen <= most_bytes else GONE

    return read
