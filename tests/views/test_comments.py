"""Comments on a picture's page, and the addresses behind it."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from editor.models import COMMENT_MAX, Comment, Image, Membership, Role, User, Workspace
from editor.review import comments
from tests.makers import make_image
from tests.people import client_of, make_person, submit

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def image(alice: User, bob: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team, name="Harbour")


def say(client: Client, image: Image, text: str, **fields: str) -> int:
    body = {"text": text, "form_token": uuid4().hex} | fields
    return submit(client, reverse("picture_comments", args=[image.pk]), **body).status_code


def page_of(client: Client, image: Image, query: str = "") -> str:
    response = client.get(reverse("picture", args=[image.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_words_are_shown_as_text_with_links_that_lead_nobody_back(bob_client: Client, image: Image) -> None:
    say(bob_client, image, "<b>no</b> https://example.org/a?b=1&c=2 javascript:alert(1) me@example.org\nhttp://x.y\"'<")
    page = page_of(bob_client, image)
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    link = '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener noreferrer ugc" target="_blank">'
    assert link in page
    assert 'href="javascript' not in page
    assert "mailto:" not in page
    assert '<div class="said-words prose" dir="auto">' in page


def test_comment_leads_to_its_place(bob: User, bob_client: Client, image: Image) -> None:
    response = bob_client.post(reverse("picture_comments", args=[image.pk]), {"text": "Too dark"})
    made = Comment.objects.get()
    assert response["Location"] == f"{reverse('picture', args=[image.pk])}?thread={made.pk}#comment-{made.pk}"
    assert bob_client.get(reverse("comment", args=[made.pk]))["Location"] == response["Location"]
    comments.add(image, "Another", made_by=bob)
    page = page_of(bob_client, image, f"?thread={made.pk}")
    assert ("Too dark" in page, "Another" in page) == (True, False)
    response = bob_client.get(reverse("picture_comments", args=[image.pk]), {"resolved": "1"})
    assert response["Location"] == f"{reverse('picture', args=[image.pk])}?resolved=1#comments"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write something first."),
        (" \n\u200b\u2800\u3164\u202e\x07 ", "Write something first."),
        ("x" * (COMMENT_MAX + 1), "At most 2000 characters"),
        ("a\0b", "characters that are no text"),
        ("a\ufffdb", "characters that are no text"),
    ],
)
def test_what_is_no_comment_is_refused_with_its_words(
    text: str, sentence: str, bob_client: Client, image: Image
) -> None:
    address = reverse("picture_comments", args=[image.pk])
    response = submit(bob_client, address, text=text)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert 'name="text"' in response.content.decode()
    response = bob_client.post(address, {"text": text}, headers=HTMX)
    assert (response.status_code, response["Content-Type"]) == (422, "text/plain; charset=utf-8")
    assert not Comment.objects.exists()


@pytest.mark.parametrize(("x", "y"), [("2", "0.5"), ("nan", "0"), ("inf", "0"), ("a", "b"), ("-0.1", "0.5")])
def test_point_outside_of_the_picture_is_refused(x: str, y: str, bob_client: Client, image: Image) -> None:
    assert say(bob_client, image, "here", x=x, y=y) == 422
    assert not Comment.objects.exists()


def test_pin_stands_at_its_part_of_the_sides(bob_client: Client, image: Image) -> None:
    say(bob_client, image, "here & <there>", x="0.25", y="0.755")
    page = page_of(bob_client, image)
    assert '<svg x="25.000%" y="75.500%" overflow="visible">' in page
    assert 'aria-label="Point 1: here &amp; &lt;there&gt;"' in page
    assert say(bob_client, image, "only one of both", x="0.25") == 302
    assert Comment.objects.get(text="only one of both").number is None


def test_sensitive_picture_has_pins_once_it_is_shown(bob_client: Client, image: Image) -> None:
    say(bob_client, image, "here", x="0.25", y="0.75")
    Image.objects.filter(pk=image.pk).update(sensitive=True)
    pin = f'id="pin-{Comment.objects.get().pk}"'
    assert pin not in page_of(bob_client, image)
    assert pin in page_of(bob_client, image, "?show=1")


def test_only_ones_own_are_changed_and_who_manages_deletes(
    alice_client: Client, bob: User, bob_client: Client, team: Workspace, image: Image
) -> None:
    viewer = make_person("viewer")
    Membership.objects.create(workspace=team, user=viewer, role=Role.VIEWER)
    made = comments.add(image, "mine", made_by=viewer)
    change, delete = (reverse(name, args=[made.pk]) for name in ("comment_change", "comment_delete"))
    for client in (alice_client, bob_client):
        assert client.post(change, {"text": "yours"}).status_code == 404
    assert bob_client.post(delete).status_code == 404
    assert client_of(viewer).post(change, {"text": "still mine"}).status_code == 302
    assert (change in page_of(alice_client, image), delete in page_of(alice_client, image)) == (False, True)
    assert (change in page_of(bob_client, image), delete in page_of(bob_client, image)) == (False, False)
    assert alice_client.post(delete).status_code == 302
    made.refresh_from_db()
    assert made.text == ""


def test_earlier_words_can_be_read(bob: User, bob_client: Client, alice_client: Client, image: Image) -> None:
    made = comments.add(image, "Call @Alice", made_by=bob)
    comments.change(made, "Call nobody")
    page = alice_client.get(reverse("comment_earlier", args=[made.pk])).content.decode()
    assert 'Call <bdi class="mention">@Alice</bdi>' in page
    piece = alice_client.get(reverse("comment_earlier", args=[made.pk]), headers=HTMX).content.decode()
    assert "<html" not in piece
    assert "Call <bdi" in piece


def test_form_for_a_change_holds_names_and_keeps_ids(bob: User, bob_client: Client, image: Image, alice: User) -> None:
    made = comments.add(image, "Call @Alice", made_by=bob)
    page = page_of(bob_client, image)
    assert ">Call @Alice</textarea>" in page
    assert f'<input type="hidden" name="called" value="{alice.pk}">' in page
    bob_client.post(reverse("comment_change", args=[made.pk]), {"text": "Please call @Alice", "called": [alice.pk]})
    made.refresh_from_db()
    assert made.text == f"Please call @[{alice.pk}]"


def test_settled_threads_are_folded_away(bob: User, bob_client: Client, image: Image) -> None:
    made = comments.add(image, "Too dark", made_by=bob)
    assert "Resolved threads" not in page_of(bob_client, image)
    assert bob_client.post(reverse("comment_resolve", args=[made.pk]), {"resolved": "1"}).status_code == 302
    page = page_of(bob_client, image)
    assert ("Too dark" in page, "Resolved threads" in page) == (False, True)
    assert "Too dark" in page_of(bob_client, image, "?resolved=1")
    bob_client.post(reverse("comment_resolve", args=[made.pk]), {"resolved": "0"})
    assert "Too dark" in page_of(bob_client, image)


def test_script_gets_a_piece_and_a_fresh_token(bob: User, bob_client: Client, image: Image) -> None:
    address = reverse("picture_comments", args=[image.pk])
    response = bob_client.post(address, {"text": "Too dark", "x": "0.1", "y": "0.1"}, headers=HTMX)
    assert (response.status_code, "token" in response["HX-Trigger"]) == (204, True)
    piece = bob_client.get(address, headers=HTMX).content.decode()
    assert ("<html" in piece, "Too dark" in piece, 'id="pins"' in piece) == (False, True, True)
    assert 'id="pins"' not in bob_client.get(f"{address}?resolved=1", headers=HTMX).content.decode()


def test_studio_asks_how_many_there_are(bob: User, bob_client: Client, image: Image) -> None:
    address = f"{reverse('picture_comments', args=[image.pk])}?count=1"
    assert bob_client.get(address, headers=HTMX).content == b""
    settled = comments.add(image, "Too dark", made_by=bob)
    comments.add(image, "Too bright", made_by=bob)
    comments.resolve(settled, bob, resolved=True)
    assert bob_client.get(address, headers=HTMX).content == b"1 open"
    assert address.partition("?")[0] in bob_client.get(reverse("studio_image", args=[image.pk])).content.decode()


@pytest.mark.parametrize("query", ["?thread=x", "?thread=x&resolved=1"])
def test_made_up_thread_is_not_there(query: str, bob_client: Client, image: Image) -> None:
    assert bob_client.get(reverse("picture", args=[image.pk]) + query).status_code == 404
    body = {"text": "a", "thread": str(uuid4())}
    assert bob_client.post(reverse("picture_comments", args=[image.pk]), body).status_code == 404


def test_forged_place_in_the_list_is_its_beginning(bob: User, bob_client: Client, image: Image) -> None:
    comments.add(image, "Too dark", made_by=bob)
    assert "Too dark" in page_of(bob_client, image, "?talk_before=forged")


def test_people_are_suggested_by_name_alone(bob_client: Client, image: Image) -> None:
    answer = bob_client.get(reverse("comment_people", args=[image.pk]), {"q": "ali"})
    assert [each["name"] for each in answer.json()["people"]] == ["Alice"]
    assert "@example.com" not in answer.content.decode()


def test_archive_is_read_only(bob: User, bob_client: Client, image: Image, team: Workspace) -> None:
    made = comments.add(image, "Too dark", made_by=bob)
    team.archive()
    page = page_of(bob_client, image)
    assert ("Too dark" in page, "data-comment-form" in page) == (True, False)
    for name, args in (("picture_comments", image.pk), ("comment_change", made.pk), ("comment_delete", made.pk)):
        assert bob_client.post(reverse(name, args=[args]), {"text": "late"}).status_code == 409
    assert bob_client.post(reverse("comment_resolve", args=[made.pk]), {"resolved": "1"}).status_code == 409
    made.refresh_from_db()
    assert (made.text, made.resolved_at) == ("Too dark", None)


def test_many_threads_cost_no_more_queries(
    bob: User, bob_client: Client, image: Image, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        first = comments.add(image, f"Call @Alice {number}", made_by=bob)
        comments.add(image, "An answer for @Bob", made_by=bob, thread=first)
    address = reverse("picture_comments", args=[image.pk])
    with django_assert_max_num_queries(9):
        bob_client.get(address, headers=HTMX)


def test_what_was_meant_for_one_team_is_not_said_to_another(bob: User, bob_client: Client, image: Image) -> None:
    page = page_of(bob_client, image)
    seen = f'<input type="hidden" name="workspace" value="{image.workspace_id}">'
    assert seen in page
    Image.objects.filter(pk=image.pk).update(workspace=Workspace.objects.personal_of(bob))
    fields = {"text": "Their client is late", "workspace": str(image.workspace_id)}
    refused = bob_client.post(reverse("picture_comments", args=[image.pk]), fields, headers=HTMX)
    assert (refused.status_code, "was moved to another workspace" in refused.content.decode()) == (422, True)
    assert not Comment.objects.exists()
