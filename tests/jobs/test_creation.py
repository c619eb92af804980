from functools import partial

import pytest
from pytest_django import Settings

from editor.jobs.allowances import rest_of
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.models import Allowance, GenerationJob, JobState, Membership, Role, User, Workspace
from tests.jobs.test_allowances import together
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db

SPEC = EditSpec(prompt="make it blue")


def test_same_form_twice_makes_one_job(alice: User) -> None:
    image = make_image(alice)
    first, second = (create_job(alice, [image], SPEC, "token") for _ in range(2))
    assert first == second
    assert GenerationJob.objects.count() == 1


def test_seed_is_always_drawn(alice: User) -> None:
    assert 0 <= create_job(alice, [make_image(alice)], SPEC, "token").seed < 2**32


def test_daily_number_holds_and_says_so(alice: User, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 3
    make_job(alice, samples=2)
    assert rest_of(alice, Workspace.objects.personal_of(alice).pk).pictures == 1
    with pytest.raises(NotAllowed, match="3 pictures made in 24 hours, and one is left"):
        create_job(alice, [make_image(alice)], EditSpec(prompt="x", samples=2), "token")
    assert GenerationJob.objects.count() == 1


def test_released_allowance_may_be_used_again(alice: User, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 1
    make_job(alice).cancel(Allowance.RELEASED)
    assert create_job(alice, [make_image(alice)], SPEC, "token").state == JobState.QUEUED


def test_own_limit_goes_before_the_general_one(alice: User) -> None:
    alice.edits_per_day = 0
    with pytest.raises(NotAllowed, match="none are left"):
        create_job(alice, [make_image(alice)], SPEC, "token")


def test_second_source_keeps_its_place(alice: User) -> None:
    images = [make_image(alice), make_image(alice)]
    job = create_job(alice, images, SPEC, "token")
    assert job.source_images == images


def test_nobody_has_more_waiting_than_is_allowed(alice: User, settings: Settings) -> None:
    settings.WAITING_PER_USER = 2
    image = make_image(alice)
    make_job(alice, image)
    make_job(alice, image, state=JobState.HELD, held_for="rule")
    make_job(alice, image, state=JobState.PROCESSING)
    with pytest.raises(NotAllowed, match="You have 2 edits waiting already, and nobody may have more"):
        create_job(alice, [image], SPEC, "token")
    assert GenerationJob.objects.count() == 3
    GenerationJob.objects.filter(state=JobState.QUEUED).get().cancel(Allowance.RELEASED)
    assert create_job(alice, [image], SPEC, "token").state == JobState.QUEUED


def test_same_form_again_is_answered_though_the_line_is_full(alice: User, settings: Settings) -> None:
    settings.WAITING_PER_USER = 1
    image = make_image(alice)
    assert create_job(alice, [image], SPEC, "token") == create_job(alice, [image], SPEC, "token")


def test_no_workspace_has_more_waiting_than_is_allowed(alice: User, settings: Settings) -> None:
    settings.WAITING_PER_WORKSPACE = 1
    team = Workspace.objects.create(name="Team")
    Membership.objects.create(workspace=team, user=alice, role=Role.OWNER)
    bob = make_user()
    Membership.objects.create(workspace=team, user=bob, role=Role.EDITOR)
    image = make_image(alice, workspace=team)
    make_job(alice, image)
    with pytest.raises(NotAllowed, match="Team has one edit waiting already, and no workspace may have more"):
        create_job(bob, [image], SPEC, "token")
    assert create_job(bob, [make_image(bob)], SPEC, "other").state == JobState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_two_windows_that_click_at_once_do_not_pass_the_limit(alice: User, settings: Settings) -> None:
    settings.WAITING_PER_USER = 3
    image = make_image(alice)
    refused: list[NotAllowed] = []

    def window(number: int) -> None:
        for click in range(3):
            try:
                create_job(alice, [image], SPEC, f"{number}.{click}")
            except NotAllowed as refusal:
                refused.append(refusal)

    assert together([partial(window, number) for number in range(4)]) == []
    assert GenerationJob.objects.count() == 3
    assert len(refused) == 9
