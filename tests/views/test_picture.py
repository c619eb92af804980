"""A picture's page."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.library.shelves import add_tags, collect, new_collection
from editor.models import Image, ImageKind, ImageWord, JobState, Membership, Role, User, Workspace
from tests.makers import make_image, make_job
from tests.people import submit

pytestmark = pytest.mark.django_db


def page_of(client: Client, image: Image) -> str:
    response = client.get(reverse("picture", args=[image.pk]))
    assert response.status_code == 200
    return response.content.decode()


def made(user: User, prompt: str) -> Image:
    """The result of a finished edit."""
    source = make_image(user, name="the source")
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
    job = make_job(user, source, prompt=prompt, **ended)
    return make_image(user, kind=ImageKind.GENERATED, job=job, root=source, name=prompt)


def test_page_says_who_what_and_where(alice: User, alice_client: Client, own: Workspace) -> None:
    image = make_image(alice, name="owl.jpg", description="At night", byte_size=12_345)
    add_tags(own, [image], ["birds"])
    collect(alice, new_collection(alice, own, "Forest"), [image])
    page = page_of(alice_client, image)
    for words in ("owl.jpg", "At night", "by Alice", "320 × 240", "birds", "Forest", "Download"):
        assert words in page


def test_result_shows_how_it_was_made_and_its_versions(alice: User, alice_client: Client) -> None:
    image = made(alice, "add a lighthouse")
    page = page_of(alice_client, image)
    assert reverse("edit", args=[image.job_id]) in page
    assert reverse("picture", args=[image.root_id]) in page
    assert "add a lighthouse" in page


def test_source_shows_where_it_is_used(alice: User, alice_client: Client) -> None:
    source = make_image(alice)
    job = make_job(alice, source, prompt="make it blue")
    page = page_of(alice_client, source)
    assert reverse("edit", args=[job.pk]) in page
    assert "make it blue" in page


def test_words_of_the_edit_are_offered_as_alternative_text(alice: User, alice_client: Client) -> None:
    image = made(alice, "add a\nlighthouse")
    assert 'value="add a lighthouse"' in page_of(alice_client, image)
    assert Image.objects.get(pk=image.pk).alt_text == ""
    fields = {"name": image.name, "alt_text": "A lighthouse"}
    submit(alice_client, reverse("picture_words", args=[image.pk]), **fields)
    assert 'value="A lighthouse"' in page_of(alice_client, image)


def test_saved_words_are_found(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    fields = {"name": " Barn  owl ", "description": "Line one\r\nline two", "alt_text": "An owl/barn\u202e"}
    submit(alice_client, reverse("picture_words", args=[image.pk]), **fields)
    image.refresh_from_db()
    assert (image.name, image.description, image.alt_text) == ("Barn owl", "Line one\nline two", "An owl/barn")
    assert set(ImageWord.objects.values_list("word", flat=True)) == {"barn", "owl", "line", "one", "two"}


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 121}, {"description": "x" * 2001}, {"alt_text": "x" * 301}, {"name": "\x00"}]
)
def test_words_that_will_not_do_come_back_with_why(wrong: dict[str, str], alice: User, alice_client: Client) -> None:
    image = make_image(alice, name="before")
    response = submit(alice_client, reverse("picture_words", args=[image.pk]), **{"name": "after"} | wrong)
    assert response.status_code == 422
    assert 'class="field-error"' in response.content.decode()
    assert Image.objects.get().name == "before"


def test_words_are_shown_as_words(alice: User, alice_client: Client) -> None:
    image = make_image(alice, name="<b>x</b>", description="{{ 1 }}<script>")
    page = page_of(alice_client, image)
    assert "<b>x</b>" not in page
    assert "{{ 1 }}&lt;script&gt;" in page


def test_viewer_sees_no_form_that_changes_it(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    image = make_image(alice, workspace=team, description="At night")
    add_tags(team, [image], ["birds"])
    page = page_of(bob_client, image)
    assert "At night" in page
    assert "birds" in page
    assert "Download" in page
    for part in ("/words/", "/selection/tag/", "/selection/trash/", "/selection/move/", "/selection/copy/", "take-out"):
        assert part not in page
    response = bob_client.post(reverse("picture_words", args=[image.pk]), {"name": "x"})
    assert response.status_code == 404


def test_trashed_picture_is_offered_back(alice: User, alice_client: Client, charlie_client: Client) -> None:
    image = make_image(alice, trashed_at=timezone.now())
    address = reverse("picture", args=[image.pk])
    answer = alice_client.get(address)
    assert answer.status_code == 404
    assert "Put back" in answer.content.decode()
    assert "Put back" not in charlie_client.get(address).content.decode()


def test_edits_of_others_workspaces_are_not_told(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    image = make_image(alice, workspace=team)
    private = make_job(alice, make_image(alice), image, prompt="for my eyes alone")
    page = page_of(bob_client, image)
    assert "for my eyes alone" not in page
    assert str(private.pk) not in page
