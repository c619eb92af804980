"""Deciding: what each action does, what a change takes back, and that a decision is whole or not at all."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from editor.desk import decisions, notices
from editor.desk.decisions import AT_ONCE, NotDecided
from editor.models import (
    Action,
    AuditEntry,
    CaseState,
    Cause,
    Decision,
    Fingerprint,
    GenerationJob,
    HeldFor,
    Image,
    JobState,
    ModerationCase,
    Notice,
    Trust,
    User,
)
from editor.moderation import audit
from editor.moderation.cases import open_case
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image, make_job
from tests.people import admin, alice, quick_passwords

__all__ = ["admin", "alice", "quick_passwords"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def mo(quick_passwords: None) -> User:
    return make_moderator("mo")


@pytest.fixture
def mia(quick_passwords: None) -> User:
    return make_moderator("mia")


def facts(image: Image) -> set[str]:
    """What is so of a picture and its maker, in the words of the actions."""
    image = Image.objects.select_related("made_by").get(pk=image.pk)
    person = image.made_by
    found = {
        Action.SENSITIVE: image.sensitive,
        Action.REMOVE: image.removed_at is not None,
        Action.RESTRICT: person.trust == Trust.RESTRICTED,
        Action.SUSPEND: person.suspended_at is not None,
    }
    return {str(action) for action, so in found.items() if so}


def together() -> Iterator[list[Action]]:
    """All that go together."""
    for number in range(1, len(Action) + 1):
        for chosen in combinations(Action, number):
            if not any(both <= set(chosen) for both in decisions.CONTRADICTIONS):
                yield list(chosen)


def visible(actions: list[Action]) -> set[str]:
    return {str(action) for action in actions} - {"fine", "warn"}


@pytest.mark.parametrize("chosen", together(), ids=lambda chosen: "+".join(chosen))
def test_each_combination_does_what_it_says_and_a_change_takes_it_back(
    chosen: list[Action], mo: User, alice: User
) -> None:
    image = make_image(alice)
    decision = decide(mo, case_about(image), *chosen)
    assert facts(image) == visible(chosen)
    assert decision.actions == sorted(chosen)
    other = [Action.WARN] if chosen == [Action.FINE] else [Action.FINE]
    decisions.change(mo, decision.pk, other, reason="Another look.")
    assert facts(image) == set()
    assert [entry.action for entry in AuditEntry.objects.order_by("number")] == ["case.decided", "case.changed"]
    assert list(audit.verify()) == []


@pytest.mark.parametrize("both", decisions.CONTRADICTIONS, ids=lambda both: "+".join(sorted(both)))
def test_what_contradicts_itself_is_refused(both: set[Action], mo: User, alice: User) -> None:
    case = case_about(make_image(alice))
    with pytest.raises(NotDecided, match="don't go together"):
        decide(mo, case, *both)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", sorted(decisions.NEED_REASON))
def test_what_hurts_needs_a_reason(action: Action, mo: User, alice: User) -> None:
    case = case_about(make_image(alice))
    with pytest.raises(NotDecided, match="reason"):
        decide(mo, case, action, reason="  ")
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


@pytest.mark.parametrize("chosen", [[], ["promote"]])
def test_nothing_and_nonsense_are_no_decision(chosen: list[Any], mo: User, alice: User) -> None:
    with pytest.raises(NotDecided, match="Choose what to do"):
        decide(mo, case_about(make_image(alice)), *chosen)


def test_decision_tells_the_person_why(mo: User, alice: User) -> None:
    decide(mo, case_about(make_image(alice)), Action.REMOVE, reason="It is sexual.", note="For us alone.")
    notice = Notice.objects.get(person=alice)
    assert "It is sexual." in notice.words
    assert "For us alone." not in notice.words


def test_removed_picture_is_known_again_and_its_versions_come_to_the_desk(mo: User, alice: User) -> None:
    image = make_image(alice)
    done = make_job(alice, image, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now(), due_at=None)
    version = make_image(alice, kind="generated", job=done, root=image)
    decision = decide(mo, case_about(image), Action.REMOVE)
    assert Fingerprint.objects.filter(image=image).exists()
    case = ModerationCase.objects.get(cause=Cause.DESCENDANT)
    assert (case.image, case.person, case.details) == (version, alice, {"of": str(image.pk)})
    decisions.change(mo, decision.pk, [Action.FINE])
    assert not Fingerprint.objects.filter(image=image).exists()


def test_cases_that_came_of_a_removal_are_closed_when_it_is_taken_back(mo: User, alice: User) -> None:
    image, other = make_image(alice), make_image(alice)
    again, kept, unlike = (make_image(alice, withheld_at=timezone.now()) for _ in range(3))
    done = make_job(alice, image, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now(), due_at=None)
    version = make_image(alice, kind="generated", job=done, root=image)
    removal, second = (decide(mo, case_about(each), Action.REMOVE) for each in (image, other))
    of = {each.image_id: str(each.pk) for each in Fingerprint.objects.all()}
    alike = [open_case(Cause.FINGERPRINT, alice, image=each, key=of[image.pk]) for each in (again, kept)]
    open_case(Cause.TRUST, alice, image=kept)
    stays = open_case(Cause.FINGERPRINT, alice, image=unlike, key=of[other.pk])
    descendant = ModerationCase.objects.get(cause=Cause.DESCENDANT, image=version)
    decisions.change(mo, removal.pk, [Action.FINE])
    closed = {*alike, descendant}
    assert set(ModerationCase.objects.filter(pk__in=[each.pk for each in closed], state=CaseState.DECIDED)) == closed
    assert not Decision.objects.filter(case__in=closed).exists()
    waiting = Image.objects.filter(pk__in=[again.pk, kept.pk, unlike.pk], withheld_at__isnull=False)
    assert set(waiting) == {kept, unlike}
    stays.refresh_from_db()
    assert stays.state == CaseState.OPEN
    told = AuditEntry.objects.filter(action="case.closed").values_list("about", flat=True)
    assert set(told) == {audit.about_of(each) for each in closed}
    decisions.change(mo, second.pk, [Action.FINE])
    assert AuditEntry.objects.filter(action="case.closed").count() == 4


def test_picture_that_lay_in_the_trash_goes_back_there(mo: User, alice: User) -> None:
    image = make_image(alice, trashed_at=timezone.now())
    decision = decide(mo, case_about(image), Action.REMOVE)
    decisions.change(mo, decision.pk, [Action.FINE])
    image.refresh_from_db()
    assert image.removed_at is None
    assert image.trashed_at is not None


def test_colleague_who_finds_a_removed_picture_fine_for_another_cause_does_not_put_it_back(
    mo: User, mia: User, alice: User
) -> None:
    image = make_image(alice)
    reported, by_machine = case_about(image, Cause.REPORT), case_about(image)
    removal = decide(mo, reported, Action.REMOVE)
    decide(mia, by_machine, Action.FINE)
    assert facts(image) == {"remove"}
    decisions.change(mo, removal.pk, [Action.FINE])
    assert facts(image) == set()


def test_picture_that_two_removed_comes_back_when_both_have_changed_their_minds(
    mo: User, mia: User, alice: User
) -> None:
    image = make_image(alice)
    reported, by_machine = case_about(image, Cause.REPORT), case_about(image)
    first, second = decide(mo, reported, Action.REMOVE), decide(mia, by_machine, Action.REMOVE)
    decisions.change(mo, first.pk, [Action.FINE])
    assert facts(image) == {"remove"}
    decisions.change(mia, second.pk, [Action.FINE])
    assert facts(image) == set()


def test_first_look_lets_others_see_a_withheld_picture(mo: User, alice: User) -> None:
    image = make_image(alice, withheld_at=timezone.now())
    decide(mo, case_about(image, Cause.TRUST), Action.FINE)
    image.refresh_from_db()
    assert image.withheld_at is None


@pytest.mark.parametrize(("action", "state"), [(Action.FINE, JobState.QUEUED), (Action.REMOVE, JobState.FAILED)])
def test_held_edit_goes_on_or_is_refused(action: Action, state: JobState, mo: User, alice: User) -> None:
    job = make_job(alice)
    assert job.hold(HeldFor.RULE)
    decide(mo, open_case(Cause.RULE, alice, job=job), action)
    found = GenerationJob.objects.get(pk=job.pk)
    assert found.state == state
    assert found.allowance == ("held" if state == JobState.QUEUED else "released")


@pytest.mark.parametrize(("action", "goes_on"), [(Action.FINE, True), (Action.WARN, False)])
def test_who_was_blocked_too_often_may_go_on_if_that_is_fine(
    action: Action, goes_on: bool, mo: User, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(edits_paused_until=timezone.now() + timedelta(1))
    decide(mo, open_case(Cause.OFTEN, alice), action, reason="Please stop.")
    alice.refresh_from_db()
    assert (alice.edits_paused_until is None) is goes_on


@pytest.mark.parametrize(
    ("state", "ends", "allowance"),
    [("queued", "failed", "released"), ("processing", "canceled", "taken"), ("collecting", "canceled", "taken")],
)
def test_edit_under_way_is_stopped_when_it_is_removed(
    state: str, ends: str, allowance: str, mo: User, alice: User
) -> None:
    job = make_job(alice, make_image(alice), state=state)
    decide(mo, open_case(Cause.RULE, alice, job=job), Action.REMOVE)
    job.refresh_from_db()
    assert (job.state, job.allowance) == (ends, allowance)


def test_results_of_an_edit_are_removed_and_put_back_together(mo: User, alice: User) -> None:
    done = make_job(alice, state=JobState.SUCCEEDED, allowance="taken", finished_at=timezone.now(), due_at=None)
    results = [make_image(alice, kind="generated", job=done, position=place) for place in range(2)]
    decision = decide(mo, open_case(Cause.FLAGGED, alice, job=done), Action.REMOVE)
    assert [facts(image) for image in results] == [{"remove"}, {"remove"}]
    decisions.change(mo, decision.pk, [Action.SENSITIVE])
    assert [facts(image) for image in results] == [{"sensitive"}, {"sensitive"}]


def test_changed_decision_stays_in_the_record(mo: User, mia: User, alice: User) -> None:
    first = decide(mo, case_about(make_image(alice)), Action.REMOVE, reason="It is sexual.")
    second = decisions.change(mia, first.pk, [Action.SENSITIVE], note="Art.")
    first.refresh_from_db()
    assert (first.actions, first.reason, first.moderator) == (["remove"], "It is sexual.", mo)
    assert (second.replaces, second.moderator, second.note) == (first, mia, "Art.")
    with pytest.raises(NotDecided, match="changed already"):
        decisions.change(mo, first.pk, [Action.FINE])
    with pytest.raises(NotDecided, match="already"):
        decisions.change(mo, second.pk, [Action.SENSITIVE])
    with pytest.raises(NotDecided):
        decisions.change(mo, uuid4(), [Action.FINE])


def test_moderator_may_do_nothing_to_staff_and_a_superuser_may(mo: User, mia: User, admin: User) -> None:
    User.objects.filter(pk=mia.pk).update(is_staff=True)
    case = case_about(make_image(mia))
    with pytest.raises(NotDecided, match="superuser"):
        decide(mo, case, Action.RESTRICT)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert decide(admin, case, Action.RESTRICT)


# Many at once ---------------------------------------------------------------------------------------------------------


def test_many_are_decided_alike_each_on_its_own(mo: User, mia: User, alice: User) -> None:
    cases = [case_about(make_image(alice)) for _ in range(4)]
    decide(mia, cases[3], Action.FINE)
    made = decisions.decide(mo, [case.pk for case in cases], [Action.SENSITIVE])
    assert {decision.case_id for decision in made} == {case.pk for case in cases[:3]}
    assert AuditEntry.objects.filter(action="case.decided", actor=mo).count() == 3


def test_no_more_at_once_than_the_limit(mo: User) -> None:
    with pytest.raises(NotDecided, match=f"At most {AT_ONCE}"):
        decisions.decide(mo, [uuid4() for _ in range(AT_ONCE + 1)], [Action.FINE])
    with pytest.raises(NotDecided, match="Choose something"):
        decisions.decide(mo, [], [Action.FINE])


# What can be done to what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action.REMOVE, Action.SENSITIVE])
def test_nothing_is_removed_or_marked_where_a_case_is_about_a_person(action: Action, mo: User, alice: User) -> None:
    case = open_case(Cause.OFTEN, alice)
    assert decisions.offered(case) == [Action.FINE, Action.WARN, Action.RESTRICT, Action.SUSPEND]
    with pytest.raises(NotDecided, match="about a person"):
        decide(mo, case, action)
    case.refresh_from_db()
    assert (case.state, case.claimed_by) == (CaseState.OPEN, None)
    warned = decide(mo, case, Action.WARN)
    with pytest.raises(NotDecided, match="about a person"):
        decisions.change(mo, warned.pk, [action], reason="No.")
    assert not Notice.objects.filter(words__contains="removed").exists()


def test_held_edit_is_released_or_refused_and_never_marked(mo: User, alice: User) -> None:
    job = make_job(alice)
    assert job.hold(HeldFor.RULE)
    case = open_case(Cause.RULE, alice, job=job)
    assert Action.SENSITIVE not in decisions.offered(case)
    assert [decisions.label_of(action, case) for action in (Action.FINE, Action.REMOVE)] == ["Release", "Refuse"]
    with pytest.raises(NotDecided, match="Release it, or refuse it"):
        decide(mo, case, Action.SENSITIVE)
    assert GenerationJob.objects.get(pk=job.pk).state == JobState.HELD
    released = decide(mo, case, Action.FINE)
    assert str(released) == "Released"
    with pytest.raises(NotDecided, match="nothing to mark"):
        decisions.change(mo, released.pk, [Action.SENSITIVE])


def test_of_many_those_are_left_out_to_which_it_cant_be_done(mo: User, alice: User) -> None:
    of_picture, of_person = case_about(make_image(alice)), open_case(Cause.OFTEN, alice)
    ids = [of_person.pk, of_picture.pk]
    made, unfit = decisions.decide_all(mo, ids, [Action.SENSITIVE])
    assert [each.case_id for each in made] == [of_picture.pk]
    assert unfit == 1


def test_who_else_is_there_is_asked_once_for_many(mo: User, mia: User, alice: User) -> None:
    ids = [case_about(make_image(alice)).pk for _ in range(3)]
    with CaptureQueriesContext(connection) as asked:
        decisions.decide(mo, ids, [Action.FINE])
    others = [query for query in asked if "auth_group" in query["sql"] or "user_permissions" in query["sql"]]
    assert len(others) == 2  # by a role, and by a right of their own


# Whole or not at all --------------------------------------------------------------------------------------------------


class Broken(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("step", ["notice", "audit"])
@pytest.mark.parametrize("change", [False, True], ids=["decide", "change"])
def test_a_step_that_fails_leaves_nothing(
    step: str, change: bool, mo: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(alice)
    case = case_about(image)
    first = decide(mo, case, Action.FINE) if change else None
    before = counts()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise Broken

    monkeypatch.setattr(*((notices, "tell") if step == "notice" else (audit, "record")), fail)
    with pytest.raises(Broken):
        if first is not None:
            decisions.change(mo, first.pk, [Action.REMOVE, Action.SUSPEND], reason="No.")
        else:
            decide(mo, case, Action.REMOVE, Action.SUSPEND)
    assert counts() == before
    assert facts(image) == set()
    case.refresh_from_db()
    assert case.state == (CaseState.DECIDED if change else CaseState.OPEN)


def counts() -> list[int]:
    return [model.objects.count() for model in (Decision, Notice, AuditEntry, Fingerprint, ModerationCase)]
