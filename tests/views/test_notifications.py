"""The bell, the page of notifications, and how people are told."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.jobs import batch_mails, clock
from editor.jobs.batches import cancel_waiting, create_batch
from editor.jobs.creation import EditSpec
from editor.models import About, Comment, Image, Membership, Notification, ToldBy, User, Workspace
from editor.notifications import tell
from editor.views.notifications import PER_PAGE
from tests.doctor.test_parts import told as doctor_told
from tests.makers import make_image
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db
SPEC = EditSpec("make it blue")


@pytest.fixture
def image(alice: User, bob: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team, name="lamp.jpg")


def told(person: User, image: Image, by: User | None, about: About = About.COMMENT, **what: Any) -> Notification | None:
    """The notification, if there is one."""
    name = by.get_short_name() if by else "Somebody"
    words = f"{name} told you about {image.name}"
    tell(person, about, f"image:{image.pk}", words, by=by, workspace=image.workspace, image=image, **what)
    return Notification.objects.filter(person=person).order_by("pk").last()


def page_of(client: Client, name: str = "notifications") -> str:
    return client.get(reverse(name)).content.decode().split("<main")[-1]


def bell_of(client: Client) -> str:
    return client.get(reverse("notifications_number")).content.decode()


# Who is told --------------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_what_they_did_or_may_not_see(alice: User, bob: User, charlie: User, image: Image) -> None:
    told(alice, image, alice)
    told(charlie, image, alice)  # not of the team
    User.objects.filter(pk=bob.pk).update(is_active=False)
    told(User.objects.get(pk=bob.pk), image, alice)
    assert not Notification.objects.exists()
    Image.objects.filter(pk=image.pk).update(withheld_at=timezone.now())
    User.objects.filter(pk=bob.pk).update(is_active=True)
    told(User.objects.get(pk=bob.pk), image, alice)
    assert not Notification.objects.exists()
    told(alice, image, bob)  # it is hers
    assert Notification.objects.get().person == alice


def test_picture_and_workspace_follow_from_the_comment(alice: User, bob: User, image: Image) -> None:
    comment = Comment.objects.create(image=image, workspace=image.workspace, made_by=bob, text="Brighter")
    tell(alice, About.COMMENT, f"image:{image.pk}", "Bob commented", by=bob, comment=comment)
    row = Notification.objects.get()
    assert (row.image, row.workspace) == (image, image.workspace)


def test_people_are_told_as_they_chose(alice: User, bob: User, image: Image, alice_client: Client) -> None:
    alice_client.post(
        reverse("notifications_choices"), {"in_portal": ["comment", "batch"], "by_mail": ["mention", "batch"]}
    )
    assert ToldBy.objects.filter(person=alice).count() == len(About)
    for about in (About.COMMENT, About.MENTION, About.REVIEW_ASKED):
        told(alice, image, bob, about)
    rows = {row.about: (row.in_portal, row.mail_due_at is not None) for row in Notification.objects.all()}
    assert rows == {About.COMMENT: (True, False), About.MENTION: (False, True)}
    assert page_of(alice_client).count("told you about") == 1
    form = page_of(alice_client, "notifications_choices")
    assert 'name="in_portal" value="comment" checked' in form
    assert 'name="by_mail" value="comment">' in form


# The bell and the page -----------------------------------------------------------------------------------------------


def test_the_bell_counts_and_the_page_sets_it_right(
    alice: User, bob: User, image: Image, alice_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    assert "hidden" in bell_of(alice_client)
    with django_capture_on_commit_callbacks(execute=True):
        told(alice, image, bob)
    assert "1 unread" in bell_of(alice_client)
    assert "1 unread" in alice_client.get(reverse("library")).content.decode()
    User.objects.filter(pk=alice.pk).update(notifications_unseen=500)
    assert ">99+<" in bell_of(alice_client)
    status, said = doctor_told("--only", "notifications")
    assert (status, str(alice.pk) in said) == (1, True)
    page_of(alice_client)
    assert "1 unread" in bell_of(alice_client)
    assert doctor_told("--only", "notifications")[0] == 0


def test_opening_one_leads_to_its_place_and_all_of_its_subject_count_as_seen(
    alice: User, bob: User, image: Image, alice_client: Client
) -> None:
    comment = Comment.objects.create(image=image, workspace=image.workspace, made_by=bob, text="Brighter")
    other = make_image(alice, workspace=image.workspace, name="chair.jpg")
    told(alice, image, bob, About.MENTION)
    row = told(alice, image, bob, comment=comment)
    told(alice, other, bob)
    assert row is not None
    assert page_of(alice_client).count('<li class="unseen"') == 2
    opened = alice_client.get(reverse("notifications_open", args=[row.pk]))
    assert opened.headers["Location"] == reverse("comment", args=[comment.pk])
    assert [each.subject for each in Notification.objects.filter(seen_at=None)] == [f"image:{other.pk}"]
    assert page_of(alice_client).count('<li class="unseen"') == 1
    alice_client.post(reverse("notifications_read"))
    assert "unseen" not in page_of(alice_client)
    assert User.objects.get(pk=alice.pk).notifications_unseen == 0


@pytest.mark.parametrize("where", ["answer", "settled", "old"])
def test_opening_one_shows_the_comment_wherever_it_stands(
    where: str, alice: User, bob: User, image: Image, alice_client: Client
) -> None:
    here: dict[str, Any] = {"image": image, "workspace": image.workspace, "made_by": bob}
    comment = first = Comment.objects.create(**here, text="Brighter")
    if where == "answer":
        comment = Comment.objects.create(**here, text="Much brighter", thread=first)
        Comment.objects.bulk_create(Comment(**here, text=f"Later {number}", thread=first) for number in range(30))
    elif where == "settled":
        Comment.objects.filter(pk=first.pk).update(resolved_at=timezone.now())
    else:
        Comment.objects.bulk_create(Comment(**here, text=f"Later {number}") for number in range(30))
    row = told(alice, image, bob, About.MENTION, comment=comment)
    assert row is not None
    opened = alice_client.get(reverse("notifications_open", args=[row.pk]), follow=True)
    assert opened.redirect_chain[-1][0].endswith(f"#comment-{comment.pk}")
    assert f'id="comment-{comment.pk}"' in opened.content.decode()


def test_what_is_about_one_picture_stands_together(
    alice: User, bob: User, team: Workspace, image: Image, alice_client: Client
) -> None:
    people = [bob, *(make_person(name) for name in ("cleo", "dora"))]
    Membership.objects.bulk_create(Membership(workspace=team, user=each, role="viewer") for each in people[1:])
    for person in (*people, people[0]):
        told(alice, image, person)
    told(alice, image, bob, About.MENTION)
    tell(alice, About.GUEST, f"image:{image.pk}", "-", guest_name="Eve", workspace=team, image=image)
    tell(alice, About.GUEST, f"image:{image.pk}", "-", guest_name="Eve", workspace=team, image=image)
    page = page_of(alice_client)
    assert page.count("told-picture") == 1
    assert "Bob and two others commented on lamp.jpg" in page
    assert "Bob told you about lamp.jpg" in page
    assert "Eve (guest) commented or decided on lamp.jpg" in page


@pytest.mark.parametrize("why", ["left", "workspace", "withheld", "removed", "trashed", "moved", "deleted"])
def test_what_one_may_not_see_any_more_is_told_without_its_content(
    why: str, alice: User, bob: User, team: Workspace, image: Image
) -> None:
    comment = Comment.objects.create(image=image, workspace=team, made_by=alice, text="Brighter")
    row = told(bob, image, alice, comment=comment)
    assert row is not None
    now, picture = timezone.now(), Image.objects.filter(pk=image.pk)
    own = Workspace.objects.personal_of(bob)
    changes: dict[str, Callable[[], object]] = {
        "left": lambda: Membership.objects.filter(user=bob, workspace=team).delete(),
        "workspace": lambda: Workspace.objects.filter(pk=team.pk).update(trashed_at=now),
        "withheld": lambda: picture.update(withheld_at=now),
        "removed": lambda: picture.update(removed_at=now, trashed_at=now),
        "trashed": lambda: picture.update(trashed_at=now),
        "moved": lambda: picture.update(workspace=own),  # he sees it there, and nothing of what was said before
        "deleted": lambda: Comment.objects.update(deleted_at=now),
    }
    changes[why]()
    browser = client_of(bob)
    for name in ("notifications", "notifications_panel"):
        page = page_of(browser, name)
        assert "Something that you can’t see any more" in page
        for word in ("lamp.jpg", "Alice", str(image.pk), "Team"):
            assert word not in page
        assert reverse("notifications_open", args=[row.pk]) not in page
    opened = browser.get(reverse("notifications_open", args=[row.pk]))
    assert opened.headers["Location"] == reverse("notifications")
    assert not Notification.objects.filter(seen_at=None).exists()


def test_many_come_page_by_page_and_each_once(alice: User, bob: User, image: Image, alice_client: Client) -> None:
    for number in range(PER_PAGE + 5):
        told(alice, image, bob)
        words = f"Number {number:03}"
        Notification.objects.filter(pk=Notification.objects.latest("pk").pk).update(
            subject=f"image:{number}", words=words, created_at=image.created_at
        )
    first = page_of(alice_client)
    (older,) = [part.split('"')[0] for part in first.split('href="?before=')[1:]]
    second = alice_client.get(f"{reverse('notifications')}?before={older}").content.decode()
    shown = [sum(f"Number {number:03}" in page for page in (first, second)) for number in range(PER_PAGE + 5)]
    assert shown == [1] * (PER_PAGE + 5)


def test_a_page_asks_no_more_for_many_than_for_few(
    alice: User, bob: User, image: Image, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        told(alice, make_image(alice, workspace=image.workspace, name=f"{number}"), bob)
    page_of(alice_client)
    # session, person; the rows, where they are, their pictures, the number; workspaces, what is left
    with django_assert_max_num_queries(12):
        page_of(alice_client)
    with django_assert_max_num_queries(6):
        alice_client.get(reverse("notifications_panel"))


# Batches --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticked", [False, True])
@pytest.mark.parametrize("chosen", [None, (True, True), (False, False)])
def test_the_end_of_a_batch_is_told_once_and_mailed_once_at_most(
    ticked: bool,
    chosen: tuple[bool, bool] | None,
    alice: User,
    mailoutbox: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    if chosen is not None:
        ToldBy.objects.create(person=alice, about=About.BATCH, in_portal=chosen[0], by_mail=chosen[1])
    batch = create_batch(alice, [make_image(alice), make_image(alice)], SPEC, "token", mail=ticked)
    batch_mails.mail_batch(str(batch.pk))
    assert not Notification.objects.exists()  # it is under way
    cancel_waiting(batch)
    with django_capture_on_commit_callbacks() as rung:
        clock.tick()
    assert any(str(batch.pk) in str(ring) for ring in rung)
    for _ in range(3):
        batch_mails.mail_batch(str(batch.pk))
    in_portal, by_mail = chosen or (True, False)
    assert [row.batch for row in Notification.objects.filter(in_portal=True)] == [batch] * in_portal
    assert not Notification.objects.exclude(mail_due_at=None).exists()
    assert len(mailoutbox) == (ticked or by_mail)
    for mail in mailoutbox:
        assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    if in_portal:
        page = client_of(alice).get(reverse("notifications_open", args=[Notification.objects.get().pk]))
        assert page.headers["Location"] == reverse("batch", args=[batch.pk])
