"""RQ, held to what we use of it: JSON, four tasks, no callbacks."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.urls import reverse
from redis.exceptions import RedisError
from rq import Worker as RQWorker
from rq.job import Job
from rq.utils import import_attribute

from editor import rings
from editor.images import bucket

log = logging.getLogger(__name__)

ALLOWED = frozenset(rings.QUEUES)
REDIS_PAUSE = 1.0  # seconds
MAINTENANCE_SECONDS = 10  # RQ's default let an idle worker overlook a killed colleague for 13 minutes


class NotOurTaskError(Exception):
    """Somebody wrote a job into Redis that we never ring."""


class Ring(Job):
    """RQ calls any dotted path that it finds in Redis. This one calls our tasks and nothing else."""

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in ALLOWED or self.instance is not None:
            raise NotOurTaskError(str(self.func_name)[:100])
        task: Callable[..., Any] = import_attribute(self.func_name)
        return task

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


class Worker(RQWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["maintenance_interval"] = MAINTENANCE_SECONDS
        kwargs["log_job_description"] = False
        super().__init__(*args, **kwargs)

    def monitor_work_horse(self, *args: Any, **kwargs: Any) -> Any:
        """A Redis that goes away must not end the work under way: RQ alone would die, and its horse with it."""
        while True:
            try:
                return super().monitor_work_horse(*args, **kwargs)
            except RedisError as error:
                log.warning("Redis is away (%s); the work under way goes on.", type(error).__name__)
                time.sleep(REDIS_PAUSE)

    def work(self, *args: Any, **kwargs: Any) -> bool:
        # What is made here is there in every fork, which then needn't spend a third of a second and more on it.
        for task in ALLOWED:
            import_attribute(task)
        bucket.warm()
        reverse("studio")  # reads all addresses
        connection.ops.compiler("SQLCompiler")  # a module that is loaded late; opens no connection
        return super().work(*args, **kwargs)
