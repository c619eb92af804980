"""The least that storing a result through a queue can take: a ring, a fork, two writes to the bucket, and a commit.

Run as a program it is a plain worker of RQ that does this and nothing else; REDIS_URL says where.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

QUEUE = "floor"
NOTE = "floor:done"
MASTER, THUMBNAIL = 120_000, 12_000  # bytes
PATIENCE = 30  # seconds


def store(name: str) -> None:
    """The task. It notes when the commit was done."""
    from editor.images import bucket
    from editor.models import Mark

    bucket.put(f"floor/{name}/master", b"m" * MASTER, "image/jpeg")
    bucket.put(f"floor/{name}/thumbnail", b"t" * THUMBNAIL, "image/webp")
    Mark.objects.leave(QUEUE)
    with Redis.from_url(os.environ["REDIS_URL"]) as connection:
        connection.rpush(NOTE, time.time())


@contextmanager
def measured(redis_url: str) -> Iterator[Callable[[], float]]:
    """Within it, each call is one such task: seconds from the ring to the commit. Raises TimeoutError."""
    with Redis.from_url(redis_url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, commit_mode="auto")

        def once() -> float:
            began = time.time()
            queue.enqueue(store, args=(uuid4().hex,), result_ttl=0)
            done = connection.blpop([NOTE], PATIENCE)
            if done is None:
                raise TimeoutError("The floor’s worker does not answer.")
            return float(done[1]) - began

        yield once


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    from editor.images import bucket

    bucket.warm()
    connection = Redis.from_url(os.environ["REDIS_URL"])
    Worker([QUEUE], connection=connection, serializer=JSONSerializer).work(logging_level="WARNING")


if __name__ == "__main__":
    main()
