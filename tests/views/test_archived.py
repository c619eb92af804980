"""Work in a workspace that went into the archive meanwhile: who is in it is told so, strangers find nothing."""

import json
from collections.abc import Mapping

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import Collection, Image, Role, User, Workspace
from tests.makers import make_image
from tests.people import client_of

pytestmark = pytest.mark.django_db

WORDS = "Team is in the archive: nothing changes there. An owner can take it out."


@pytest.fixture
def image(alice: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team)


@pytest.fixture
def asked(alice: User, team: Workspace, image: Image) -> list[tuple[str, Mapping[str, object]]]:
    """What pages that were opened before may still send: an address, and what goes there."""
    spring = Collection.objects.create(workspace=team, name="Spring", made_by=alice)
    chosen = {"picture": image.pk}
    return [
        (reverse("picture_words", args=[image.pk]), {"name": "New"}),
        (reverse("picture_rights", args=[image.pk]), {}),
        (reverse("image_trash", args=[image.pk]), {}),
        (reverse("image_restore", args=[image.pk]), {}),
        (reverse("edit_create"), {"source": image.pk, "prompt": "blue", "form_token": "t"}),
        (reverse("selection_tag", args=[team.pk]), chosen | {"tags": "new"}),
        (reverse("selection_trash", args=[team.pk]), chosen),
        (reverse("selection_restore", args=[team.pk]), {}),
        (reverse("collections", args=[team.pk]), {"name": "New"}),
        (reverse("collection_rename", args=[spring.pk]), {"name": "New"}),
        (reverse("collection_delete", args=[spring.pk]), {}),
        (reverse("tag_rename", args=[team.pk]), {"old": "a", "new": "b"}),
    ]


def test_who_is_in_it_is_told_why_nothing_changes(
    bob_client: Client, team: Workspace, image: Image, asked: list[tuple[str, Mapping[str, object]]]
) -> None:
    team.archive()
    for address, fields in asked:
        response = bob_client.post(address, fields)
        assert (response.status_code, WORDS in response.content.decode()) == (409, True), address
    image.refresh_from_db()
    assert (image.name != "New", image.trashed_at, team.collections.get().name) == (True, None, "Spring")
    upload = bob_client.post(reverse("sample_use", args=["cat"]), {"workspace": team.pk})
    assert upload.status_code == 403
    assert WORDS in upload.content.decode()


def test_admins_are_told_so_too(alice_client: Client, team: Workspace, image: Image) -> None:
    team.archive()
    for name, fields in (
        ("workspace_rename", {"name": "New"}),
        ("workspace_cover", {"picture": str(image.pk)}),
        ("invitation_create", {"email": "new@example.com", "role": "viewer", "days": "7"}),
    ):
        assert WORDS in alice_client.post(reverse(name, args=[team.pk]), fields).content.decode()


def test_strangers_and_viewers_find_nothing(
    bob: User, charlie: User, team: Workspace, asked: list[tuple[str, Mapping[str, object]]]
) -> None:
    team.memberships.filter(user=bob).update(role=Role.VIEWER)
    team.archive()
    for person in (bob, charlie):
        client = client_of(person)
        assert {client.post(address, fields).status_code for address, fields in asked} == {404}


def test_scripts_get_words_to_show(bob_client: Client, team: Workspace, image: Image) -> None:
    team.archive()
    address = reverse("picture_words", args=[image.pk])
    by_htmx = bob_client.post(address, {"name": "New"}, headers={"HX-Request": "true"})
    assert by_htmx.status_code == 409
    assert json.loads(by_htmx["HX-Trigger"])["retake:toast"] == {"level": "error", "sentence": WORDS}
    by_script = bob_client.post(address, {"name": "New"}, headers={"Accept": "application/json"})
    assert (by_script.status_code, by_script.json()) == (409, {"error": WORDS})
