"""A browser that listens, as the server shows it to the portal: by ASGI, without a network."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from editor.events import passes, streams, telling
from editor.events.hub import Hub

SESSION = "session-of-a-browser"


class Browser:
    """Opens a stream with a pass and keeps what it gets; leaves when told to."""

    def __init__(self, hub: Hub, text: str, session: str = SESSION, method: str = "GET") -> None:
        self.got: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        self._left = asyncio.Event()
        scope = {
            "type": "http",
            "method": method,
            "path": streams.PATH,
            "query_string": urlencode({"pass": text}).encode(),
            "headers": [(b"cookie", f"theme=dark; sessionid={session}".encode())],
        }
        self.answering = asyncio.create_task(streams.answer(scope, self._receive, self._send, hub))

    async def _receive(self) -> Mapping[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self.takes.wait()
        await self.got.put(message)

    async def next(self) -> Mapping[str, Any]:
        async with asyncio.timeout(5):
            return await self.got.get()

    async def status(self) -> int:
        return int((await self.next())["status"])

    async def words(self) -> str:
        return str((await self.next())["body"].decode())

    async def leave(self) -> None:
        self._left.set()
        await self.ended()

    async def ended(self) -> None:
        async with asyncio.timeout(5):
            await self.answering


def pass_for(person: int = 1, *workspaces: UUID, session: str = SESSION) -> str:
    return passes.write(person, session, workspaces)


def say(address: str, *topics: str) -> None:
    """From another process."""
    telling._say(" ".join([address, *topics]))


def listening(scene: Callable[[Hub], Awaitable[None]]) -> None:
    """Plays a scene with a web process that hears."""

    async def play() -> None:
        hub = Hub()
        hub.start()
        try:
            async with asyncio.timeout(20):
                while hub.hears_since is None:
                    await asyncio.sleep(0.01)
                await scene(hub)
        finally:
            await hub.stop()

    asyncio.run(play())
