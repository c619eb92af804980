"""What people are told, in the portal and by mail."""

import re
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor import rings
from editor.accounts.links import public_url
from editor.desk import decisions, posting, wording
from editor.jobs import clock
from editor.models import Action, Cause, Decision, HeldFor, Image, JobState, Notice, ReportReason, User
from editor.moderation.cases import open_case
from editor.moderation.reports import report
from tests.desk.deciding import case_about, decide, make_moderator
from tests.makers import make_image, make_job
from tests.people import alice, bob, client_of, quick_passwords, team

__all__ = ["alice", "bob", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator(quick_passwords: None) -> User:
    return make_moderator("moderator")


def told(person: User) -> list[Notice]:
    return list(Notice.objects.filter(person=person).order_by("created_at"))


def test_each_action_is_told_with_its_reason_and_what_follows(moderator: User, alice: User) -> None:
    what_follows = {
        Action.SENSITIVE: "blurred until somebody asks",
        Action.REMOVE: "it is not in the trash",
        Action.WARN: "If it happens again",
        Action.RESTRICT: "until a moderator looks at it again",
        Action.SUSPEND: "you can't sign in",
    }
    for action, words in what_follows.items():
        decide(moderator, case_about(make_image(alice, name="beach.jpg")), action, reason=f"Because {action}.")
        notice = told(alice)[-1]
        assert words in notice.words
        assert f"The reason: Because {action}." in notice.words
        assert notice.may_appeal
        if action in {Action.SENSITIVE, Action.REMOVE, Action.WARN}:
            assert "“beach.jpg”" in notice.words
    alice.refresh_from_db()
    assert alice.notices_unseen == len(what_follows)


def test_several_actions_are_one_notice(moderator: User, alice: User) -> None:
    decide(moderator, case_about(make_image(alice)), Action.REMOVE, Action.WARN, reason="Not here.")
    (notice,) = told(alice)
    assert notice.headline == "A picture of yours was removed"
    assert "This is a warning" in notice.words
    assert notice.words.count("The reason:") == 1


def test_fine_is_told_only_where_something_was_kept_back(moderator: User, alice: User) -> None:
    decide(moderator, case_about(make_image(alice)), Action.FINE, reason="")
    assert told(alice) == []
    decide(moderator, case_about(make_image(alice, withheld_at=timezone.now())), Action.FINE, reason="")
    assert [notice.headline for notice in told(alice)] == ["Your picture is fine"]
    held = make_job(alice)
    assert held.hold(HeldFor.RULE)
    decide(moderator, open_case(Cause.RULE, alice, job=held), Action.FINE, reason="")
    held.refresh_from_db()
    assert held.state == JobState.QUEUED
    assert told(alice)[-1].headline == "Your edit is fine"
    assert not any(notice.may_appeal for notice in told(alice))


def test_a_refused_edit_is_told_with_its_words(moderator: User, alice: User) -> None:
    held = make_job(alice, prompt="a very bad idea")
    assert held.hold(HeldFor.RULE)
    decide(moderator, open_case(Cause.RULE, alice, job=held), Action.REMOVE, reason="Weapons.")
    (notice,) = told(alice)
    assert notice.headline == "An edit of yours was refused"
    assert "“a very bad idea”" in notice.words
    assert "costs nothing" in notice.words


def test_a_changed_decision_says_what_was_changed(moderator: User, alice: User) -> None:
    decision = decide(moderator, case_about(make_image(alice, name="beach.jpg")), Action.REMOVE, Action.WARN)
    decisions.change(moderator, decision.pk, [Action.SENSITIVE], reason="Blurred is enough.")
    notice = told(alice)[-1]
    assert notice.headline.startswith("A decision was changed")
    assert "“beach.jpg” is there again." in notice.words
    assert "The warning is taken back." in notice.words
    assert "sensitive" in notice.words
    assert Image.objects.get().removed_at is None


def test_a_case_of_a_person_never_says_that_the_account_was_removed(moderator: User, alice: User) -> None:
    case = open_case(Cause.RULE, alice, key="a rule")
    removed = Decision(case=case, person=alice, cause=case.cause, actions=[Action.REMOVE])
    said = wording.to_its_owner(removed)
    assert said is not None
    assert "removed" not in (said.headline + said.words).lower()
    assert "against the rules here" in said.words
    back = wording.to_its_owner(Decision(case=case, person=alice, replaces=removed, actions=[Action.FINE]))
    assert back is not None
    assert back.words.startswith("What you asked for is not against the rules.")


def test_nothing_goes_on_as_usual_for_somebody_suspended(moderator: User, alice: User) -> None:
    held = make_job(alice)
    assert held.hold(HeldFor.RULE)
    case = open_case(Cause.RULE, alice, job=held)
    first = decide(moderator, case_about(make_image(alice)), Action.SUSPEND)
    decide(moderator, case_about(make_image(alice)), Action.SUSPEND)
    decide(moderator, case, Action.FINE, reason="")
    assert "as usual" not in told(alice)[-1].words
    assert "stays held as long as your account is suspended" in told(alice)[-1].words
    decisions.change(moderator, first.pk, [Action.FINE])
    assert "stays suspended" in told(alice)[-1].words
    assert "you can sign in" not in told(alice)[-1].words


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.RESTRICT, "It stays, and we have taken steps."),
        (Action.SUSPEND, "It stays, and we have taken steps."),
        (Action.WARN, "It stays, but we have spoken to whoever put it there."),
    ],
)
def test_reporters_are_told_what_was_done(
    moderator: User, alice: User, bob: User, team: Any, action: Action, words: str
) -> None:
    picture = make_image(bob, workspace=team)
    report(alice, picture, ReportReason.HATE, "")
    decide(moderator, picture.cases.get(), action)
    assert told(alice)[-1].words.endswith(words)


def test_reporters_learn_the_outcome_and_no_name(moderator: User, alice: User, bob: User, team: Any) -> None:
    picture = make_image(bob, workspace=team, name="a hat.jpg")
    report(alice, picture, ReportReason.HATE, "It is hateful.")
    picture.name = "secret name.jpg"
    picture.save(update_fields=["name"])
    decision = decide(moderator, picture.cases.get(), Action.REMOVE, Action.WARN, reason="Hateful.")
    (notice,) = told(alice)
    assert notice.words.endswith("It broke the rules and was removed.")
    assert f"the picture “a hat.jpg”, which you reported on {timezone.now():%-d %B %Y}" in notice.words
    assert "secret name" not in notice.words + notice.headline
    assert "Bob" not in notice.words
    assert "Hateful" not in notice.words
    assert not notice.may_appeal
    # Another way to the same outcome for those who reported is no news to them.
    decisions.change(moderator, decision.pk, [Action.REMOVE], reason="Hateful.")
    assert len(told(alice)) == 1
    again = told(bob)[-1].decision
    assert again
    decisions.change(moderator, again.pk, [Action.FINE])
    assert told(alice)[-1].words.endswith("It does not break the rules, so it stays.")


def test_whoever_reports_their_own_picture_is_told_once(moderator: User, alice: User) -> None:
    picture = make_image(alice)
    report(alice, picture, ReportReason.NUDITY, "")
    decide(moderator, picture.cases.get(), Action.SENSITIVE)
    assert len(told(alice)) == 1


def test_a_worker_mails_the_notice_once(
    moderator: User, alice: User, django_capture_on_commit_callbacks: Any, mailoutbox: list[Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        decide(moderator, case_about(make_image(alice, name="beach.jpg")), Action.REMOVE, reason="Not here.")
    assert mailoutbox == []
    rung = [(str(job.func_name), list(job.args)) for job in django_rq.get_queue("pictures").jobs]
    (notice,) = told(alice)
    assert (rings.MAIL_NOTICE, [str(notice.pk)]) in rung
    for _ in range(2):
        posting.mail_notice(str(notice.pk))
    (sent,) = mailoutbox
    assert sent.to == [alice.email]
    assert sent.subject == "A picture of yours was removed"
    assert "Not here." in sent.body
    assert reverse("notices") in sent.body
    assert "/appeals/" in sent.body
    assert "&" not in sent.body


def test_a_mail_promises_an_appeal_only_where_there_is_one(
    moderator: User, alice: User, bob: User, team: Any, mailoutbox: list[Any]
) -> None:
    picture = make_image(bob, workspace=team)
    report(alice, picture, ReportReason.HATE, "")
    decide(moderator, picture.cases.get(), Action.REMOVE)
    for notice in (*told(alice), *told(bob)):
        posting.mail_notice(str(notice.pk))
    to_reporter, to_owner = (sent.body for sent in mailoutbox)
    notices = public_url("notices")
    assert re.findall(r"https?://\S+", to_reporter) == [notices]
    assert "think that this is wrong" not in to_reporter
    assert "think that this is wrong" in to_owner
    appeal, last = re.findall(r"https?://\S+", to_owner)
    assert appeal.startswith(public_url("appeal_by_link", token="…").split("%")[0])
    assert last == notices


def test_a_mail_to_somebody_suspended_leads_to_no_page_they_can_t_open(
    moderator: User, alice: User, mailoutbox: list[Any]
) -> None:
    decide(moderator, case_about(make_image(alice)), Action.SUSPEND)
    posting.mail_notice(str(told(alice)[-1].pk))
    (link,) = re.findall(r"https?://\S+", mailoutbox[0].body)
    assert "/appeals/" in link


def test_a_mail_server_that_fails_is_asked_again_by_the_clock(
    moderator: User, alice: User, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    decide(moderator, case_about(make_image(alice)), Action.REMOVE)
    (notice,) = told(alice)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    posting.mail_notice(str(notice.pk))
    notice.refresh_from_db()
    assert notice.mail_due_at is not None
    assert notice.mail_due_at > timezone.now()

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Notice.objects.update(mail_due_at=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        clock.tick()
    assert rings.MAIL_NOTICE in [job.func_name for job in django_rq.get_queue("pictures").jobs]
    posting.mail_notice(str(notice.pk))
    assert len(mail.outbox) == 1
    assert Notice.objects.filter(mail_due_at=None).count() == 1


def test_somebody_who_left_is_told_nothing(moderator: User, alice: User) -> None:
    picture = make_image(alice)
    User.objects.filter(pk=alice.pk).update(anonymised_at=timezone.now(), is_active=False)
    decide(moderator, case_about(picture), Action.REMOVE)
    assert told(alice) == []


def test_a_notice_that_waits_is_marked_on_every_page_until_it_was_seen(moderator: User, alice: User) -> None:
    browser = client_of(alice)
    assert "new notice" not in browser.get(reverse("library")).content.decode()
    decide(moderator, case_about(make_image(alice)), Action.WARN)
    for page in ("library", "history", "studio", "usage"):
        args = [alice.personal_workspace.pk] if page == "usage" else []
        assert "new notice" in browser.get(reverse(page, args=args)).content.decode()
    browser.get(reverse("notices"))
    assert "new notice" not in browser.get(reverse("library")).content.decode()
