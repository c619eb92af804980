"""What a worker forks, for many rings: a fork for each would cost more than most of them do.

RQ's worker takes the first ring, forks this horse for it, and looks after it as after any other. The horse takes what
is rung next from the queue itself, on threads with a connection to the database each, until nothing was rung for a
while. A ring is taken off Redis before it is answered: if the horse dies meanwhile, the clock finds the row.

It begins nothing more once it is asked to end or its worker is gone. It ends far earlier than RQ_JOB_TIMEOUT, after
which the worker kills it.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error, connection, connections
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.utils import as_text

from editor import rings
from editor.jobs import stopping
from editor.log_context import about, as_request_id

log = logging.getLogger(__name__)

AT_ONCE = {"edits": 8, "pictures": 1}  # rings; of pictures one, since each may take a gigabyte to decode
QUIET = 120.0  # seconds without a ring after which it goes
LONGEST = 1800.0  # seconds for which it takes rings
LISTENS = 0.5  # seconds at a time; it is asked in between whether to end
REDIS_PAUSE = 1.0  # seconds


@dataclass
class _Stay:
    """What the threads share: since when they take rings, when the last one was, how many are being answered."""

    queue: Queue
    worker: int  # process id
    since: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, change: int) -> None:
        with self.lock:
            self.busy += change
            self.last = time.monotonic()

    def over(self) -> bool:
        if stopping.asked() or os.getppid() != self.worker:
            return True
        now = time.monotonic()
        return now - self.since > LONGEST or (not self.busy and now - self.last > QUIET)


def stay(queue: Queue, first: Job) -> None:
    """Answer this ring, and those that come, until it is time to go. Call it in the main thread of the horse."""
    here = _Stay(queue, os.getppid())
    threads = [threading.Thread(target=_serve, args=(here, first), name="ring 1")]
    for number in range(2, AT_ONCE[queue.name] + 1):
        threads.append(threading.Thread(target=_serve, args=(here, None), name=f"ring {number}"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve(here: _Stay, ring: Job | None) -> None:
    try:
        while True:
            if ring is not None:
                here.count(1)
                try:
                    _answer(ring)
                finally:
                    here.count(-1)
            if here.over():
                return
            ring = _next(here.queue)
            if ring is None:
                with suppress(Error):
                    connection.ensure_connection()  # while nobody waits for it
    finally:
        connections.close_all()


def _next(queue: Queue) -> Job | None:
    """The next ring, taken off Redis; None if there was none for a moment."""
    bell = rings.bell()
    try:
        popped = bell.blpop([queue.key], timeout=LISTENS)
        if popped is None:
            return None
        ring: Job = queue.job_class.fetch(as_text(popped[1]), connection=bell, serializer=queue.serializer)
        bell.delete(ring.key)
    except RedisError as error:
        log.warning("Redis is away (%s); the work under way goes on.", type(error).__name__)
        time.sleep(REDIS_PAUSE)
    except NoSuchJobError:
        pass
    except Exception:
        log.exception("What stood in the queue is no ring.")
    else:
        return ring
    return None


def _answer(ring: Job) -> None:
    """One unit of work. Log lines carry the id of the request that rang."""
    with about(request=as_request_id((ring.meta or {}).get("request"))):
        try:
            ring.func(*ring.args)
        except Exception:
            log.exception("A ring could not be answered; the clock will ring again.")
            connections.close_all()  # whatever became of it: the next ring gets a new one
