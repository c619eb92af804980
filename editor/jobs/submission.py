"""queued → with the vendor: the one paid request of an attempt, and what its answer means.

The order is what protects people's money: the attempt is committed before the request leaves
(`admission.admit_some`), the answer is written on the attempt whatever became of the lease (`record`), and only then
the job moves (`settle`), under its fence. Whoever dies in between leaves a row from which anybody goes on.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor import rings
from editor.flux.contract import EditRequest, Generation, Status
from editor.flux.errors import FluxError, Verdict
from editor.images.bucket import BucketUnavailable, Missing
from editor.jobs import admission, pauses, vendor
from editor.jobs.backoff import poll_at, retry_at
from editor.jobs.heartbeat import kept
from editor.log_context import about
from editor.models import Allowance, Attempt, AttemptState, GenerationJob, JobState

log = logging.getLogger(__name__)

ACCEPTED = "accepted"
RUNNING: set[str] = {AttemptState.OPEN, AttemptState.UNKNOWN}
MOST_AT_ONCE = 8  # requests of one look
MOST_FETCHES = 4  # of a source by the vendor, before we believe that it can't be read
MOST_REFUSALS = 5  # of one job for the plan, while the server says that all is well


def submit() -> int:
    """Send the next jobs in turn, a few at once. How many were sent: 0 if there was no room or nobody waited."""
    admitted = admission.admit_some(MOST_AT_ONCE)
    with ExitStack() as leases, ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        for job, _ in admitted:
            leases.enter_context(kept(job, settings.JOB_LEASE))
        # All are made before the first leaves: nothing may stand between a request and its receipt.
        requests = [(job, attempt, _prepared(job, attempt)) for job, attempt in admitted]
        asked = {threads.submit(_ask, request): (job, attempt) for job, attempt, request in requests if request}
        for job, attempt, request in requests:
            if request is None:
                _follow_up(job, attempt, None)
        for answered in as_completed(asked):
            _follow_up(*asked[answered], answered)
    return len(admitted)


def _follow_up(job: GenerationJob, attempt: Attempt, answered: Future[Generation | FluxError] | None) -> None:
    """Write an answer down and move its job on. One that can't be written keeps no other receipt from being."""
    with about(job=job.pk, attempt=attempt.pk):
        try:
            if answered is not None:
                record(attempt, answered.result())
            log.info("Attempt %s was answered: %s %s", attempt.pk, attempt.verdict or "nothing", attempt.reason)
            _move_on(job, attempt)
        except Exception:
            log.exception("The answer for job %s could not be followed; its lease will run out.", job.pk)


def _prepared(job: GenerationJob, attempt: Attempt) -> EditRequest | None:
    """The request, with sources that the vendor can reach. None if it can't be made, which is its answer then."""
    try:
        return vendor.edit_request(job, attempt)
    except FluxError as error:  # from lending the sources to the vendor's file store
        this_job = error.verdict == Verdict.JOB
        verdict, reason = (error.verdict, error.reason) if this_job else (Verdict.NOT_SENT, pauses.FILE_STORE)
        attempt.record_answer(verdict, reason=reason, message=error.message)
    except BucketUnavailable as error:
        attempt.record_answer(Verdict.NOT_SENT, reason=pauses.STORAGE, message=str(error)[:500])
    except Missing as error:
        attempt.record_answer(Verdict.NOT_SENT, reason="sources", message=str(error)[:500])
    return None


def _ask(request: EditRequest) -> Generation | FluxError:
    """The paid request. Runs on a thread, so it touches no row."""
    try:
        return vendor.client().img2img(request)
    except FluxError as error:
        return error


def record(attempt: Attempt, answer: Generation | FluxError) -> None:
    """Write the answer down as a fact, once."""
    if isinstance(answer, Generation):
        record_acceptance(attempt, answer)
    else:
        facts = {"reason": answer.reason, "message": answer.message, "retry_after": answer.retry_after}
        attempt.record_answer(answer.verdict, **facts)


def _move_on(job: GenerationJob, attempt: Attempt) -> None:
    settle(job, attempt)
    if job.state != JobState.SUBMITTING:
        return
    if GenerationJob.objects.filter(pk=job.pk).exclude(fence=job.fence).update(due_at=timezone.now()):
        rings.ring_job(job.pk)  # the lease was lost meanwhile; the answer is written, let whoever is next read it


def record_acceptance(attempt: Attempt, generation: Generation) -> None:
    facts = generation_facts(generation)
    if generation.id is not None:
        facts["vendor_id"] = generation.id
    try:
        with transaction.atomic():
            attempt.record_answer(ACCEPTED, answer=generation.answer, message=generation.message, **facts)
    except IntegrityError:
        # The id belongs to another attempt: whatever this answer was, it can't be followed.
        attempt.record_answer(Verdict.UNKNOWN, reason="id-used-twice", answer=generation.answer)


def generation_facts(generation: Generation) -> dict[str, object]:
    """What an answer tells about a generation, as columns of its attempt. What it leaves out it does not take back."""
    told: dict[str, object] = {"nsfw": True} if generation.nsfw else {}
    if generation.outputs:
        told["outputs"] = list(generation.outputs)
    return {
        **told,
        "vendor_status": generation.status,
        "generation_time": generation.generation_time,
        "eta": generation.eta,
        "last_answer": generation.answer,
    }


def settle(job: GenerationJob, attempt: Attempt) -> None:
    """Move a submitting or unconfirmed job on from what is written on its attempt. Repeating it is harmless."""
    if attempt.verdict != ACCEPTED:
        attempt.refresh_from_db()  # its webhook may be faster than an answer that gets lost
    # Asked before the transaction begins: one job's 403 proves nothing about the plan while the server is well.
    only_this_job = attempt.verdict == Verdict.ACCOUNT and attempt.reason == "plan" and pauses.server_says_well()
    # A source that can't be fetched is nothing that its owner could change while our own bucket gives nothing out.
    unread = attempt.verdict == Verdict.JOB and attempt.reason == "image"
    ours = unread and not pauses.bucket_is_well()
    with transaction.atomic():
        # Locked, so that nobody asks to cancel between this look and the move.
        asked = GenerationJob.objects.select_for_update().values_list("cancel_requested_at", flat=True)
        job.cancel_requested_at = asked.get(pk=job.pk)
        if attempt.verdict == ACCEPTED:
            _settle_accepted(job, attempt)
        elif attempt.verdict in {Verdict.UNKNOWN, Verdict.LATER, ""}:
            _settle_unknown(job, attempt)
        else:
            _settle_refused(job, attempt, only_this_job, ours)


def _settle_accepted(job: GenerationJob, attempt: Attempt) -> None:
    pauses.accepted(attempt.server)
    failed = attempt.vendor_status == Status.FAILED
    if job.cancel_requested_at:
        if job.cancel(Allowance.RELEASED if failed else Allowance.TAKEN):
            done = failed or attempt.vendor_status == Status.SUCCESS
            attempt.move(RUNNING, AttemptState.ENDED if done else AttemptState.DISCARDED)
    elif failed:
        if job.fail("vendor", attempt.message):
            attempt.move(RUNNING, AttemptState.ENDED)
    elif attempt.vendor_status == Status.SUCCESS and attempt.outputs:
        if job.start_collecting(timezone.now() + settings.JOB_COLLECT_DEADLINE):
            attempt.move(RUNNING, AttemptState.OPEN)
            rings.ring_job(job.pk)
    elif attempt.vendor_id is None:
        _settle_unknown(job, attempt)
    else:
        _follow(job, attempt)


def _follow(job: GenerationJob, attempt: Attempt) -> None:
    now = timezone.now()
    # A job that waited unconfirmed may well be done by now, and so is one whose webhook came before the answer.
    overtaken = job.state == JobState.UNCONFIRMED or attempt.hinted_since(attempt.created_at)
    due_at = now if overtaken else poll_at(0, attempt.eta)
    if job.become_processing(due_at, now + settings.JOB_PROCESSING_DEADLINE):
        attempt.move(RUNNING, AttemptState.OPEN)
        if due_at == now:
            rings.ring_job(job.pk)


def _settle_unknown(job: GenerationJob, attempt: Attempt) -> None:
    """No usable answer: it may be running and charged, so it is not sent again by itself."""
    if attempt.reason == "server-error" and job.state == JobState.SUBMITTING:
        pauses.pause(attempt.server, "broken", attempt.message)
    if job.cancel_requested_at:
        if job.cancel(Allowance.TAKEN):
            attempt.move(RUNNING, AttemptState.LOST)
    elif attempt.vendor_id is not None:  # its webhook was faster than the answer that got lost
        _follow(job, attempt)
    elif job.become_unconfirmed(timezone.now() + settings.JOB_UNCONFIRMED_DEADLINE):
        attempt.move(RUNNING, AttemptState.UNKNOWN)


def _settle_refused(job: GenerationJob, attempt: Attempt, only_this_job: bool, ours: bool) -> None:
    """Not accepted, so not charged: the job fails if it is its own fault, and waits again if not."""
    if _refused(job, attempt, only_this_job, ours):  # the job first: a lost lease changes neither
        attempt.move(RUNNING, AttemptState.REFUSED)


def _refused(job: GenerationJob, attempt: Attempt, only_this_job: bool, ours: bool) -> bool:
    if job.cancel_requested_at:
        return job.cancel(Allowance.RELEASED)
    if ours:
        pauses.storage_down(attempt.message)
        return job.queue_again(timezone.now())
    if attempt.verdict == Verdict.JOB and attempt.reason == "image" and job.tries < MOST_FETCHES:
        return job.queue_again(retry_at(job.tries))  # perhaps our own web process was being restarted
    if attempt.verdict == Verdict.JOB:
        return job.fail(f"refused_{attempt.reason}"[:30], attempt.message)
    if only_this_job:
        if job.tries >= MOST_REFUSALS:
            return job.fail("refused_plan", attempt.message)
        return job.queue_again(retry_at(job.tries))
    pauses.pause_after(attempt)
    return job.queue_again(timezone.now() if attempt.verdict == Verdict.QUEUE_FULL else retry_at(job.tries))


def resume(job: GenerationJob) -> bool:
    """A submitting job whose worker vanished, or an unconfirmed one: go on from what its attempt says by now."""
    if not job.claim({JobState.SUBMITTING, JobState.UNCONFIRMED}, settings.JOB_LEASE):
        return False
    attempt = job.attempts.latest("number")
    known = attempt.answered_at is not None and attempt.verdict not in {Verdict.UNKNOWN, Verdict.LATER}
    if job.state == JobState.SUBMITTING or known or attempt.vendor_id is not None:
        settle(job, attempt)
    elif job.deadline_at and job.deadline_at <= timezone.now():
        with transaction.atomic():
            if job.fail("unconfirmed", attempt.message):
                attempt.move(RUNNING, AttemptState.LOST)
    else:
        job.let_go(job.deadline_at)
    return True
