import pytest
from pytest_django import Settings

from editor.jobs.allowances import rest_of
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.models import Allowance, GenerationJob, JobState, User, Workspace
from tests.makers import make_image, make_job

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
