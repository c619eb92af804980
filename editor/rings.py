"""Ringing the bell: "look at this row". A ring that is lost, repeated or late costs nothing but time.

Redis holds nothing else. A ring that can't be sent is no error for anybody: the clock finds the row.
"""

import logging
import time
from functools import cache, partial
from uuid import UUID, uuid4

import django_rq
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue

from editor.log_context import request_id

log = logging.getLogger(__name__)

LOOK_AT_JOB = "editor.jobs.tasks.look_at_job"
CHECK_DUE = "editor.jobs.tasks.check_due"
LOOK_AT_ORDER = "editor.jobs.tasks.look_at_order"
GO_ON_WITH_BATCH = "editor.jobs.tasks.go_on_with_batch"
LOOK_AT_IMAGE = "editor.jobs.tasks.look_at_image"
LOOK_AT_CHANGES = "editor.jobs.tasks.look_at_changes"
MAIL_NOTICE = "editor.desk.posting.mail_notice"
MAIL_BATCH = "editor.jobs.batch_mails.mail_batch"
MAIL_TOLD = "editor.notifications.mails.mail_told"
LOOK_AT_BUCKET = "editor.doctor.daily.look"
QUEUES = {
    LOOK_AT_JOB: "edits",
    CHECK_DUE: "edits",
    LOOK_AT_ORDER: "edits",
    GO_ON_WITH_BATCH: "edits",
    LOOK_AT_IMAGE: "pictures",
    LOOK_AT_CHANGES: "pictures",
    MAIL_NOTICE: "pictures",
    MAIL_BATCH: "pictures",
    MAIL_TOLD: "pictures",
    LOOK_AT_BUCKET: "pictures",
}
MARK_KEPT = 3600  # seconds


@cache
def bell() -> Redis:
    """A connection for ringing alone: short timeouts and no retries, because people wait behind it."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))


def ring_job(job_id: UUID) -> None:
    _on_commit(LOOK_AT_JOB, str(job_id))


def ring_order(order_id: UUID) -> None:
    _on_commit(LOOK_AT_ORDER, str(order_id))


def ring_image(image_id: UUID) -> None:
    _on_commit(LOOK_AT_IMAGE, str(image_id))


def ring_changes(image_id: UUID) -> None:
    """What an edit changed in this result is to be found out."""
    _on_commit(LOOK_AT_CHANGES, str(image_id))


def ring_notice(notice_id: UUID) -> None:
    _on_commit(MAIL_NOTICE, str(notice_id))


def ring_batch(batch_id: UUID) -> None:
    _on_commit(MAIL_BATCH, str(batch_id))


def ring_told(person_id: int, subject: str) -> None:
    """There may be something to mail to this person about this subject."""
    _on_commit(MAIL_TOLD, str(person_id), subject)


def ring_steps(batch_id: UUID) -> None:
    """Edits of a batch are to be made."""
    _on_commit(GO_ON_WITH_BATCH, str(batch_id))


def ring_checks() -> None:
    """ "Whatever is due with the vendor": one ring for all."""
    _on_commit(CHECK_DUE)


def ring_bucket() -> None:
    """The daily look at all objects, or the rest of it."""
    _on_commit(LOOK_AT_BUCKET)


def answered(task: str, *args: str) -> None:
    """The first thing a task does, so that a ring from now on is sent again."""
    bell().delete(_mark(task, *args))


def _mark(task: str, *args: str) -> str:
    return ":".join(["retake", "ring", task.rsplit(".", 1)[-1], *args])


def _on_commit(task: str, *args: str) -> None:
    transaction.on_commit(partial(_send, task, *args))


def _send(task: str, *args: str) -> None:
    mark, ring = _mark(task, *args), uuid4().hex
    try:
        queue = django_rq.get_queue(QUEUES[task], connection=bell(), commit_mode="auto")
        rung = f"{ring} {time.time():.3f}"
        if not bell().set(mark, rung, nx=True, ex=MARK_KEPT):
            if _waits(queue, mark):
                return
            bell().set(mark, rung, ex=MARK_KEPT)
        options = {"job_timeout": settings.RQ_JOB_TIMEOUT, "result_ttl": 0, "failure_ttl": 86_400}
        meta = {"request": request_id()} if request_id() else None  # for log lines alone
        queue.enqueue(task, args=args, job_id=ring, meta=meta, **options)
    except RedisError as error:
        log.warning("The bell did not ring (%s); the clock will find the row.", type(error).__name__)


def _waits(queue: Queue, mark: str) -> bool:
    """Whether such a ring is on its way: just rung, or still in the queue.

    However long the queue is, nothing waits in it twice: a busy worker would never get to its end.
    """
    known = bell().get(mark)
    if known is None:
        return False
    ring, rung_at = (known if isinstance(known, str) else known.decode()).split()
    fresh = time.time() - float(rung_at) < settings.RING_PATIENCE.total_seconds()
    return fresh or bell().lpos(queue.key, ring) is not None
