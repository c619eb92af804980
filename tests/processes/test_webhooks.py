"""What is claimed at the webhook's door, against what the flux server says when it is asked."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from editor.jobs import control
from editor.models import GenerationJob, Image, JobState, WebhookEvent
from tests.portal import Portal, wait_until
from tests.processes.conftest import ask, wait_for


def call(portal: Portal, secret: str, body: dict[str, Any]) -> int:
    return requests.post(f"{portal.url}/hooks/flux/{secret}/", json=body, timeout=20).status_code


def call_ten_times(portal: Portal, secret: str, body: dict[str, Any]) -> set[int]:
    with ThreadPoolExecutor(10) as pool:
        return set(pool.map(lambda _: call(portal, secret, body), range(10)))


def made(portal: Portal, job: GenerationJob) -> bool:
    return [entry["status"] for entry in portal.accepted_for(job)] == ["success"]


def test_ten_webhooks_at_once_complete_an_edit_once(portal: Portal, picture: Image) -> None:
    portal.kill("clock")  # so that nothing but the webhook can tell
    job = ask(picture, "a mosaic #fault:webhook-lost")
    wait_until(lambda: made(portal, job), 10, "The picture")
    wait_for(job, JobState.PROCESSING)
    attempt = job.attempts.get()
    statuses = call_ten_times(portal, attempt.secret, {"status": "success", "id": attempt.vendor_id, "output": []})
    assert statuses == {200}
    wait_for(job, JobState.SUCCEEDED)
    assert job.results.count() == 1
    assert len(portal.accepted_for(job)) == 1


def test_forged_webhooks_complete_nothing(portal: Portal, picture: Image) -> None:
    job = ask(picture, "a mosaic #fault:never")
    wait_for(job, JobState.PROCESSING)
    attempt = job.attempts.get()
    links = [f"{portal.url}/static/samples/coffee.jpg"]
    for claim in ({"status": "success", "id": attempt.vendor_id, "output": links}, {"status": "failed", "id": 7}):
        assert call_ten_times(portal, attempt.secret, claim) == {200}
    time.sleep(1)  # thirty ticks of the clock
    wait_for(job, JobState.PROCESSING)
    assert job.attempts.get().vendor_id == attempt.vendor_id
    assert not job.results.exists()


def test_webhook_with_a_guessed_secret_gets_404_and_leaves_no_trace(portal: Portal, picture: Image) -> None:
    before = WebhookEvent.objects.count()
    assert call_ten_times(portal, "a" * 43, {"status": "success", "id": 1}) == {404}
    assert WebhookEvent.objects.count() == before


@pytest.mark.parametrize("fault", ["accept-then-reset", "accept-then-500", "processing-without-id"])
def test_edit_whose_answer_was_lost_is_found_again_by_its_webhook(portal: Portal, picture: Image, fault: str) -> None:
    job = ask(picture, f"a mosaic #fault:{fault}")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1
    assert job.attempts.count() == 1


def test_edit_is_accepted_twice_only_on_its_owners_word(portal: Portal, picture: Image) -> None:
    portal.set_faults(accept_then_reset=1, webhook_lost=1)
    job = ask(picture)
    wait_for(job, JobState.UNCONFIRMED)
    assert len(portal.accepted_for(job)) == 1
    assert control.send_again(job)
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 2
    assert job.second
