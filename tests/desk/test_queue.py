"""Whose case is next: nobody gets what a colleague has, and two never decide the same one."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from editor.desk import appeals, decisions, queue
from editor.desk.decisions import NotDecided
from editor.desk.queue import Scope
from editor.models import Action, AuditEntry, CaseState, Cause, Decision, ModerationCase, User
from editor.moderation.cases import open_case
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image, make_user
from tests.people import admin, alice, quick_passwords

__all__ = ["admin", "alice", "quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def mo(quick_passwords: None) -> User:
    return make_moderator("mo")


@pytest.fixture
def mia(quick_passwords: None) -> User:
    return make_moderator("mia")


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do all at the same moment, each on a connection of its own; what came of each, be it what it raised."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int) -> None:
        try:
            gate.wait(10)
            found[place] = works[place]()
        except Exception as error:
            found[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    close_old_connections()
    return found


def cases_of(person: User, number: int) -> list[ModerationCase]:
    return [case_about(make_image(person)) for _ in range(number)]


def test_most_urgent_is_first_and_then_the_oldest(mo: User, alice: User) -> None:
    late, early, urgent = (open_case(Cause.REPORT, alice, image=make_image(alice), urgency=u) for u in (50, 50, 99))
    ModerationCase.objects.filter(pk=early.pk).update(opened_at=timezone.now() - timedelta(hours=1))
    found = []
    while (case := queue.next_case(mo)) is not None:
        found.append(case.pk)
        decide(mo, case, Action.FINE)
    assert found == [urgent.pk, early.pk, late.pk]


def test_claimed_case_is_shown_to_no_colleague_until_it_runs_out(mo: User, mia: User, alice: User) -> None:
    first, second = cases_of(alice, 2)
    assert queue.next_case(mo) == first
    assert not queue.claim(mia, first.pk)
    assert queue.next_case(mia) == second
    with pytest.raises(NotDecided):
        decide(mia, first, Action.FINE)
    ModerationCase.objects.filter(pk=first.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert queue.claim(mia, first.pk)
    with pytest.raises(NotDecided):  # too late
        decide(mo, first, Action.FINE)
    assert decide(mia, first, Action.FINE).moderator == mia


def test_ones_own_claim_is_kept_for_longer_by_each_look(mo: User, alice: User) -> None:
    (case,) = cases_of(alice, 1)
    assert queue.claim(mo, case.pk)
    soon = timezone.now() + timedelta(minutes=1)
    ModerationCase.objects.filter(pk=case.pk).update(claimed_until=soon)
    assert queue.claim(mo, case.pk)
    case.refresh_from_db()
    assert case.claimed_until is not None
    assert case.claimed_until > soon


def test_what_was_let_go_is_free_at_once(mo: User, mia: User, alice: User) -> None:
    (case,) = cases_of(alice, 1)
    assert queue.claim(mo, case.pk)
    queue.let_go(mia, case.pk)  # not hers
    assert not queue.claim(mia, case.pk)
    queue.let_go(mo, case.pk)
    assert queue.claim(mia, case.pk)


def test_skipped_cases_come_when_nothing_else_is_left(mo: User, alice: User) -> None:
    first, second = cases_of(alice, 2)
    assert queue.next_case(mo, skipped=[first.pk]) == second
    decide(mo, second, Action.FINE)
    assert queue.next_case(mo, skipped=[first.pk]) == first


def test_scope_narrows_the_queue(mo: User, alice: User) -> None:
    bella = make_user()
    hers = case_about(make_image(bella))
    rule = case_about(make_image(alice), Cause.TRUST)
    assert queue.next_case(mo, Scope(person=bella.pk)) == hers
    queue.let_go(mo, hers.pk)
    assert queue.next_case(mo, Scope(cause=Cause.TRUST)) == rule
    assert queue.next_case(mo, Scope(cause=Cause.TRUST, person=bella.pk)) is None


def test_nobody_gets_a_case_about_themselves(mo: User, mia: User) -> None:
    (case,) = cases_of(mo, 1)
    assert queue.next_case(mo) is None
    assert not queue.claim(mo, case.pk)
    with pytest.raises(NotDecided):
        decide(mo, case, Action.FINE)
    assert queue.next_case(mia) == case


def test_only_moderator_of_all_may_decide_about_themselves(admin: User) -> None:
    (case,) = cases_of(admin, 1)
    assert queue.next_case(admin) == case


def test_an_appeal_goes_to_somebody_else_if_there_is_one(mo: User, mia: User, alice: User) -> None:
    decision = decide(mo, case_about(make_image(alice)), Action.REMOVE)
    appeal = appeals.appeal(alice, decision, "It is my own cup.")
    assert queue.next_case(mo) is None
    with pytest.raises(NotDecided):
        decide(mo, appeal, Action.FINE)
    assert queue.next_case(mia) == appeal
    queue.let_go(mia, appeal.pk)
    User.objects.filter(pk=mia.pk).update(is_active=False)
    assert queue.next_case(mo) == appeal


def test_answer_to_an_appeal_is_not_changed_by_whom_it_was_against(mo: User, mia: User, alice: User) -> None:
    decision = decide(mo, case_about(make_image(alice)), Action.REMOVE)
    answer = decide(mia, appeals.appeal(alice, decision, "It is my own cup."), Action.FINE)
    with pytest.raises(NotDecided, match="against a decision of yours"):
        decisions.change(mo, answer.pk, [Action.REMOVE], reason="No.")


@pytest.mark.parametrize("way", ["superuser", "permission", "group"])
def test_every_way_to_the_right_counts(way: str, mo: User, quick_passwords: None) -> None:
    from django.contrib.auth.models import Group, Permission

    other = make_user()
    assert not queue.others_than(mo)
    right = Permission.objects.get(codename="moderate", content_type__app_label="editor")
    if way == "superuser":
        User.objects.filter(pk=other.pk).update(is_superuser=True)
    elif way == "permission":
        other.user_permissions.add(right)
    else:
        group = Group.objects.create(name="Night shift")
        group.permissions.add(right)
        other.groups.add(group)
    assert queue.others_than(mo)


# Two at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_the_same_moment_get_different_cases(mo: User, mia: User, alice: User) -> None:
    for _ in range(3):
        cases = cases_of(alice, 2)
        found = together(lambda: queue.next_case(mo), lambda: queue.next_case(mia))
        assert set(found) == set(cases), found
        for moderator, case in zip((mo, mia), found, strict=True):
            decide(moderator, case, Action.FINE)


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_the_same_one_make_one_decision(mo: User, mia: User, alice: User) -> None:
    for _ in range(3):
        (case,) = cases_of(alice, 1)
        found = together(partial(decide, mo, case, Action.REMOVE), partial(decide, mia, case, Action.FINE))
        kinds = sorted(type(each).__name__ for each in found)
        assert kinds == ["Decision", "NotDecided"], found
        decision = Decision.objects.get(case=case)
        case.refresh_from_db()
        assert (case.state, case.claimed_by) == (CaseState.DECIDED, None)
        assert AuditEntry.objects.filter(action="case.decided", details__case=str(case.pk)).count() == 1
        assert (case.image.removed_at is not None) == (decision.actions == ["remove"])  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_two_who_change_the_same_decision_make_one_change(mo: User, mia: User, alice: User) -> None:
    decision = decide(mo, cases_of(alice, 1)[0], Action.FINE)
    found = together(
        lambda: decisions.change(mo, decision.pk, [Action.SENSITIVE]),
        lambda: decisions.change(mia, decision.pk, [Action.REMOVE], reason="No."),
    )
    assert sorted(type(each).__name__ for each in found) == ["Decision", "NotDecided"], found
    assert Decision.objects.filter(replaces=decision).count() == 1
