from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.jobs import admission
from editor.models import AttemptState, FluxServer, ImageState, JobState, User
from tests.makers import make_attempt, make_image, make_job, make_user

pytestmark = pytest.mark.django_db


def test_attempt_is_written_before_anything_is_sent(alice: User) -> None:
    job = make_job(alice)
    admitted = admission.admit()
    assert admitted is not None
    assert (admitted[0].pk, admitted[0].state) == (job.pk, JobState.SUBMITTING)
    assert job.attempts.get().state == AttemptState.OPEN


def test_limit_is_never_exceeded(alice: User, settings: Settings) -> None:
    settings.FLUX_OUTSTANDING = 2
    for _ in range(3):
        make_job(alice)
    assert [admission.admit() is not None for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.DISCARDED])
def test_unknown_and_discarded_attempts_fill_the_queue(alice: User, settings: Settings, state: str) -> None:
    settings.FLUX_OUTSTANDING = 1
    done = make_job(alice, state=JobState.CANCELED, allowance="taken", finished_at=timezone.now())
    make_attempt(done, state=state)
    make_job(alice)
    assert admission.admit() is None


def test_attempt_past_its_deadline_fills_nothing(alice: User, settings: Settings) -> None:
    settings.FLUX_OUTSTANDING = 1
    make_attempt(make_job(alice, state=JobState.UNCONFIRMED), state=AttemptState.UNKNOWN, deadline_at=timezone.now())
    make_job(alice)
    assert admission.admit() is not None


def test_job_waits_for_its_source(alice: User) -> None:
    make_job(alice, make_image(alice, state=ImageState.RECEIVED))
    assert admission.admit() is None


def test_paused_server_admits_nobody(alice: User) -> None:
    make_job(alice)
    FluxServer.objects.current().pause("bad-key", "", timedelta(minutes=1))
    assert admission.admit() is None


def test_turns_go_round(alice: User, settings: Settings) -> None:
    settings.FLUX_OUTSTANDING = settings.FLUX_QUEUE_LIMIT = 4
    bob = make_user()
    for _ in range(3):
        make_job(alice)
    make_job(bob)
    order = [admitted[0].made_by_id for _ in range(4) if (admitted := admission.admit())]
    assert order == [alice.pk, bob.pk, alice.pk, alice.pk]


def test_newcomer_goes_next_where_one_edit_is_made_after_the_other(alice: User, settings: Settings) -> None:
    settings.FLUX_OUTSTANDING = settings.FLUX_QUEUE_LIMIT = 1
    bob = make_user()
    picture = make_image(alice)
    for _ in range(20):
        make_job(alice, picture)
    order = []
    for number in range(6):
        if number == 2:
            make_job(bob)
            make_job(bob)
        admitted = admission.admit()
        assert admitted is not None
        order.append(admitted[0].made_by_id)
        admitted[1].move({AttemptState.OPEN}, AttemptState.ENDED)
    assert order == [person.pk for person in (alice, alice, bob, alice, bob, alice)]


def test_turn_passes_over_who_can_not_go(alice: User) -> None:
    make_job(alice, make_image(alice, state=ImageState.RECEIVED))
    job = make_job(make_user())
    admitted = admission.admit()
    assert admitted is not None
    assert admitted[0].pk == job.pk


def test_many_waiting_people_cost_no_more_queries(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    picture = make_image(alice)
    for user in [make_user() for _ in range(5)]:
        for _ in range(3):
            make_job(user, picture, workspace=picture.workspace)
    FluxServer.objects.current()
    # begin and end of two transactions, the server twice, under way, who waits, who had turns, the job, its sources
    # and their pictures, the server's and the person's turn, the move, how many attempts, the attempt
    with django_assert_max_num_queries(19):
        assert admission.admit() is not None


def test_interactive_goes_before_batch(alice: User) -> None:
    make_job(alice, interactive=False)
    quick = make_job(alice)
    admitted = admission.admit()
    assert admitted is not None
    assert admitted[0].pk == quick.pk


def test_size_follows_from_the_source(alice: User) -> None:
    make_job(alice, make_image(alice, width=4000, height=3000))
    admitted = admission.admit()
    assert admitted is not None
    assert (admitted[0].width, admitted[0].height) == (1024, 768)
