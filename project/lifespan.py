"""What a web process does when it begins and ends, besides answering requests."""

import asyncio
import resource
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType
from typing import Any

from editor.events.hub import Hub

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

MOST_FILES = 65_536
KEPT_FOR_PAGES = 400  # files that event streams leave to pages, the database, Redis and the bucket


async def lifespan(receive: Receive, send: Send, hub: Hub) -> None:
    """The server's own protocol: begin to hear of events, and leave Redis at the end."""
    while True:
        match (await receive())["type"]:
            case "lifespan.startup":
                hub.most = max(50, files_at_most() - KEPT_FOR_PAGES)
                hub.start()
                at_signals(hub.fall_silent)
                await send({"type": "lifespan.startup.complete"})
            case "lifespan.shutdown":
                await hub.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def files_at_most() -> int:
    """How many this process may have open, after asking for as many as event streams need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def at_signals(do: Callable[[], None]) -> None:
    """Also do this, on the running loop, when the server is asked to end: before it waits for what is open."""
    if threading.current_thread() is not threading.main_thread():
        return  # such a server hears no signals either
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server = signal.getsignal(number)
        if callable(server):
            signal.signal(number, _first(loop, do, server))


def _first(
    loop: asyncio.AbstractEventLoop, do: Callable[[], None], then: Callable[[int, FrameType | None], Any]
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(do)
        then(number, frame)

    return handle
