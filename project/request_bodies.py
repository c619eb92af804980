"""Bounds on what a web process reads of a request before anybody knows who sent it.

Django's ASGI handler stores a request's whole body in a temporary file before a view sees it, however long it is and
however slowly it comes. Whatever goes beyond these bounds is treated as a client that went away; one that sent too much
is told so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GONE: Mapping[str, Any] = {"type": "http.disconnect"}
CHUNK_SECONDS = 30.0  # between two pieces of a body
FORM_BYTES = 4_000_000  # of any request but an upload; our forms say no to far less, and in words


TOO_LARGE = b"That is more than can be sent at once. Nothing was changed. Send less, or smaller files."


class Body:
    """Reads at most `most_bytes` of a body, and waits at most `chunk_seconds` for each piece of it."""

    def __init__(self, receive: Receive, most_bytes: int, chunk_seconds: float = CHUNK_SECONDS) -> None:
        self.is_too_large = False
        self._receive, self._most, self._chunk_seconds = receive, most_bytes, chunk_seconds
        self._seen, self._complete = 0, False

    async def read(self) -> Mapping[str, Any]:
        if self._complete:  # now comes only the news that the client went away, which may take as long as it likes
            return await self._receive()
        try:
            # `wait_for` of Python 3.11 loses a cancellation that comes as the piece does: a stream would never end.
            async with asyncio.timeout(self._chunk_seconds):
                message = await self._receive()
        except TimeoutError:
            return GONE
        self._seen += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        self.is_too_large = self._seen > self._most
        return GONE if self.is_too_large else message


async def serve(portal: Application, scope: Scope, body: Body, send: Send) -> None:
    """Let it answer. If it gave up because the body was too large, say so."""
    begun = False

    async def answer(message: Mapping[str, Any]) -> None:
        nonlocal begun
        begun = True
        await send(message)

    await portal(scope, body.read, answer)
    if body.is_too_large and not begun:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": TOO_LARGE})
