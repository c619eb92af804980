"""Suspending people: out at once, nothing of theirs is sent, and nothing is lost."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.desk import decisions, suspension
from editor.jobs import admission, clock
from editor.models import (
    Action,
    AuditEntry,
    Decision,
    GenerationJob,
    HeldFor,
    Invitation,
    JobState,
    Notice,
    Role,
    User,
    Workspace,
    WorkspaceInvitation,
)
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_attempt, make_image, make_job
from tests.people import PASSWORD, admin, alice, bob, client_of, quick_passwords, submit, team

__all__ = ["admin", "alice", "bob", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator(quick_passwords: None) -> User:
    return make_moderator("moderator")


def suspended(moderator: User, person: User) -> Decision:
    return decide(moderator, case_about(make_image(person)), Action.SUSPEND, reason="Threats.")


def test_a_suspended_person_is_signed_out_at_the_next_request(moderator: User, alice: User) -> None:
    browser = client_of(alice)
    assert browser.get(reverse("notices")).status_code == 200
    suspended(moderator, alice)
    assert browser.get(reverse("notices")).status_code == 302
    assert browser.get(reverse("edits_left"), headers={"accept": "application/json"}).status_code == 401
    asked_by_htmx = browser.get(reverse("edits_left"), headers={"hx-request": "true"})
    assert asked_by_htmx["HX-Redirect"] == reverse("account_login")


def test_an_old_session_does_not_come_back_with_the_person(moderator: User, alice: User) -> None:
    browser = client_of(alice)
    decision = suspended(moderator, alice)
    decisions.change(moderator, decision.pk, [Action.WARN], reason="Be kind.")
    alice.refresh_from_db()
    assert alice.is_active
    assert browser.get(reverse("notices")).status_code == 302
    assert client_of(alice).get(reverse("notices")).status_code == 200


def test_a_suspension_during_running_jobs_leaks_nothing_and_loses_nothing(moderator: User, alice: User) -> None:
    waiting, by_rule = make_job(alice), make_job(alice)
    assert by_rule.hold(HeldFor.RULE)
    running = make_job(alice, state=JobState.PROCESSING, due_at=timezone.now() + timedelta(minutes=1))
    attempt = make_attempt(running, vendor_id="4711")
    source = running.source_image

    decision = suspended(moderator, alice)
    waiting.refresh_from_db()
    by_rule.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.state, waiting.held_for, waiting.due_at) == (JobState.HELD, HeldFor.SUSPENDED, None)
    assert (by_rule.state, by_rule.held_for) == (JobState.HELD, HeldFor.RULE)
    assert running.state == JobState.PROCESSING
    assert admission.next_in_turn() is None
    # What is with the vendor is told and goes on.
    answer = Client().post(
        reverse("flux_webhook", args=[attempt.secret]),
        {"status": "success", "id": 4711},
        content_type="application/json",
    )
    assert answer.status_code < 300
    running.refresh_from_db()
    assert running.due_at
    assert running.due_at <= timezone.now()
    # The vendor refuses one that was being sent, and it waits again: it is held, too.
    assert running.start_collecting(timezone.now() + timedelta(hours=1))
    back = make_job(alice)
    clock.tick()
    back.refresh_from_db()
    assert (back.state, back.held_for) == (JobState.HELD, HeldFor.SUSPENDED)

    decisions.change(moderator, decision.pk, [Action.FINE])
    waiting.refresh_from_db()
    by_rule.refresh_from_db()
    assert waiting.state == JobState.QUEUED
    assert waiting.due_at is not None
    assert by_rule.state == JobState.HELD
    assert admission.next_in_turn() is not None
    assert source.is_ready
    assert not GenerationJob.objects.filter(made_by=alice, allowance="released").exists()


def test_the_right_password_says_why_and_a_wrong_one_says_nothing(moderator: User, alice: User) -> None:
    suspended(moderator, alice)
    wrong = submit(Client(), reverse("account_login"), login=alice.email, password="not the password")
    unknown = submit(Client(), reverse("account_login"), login="nobody@example.com", password="not the password")
    assert wrong.status_code == unknown.status_code == 200
    assert b"suspended" not in wrong.content.lower()
    assert str(wrong.context["form"].errors) == str(unknown.context["form"].errors)

    browser = Client()
    right = submit(browser, reverse("account_login"), login=alice.email, password=PASSWORD)
    assert right["Location"] == reverse("suspended")
    page = browser.get(reverse("suspended"))
    assert page.status_code == 403
    assert "Threats." in page.content.decode()
    assert "/appeals/" in page.content.decode()
    assert "_auth_user_id" not in browser.session
    assert Client().get(reverse("suspended"))["Location"] == reverse("account_login")


def test_an_account_that_is_only_switched_off_sees_the_old_page(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = submit(Client(), reverse("account_login"), login=alice.email, password=PASSWORD)
    assert answer["Location"] == reverse("account_inactive")


def test_invitations_of_a_suspended_person_let_nobody_in(
    moderator: User, alice: User, bob: User, team: Workspace
) -> None:
    link = WorkspaceInvitation.objects.create(
        workspace=team, invited_by=alice, role=Role.VIEWER, expires_at=timezone.now() + timedelta(days=1)
    )
    Invitation.objects.create(email="new@example.com", invited_by=alice)
    decision = suspended(moderator, alice)
    newcomer = make_moderator("newcomer")
    assert client_of(newcomer).get(reverse("join", args=[link.token])).status_code == 404
    assert not link.accept(newcomer)
    decisions.change(moderator, decision.pk, [Action.FINE])
    assert link.accept(newcomer)


def test_the_last_administrator_is_not_suspended(admin: User, moderator: User) -> None:
    other = make_moderator("other")
    User.objects.filter(pk=other.pk).update(is_superuser=True)
    other.refresh_from_db()
    suspension.suspend(other, admin, "Threats.")
    with pytest.raises(suspension.NotAllowed, match="last administrator"):
        suspension.shut_out(other)
    other.refresh_from_db()
    assert other.is_active


def test_the_administration_suspends_with_a_reason_tells_and_records(admin: User, alice: User) -> None:
    with pytest.raises(suspension.NotAllowed, match="reason"):
        suspension.suspend(admin, alice, " ")
    suspension.suspend(admin, alice, "Threats.")
    alice.refresh_from_db()
    assert alice.suspended_at
    assert not alice.is_active
    notice = Notice.objects.get(person=alice)
    assert notice.may_appeal
    assert "Threats." in notice.words
    with pytest.raises(suspension.NotAllowed, match="already"):
        suspension.suspend(admin, alice, "Again.")

    suspension.lift(admin, alice)
    back = User.objects.get(pk=alice.pk)
    assert (back.is_active, back.suspended_at) == (True, None)
    assert "no longer suspended" in Notice.objects.filter(person=alice).latest("created_at").words
    told = AuditEntry.objects.order_by("number").values_list("action", "about")
    assert list(told) == [("person.suspended", f"user:{alice.pk}"), ("person.reinstated", f"user:{alice.pk}")]


def test_of_two_suspensions_taking_one_back_is_not_enough(moderator: User, alice: User) -> None:
    first, second = suspended(moderator, alice), suspended(moderator, alice)
    decisions.change(moderator, first.pk, [Action.FINE])
    alice.refresh_from_db()
    assert alice.suspended_at is not None
    decisions.change(moderator, second.pk, [Action.FINE])
    alice.refresh_from_db()
    assert alice.suspended_at is None
