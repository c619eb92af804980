"""The activity of a workspace: derived from rows, for eyes that may see them, and what is new since the last look."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.models import (
    ApprovalEvent,
    Comment,
    FormerMember,
    GenerationJob,
    Image,
    ImageKind,
    Membership,
    Review,
    Share,
    User,
    Workspace,
)
from editor.notifications import activity
from editor.review import comments
from editor.views.activity import number_words, since_words
from tests.makers import make_batch, make_image, make_job
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def image(alice: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team, name="lamp.jpg")


def page_of(client: Client, team: Workspace, query: str = "") -> str:
    text = client.get(reverse("activity", args=[team.pk]) + query).content.decode().split("<main")[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))


def uploads(user: User, team: Workspace, number: int, at: datetime, **fields: Any) -> None:
    Image.objects.bulk_create(
        Image(
            workspace=team,
            made_by=user,
            kind=ImageKind.UPLOADED,
            state="ready",
            width=32,
            height=24,
            master_ext="jpg",
            ready_at=at,
            created_at=at + timedelta(seconds=each),
            **fields,
        )
        for each in range(number)
    )


def test_everything_that_happens_stands_there(
    alice: User, bob: User, bob_client: Client, team: Workspace, image: Image
) -> None:
    Comment.objects.create(image=image, workspace=team, made_by=alice, text="Brighter, please")
    share = Share.objects.create(workspace=team, made_by=alice, kind="picture", image=image)
    Comment.objects.create(image=image, workspace=team, share=share, guest_name="Eve", text="Lovely")
    ApprovalEvent.objects.create(image=image, workspace=team, kind="rejected", by=bob, why="Too dark")
    job = make_job(bob, image)
    make_image(bob, workspace=team, kind="generated", job=job, name="result")
    make_batch(bob, job, workspace=team, prompt="make it glow")
    gone = make_person("gone")
    FormerMember.objects.create(workspace=team, user=gone, left_at=timezone.now())
    page = page_of(bob_client, team)
    for words in (
        "Alice uploaded lamp.jpg",
        "You made a picture",
        "Alice commented on lamp.jpg",
        "Brighter, please",
        "Eve (guest) commented on lamp.jpg",
        "You rejected lamp.jpg",
        "Too dark",
        "Alice shared lamp.jpg by a link",
        "You asked for a batch: make it glow",
        "Alice joined as owner",
        "Gone left, or was removed",
    ):
        assert words in page, words
    assert share.token not in bob_client.get(reverse("activity", args=[team.pk])).content.decode()


def test_who_is_called_in_a_comment_is_named_there(
    alice: User, bob: User, bob_client: Client, team: Workspace, image: Image
) -> None:
    said = comments.add(image, "Darker, @Bob", made_by=alice)
    page = page_of(bob_client, team)
    assert "Darker, @Bob" in page
    assert "@[" not in page
    assert reverse("comment", args=[said.pk]) in bob_client.get(reverse("activity", args=[team.pk])).content.decode()


def test_what_the_portal_did_is_done_by_no_guest(bob_client: Client, team: Workspace, image: Image) -> None:
    ApprovalEvent.objects.create(image=image, workspace=team, kind="unlocked")
    assert "The portal unlocked lamp.jpg" in page_of(bob_client, team)
    assert "(guest)" not in page_of(bob_client, team)


def test_replaced_picture_and_the_one_in_its_place_are_told_apart(
    alice: User, alice_client: Client, team: Workspace, image: Image
) -> None:
    new = make_image(alice, workspace=team, name="new.jpg")
    review = Review.objects.create(image=new, workspace=team, asked_by=alice, replaces=image)
    for each in (image, new):
        ApprovalEvent.objects.create(image=each, workspace=team, kind="replaced", by=alice, review=review)
    page = page_of(alice_client, team)
    assert "You put another version in the place of lamp.jpg" in page
    assert "You made the current version: new.jpg" in page
    for each, words in ((image, "put another version in its place"), (new, "made it the current version")):
        assert words in alice_client.get(reverse("picture_approval", args=[each.pk])).content.decode()


def test_the_pictures_of_a_person_and_an_hour_are_one(
    alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    uploads(alice, team, 9, NOON)
    uploads(alice, team, 2, NOON + timedelta(hours=1))
    uploads(bob, team, 3, NOON)
    page = page_of(bob_client, team)
    assert "Alice uploaded 9 pictures" in page
    assert "and 3 more" in page
    assert "Alice uploaded 2 pictures" in page
    assert "You uploaded 3 pictures" in page


@pytest.mark.parametrize("why", ["withheld", "removed", "trashed", "moved"])
def test_what_is_not_shown_to_somebody_is_not_in_their_activity(
    why: str, alice: User, bob: User, bob_client: Client, alice_client: Client, team: Workspace, image: Image
) -> None:
    Comment.objects.create(image=image, workspace=team, made_by=alice, text="Brighter, please")
    ApprovalEvent.objects.create(image=image, workspace=team, kind="rejected", by=alice, why="Too dark")
    Share.objects.create(workspace=team, made_by=alice, kind="picture", image=image)
    assert "lamp.jpg" in page_of(bob_client, team)
    now = timezone.now()
    changed: dict[str, dict[str, Any]] = {
        "withheld": {"withheld_at": now},
        "removed": {"removed_at": now, "trashed_at": now},
        "trashed": {"trashed_at": now},
        "moved": {"workspace": Workspace.objects.personal_of(alice)},
    }
    Image.objects.filter(pk=image.pk).update(**changed[why])
    page = page_of(bob_client, team)
    for word in ("lamp.jpg", "Brighter", "Too dark", "shared"):
        assert word not in page
    assert ("lamp.jpg" in page_of(alice_client, team)) is (why == "withheld")
    assert "Brighter" not in page_of(client_of(alice), Workspace.objects.personal_of(alice))


def test_pages_leave_nothing_out_and_show_nothing_twice(
    alice: User, alice_client: Client, team: Workspace, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PICTURES_READ", 7)
    uploads(alice, team, 40, NOON)
    uploads(alice, team, 20, NOON - timedelta(hours=3))
    same = NOON - timedelta(hours=5)
    Image.objects.filter(pk__in=Image.objects.order_by("created_at")[:12]).update(created_at=same)
    for number in range(75):
        at = NOON - timedelta(minutes=number)
        Comment.objects.create(image=image, workspace=team, made_by=alice, text=f"Comment {number:03}", created_at=at)
    query, pages = "", 0
    comments: list[str] = []
    pictures = 0
    while True:
        html = alice_client.get(reverse("activity", args=[team.pk]) + query).content.decode()
        comments += re.findall(r"Comment \d{3}", html)
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))
        pictures += sum(map(int, re.findall(r"uploaded (\d+) pictures", text)))
        pictures += text.count("You uploaded a picture") + text.count("You uploaded lamp.jpg")
        pages += 1
        older = re.search(r'rel="next" href="(\?before=[^"]+)"', html)
        if older is None or pages > 40:
            break
        query = older[1].replace("%3A", ":")
    assert comments == [f"Comment {number:03}" for number in range(75)]
    assert 61 - (12 - 7) <= pictures <= 61  # of twelve at one and the same moment, no more than a page holds
    assert 2 < pages < 30
    assert "%2B" in query or "+" not in unquote(query)


def test_what_is_new_since_the_last_look(
    alice: User, bob: User, bob_client: Client, alice_client: Client, team: Workspace, image: Image
) -> None:
    assert " new since" not in page_of(bob_client, team)
    me = Membership.objects.filter(user=bob, workspace=team)
    assert me.get().activity_seen_at is not None
    me.update(activity_seen_at=timezone.now() - timedelta(days=1))
    uploads(alice, team, 3, timezone.now() - timedelta(minutes=5))
    uploads(bob, team, 5, timezone.now() - timedelta(minutes=5))
    Comment.objects.create(image=image, workspace=team, made_by=alice, text="Brighter")
    told = activity.new_since(bob, team, me.get().activity_seen_at or timezone.now())
    workspace = re.sub(r"<[^>]+>", "", bob_client.get(reverse("workspace", args=[team.pk])).content.decode())
    assert f"{told} new" in workspace
    html = bob_client.get(reverse("activity", args=[team.pk])).content.decode()
    assert f"{told} new since yesterday" in html
    again = re.search(r'hx-get="([^"]+\?since=[^"]+)"', html)
    assert again is not None
    # By itself it asks with the mark from before, so that what is new stays marked, and no look is written down.
    before = me.get().activity_seen_at
    assert f"{told} new since yesterday" in bob_client.get(again[1]).content.decode()
    assert me.get().activity_seen_at == before
    assert " new since" not in page_of(bob_client, team)


def test_more_news_than_a_page_holds_are_counted_as_on_the_page_of_the_workspace(
    alice: User, bob: User, bob_client: Client, team: Workspace, image: Image
) -> None:
    me = Membership.objects.filter(user=bob, workspace=team)
    since = timezone.now() - timedelta(days=1)
    me.update(activity_seen_at=since)
    Comment.objects.bulk_create(
        Comment(image=image, workspace=team, made_by=alice, text="Brighter") for _ in range(activity.READ + 5)
    )
    told = activity.new_since(bob, team, since)
    assert activity.READ + 5 <= told < activity.COUNTED
    assert f">{told} new since yesterday<" in bob_client.get(reverse("activity", args=[team.pk])).content.decode()


def test_a_great_many_are_not_counted(alice: User, bob: User, team: Workspace) -> None:
    uploads(alice, team, 130, NOON)
    assert activity.new_since(bob, team, NOON - timedelta(days=1)) >= activity.COUNTED
    assert number_words(activity.COUNTED) == "99+"


def test_the_day_of_the_last_look_is_said() -> None:
    now = timezone.now()
    assert since_words(now).startswith("since you last looked (")
    assert since_words(now - timedelta(days=1)) == "since yesterday"
    assert since_words(now - timedelta(days=3)) == f"since you last looked ({now - timedelta(days=3):%A})"
    assert since_words(NOON) == "since 4 March 2026"


def test_much_activity_costs_no_more_questions(
    alice: User, alice_client: Client, team: Workspace, image: Image, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        uploads(alice, team, 3, NOON - timedelta(hours=number))
        Comment.objects.create(image=image, workspace=team, made_by=alice, text=f"{number}")
    assert GenerationJob.objects.count() == 0
    # session, person, membership; seven sources, the people; the look; workspaces and what is left
    with django_assert_max_num_queries(16):
        assert alice_client.get(reverse("activity", args=[team.pk])).status_code == 200
    assert alice_client.get(reverse("activity", args=[uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["before", "since"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "nonsense"])
def test_moment_beyond_the_calendar_is_none(alice: User, team: Workspace, name: str, moment: str) -> None:
    address = reverse("activity", args=[team.pk])
    assert client_of(alice).get(f"{address}?{name}={moment}").status_code == 200
