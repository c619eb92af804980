"""What the flux server's safety check kept back: found by the pixels, free, told kindly, and looked at by the desk."""

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.jobs import collection, flagging, ledger, lifecycle
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.jobs.failures import NOTES, explain
from editor.models import (
    Allowance,
    Attempt,
    AttemptState,
    Cause,
    GenerationJob,
    Image,
    ImageState,
    JobState,
    ModerationCase,
    User,
    Workspace,
)
from tests.jobs.test_allowances import together
from tests.jobs.test_life_of_a_job import edit, run
from tests.makers import make_attempt, make_image, make_job, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def blocked(user: User, **fields: Any) -> GenerationJob:
    """An edit that ended so before."""
    ended = {"state": JobState.BLOCKED, "allowance": Allowance.RELEASED, "finished_at": timezone.now()}
    return make_job(user, **(ended | fields))


def paused_until(user: User) -> datetime | None:
    return User.objects.get(pk=user.pk).edits_paused_until


def blank_in(user: User, place: Workspace) -> GenerationJob:
    """An edit whose only picture came blank, and that has yet to end."""
    job = make_job(user, make_image(user, workspace=place), state=JobState.COLLECTING, collecting_at=timezone.now())
    make_attempt(job, outputs=["https://cdn.test/blank.png"])
    refused: dict[str, Any] = {"state": ImageState.REFUSED, "refused_code": collection.BLOCKED}
    make_image(user, kind="generated", job=job, position=0, workspace=place, **refused)
    return job


def end_blocked(job: GenerationJob) -> None:
    """As `collect` ends an edit whose pictures are all blank, only slower."""
    with transaction.atomic():
        flagging.lock_owner(job)
        assert job.become_blocked()
        time.sleep(0.05)
        flagging.follow(job, ready=0, blocked=1, told=True)


@pytest.mark.parametrize("fault", ["blank", "blank-untold", "blank #fault:bare-success"])
def test_edit_of_blank_pictures_alone_is_blocked_and_free_whether_or_not_it_was_told(
    alice: User, sandbox: Sandbox, fault: str
) -> None:
    job = run(edit(alice, f"hat #fault:{fault}", samples=2))
    assert (job.state, job.allowance) == (JobState.BLOCKED, Allowance.RELEASED)
    assert {image.refused_code for image in job.results.all()} == {"blocked"}
    failure = explain(job)
    assert failure is not None
    assert (failure.fault, failure.charged) == ("nobody's", False)
    case = ModerationCase.objects.get()
    assert (case.cause, case.job, case.person, case.urgency) == (Cause.FLAGGED, job, alice, flagging.BLANKED_URGENCY)
    assert case.details == {"pictures": 0, "blocked": 2, "told": fault == "blank"}


def test_pictures_beside_a_blank_one_are_kept_blurred_and_looked_at(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, "hat #fault:blank-one", samples=3))
    first, *others = job.results.order_by("position")
    assert (job.state, job.allowance) == (JobState.SUCCEEDED, Allowance.TAKEN)
    assert (first.state, first.refused_code) == (ImageState.REFUSED, "blocked")
    assert [(image.state, image.sensitive) for image in others] == [(ImageState.READY, True)] * 2
    assert "blurred until you click" in NOTES[job.note]
    case = ModerationCase.objects.get()
    assert (case.cause, case.job, case.key, case.urgency) == (Cause.FLAGGED, job, "flagged", 40)


def test_flag_without_a_blank_picture_blurs_all_of_them(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, "hat #fault:flagged", samples=2))
    assert [image.sensitive for image in job.results.all()] == [True, True]
    assert "not sure about this edit" in NOTES[job.note]
    assert ModerationCase.objects.get().details == {"pictures": 2, "blocked": 0, "told": True}


def test_flag_is_not_forgotten_when_a_later_answer_leaves_it_out(alice: User, sandbox: Sandbox) -> None:
    job = edit(alice, "hat #fault:bare-success")
    lifecycle.look_at(job.pk)
    assert Attempt.objects.filter(job=job, state=AttemptState.OPEN).update(nsfw=True) == 1
    assert run(job).results.get().sensitive


def test_edit_without_a_flag_is_nobodys_case(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice))
    assert not job.results.get().sensitive
    assert not ModerationCase.objects.exists()


def test_too_many_blocked_in_a_day_pause_the_person_and_tell_the_desk(
    alice: User, sandbox: Sandbox, settings: Settings
) -> None:
    settings.BLOCKED_PER_DAY = 3
    blocked(alice, created_at=timezone.now() - timedelta(hours=23))
    blocked(alice, created_at=timezone.now() - timedelta(hours=25))
    blocked(make_user())
    run(edit(alice, "hat #fault:blank"))
    assert paused_until(alice) is None
    run(edit(alice, "hat #fault:blank"))
    until = paused_until(alice)
    assert until is not None
    assert timedelta(hours=23) < until - timezone.now() <= timedelta(hours=24)
    case = ModerationCase.objects.get(cause=Cause.OFTEN)
    assert (case.person, case.job, case.details["blocked"]) == (alice, None, 3)
    with pytest.raises(NotAllowed, match="kept back too many"):
        create_job(alice, [make_image(alice)], EditSpec("hat"), "token")


def test_no_number_pauses_anybody_where_it_is_switched_off(alice: User, settings: Settings) -> None:
    settings.BLOCKED_PER_DAY = 0
    end_blocked(make_job(alice, state=JobState.COLLECTING))
    assert paused_until(alice) is None


def test_two_that_end_at_the_same_moment_count_each_other(alice: User, settings: Settings) -> None:
    settings.BLOCKED_PER_DAY = 4
    for _ in range(2):
        blocked(alice)
    places = [Workspace.objects.personal_of(alice), Workspace.objects.found(alice, "Team")]  # with an account each
    first, second = (blank_in(alice, place) for place in places)
    wrong: list[list[BaseException]] = []
    later = threading.Thread(target=lambda: wrong.append(together([lambda: collection.collect(second)])))
    with transaction.atomic():
        assert collection.collect(first)
        later.start()
        later.join(0.4)  # the other one is done as far as it gets before this one is there for it to see
    later.join(20)
    assert wrong == [[]]
    assert paused_until(alice) is not None
    assert ModerationCase.objects.filter(cause=Cause.OFTEN).count() == 1


def test_edits_begin_and_are_blocked_at_once_without_waiting_for_each_other(alice: User, settings: Settings) -> None:
    settings.BLOCKED_PER_DAY = 0
    image = make_image(alice)
    jobs = [create_job(alice, [image], EditSpec("hat"), f"token {number}") for number in range(4)]
    GenerationJob.objects.update(state=JobState.COLLECTING)
    works = [partial(end_blocked, GenerationJob.objects.get(pk=job.pk)) for job in jobs]
    begin = [partial(create_job, alice, [image], EditSpec("hat"), f"other {number}") for number in range(4)]
    assert together([*works, *begin]) == []
    assert ledger.problems() == []


def test_results_of_a_sensitive_picture_are_sensitive_and_nobodys_case(alice: User, sandbox: Sandbox) -> None:
    job = edit(alice)
    Image.objects.filter(pk=job.source_image.pk).update(sensitive=True)
    assert run(job).results.get().sensitive
    assert not ModerationCase.objects.exists()
