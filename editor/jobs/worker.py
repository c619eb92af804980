"""RQ, held to what we use of it: JSON, four tasks, no callbacks."""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connection
from django.urls import reverse
from redis.exceptions import RedisError
from rq import Queue
from rq import Worker as RQWorker
from rq.executions import Execution
from rq.job import Job
from rq.utils import import_attribute

from editor import rings
from editor.images import bucket
from editor.jobs import horse, stopping

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

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """In the horse. For RQ the ring is over at once, since a ring holds nothing that could be lost."""
        with suppress(RedisError), self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            self.cleanup_execution(job, pipeline, execution)
            pipeline.delete(job.key)
            pipeline.execute()
        horse.stay(queue, job)
        return True

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM: the horse finishes its units of work and begins no other, and then we end."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def setup_work_horse_signals(self) -> None:
        """RQ lets SIGTERM kill a horse: in the middle of a paid request, if a supervisor sends it to all at once."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stopping.listen()

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
