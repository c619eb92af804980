"""Every request has an id: the one that a proxy gave it, or a new one. It is answered, and stands in every log line."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from editor.log_context import as_request_id, new_request_id

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

HEADER = b"x-request-id"


def taken_or_made(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """That of the request's headers if there is exactly one that looks like an id."""
    given = [value.decode("latin-1") for name, value in headers if name.lower() == HEADER]
    return (as_request_id(given[0]) if len(given) == 1 else "") or new_request_id()


def answering(send: Send, request_id: str) -> Send:
    """Sends as `send` does, with the id among the headers of the answer."""

    async def answer(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (HEADER, request_id.encode())]}
        await send(message)

    return answer
