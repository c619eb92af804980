"""Taking one of the portal's protections away turns chaos red; with it, the same scene ends well."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

import pytest

from editor.jobs import control
from editor.models import FINAL, GenerationJob, JobState, WebhookEvent
from project.embedded.keeper import send
from tests.chaos.deeds import call
from tests.chaos.oracle import AWAITED, Oracle
from tests.chaos.people import Asked, Crowd
from tests.chaos.points import STOP
from tests.chaos.portal import ChaosPortal
from tests.portal import wait_until

FORGED, AT_ONCE = 1000, 10
SOON, GIVEN_UP = 30.0, 6.0  # seconds: until something comes right, and after which it is clear that it won't


def without(portal: ChaosPortal, what: str, *names: str) -> None:
    """Start these processes again without this protection; "" leaves all as it is."""
    if what:
        for name in names:
            portal.start_otherwise(name, CHAOS_WITHOUT=what)
        portal.start(*names)


def job_of(asked: Asked) -> GenerationJob:
    wait_until(lambda: asked.job is not None, SOON, "The edit")
    job = asked.job
    assert job is not None
    return job


def is_now(job: GenerationJob, *states: str) -> bool:
    job.refresh_from_db()
    return job.state in states


@pytest.mark.parametrize("protection", ["", "fence"])
def test_refusal_that_wakes_up_late_ends_no_edit_that_was_sent_again(
    portal: ChaosPortal, crowd: Crowd, protection: str
) -> None:
    without(portal, protection, "edits", "edits2")
    portal.set_faults(field_error=1)
    portal.lay_trap("edits", "request-answered", STOP)
    job = job_of(crowd.ask(crowd.ada, "a mosaic", ("link-404-for-a-while",)))
    wait_until(lambda: bool(portal.stopped()), SOON, "A stopped worker")
    wait_until(lambda: is_now(job, JobState.UNCONFIRMED), SOON, "Unconfirmed")
    assert control.send_again(job)
    wait_until(lambda: is_now(job, JobState.PROCESSING, JobState.COLLECTING), SOON, "The second request")
    for pid in portal.stopped():
        send(pid, signal.SIGCONT)
    wait_until(lambda: is_now(job, *FINAL), SOON, "The end")
    complaints = Oracle(portal, crowd, Counter({job.pk: 1})).complaints(over=True)
    assert bool(complaints) == bool(protection), complaints


@pytest.mark.parametrize("protection", ["", "clock"])
def test_edit_whose_web_process_died_before_it_rang_is_found(
    portal: ChaosPortal, crowd: Crowd, protection: str
) -> None:
    without(portal, protection, "clock", "clock2")
    portal.lay_trap("web", "ring-leaves")
    with portal.tended():
        job = job_of(crowd.ask(crowd.ada, "a mosaic"))
        with suppress(TimeoutError):
            wait_until(lambda: is_now(job, *FINAL), GIVEN_UP if protection else SOON)
        crowd.wait()
    oracle = Oracle(portal, crowd, Counter())
    assert bool(oracle.lost) == bool(protection)
    assert bool(oracle.complaints(over=False)) == bool(protection)


@pytest.mark.parametrize("protection", ["", "unconfirmed"])
def test_request_whose_answer_was_lost_is_not_repeated(portal: ChaosPortal, crowd: Crowd, protection: str) -> None:
    without(portal, protection, "edits", "edits2")
    job = job_of(crowd.ask(crowd.ada, "a mosaic", ("accept-then-reset", "webhook-lost")))
    second: Counter[UUID] = Counter()
    wait_until(lambda: is_now(job, *AWAITED) or len(Oracle(portal, crowd, second).accepted[job.pk]) > 1, SOON)
    complaints = Oracle(portal, crowd, second).complaints(over=False)
    assert any("times" in words for words in complaints) == bool(protection), complaints
    control.cancel(job)


def test_thousand_forged_webhooks_change_nothing_and_break_nothing(portal: ChaosPortal, crowd: Crowd) -> None:
    job = job_of(crowd.ask(crowd.ada, "a mosaic", ("never",)))
    wait_until(lambda: is_now(job, JobState.PROCESSING), SOON, "Processing")
    attempt = job.attempts.get()
    true_one = attempt.secret
    secrets = [true_one if number % 10 == 0 else f"{uuid4().hex}{number:011d}" for number in range(FORGED)]
    claim = {"status": "success", "id": 7, "output": ["http://10.0.0.1/a.png"]}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(partial(_call, portal.url, claim), secrets))
    assert statuses == {404: FORGED * 9 // 10, 200: FORGED // 10}
    known = attempt.vendor_id
    attempt.refresh_from_db()
    assert (attempt.vendor_id, is_now(job, JobState.PROCESSING)) == (known, True)
    assert not job.results.exists()
    assert WebhookEvent.objects.filter(attempt=attempt).count() < 50 + AT_ONCE
    control.cancel(job)


def _call(url: str, claim: dict[str, object], secret: str) -> int:
    return call(url, secret, claim)
