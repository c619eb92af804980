"""Appeals: once against each decision, answered at the same desk, by somebody else if there is one."""

import time
from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.desk import appeals, decisions, queue
from editor.models import (
    Action,
    AuditEntry,
    Cause,
    Decision,
    HeldFor,
    Image,
    JobState,
    ModerationCase,
    Notice,
    Trust,
    User,
)
from editor.moderation.cases import open_case
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image, make_job
from tests.people import alice, bob, client_of, quick_passwords, submit, team

__all__ = ["alice", "bob", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(quick_passwords: None) -> User:
    return make_moderator("first")


@pytest.fixture
def second(quick_passwords: None) -> User:
    return make_moderator("second")


def latest_words(person: User) -> str:
    notice = Notice.objects.filter(person=person).order_by("-created_at").first()
    return f"{notice.headline}\n{notice.words}" if notice else ""


def answered(
    moderator: User, case: ModerationCase, actions: Iterable[Action], reason: str = "Looked again."
) -> Decision:
    return decisions.decide(moderator, [case.pk], actions, reason=reason)[0]


def test_an_appeal_goes_to_somebody_else_if_there_is_one(first: User, second: User, alice: User) -> None:
    decision = decide(first, case_about(make_image(alice)), Action.REMOVE)
    case = appeals.appeal(alice, decision, "It is a statue.")
    assert case.cause == Cause.APPEAL
    assert case.details["words"] == "It is a statue."
    assert queue.next_case(first) is None
    found = queue.next_case(second)
    assert found is not None
    assert found.pk == case.pk


def test_a_single_moderator_answers_appeals_as_well(first: User, alice: User) -> None:
    decision = decide(first, case_about(make_image(alice)), Action.REMOVE)
    case = appeals.appeal(alice, decision, "It is a statue.")
    found = queue.next_case(first)
    assert found is not None
    assert found.pk == case.pk


def test_a_successful_appeal_takes_everything_back(first: User, second: User, alice: User) -> None:
    picture = make_image(alice, sensitive=True)
    decision = decide(first, case_about(picture), Action.REMOVE, Action.RESTRICT)
    assert User.objects.get(pk=alice.pk).trust == Trust.RESTRICTED
    answered(second, appeals.appeal(alice, decision, "It is a statue."), [Action.FINE])
    picture.refresh_from_db()
    assert (picture.removed_at, picture.trashed_at) == (None, None)
    assert picture.sensitive  # as it was before
    assert User.objects.get(pk=alice.pk).trust == Trust.NEW
    assert "Your appeal was accepted" in latest_words(alice)
    assert "is there again" in latest_words(alice)
    back = Decision.objects.get(replaces=decision)
    assert back.actions == [Action.FINE, Action.SENSITIVE]
    assert back.moderator == second
    assert AuditEntry.objects.filter(action="case.decided").count() == 2


def test_an_unsuccessful_appeal_changes_nothing_and_there_is_no_second(first: User, second: User, alice: User) -> None:
    picture = make_image(alice)
    decision = decide(first, case_about(picture), Action.REMOVE)
    case = appeals.appeal(alice, decision, "It is a statue.")
    answer = answered(second, case, [Action.REMOVE], "It is no statue.")
    picture.refresh_from_db()
    assert picture.removed_at is not None
    assert "Your appeal was not accepted" in latest_words(alice)
    assert "It is no statue." in latest_words(alice)
    with pytest.raises(appeals.NotPossible, match="already"):
        appeals.appeal(alice, decision, "Once more.")
    with pytest.raises(appeals.NotPossible, match="no second"):
        appeals.appeal(alice, answer, "Once more.")


def test_an_appeal_after_a_change_of_mind_is_about_the_latest_decision(first: User, second: User, alice: User) -> None:
    picture = make_image(alice)
    removed = decide(first, case_about(picture), Action.REMOVE)
    marked = decisions.change(first, removed.pk, [Action.SENSITIVE], reason="Blurred is enough.")
    with pytest.raises(appeals.NotPossible, match="changed since"):
        appeals.appeal(alice, removed, "It is a statue.")
    answered(second, appeals.appeal(alice, marked, "It is a statue."), [Action.FINE])
    picture.refresh_from_db()
    assert not picture.sensitive
    assert picture.removed_at is None


def test_a_change_of_mind_while_an_appeal_waits_is_not_undone_by_its_answer(
    first: User, second: User, alice: User
) -> None:
    picture = make_image(alice)
    removed = decide(first, case_about(picture), Action.REMOVE)
    case = appeals.appeal(alice, removed, "It is a statue.")
    marked = decisions.change(first, removed.pk, [Action.SENSITIVE], reason="Blurred is enough.")
    answered(second, case, [Action.REMOVE])  # the decision stands, and that is the latest one
    picture.refresh_from_db()
    assert picture.removed_at is None
    assert picture.sensitive
    assert not Decision.objects.filter(replaces=marked).exists()


def test_the_answer_to_an_appeal_can_be_changed_to_and_fro(first: User, second: User, alice: User) -> None:
    picture = make_image(alice)
    decision = decide(first, case_about(picture), Action.REMOVE)
    answer = answered(second, appeals.appeal(alice, decision, "It is a statue."), [Action.FINE])
    assert Image.objects.get(pk=picture.pk).removed_at is None
    other = decisions.change(second, answer.pk, [Action.REMOVE], reason="It is none after all.")
    assert Image.objects.get(pk=picture.pk).removed_at is not None
    decisions.change(second, other.pk, [Action.FINE], reason="It is one.")
    assert Image.objects.get(pk=picture.pk).removed_at is None


def test_a_refused_edit_stays_refused_and_its_owner_is_told_to_run_it_again(
    first: User, second: User, alice: User
) -> None:
    held = make_job(alice)
    assert held.hold(HeldFor.RULE)
    decision = decide(first, open_case(Cause.RULE, alice, job=held), Action.REMOVE)
    answered(second, appeals.appeal(alice, decision, "It is about flowers."), [Action.FINE])
    held.refresh_from_db()
    assert held.state == JobState.FAILED
    assert "Run it again" in latest_words(alice)


@pytest.mark.parametrize("words", ["", "  ", "x" * 2001])
def test_an_appeal_needs_words_but_not_a_novel(first: User, alice: User, words: str) -> None:
    decision = decide(first, case_about(make_image(alice)), Action.REMOVE)
    with pytest.raises(appeals.NotPossible):
        appeals.appeal(alice, decision, words)
    assert not ModerationCase.objects.filter(cause=Cause.APPEAL).exists()


def test_only_the_person_themselves_appeals_against_something(first: User, alice: User, bob: User) -> None:
    removed = decide(first, case_about(make_image(alice)), Action.REMOVE)
    with pytest.raises(appeals.NotPossible, match="not about you"):
        appeals.appeal(bob, removed, "It is a statue.")
    fine = decide(first, case_about(make_image(alice, withheld_at=timezone.now())), Action.FINE)
    with pytest.raises(appeals.NotPossible, match="nothing to appeal"):
        appeals.appeal(alice, fine, "Thank you.")


def test_the_link_of_a_mail_lets_a_suspended_person_appeal(first: User, second: User, alice: User) -> None:
    decision = decide(first, case_about(make_image(alice)), Action.SUSPEND, reason="Threats.")
    address = reverse("appeal_by_link", args=[appeals.token_for(decision)])
    page = Client().get(address)
    assert "Threats." in page.content.decode()
    assert submit(Client(), address, words="").status_code == 422
    assert submit(Client(), address, words="It was a joke.")["Location"] == f"{address}?sent=1"
    assert "with the moderators" in Client().get(f"{address}?sent=1").content.decode()
    assert "You have appealed already" in Client().get(address).content.decode()
    case = ModerationCase.objects.get(cause=Cause.APPEAL)
    assert (case.person, case.appeal_of) == (alice, decision)
    answered(second, case, [Action.FINE])
    alice.refresh_from_db()
    assert alice.is_active
    assert client_of(alice).get(reverse("notices")).status_code == 200


def test_a_link_that_nobody_sent_or_that_is_old_opens_nothing(
    first: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = decide(first, case_about(make_image(alice)), Action.SUSPEND)
    with monkeypatch.context() as long_ago:
        long_ago.setattr(signing, "time", SimpleNamespace(time=lambda: time.time() - 91 * 86_400))
        old = appeals.token_for(decision)
    for token in ("nonsense", old, appeals.token_for(decision)[:-1]):
        assert Client().get(reverse("appeal_by_link", args=[token])).status_code == 404
    User.objects.filter(pk=alice.pk).update(anonymised_at=timezone.now(), suspended_at=None)
    assert Client().get(reverse("appeal_by_link", args=[appeals.token_for(decision)])).status_code == 404
