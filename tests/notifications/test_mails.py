"""Mails about what others did, read from a real mail server: bundled, for the right person only, and easily ended."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from editor.jobs import clock
from editor.models import (
    About,
    Comment,
    Image,
    MailedSubject,
    Membership,
    Notification,
    Review,
    ToldBy,
    User,
    Workspace,
)
from editor.notifications import mails, seeing, tell, unsubscribing
from tests.jobs.test_worker import work_off
from tests.makers import make_image
from tests.notifications.conftest import Later, Postbox
from tests.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(alice: User, bob: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team, name="lamp.jpg")


@pytest.fixture
def work(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """One tick of the clock, and a worker for whatever it rings for."""

    def one_tick() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            clock.tick()
        work_off("pictures")

    return one_tick


def told(person: User, by: User, image: Image, words: str, about: About = About.COMMENT, **what: Any) -> Notification:
    tell(person, about, f"image:{image.pk}", words, by=by, workspace=image.workspace, image=image, **what)
    return Notification.objects.filter(person=person).latest("pk")


def path_in(body: str, part: str) -> str:
    return next(str(urlsplit(link).path) for link in re.findall(r"https?://\S+", body) if part in link)


# Bundling --------------------------------------------------------------------------------------------------------


def test_a_burst_is_one_mail_and_then_there_is_one_an_hour(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said: brighter")
    later(minutes=1)
    told(alice, bob, image, "Bob said: much brighter")
    work()
    assert postbox.mails == []
    later(minutes=1, seconds=1)
    work()
    assert len(postbox.mails) == 1
    assert postbox.mails[0]["To"] == "alice@example.com"
    assert "Bob commented on lamp.jpg" in postbox.bodies()[0]

    for _ in range(5):
        told(alice, bob, image, "Bob said: darker")
        later(minutes=11)
        work()
    assert len(postbox.mails) == 1
    later(minutes=6)
    work()
    assert len(postbox.mails) == 2
    later(hours=5)
    work()
    assert len(postbox.mails) == 2
    assert not Notification.objects.exclude(mail_due_at=None).exists()


def test_another_subject_is_another_mail(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    other = make_image(alice, workspace=image.workspace, name="chair.jpg")
    told(alice, bob, image, "Bob said something on lamp.jpg")
    told(alice, bob, other, "Bob said something on chair.jpg")
    later(minutes=3)
    work()
    assert sorted(mail["Subject"] for mail in postbox.mails) == [
        "Bob said something on chair.jpg",
        "Bob said something on lamp.jpg",
    ]


def test_several_kinds_about_one_picture_are_one_mail(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    told(alice, bob, image, "Bob mentioned you", About.MENTION)
    later(minutes=3)
    work()
    (mail,) = postbox.mails
    assert mail["Subject"] == "2 things are new about “lamp.jpg”"
    assert "Bob said something" in mail.get_content()
    assert "Bob mentioned you" in mail.get_content()


def test_what_was_seen_meanwhile_is_not_mailed(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    row = told(alice, bob, image, "Bob said something")
    later(minutes=1)
    client_of(alice).get(reverse("notifications_open", args=[row.pk]))
    later(minutes=5)
    work()
    assert postbox.mails == []


@pytest.mark.parametrize("why", ["left", "withheld", "removed", "moved", "suspended", "anonymised", "deleted", "ended"])
def test_what_is_nobodys_business_any_more_is_not_mailed(
    why: str, alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    comment = Comment.objects.create(image=image, workspace=image.workspace, made_by=alice, text="Look")
    review = Review.objects.create(image=image, workspace=image.workspace, asked_by=alice)
    about = About.REVIEW_ASKED if why == "ended" else About.COMMENT
    told(bob, alice, image, "Alice wants something", about, comment=comment, review=review)
    now = timezone.now()
    changes: dict[str, Callable[[], object]] = {
        "left": lambda: Membership.objects.filter(user=bob, workspace=image.workspace).delete(),
        "withheld": lambda: Image.objects.filter(pk=image.pk).update(withheld_at=now),
        "removed": lambda: Image.objects.filter(pk=image.pk).update(removed_at=now, trashed_at=now),
        "moved": lambda: Image.objects.filter(pk=image.pk).update(workspace=alice.personal_workspace),
        "suspended": lambda: User.objects.filter(pk=bob.pk).update(suspended_at=now, is_active=False),
        "anonymised": lambda: User.objects.filter(pk=bob.pk).update(anonymised_at=now, is_active=False),
        "deleted": lambda: Comment.objects.update(deleted_at=now),
        "ended": lambda: Review.objects.update(state="withdrawn", decided_at=now),
    }
    changes[why]()
    later(minutes=3)
    work()
    assert postbox.mails == []
    assert not Notification.objects.exclude(mail_due_at=None).exists()


# Faults ----------------------------------------------------------------------------------------------------------


def test_a_mail_server_that_refuses_is_asked_again(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    later(minutes=3)
    postbox.refuses = True
    work()
    assert postbox.mails == []
    postbox.refuses = False
    later(minutes=6)
    work()
    assert len(postbox.mails) == 1


def test_one_that_never_takes_it_is_given_up_after_a_day(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    postbox.refuses = True
    later(hours=25)
    work()
    assert not Notification.objects.exclude(mail_due_at=None).exists()
    assert Notification.objects.filter(seen_at=None, in_portal=True).count() == 1


@pytest.mark.parametrize(("dies_at", "mailed"), [("_lines", 1), ("send", 1), ("_settle", 2)])
def test_a_worker_that_dies_loses_no_mail(
    dies_at: str,
    mailed: int,
    alice: User,
    bob: User,
    image: Image,
    postbox: Postbox,
    later: Later,
    work: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between sending and writing that down it comes once more: nobody can know."""

    class Died(BaseException):
        pass

    def die(*arguments: object, **more: object) -> None:
        raise Died

    told(alice, bob, image, "Bob said something")
    later(minutes=3)
    with monkeypatch.context() as patch:
        patch.setattr(mails, dies_at, die)
        with pytest.raises(Died):
            mails.mail_told(str(alice.pk), f"image:{image.pk}")
    told(alice, bob, image, "Bob said more")
    later(minutes=3)
    work()  # nobody else sends while the first one may still be at it
    assert len(postbox.mails) == mailed - 1
    later(minutes=3)
    work()
    work()
    assert len(postbox.mails) == mailed


def test_two_workers_send_one(alice: User, bob: User, image: Image, postbox: Postbox, later: Later) -> None:
    told(alice, bob, image, "Bob said something")
    later(minutes=3)
    subject = f"image:{image.pk}"
    first = mails._claim(alice, subject, timezone.now())
    assert first is not None
    assert mails._claim(alice, subject, timezone.now()) is None
    mails._settle(first, sent=True)
    assert mails._claim(alice, subject, timezone.now()) is None


# What a mail says, and where it leads ----------------------------------------------------------------------------


def test_the_link_works_for_the_right_person_only(
    alice: User, bob: User, charlie: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    later(minutes=3)
    work()
    link = path_in(postbox.bodies()[0], "/notifications/")
    assert Client().get(link).headers["Location"].startswith(reverse("account_login"))
    assert client_of(charlie).get(link).status_code == 404
    assert client_of(bob).get(link).status_code == 404
    assert Notification.objects.get().seen_at is None
    assert client_of(alice).get(link, follow=True).request["PATH_INFO"] == reverse("picture", args=[image.pk])
    assert Notification.objects.get().seen_at is not None


def test_a_name_puts_no_line_into_the_head_of_a_mail(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said\r\nBcc: everybody@example.com\u2028on lamp")
    later(minutes=3)
    work()
    (mail,) = postbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Bob said Bcc: everybody@example.com on lamp"
    Image.objects.filter(pk=image.pk).update(name="x\nCc: everybody@example.com")
    told(alice, bob, image, "One")
    told(alice, bob, image, "Two", About.MENTION)
    later(hours=2)
    work()
    assert postbox.mails[1]["Cc"] is None
    assert "Cc: everybody@example.com" in postbox.mails[1]["Subject"]


# Ending them ------------------------------------------------------------------------------------------------------


def test_one_click_ends_the_mails_of_this_kind_for_this_person_alone(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    later(minutes=3)
    work()
    (mail,) = postbox.mails
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip()
    assert link.startswith(f"<{settings.PUBLIC_URL}/unsubscribe/")
    path = urlsplit(link.strip("<>")).path
    assert path == path_in(mail.get_content(), "/unsubscribe/")

    # What a mail program does: no cookie, no token of a form.
    program = Client(enforce_csrf_checks=True)
    assert "End these mails" in program.get(path).content.decode()
    assert not ToldBy.objects.exists()
    assert "no longer mailed" in program.post(path, {"List-Unsubscribe": "One-Click"}).content.decode()
    assert [(each.person, each.about, each.by_mail, each.in_portal) for each in ToldBy.objects.all()] == [
        (alice, About.COMMENT, False, True)
    ]
    later(hours=2)
    told(alice, bob, image, "Bob said more")
    told(alice, bob, image, "Bob mentioned you", About.MENTION)
    told(bob, alice, image, "Alice said something")
    later(minutes=3)
    work()
    assert [(mail["To"], mail["Subject"]) for mail in postbox.mails[1:]] == [
        ("alice@example.com", "Bob mentioned you"),
        ("bob@example.com", "Alice said something"),
    ]
    assert "From now on you are mailed again" in program.post(path, {"again": "1"}).content.decode()
    assert ToldBy.objects.get().by_mail


def test_what_waits_is_not_mailed_after_the_click(
    alice: User, bob: User, image: Image, postbox: Postbox, later: Later, work: Any
) -> None:
    told(alice, bob, image, "Bob said something")
    Client().post(urlsplit(unsubscribing.address_for(alice, [About.COMMENT])).path)
    later(minutes=3)
    work()
    assert postbox.mails == []


def test_a_forged_or_outdated_link_ends_nothing(alice: User) -> None:
    path = urlsplit(unsubscribing.address_for(alice, [About.COMMENT])).path
    assert Client().get(path).status_code == 200
    for forged in (path[:-3] + "xx/", reverse("unsubscribe", args=["forged"])):
        assert Client().get(forged).status_code == 404
        assert Client().post(forged).status_code == 404
    User.objects.filter(pk=alice.pk).update(email="other@example.com")  # the link was sent to somebody else's address
    assert Client().post(path).status_code == 404
    assert not ToldBy.objects.exists()


# The rows ---------------------------------------------------------------------------------------------------------


def test_old_rows_are_forgotten_and_the_number_stays_true(alice: User, bob: User, image: Image, later: Later) -> None:
    told(alice, bob, image, "Bob said something")
    MailedSubject.objects.create(person=alice, subject="image:x", at=timezone.now())
    later(days=100)
    told(alice, bob, image, "Bob said more")
    seeing.recount(alice.pk)
    later(days=100)
    assert seeing.forget_old(timezone.now()) == 1
    assert [row.words for row in Notification.objects.all()] == ["Bob said more"]
    assert User.objects.get(pk=alice.pk).notifications_unseen == 1
    assert not MailedSubject.objects.exists()


def test_seeing_and_telling_at_once_leaves_the_right_number(alice: User, bob: User, image: Image) -> None:
    for _ in range(3):
        told(alice, bob, image, "Bob said something")
    User.objects.filter(pk=alice.pk).update(notifications_unseen=77)
    assert seeing.wrong_numbers() == [alice.pk]
    assert seeing.counted(User.objects.get(pk=alice.pk)) == 3
    assert seeing.wrong_numbers() == []
    assert seeing.see(alice.pk) == 0
    assert User.objects.get(pk=alice.pk).notifications_unseen == 0
    assert Notification.objects.filter(created_at__lte=timezone.now() + timedelta(1), mail_due_at=None).count() == 3
