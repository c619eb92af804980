"""SIGTERM, as a machine's supervisor sends it."""

import signal

import pytest

from editor.models import Image, JobState
from project.embedded.keeper import send
from tests.portal import Portal, wait_until
from tests.processes.conftest import ask, wait_for

HELD = "oil painting #fault:held"  # the paid request stays open until the picture is done


def test_worker_that_is_asked_to_stop_finishes_the_paid_request_first(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: bool(portal.accepted_for(job)), 10, "The request")
    portal.terminate("edits")
    wait_until(lambda: portal.ended("edits"), 10, "The worker's end")
    assert job.attempts.get().answered_at is not None
    portal.start("edits")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


def test_edit_goes_on_after_sigterm_to_the_worker_and_its_horse_together(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: bool(portal.accepted_for(job)), 10, "The request")
    for pid in [*portal.forked_by("edits"), portal.pid("edits")]:
        send(pid, signal.SIGTERM)
    wait_until(lambda: portal.ended("edits"), 10, "The worker's end")
    portal.start("edits")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


@pytest.mark.parametrize("name", ["web", "edits", "pictures", "clock"])
def test_idle_process_ends_within_seconds(portal: Portal, name: str) -> None:
    portal.terminate(name)
    wait_until(lambda: portal.ended(name), 6, f"The end of {name}")
