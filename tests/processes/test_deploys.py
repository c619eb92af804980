"""A deploy: SIGTERM to everything while edits are under way, and a new start. And what the log says about an edit."""

import re
import signal
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest
import requests
from django.utils import timezone

from editor.models import FluxServer, GenerationJob, Image, JobState, User
from project.embedded.keeper import send
from tests.makers import make_image, make_job
from tests.people import client_of
from tests.portal import PROCESSES, Portal, wait_until
from tests.processes.conftest import ask, wait_for

MANY = 20
DRAINED = 15.0  # seconds; the sandbox holds an answer for one at most


@pytest.fixture
def room_for_all(portal: Portal) -> Iterator[None]:
    FluxServer.objects.current()
    FluxServer.objects.update(queue_limit=MANY, outstanding=MANY)
    yield
    FluxServer.objects.update(queue_limit=None, outstanding=None)


@pytest.mark.usefixtures("room_for_all")
@pytest.mark.parametrize(("whom", "many"), [("main processes", 6), ("everybody", MANY)])
def test_deploy_with_edits_under_way_fails_none_and_repeats_none(
    portal: Portal, picture: Image, whom: str, many: int
) -> None:
    jobs = [ask(picture, f"oil painting {n}" + " #fault:held" * (n % 2)) for n in range(many)]
    wait_until(lambda: any(portal.accepted_for(job) for job in jobs), 10, "The first request")
    assert GenerationJob.objects.unfinished().count() > many * 0.7
    horses = portal.forked_by("edits") if whom == "everybody" else []  # as KillMode=control-group or Ctrl-C do
    for pid in [*horses, *map(portal.pid, PROCESSES)]:
        send(pid, signal.SIGTERM)
    for name in PROCESSES:
        wait_until(partial(portal.ended, name), DRAINED, f"The end of {name}")
    assert all(attempt.answered_at for job in jobs for attempt in job.attempts.all())  # no receipt was cut off
    portal.start()
    for job in jobs:
        wait_for(job, JobState.SUCCEEDED, within=30)
    assert [len(portal.accepted_for(job)) for job in jobs] == [1] * many


def said(portal: Portal, pattern: str) -> bool:
    """Whether a process wrote such a line; each begins with the name of its process."""
    return any(re.match(pattern, line) for line in list(portal.lines))


def test_log_leads_from_a_click_through_the_worker_to_the_attempt(portal: Portal, person: User) -> None:
    picture = make_image(person, stored=True)
    browser = requests.Session()
    browser.cookies["sessionid"] = client_of(person).cookies["sessionid"].value
    browser.get(f"{portal.url}/studio/{picture.pk}/", timeout=20).raise_for_status()
    form = {"source": str(picture.pk), "prompt": "a mosaic", "form_token": uuid4().hex}
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    answer = browser.post(
        f"{portal.url}/edits/", form, headers={"X-Request-ID": "click-of-a-test"}, timeout=20, allow_redirects=False
    )
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (302, "click-of-a-test")
    job = person.jobs.get()
    wait_for(job, JobState.SUCCEEDED)
    attempt = job.attempts.get()
    about = f"request=click-of-a-test job={job.pk} attempt={attempt.pk}"
    wanted = [
        rf"web .*Edit {job.pk} is asked for. \[request=click-of-a-test",
        rf"edits .*Edit {job.pk} is submitting. \[request=click-of-a-test job={job.pk}\]",
        rf"edits .*Attempt {attempt.pk} was answered: accepted .*\[{about}\]",
        rf"edits .*Edit {job.pk} is succeeded. \[.*job={job.pk} attempt={attempt.pk}\]",
    ]
    for pattern in wanted:
        wait_until(partial(said, portal, pattern), 5, pattern)


def test_clock_says_which_edit_it_ended(portal: Portal, person: User) -> None:
    refused = make_image(person, state="refused", refused_code="lost")
    job = make_job(person, refused, due_at=timezone.now())
    wait_for(job, JobState.FAILED)
    wanted = rf"clock .*Edit {job.pk} is failed. \[.*job={job.pk}\]"
    wait_until(partial(said, portal, wanted), 5, "The line")
