"""What a web process hears, and the streams that it passes it on to.

One subscription for all streams of the process. A stream that is open hears everything: if Redis goes away all of them
end, and browsers ask by themselves until they get a new one, whose beginning makes them look again at everything.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from editor.events import passes
from editor.events.passes import Pass
from editor.events.telling import END, channel

log = logging.getLogger(__name__)

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

BEAT = 20.0  # seconds; proxies cut what is silent for a minute, and a browser notices by it that it was cut off
SILENCE = 5.0  # seconds; then Redis is asked whether it is still there
PATIENCE = 30.0  # seconds, with a browser that takes nothing
MOST_TOPICS = 100  # that wait for a browser; it is told to look at everything instead of more
RETRIES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two tries to hear something
PER_PERSON = 12  # streams of one person in one process
EVERYTHING = "*"


class Stream:
    """One browser's. What it has to be told waits in a set, so that a slow one takes no more room than a quick one."""

    __slots__ = ("_bound", "_ended", "_news", "_send", "_writer", "known")

    def __init__(self, known: Pass) -> None:
        self.known = known
        self._news: set[str] = set()
        self._send: Send | None = None
        self._writer: asyncio.Task[None] | None = None
        self._bound: asyncio.Timeout | None = None
        self._ended = False

    def open(self, send: Send, bound: asyncio.Timeout) -> None:
        """From now on news go out; `bound` is the time for which it is held, which `end` cuts short."""
        self._send, self._bound = send, bound
        if self._ended:
            self.end()
        if self._news:
            self._wake()

    def tell(self, topics: list[str]) -> None:
        self._news.update(topics)
        if len(self._news) > MOST_TOPICS:
            self._news = {EVERYTHING}
        self._wake()

    def beat(self) -> None:
        """Say something, whatever it is."""
        self.tell([])

    def end(self) -> None:
        self._ended = True
        if self._bound is not None and not self._bound.expired():
            with suppress(RuntimeError):  # it is over already
                self._bound.reschedule(0)

    def close(self) -> None:
        """Nothing goes out any more."""
        self._send = None
        if self._writer is not None:
            self._writer.cancel()

    def _wake(self) -> None:
        # A task only while there is something to say: most of the time there is nothing, for thousands of streams.
        if self._send is not None and self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while self._send is not None:
                    news, self._news = self._news, set()
                    said = f"data: {' '.join(sorted(news))}" if news else "event: beat\ndata: 1"
                    await self._send({"type": "http.response.body", "body": f"{said}\n\n".encode(), "more_body": True})
                    if not self._news:
                        return
        except (TimeoutError, OSError):
            self.end()
        finally:
            self._writer = None


class Hub:
    """The streams of one process, by whom they are for. Belongs to the event loop that runs `listen`."""

    def __init__(self) -> None:
        self.most = 500  # streams; as many as leave files for pages
        self.hears_since: float | None = None  # in seconds since the epoch
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)
        self._ended: dict[str, float] = {}
        self._open: set[Stream] = set()
        self._listener: asyncio.Task[None] | None = None
        self._heart: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """Begin to listen; twice does nothing."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
            self._heart = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """End all streams and leave Redis."""
        tasks = [task for task in (self._listener, self._heart) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.fall_silent()

    def fall_silent(self) -> None:
        """End all streams, and take no new one until something is heard again."""
        self.hears_since = None
        for stream in list(self._open):
            stream.end()

    def is_over(self, known: Pass) -> bool:
        """Whether this pass may have ended without our having heard of it, or has."""
        ended = max(self._ended.get(known.person_address, 0.0), self._ended.get(known.session_address, 0.0))
        return self.hears_since is None or known.issued < self.hears_since or known.issued <= ended

    def has_room_for(self, known: Pass) -> bool:
        return len(self._open) < self.most and len(self._streams.get(known.person_address, ())) < PER_PERSON

    def join(self, stream: Stream) -> None:
        self._open.add(stream)
        for address in stream.known.addresses:
            self._streams[address].add(stream)

    def leave(self, stream: Stream) -> None:
        self._open.discard(stream)
        for address in stream.known.addresses:
            self._streams[address].discard(stream)
            if not self._streams[address]:
                del self._streams[address]

    # Hearing ----------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        tries = 0
        while True:
            try:
                await self._hear()
            except (RedisError, OSError, TimeoutError) as error:
                if self.hears_since is not None or not tries:
                    log.warning("Nothing is heard from Redis (%s); browsers ask by themselves.", type(error).__name__)
                tries = 0 if self.hears_since is not None else tries
            except Exception:
                log.exception("Listening to Redis failed; it is tried again.")
            self.fall_silent()
            await asyncio.sleep(RETRIES[min(tries, len(RETRIES) - 1)])
            tries += 1

    async def _hear(self) -> None:
        """Until Redis is gone, which raises: nothing is tried again in silence, since what was missed stays missed."""
        never = Retry(NoBackoff(), 0)
        redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, retry=never, decode_responses=True)
        async with redis, redis.pubsub() as subscription:
            await subscription.subscribe(channel())
            heard = time.monotonic()
            while True:
                message = await subscription.get_message(timeout=SILENCE)
                if message is not None:
                    heard = time.monotonic()
                    self._take(message)
                elif time.monotonic() - heard > 2.5 * SILENCE:
                    raise TimeoutError
                else:
                    await subscription.ping()

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "subscribe":
            log.info("Events are heard.")
            self.hears_since = time.time()
        elif message["type"] == "message":
            self.pass_on(*str(message["data"]).split(" "))

    def pass_on(self, address: str, *topics: str) -> None:
        """Tell all streams that are for this address, or end them."""
        found = self._streams.get(address, ())
        if END in topics:
            self._remember_end(address)
            for stream in list(found):
                stream.end()
            return
        for stream in found:
            stream.tell(list(topics))

    def _remember_end(self, address: str) -> None:
        """As long as a pass from before could still open something."""
        now = time.time()
        self._ended = {known: at for known, at in self._ended.items() if now - at < passes.GOOD_FOR}
        self._ended[address] = now

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            for stream in list(self._open):
                stream.beat()
