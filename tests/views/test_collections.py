"""Collections: made, nested, renamed, deleted; and what lies in them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.library.shelves import collect, new_collection
from editor.library.words import index_words
from editor.models import Collection, Image, Membership, Role, User, Workspace
from editor.views.library import PER_PAGE
from tests.makers import make_image
from tests.people import submit

pytestmark = pytest.mark.django_db
MaxQueries = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def spring(alice: User, team: Workspace) -> Collection:
    return new_collection(alice, team, "Spring")


def listing(workspace: Workspace) -> str:
    return reverse("collections", args=[workspace.pk])


def test_new_collection_is_opened(alice_client: Client, team: Workspace) -> None:
    response = submit(alice_client, listing(team), name=" Spring \u202e 2027 / Shoes ")
    made = team.collections.get()
    assert made.name == "Spring 2027 / Shoes"
    assert response.headers["Location"] == reverse("collection", args=[made.pk])


@pytest.mark.parametrize("name", ["", "  ", "\u202e", "x" * 81, "spring", "\x00"])
def test_name_that_will_not_do_is_said(name: str, alice_client: Client, team: Workspace, spring: Collection) -> None:
    response = submit(alice_client, listing(team), name=name)
    assert response.status_code == 422
    assert 'class="field-error"' in response.content.decode()
    assert team.collections.get() == spring


def test_collections_nest_one_level(alice_client: Client, team: Workspace, spring: Collection) -> None:
    submit(alice_client, listing(team), name="Shoes", parent=str(spring.pk))
    shoes = Collection.objects.get(name="Shoes")
    assert shoes.parent == spring
    assert submit(alice_client, listing(team), name="Boots", parent=str(shoes.pk)).status_code == 422
    assert not Collection.objects.filter(name="Boots").exists()
    assert "Shoes" in alice_client.get(reverse("collection", args=[spring.pk])).content.decode()


def test_same_name_may_stand_in_two_places(alice: User, team: Workspace, own: Workspace, spring: Collection) -> None:
    autumn = new_collection(alice, team, "Autumn")
    new_collection(alice, team, "Shoes", spring)
    new_collection(alice, team, "Shoes", autumn)
    new_collection(alice, own, "Spring")
    assert Collection.objects.count() == 5


def test_parent_in_another_workspace_is_not_there(alice_client: Client, own: Workspace, spring: Collection) -> None:
    assert submit(alice_client, listing(own), name="Shoes", parent=str(spring.pk)).status_code == 404
    assert not own.collections.exists()


def test_rename(alice_client: Client, team: Workspace, spring: Collection, alice: User) -> None:
    new_collection(alice, team, "Autumn")
    address = reverse("collection_rename", args=[spring.pk])
    assert submit(alice_client, address, name="Spring 2027").status_code == 302
    assert submit(alice_client, address, name="AUTUMN").status_code == 422
    assert Collection.objects.get(pk=spring.pk).name == "Spring 2027"


def test_deleting_never_takes_the_pictures(
    alice: User, alice_client: Client, team: Workspace, spring: Collection
) -> None:
    shoes = new_collection(alice, team, "Shoes", spring)
    image = make_image(alice, workspace=team)
    collect(alice, spring, [image])
    collect(alice, shoes, [image])
    assert alice_client.post(reverse("collection_delete", args=[spring.pk])).status_code == 302
    assert not Collection.objects.exists()
    assert Image.objects.get(trashed_at=None) == image


def test_pictures_can_be_taken_out(alice: User, alice_client: Client, team: Workspace, spring: Collection) -> None:
    stays, goes = make_image(alice, workspace=team), make_image(alice, workspace=team)
    collect(alice, spring, [stays, goes])
    alice_client.post(reverse("collection_take_out", args=[spring.pk]), {"picture": [goes.pk]})
    assert spring.items.get().image == stays
    assert Image.objects.filter(trashed_at=None).count() == 2


def test_page_shows_its_pictures_alone_and_can_be_searched(
    alice: User, alice_client: Client, team: Workspace, spring: Collection
) -> None:
    owl, cat, other = (make_image(alice, workspace=team, name=name) for name in ("owl", "cat", "owl elsewhere"))
    trashed = make_image(alice, workspace=team, name="owl gone", trashed_at=timezone.now())
    index_words(owl, cat, other, trashed)
    collect(alice, spring, [owl, cat, trashed])
    address = reverse("collection", args=[spring.pk])
    assert set(alice_client.get(address).context["images"]) == {owl, cat}
    found = alice_client.get(f"{address}?q=owl")
    assert found.context["images"] == [owl]
    assert "collection=" not in found.context["filters"].address()


def test_five_queries_and_no_count(
    alice: User, alice_client: Client, team: Workspace, spring: Collection, django_assert_max_num_queries: MaxQueries
) -> None:
    collect(alice, spring, [make_image(alice, workspace=team) for _ in range(PER_PAGE + 2)])
    address = reverse("collection", args=[spring.pk])
    alice_client.get(address)
    with django_assert_max_num_queries(5) as context:
        page = alice_client.get(address)
    assert len(page.context["images"]) == PER_PAGE
    assert not any("COUNT(" in query["sql"].upper() for query in context.captured_queries)
    older = alice_client.get(address + page.context["older"])
    assert len(older.context["images"]) == 2


def test_list_shows_parents_before_what_is_inside(alice: User, alice_client: Client, team: Workspace) -> None:
    winter, autumn = (new_collection(alice, team, name) for name in ("Winter", "Autumn"))
    new_collection(alice, team, "Boots", winter)
    new_collection(alice, team, "Zips", autumn)
    shown = [each.name for each in alice_client.get(listing(team)).context["collections"]]
    assert shown == ["Autumn", "Zips", "Winter", "Boots"]


def test_viewer_looks_and_changes_nothing(
    alice: User, bob: User, bob_client: Client, team: Workspace, spring: Collection
) -> None:
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    for address in (listing(team), reverse("collection", args=[spring.pk])):
        page = bob_client.get(address).content.decode()
        assert "Spring" in page
        assert 'name="name"' not in page
    for name in ("collection_rename", "collection_delete"):
        assert bob_client.post(reverse(name, args=[spring.pk]), {"name": "x"}).status_code == 404
    assert bob_client.post(listing(team), {"name": "x"}).status_code == 404
    assert team.collections.get().name == "Spring"


def test_nothing_changes_in_an_archived_workspace(alice_client: Client, team: Workspace, spring: Collection) -> None:
    team.archive()
    assert alice_client.get(reverse("collection", args=[spring.pk])).status_code == 200
    assert alice_client.post(reverse("collection_delete", args=[spring.pk])).status_code == 409
    assert alice_client.post(listing(team), {"name": "x"}).status_code == 409
