"""A door before the bucket that can be shut, slow, or lose what comes back. Bytes pass as they are, signatures too."""

import asyncio
import random
import threading
from contextlib import suppress
from enum import StrEnum
from urllib.parse import urlsplit


class Mood(StrEnum):
    WELL = "well"
    DOWN = "down"  # the connection breaks off
    ERRORS = "errors"  # 503 to everything
    FULL = "full"  # 507 to whatever is to be written
    SLOW = "slow"  # a second or so before each request goes on
    ANSWER_LOST = "answer-lost"  # what was to be written or deleted is, and the answer never comes


WRITES = (b"PUT ", b"POST ", b"DELETE ")
VERBS = (*WRITES, b"GET ", b"HEAD ")
CHUNK = 65_536
SLOWEST = 1.5  # seconds


class Proxy:
    """Listens on loopback in a thread of its own; `mood` may be set at any time."""

    def __init__(self, behind: str) -> None:
        self.mood = Mood.WELL
        parts = urlsplit(behind)
        self._behind = (parts.hostname or "", parts.port or 80)
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="the door before the bucket")
        self._thread.start()
        self._up.wait(5)

    def close(self) -> None:
        """Let nobody in any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._up.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.mood == Mood.DOWN:
                return
            from_behind, to_behind = await asyncio.open_connection(*self._behind)
        except OSError:
            return
        finally:
            if self.mood == Mood.DOWN:
                writer.transport.abort()
        talk = _Talk(self, writer, to_behind)
        there = asyncio.ensure_future(talk.there(reader))
        back = asyncio.ensure_future(talk.back(from_behind))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            for end in (writer, to_behind):
                end.close()


class _Talk:
    """One connection, with the requests that follow one another on it."""

    def __init__(self, proxy: Proxy, front: asyncio.StreamWriter, behind: asyncio.StreamWriter) -> None:
        self.proxy, self.front, self.behind = proxy, front, behind
        self.writes = False

    async def there(self, reader: asyncio.StreamReader) -> None:
        try:
            while chunk := await reader.read(CHUNK):
                if chunk.startswith(VERBS) and not await self._let_in(chunk, reader):
                    return
                self.behind.write(chunk)
                await self.behind.drain()
        except OSError:
            return

    async def _let_in(self, chunk: bytes, reader: asyncio.StreamReader) -> bool:
        self.writes = chunk.startswith(WRITES)
        match self.proxy.mood:
            case Mood.DOWN:
                self.front.transport.abort()
                return False
            case Mood.ERRORS:
                return await self._refuse(b"503 Service Unavailable", b"SlowDown", reader)
            case Mood.FULL if chunk.startswith(b"PUT "):
                return await self._refuse(b"507 Insufficient Storage", b"XMinioStorageFull", reader)
            case Mood.SLOW:
                await asyncio.sleep(random.uniform(0, SLOWEST))
        return True

    async def _refuse(self, status: bytes, code: bytes, reader: asyncio.StreamReader) -> bool:
        body = b"<?xml version='1.0'?><Error><Code>" + code + b"</Code><Message>No.</Message></Error>"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        self.front.write(head % (status, len(body)) + body)
        await self.front.drain()
        with suppress(TimeoutError):  # whoever closes at once may take the answer back with it
            await asyncio.wait_for(reader.read(CHUNK), 0.2)
        return False

    async def back(self, reader: asyncio.StreamReader) -> None:
        try:
            while chunk := await reader.read(CHUNK):
                goes_on = chunk.startswith(b"HTTP/1.1 100")
                if self.proxy.mood == Mood.ANSWER_LOST and self.writes and not goes_on:
                    self.front.transport.abort()
                    return
                self.front.write(chunk)
                await self.front.drain()
        except OSError:
            return
