"""processing → what became of it: asking the vendor, which costs nothing. Many jobs at once, on threads."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from editor import rings
from editor.flux.contract import Generation, Status
from editor.flux.errors import FluxError
from editor.jobs import stopping, vendor
from editor.jobs.backoff import poll_at, retry_at
from editor.jobs.submission import generation_facts
from editor.log_context import about
from editor.models import Attempt, AttemptState, GenerationJob, JobState

BATCH = 64
THREADS = 12


class Check(NamedTuple):
    job: GenerationJob
    attempt: Attempt
    asked_at: datetime


def check_due() -> int:
    """Ask about every job that is due; returns how many were asked about."""
    asked = 0
    while True:
        due = GenerationJob.objects.due(timezone.now()).filter(state=JobState.PROCESSING)[:BATCH]
        claimed = [job for job in due if job.claim({JobState.PROCESSING}, settings.JOB_CHECK_LEASE)]
        check(claimed)
        asked += len(claimed)
        if len(claimed) < BATCH or stopping.asked():
            break
    return asked + check_discarded()


def check(jobs: list[GenerationJob], *, ring: bool = True) -> list[Check]:
    """Ask about claimed jobs, and ring for those that are done; without `ring` their leases stay with the caller.

    Returns what was asked about. No transaction and no database work while the network is waited for.
    """
    latest = {attempt.job_id: attempt for attempt in Attempt.objects.filter(job__in=jobs, state=AttemptState.OPEN)}
    now = timezone.now()
    checks = [Check(job, latest[job.pk], now) for job in jobs if job.pk in latest]
    for one, answer in zip(checks, _fetch_all([one.attempt for one in checks]), strict=True):
        with about(job=one.job.pk, attempt=one.attempt.pk), transaction.atomic():
            _apply(one, answer, ring)
    return checks


def _fetch_all(attempts: list[Attempt]) -> list[Generation | FluxError]:
    if len(attempts) == 1:
        return [_fetch(attempts[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(_fetch, attempts))


def _fetch(attempt: Attempt) -> Generation | FluxError:
    try:
        return vendor.client().fetch(str(attempt.vendor_id))
    except FluxError as error:
        return error


def _apply(check: Check, answer: Generation | FluxError, ring: bool) -> None:
    job, attempt, asked_at = check
    now = timezone.now()
    facts: dict[str, object] = {"checked_at": now}
    if isinstance(answer, Generation):
        facts |= generation_facts(answer)
    # Links are kept as they come; a success that lists none is asked about again. Whoever took so long that somebody
    # else asked meanwhile has nothing to say any more.
    if not Attempt.objects.filter(pk=attempt.pk, job__fence=job.fence).update(**facts):
        return
    for name, value in facts.items():
        setattr(attempt, name, value)
    if isinstance(answer, Generation) and answer.status == Status.FAILED:
        if job.fail("server_restarted" if attempt.cut_by_id else "vendor", answer.message):
            attempt.move({AttemptState.OPEN}, AttemptState.ENDED)
    elif isinstance(answer, Generation) and answer.status == Status.SUCCESS and answer.outputs:
        lease = None if ring else settings.JOB_LEASE
        if job.start_collecting(now + settings.JOB_COLLECT_DEADLINE, lease) and ring:
            rings.ring_job(job.pk)
    elif attempt.cut_by_id and isinstance(answer, FluxError) and answer.reason == "forgotten":
        if job.fail("server_restarted", answer.message):
            attempt.move({AttemptState.OPEN}, AttemptState.LOST)
    elif job.deadline_at is not None and job.deadline_at <= now:
        if job.fail("server_restarted" if attempt.cut_by_id else "timed_out", answer.message):
            attempt.move({AttemptState.OPEN}, AttemptState.LOST)
    elif attempt.hinted_since(asked_at):
        if job.look_later(JobState.PROCESSING, now):
            rings.ring_job(job.pk)
    elif isinstance(answer, FluxError):
        job.look_later(JobState.PROCESSING, retry_at(job.tries))
    else:
        job.look_later(JobState.PROCESSING, poll_at(job.tries + 1))


def check_discarded() -> int:
    """Attempts whose job was canceled still fill the vendor's queue until it is done with them."""
    now = timezone.now()
    overdue = Attempt.objects.filter(state=AttemptState.DISCARDED, deadline_at__lte=now)
    overdue.update(state=AttemptState.LOST, ended_at=now)
    ask = Q(checked_at=None) | Q(checked_at__lte=now - settings.JOB_POLL_LAST / 3)
    attempts = list(Attempt.objects.filter(ask, state=AttemptState.DISCARDED).exclude(vendor_id=None)[:BATCH])
    for attempt, answer in zip(attempts, _fetch_all(attempts), strict=True):
        Attempt.objects.filter(pk=attempt.pk).update(checked_at=timezone.now())
        if isinstance(answer, Generation) and answer.status != Status.PROCESSING:
            attempt.move({AttemptState.DISCARDED}, AttemptState.ENDED)
    return len(attempts)
