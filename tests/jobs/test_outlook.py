"""What is said of edits that wait: how many go before, how long, and why."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.jobs import admission, outlook
from editor.jobs.outlook import Outlook, about
from editor.jobs.progress import progress
from editor.models import AttemptState, FluxServer, GenerationJob, JobState, User
from tests.makers import make_attempt, make_image, make_job, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_at_a_time(settings: Settings, db: None) -> None:
    settings.FLUX_QUEUE_LIMIT = settings.FLUX_OUTSTANDING = 1
    FluxServer.objects.current()


def queued(job: GenerationJob) -> GenerationJob:
    """As a page gets it."""
    return GenerationJob.objects.with_pictures().get(pk=job.pk)


def done(user: User, seconds: float) -> None:
    """An edit whose request took so long."""
    now = timezone.now()
    job = make_job(user, state=JobState.SUCCEEDED, allowance="taken", finished_at=now)
    begun = now - timedelta(seconds=seconds)
    make_attempt(job, state=AttemptState.ENDED, vendor_status="success", created_at=begun, ended_at=now)


def under_way(user: User, seconds: float = 0.0, **fields: Any) -> None:
    job = make_job(user, state=JobState.PROCESSING)
    make_attempt(job, created_at=timezone.now() - timedelta(seconds=seconds), **fields)


def test_place_is_that_of_the_turns(alice: User) -> None:
    bob = make_user()
    mine = [make_job(alice) for _ in range(3)]
    his = make_job(bob)
    now = Outlook()
    assert [now.place(job) for job in [*mine, his]] == [0, 2, 3, 1]
    order = []
    while (admitted := admission.admit()) is not None:
        order.append(admitted[0].pk)
        admitted[1].move({AttemptState.OPEN}, AttemptState.ENDED)
    assert order == [job.pk for job in (mine[0], his, mine[1], mine[2])]


def test_nothing_is_said_of_times_that_nobody_measured(alice: User) -> None:
    assert progress(queued(make_job(alice))).headline == "Queued, next in line"


def test_times_are_measured_ones(alice: User) -> None:
    for seconds in (20, 20, 20, 20, 60):
        done(alice, seconds)
    under_way(alice, seconds=5)
    first, second = make_job(alice), make_job(alice)
    now = Outlook()
    # One of 20 s has 15 s to go, then 20 s for itself; at worst all take 60 s.
    assert progress(queued(first), now).headline == "Queued, next in line, about 35 s to 2 min"
    assert progress(queued(second), now).headline == "Queued, 1 ahead of you, about 55 s to 3 min"
    assert progress(queued(second), now).reason == "The flux server is busy with 1 of 1."


def test_several_slots_are_faster(alice: User, settings: Settings) -> None:
    settings.FLUX_QUEUE_LIMIT = settings.FLUX_OUTSTANDING = 5
    done(alice, 20)
    for _ in range(5):
        under_way(alice)
    jobs = [make_job(alice) for _ in range(6)]
    now = Outlook()
    assert progress(queued(jobs[4]), now).headline == "Queued, 4 ahead of you, about 40 s"
    assert progress(queued(jobs[5]), now).headline == "Queued, 5 ahead of you, about 1 min"
    assert now.busy == "The flux server is busy with 5 of 5."


def test_vendor_is_believed_until_something_was_measured(alice: User) -> None:
    under_way(alice, eta=30.0)
    assert progress(queued(make_job(alice))).headline == "Queued, next in line, about 1 min"


@pytest.mark.parametrize("eta", [1e9, -1.0, 0.0])
def test_wild_words_of_the_vendor_are_not_passed_on(alice: User, eta: float) -> None:
    under_way(alice, eta=eta)
    assert progress(queued(make_job(alice))).headline == "Queued, next in line"


def test_behind_two_hundred_it_is_said_without_a_number(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "MOST_TURNS", 3)
    done(alice, 600)
    jobs = [make_job(alice) for _ in range(5)]
    now = Outlook()
    assert [now.place(job) for job in jobs] == [0, 1, 2, None, None]
    assert progress(queued(jobs[4]), now).headline.startswith("Queued, over 200 ahead of you, more than ")


def test_page_of_fifty_asks_no_more_than_one_of_two(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    picture = make_image(alice)
    done(alice, 20)
    for _ in range(50):
        make_job(alice, picture)
    jobs = list(GenerationJob.objects.filter(state=JobState.QUEUED).with_pictures())
    now = Outlook()
    with django_assert_max_num_queries(6):  # the server, who waits, who had turns, the first ones, times, under way
        words = {progress(job, now).headline for job in jobs}
    assert len(words) == 50


def test_who_left_the_line_meanwhile_is_given_no_place(alice: User) -> None:
    job = make_job(alice)
    now = Outlook()
    assert now.place(job) == 0
    late = make_job(alice)
    assert progress(queued(late), now).headline == "Queued"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((0.2, 0.4), "about 1 s"),
        ((8.4, 11), "about 8 to 10 s"),
        ((41, 118), "about 40 s to 2 min"),
        ((58, 61), "about 1 min"),
        ((130, 290), "about 2 to 5 min"),
        ((5000, 9000), "about 83 min to 2 h"),
    ],
)
def test_times_are_said_as_people_say_them(span: tuple[float, float], words: str) -> None:
    assert about(span) == words
