"""Two people who decide at the same moment make one outcome, and the second is told what happened."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connections

from editor.images import moving
from editor.library import shelves
from editor.models import Approval, ApprovalEvent, Image, Notification, Review, Workspace
from editor.review import replacing, rounds
from tests.people import quick_passwords
from tests.review.team import Team, make_team

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(transactional_db: None, quick_passwords: None) -> Team:
    return make_team()


def at_once(*works: Callable[[], object]) -> list[str]:
    """Each in a thread of its own; what those were told that were too late."""
    said: list[str] = []
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except rounds.NotPossible as problem:
            said.append(str(problem))
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return said


def test_a_yes_and_a_no_at_once_are_one_decision(team: Team) -> None:
    image = team.picture()
    said = at_once(
        lambda: rounds.decide(image, by=team.alice, approves=True, seen=""),
        lambda: rounds.decide(image, by=team.adam, approves=False, why="No", seen=""),
    )
    row = Approval.objects.get()
    expected = "Alice approved it" if row.state == "approved" else "Adam rejected it"
    assert said == [f"{expected} in the meantime."]
    assert ApprovalEvent.objects.count() == 1


def test_two_who_ask_at_once_begin_one_round(team: Team) -> None:
    image = team.picture()
    said = at_once(
        lambda: rounds.ask(image, team.edda, [team.vera]), lambda: rounds.ask(image, team.alice, [team.vera])
    )
    assert len(said) == 1
    assert "asked for a review of it already" in said[0]
    assert Review.objects.count() == Notification.objects.filter(person=team.vera).count() == 1


def test_last_two_answers_at_once_end_the_round_once(team: Team) -> None:
    image = team.picture()
    review = rounds.ask(image, team.edda, [team.vera, team.vic])
    assert at_once(*(lambda who=who: rounds.answer(review, who, True) for who in (team.vera, team.vic))) == []
    assert Review.objects.get().state == Approval.objects.get().state == "approved"
    assert Notification.objects.filter(person=team.edda).count() == 1


def test_what_is_locked_and_trashed_at_once_is_one_of_both(team: Team) -> None:
    for _ in range(4):
        image = team.picture()
        rounds.decide(image, by=team.adam, approves=True)
        at_once(lambda: rounds.lock(image, team.adam), lambda: shelves.trash([image]))  # noqa: B023  run at once
        fresh = Image.objects.select_related("approval").get(pk=image.pk)
        assert (fresh.trashed_at is None) == (fresh.approval.locked_at is not None)


def test_who_decides_on_what_is_moved_at_once_is_told_so(team: Team) -> None:
    own = Workspace.objects.personal_of(team.alice)
    for _ in range(4):
        image = team.picture()
        said = at_once(
            lambda: rounds.decide(image, by=team.adam, approves=True),  # noqa: B023  run at once
            lambda: moving.move(team.alice, [image], own),  # noqa: B023
        )
        assert all("moved to another workspace" in each for each in said)
        assert not Approval.objects.filter(image=image).exists()


def test_what_was_moved_since_somebody_looked_is_decided_by_nobody(team: Team) -> None:
    seen = team.picture()
    moving.move(team.alice, [Image.objects.get()], Workspace.objects.personal_of(team.alice))
    with pytest.raises(rounds.NotPossible, match="moved"):
        rounds.decide(seen, by=team.adam, approves=True)
    assert not Approval.objects.exists()


def test_replacing_what_was_replaced_meets_its_way_back(team: Team) -> None:
    for _ in range(4):
        low, middle, high = (team.picture(pk=pk) for pk in sorted(uuid4() for _ in range(3)))
        made = replacing.put_in_place(high, low, team.adam)
        assert made is not None
        review = rounds.ask(middle, team.edda, [team.vera], replaces=high)
        at_once(
            lambda: rounds.answer(review, team.vera, True),  # noqa: B023  run at once
            lambda: replacing.take_back(made, team.adam),  # noqa: B023
        )
        assert Review.objects.get(pk=review.pk).state == "approved"
