"""The library of a workspace: what it shows, in which order, and what narrows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.library.filters import Filters
from editor.library.listing import ENDINGS
from editor.library.shelves import add_favourites, add_tags, collect, new_collection
from editor.library.words import index_words
from editor.models import Image, ImageKind, Membership, Shape, User, Workspace
from editor.views.library import PER_PAGE, read_cursor, write_cursor
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db
MaxQueries = Callable[[int], AbstractContextManager[Any]]


def named(user: User, *names: str, **fields: Any) -> list[Image]:
    """Pictures of these names that can be found, each a minute older than the one before."""
    now = timezone.now()
    images = [
        make_image(user, name=name, **{"created_at": now - timedelta(minutes=number)} | fields)
        for number, name in enumerate(names)
    ]
    index_words(*images)
    return images


def shown(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/library/{query}")
    assert response.status_code == 200
    return [image.name for image in response.context["images"]]


def test_uploads_and_results_stand_newest_first(alice: User, alice_client: Client) -> None:
    (upload,) = named(alice, "upload")
    named(alice, "result", kind=ImageKind.GENERATED, job=make_job(alice, upload), created_at=timezone.now())
    assert shown(alice_client) == ["result", "upload"]


def test_refused_and_trashed_pictures_are_left_out(alice: User, alice_client: Client) -> None:
    named(alice, "there")
    named(alice, "trashed", trashed_at=timezone.now())
    named(alice, "refused", state="refused", refused_code="lost")
    assert shown(alice_client) == ["there"]


def test_each_workspace_has_its_own(alice: User, alice_client: Client, team: Workspace) -> None:
    named(alice, "mine")
    named(alice, "ours", workspace=team)
    assert shown(alice_client) == ["mine"]
    page = alice_client.get(reverse("workspace_library", args=[team.pk]))
    assert [image.name for image in page.context["images"]] == ["ours"]


def test_chosen_workspace_is_shown(alice: User, alice_client: Client, team: Workspace) -> None:
    named(alice, "ours", workspace=team)
    alice_client.post(reverse("workspace_open", args=[team.pk]))
    assert shown(alice_client) == ["ours"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "name"])
def test_pages_follow_each_other_in_every_order(sort: str, alice: User, alice_client: Client) -> None:
    now = timezone.now()
    for number in range(PER_PAGE + 7):  # many of the same moment and the same name
        make_image(alice, name=f"n{number % 3}", created_at=now - timedelta(seconds=number // 20))
    first = alice_client.get(f"/library/?sort={sort}")
    older = first.context["older"]
    assert f'rel="next" href="{older}"'.replace("&", "&amp;") in first.content.decode()
    rest = alice_client.get(f"/library/{older}").context["images"]
    both = [*first.context["images"], *rest]
    assert len(both) == len({image.pk for image in both}) == PER_PAGE + 7
    key = {
        "newest": lambda image: (image.created_at, image.pk),
        "oldest": lambda image: (image.created_at, image.pk),
        "name": lambda image: (image.name, image.pk),
    }[sort]
    assert both == sorted(both, key=key, reverse=sort == "newest")


def test_last_page_offers_no_other(alice: User, alice_client: Client) -> None:
    for _ in range(PER_PAGE):
        make_image(alice)
    assert alice_client.get("/library/").context["older"] == ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("cat", ["Black cat.jpg"]),
        ("CAT", ["Black cat.jpg"]),
        ("cafe", ["Café in Straße.jpg"]),
        ("CAFÉ", ["Café in Straße.jpg"]),
        ("strasse", ["Café in Straße.jpg"]),
        ("black cat", ["Black cat.jpg"]),
        ("cat black", ["Black cat.jpg"]),
        ("black dog", []),
        ("bla", ["Black cat.jpg", "Blackbird.jpg"]),
        ("bla cat", []),  # only the last word may be a beginning
        ("cat bla", ["Black cat.jpg"]),
        ("at", []),
        ("猫", ["猫.jpg"]),
        ("%", []),
        ("_____", []),
    ],
)
def test_words_are_searched(asked: str, found: list[str], alice: User, alice_client: Client) -> None:
    named(alice, "Black cat.jpg", "Café in Straße.jpg", "Blackbird.jpg", "猫.jpg")
    assert shown(alice_client, f"?q={quote(asked)}") == found


@pytest.mark.parametrize("asked", ['"', "...", "!? -"])
def test_search_for_punctuation_finds_nothing(asked: str, alice: User, alice_client: Client) -> None:
    named(alice, 'an "owl" ... !? -')
    assert shown(alice_client, f"?q={quote(asked)}") == []
    assert "No picture is like this." in alice_client.get(f"/library/?q={quote(asked)}").content.decode()


def test_symbols_are_words(alice: User, alice_client: Client, own: Workspace) -> None:
    rocket, _ = named(alice, "one", "two")
    add_tags(own, [rocket], ["🚀🌕 launch", "❤️"])
    for asked in ("🚀", "🌕", "launch 🚀", "❤"):
        assert shown(alice_client, f"?q={quote(asked)}") == ["one"]
    assert shown(alice_client, f"?q={quote('🐙')}") == []


def test_search_finds_description_tags_and_prompt(alice: User, alice_client: Client, own: Workspace) -> None:
    described, tagged = named(alice, "one", "two")
    Image.objects.filter(pk=described.pk).update(description="An owl at night")
    index_words(described)
    add_tags(own, [tagged], ["forest"])
    made = named(alice, "three", kind=ImageKind.GENERATED, job=make_job(alice, prompt="add a lighthouse"))
    assert shown(alice_client, "?q=owl") == ["one"]
    assert shown(alice_client, "?q=forest") == ["two"]
    assert shown(alice_client, "?q=lighthouse") == [made[0].name]


def test_search_goes_on_over_pages_also_where_a_word_begins_many(alice: User, alice_client: Client) -> None:
    named(alice, *(f"sun{'abc'[number % 3]} {number}" for number in range(PER_PAGE + 5)))
    first = alice_client.get("/library/?q=sun")
    rest = alice_client.get(f"/library/{first.context['older']}").context["images"]
    assert len({image.pk for image in [*first.context["images"], *rest]}) == PER_PAGE + 5


def test_beginning_stands_for_a_bounded_number_of_words(alice: User, alice_client: Client) -> None:
    named(alice, *(f"pre{number:02}" for number in range(ENDINGS + 3)))
    assert shown(alice_client, "?q=pre") == [f"pre{number:02}" for number in range(ENDINGS)]


def test_another_workspaces_words_are_not_found(alice: User, charlie: User, charlie_client: Client) -> None:
    named(alice, "secret")
    named(charlie, "mine")
    assert shown(charlie_client, "?q=secret") == []
    assert shown(charlie_client, "?q=sec") == []


def narrowed(alice: User, team: Workspace) -> dict[str, str]:
    """What narrows a library down to the one picture called "it", by name."""
    bob = User.objects.get(email="bob@example.com")
    long_ago = datetime(2020, 5, 5, 23, 59, 59, tzinfo=UTC)
    named(alice, "other", "it other", workspace=team, shape=Shape.LANDSCAPE)
    job = make_job(bob, make_image(bob, workspace=team, trashed_at=timezone.now()))
    fields: dict[str, Any] = {"kind": ImageKind.GENERATED, "job": job, "shape": Shape.SQUARE, "created_at": long_ago}
    it = named(bob, "it", workspace=team, **fields)
    add_tags(team, it, ["deep red"])
    collection = new_collection(alice, team, "Spring")
    collect(alice, collection, it)
    add_favourites(alice, it)
    return {
        "kind": "kind=generated",
        "shape": "shape=square",
        "who": f"who={bob.pk}",
        "until": "until=2020-05-05",
        "between": "since=2020-05-05&until=2020-05-05",
        "tag": "tag=Deep%20red",
        "collection": f"collection={collection.pk}",
        "favourites": "favourites=1",
    }


FILTERS = ["kind", "shape", "who", "until", "between", "tag", "collection", "favourites"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "name"])
@pytest.mark.parametrize("name", [*FILTERS, "all"])
@pytest.mark.usefixtures("bob")
def test_filters_narrow_and_combine(name: str, sort: str, alice: User, alice_client: Client, team: Workspace) -> None:
    filters = narrowed(alice, team)
    alice_client.post(reverse("workspace_open", args=[team.pk]))
    query = "&".join([*(filters.values() if name == "all" else [filters[name]]), f"sort={sort}"])
    assert shown(alice_client, f"?{query}") == ["it"]
    assert shown(alice_client, f"?{query}&q=it") == ["it"]
    assert shown(alice_client, f"?{query}&q=it+other") == []


@pytest.mark.usefixtures("bob")
def test_common_things_do_not_lead_where_something_is_rare(
    alice: User, alice_client: Client, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.library.listing.RARE", 0)  # so that everything is common
    filters = "&".join(narrowed(alice, team).values())
    alice_client.post(reverse("workspace_open", args=[team.pk]))
    for sort in ("newest", "oldest", "name"):
        assert shown(alice_client, f"?{filters}&sort={sort}&q=it") == ["it"]
        assert shown(alice_client, f"?{filters}&sort={sort}&q=other") == []


def test_day_after_the_last_is_left_out(alice: User, alice_client: Client) -> None:
    named(alice, "late", created_at=datetime(2020, 5, 6, 0, 0, tzinfo=UTC))
    named(alice, "early", created_at=datetime(2020, 5, 4, 23, 59, tzinfo=UTC))
    assert shown(alice_client, "?since=2020-05-05") == ["late"]
    assert shown(alice_client, "?until=2020-05-05") == ["early"]


def test_favourites_are_each_persons_own(alice: User, bob_client: Client, team: Workspace) -> None:
    images = named(alice, "one", workspace=team)
    add_favourites(alice, images)
    bob_client.post(reverse("workspace_open", args=[team.pk]))
    assert shown(bob_client, "?favourites=1") == []
    assert "Among your favourites" not in bob_client.get("/library/").content.decode()


NONSENSE = [
    "?kind=x&shape=y&sort=z&who=-1&since=0&until=32.13.2020&collection=1&before=x",
    "?who=99999999999999999999&collection=00000000-0000-0000-0000-000000000000x",
    "?since=9999-12-31&until=9999-12-31",
    "?until=9999-12-31",
    "?q=%00&tag=%00&who=%00",
    "?q=%ED%A0%80&tag=%FF",
    "?who=²",
    f"?q={'a' * 3000}&tag={'b' * 3000}&before={'c' * 3000}",
    "?q=" + "+".join(f"w{number}" for number in range(300)),
]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_asks_for_nothing_or_finds_nothing(query: str, alice: User, alice_client: Client) -> None:
    named(alice, "one")
    assert shown(alice_client, query) in (["one"], [])


def test_foreign_collection_and_person_narrow_to_nothing_and_are_not_named(
    alice: User, charlie: User, alice_client: Client
) -> None:
    named(alice, "one")
    foreign = new_collection(charlie, Workspace.objects.personal_of(charlie), "Hidden")
    for query in (f"?collection={foreign.pk}", f"?who={charlie.pk}"):
        page = alice_client.get(f"/library/{query}")
        assert page.context["images"] == []
        assert "Hidden" not in page.content.decode()
        assert "Charlie" not in page.content.decode()


def test_cursor_is_good_for_its_person_place_and_order_alone(alice: User, charlie: User, own: Workspace) -> None:
    cursor = write_cursor(alice, own, "newest", make_image(alice))
    assert read_cursor(alice, own, "newest", cursor) is not None
    assert read_cursor(charlie, own, "newest", cursor) is None
    assert read_cursor(alice, own, "name", cursor) is None
    assert read_cursor(alice, Workspace.objects.create(name="Other"), "newest", cursor) is None


def test_address_keeps_what_was_asked_and_drops_what_was_not() -> None:
    asked = Filters.read({"q": " black  cat ", "kind": "uploaded", "sort": "newest", "favourites": "1", "who": "7"})
    assert asked.address() == "?q=black+cat&kind=uploaded&who=7&favourites=1"
    assert asked.address(kind="", favourites=False, before="x") == "?q=black+cat&who=7&before=x"
    assert Filters.read({}).address() == "?"


def test_active_filters_can_each_be_taken_off(alice: User, alice_client: Client) -> None:
    named(alice, "one")
    page = alice_client.get("/library/?q=one&tag=red").content.decode()
    assert 'href="?tag=red"' in page
    assert 'href="?q=one"' in page


@pytest.mark.parametrize(
    "query", ["", "?q=so", "?q=some+so", "?sort=name&q=some+so&tag=red&favourites=1&kind=uploaded", "?tag=red"]
)
def test_five_queries_and_no_count(
    query: str, alice: User, alice_client: Client, own: Workspace, django_assert_max_num_queries: MaxQueries
) -> None:
    images = named(alice, *(f"some {number}" for number in range(PER_PAGE + 2)))
    add_tags(own, images, ["red"])
    add_favourites(alice, images)
    who = f"{query}&who={alice.pk}" if query else query
    with django_assert_max_num_queries(5) as context:
        assert len(shown(alice_client, who)) == PER_PAGE
    assert not any("COUNT(" in query["sql"].upper() for query in context.captured_queries)


def test_viewer_may_choose_for_a_zip_but_sees_nothing_that_changes(
    alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    Membership.objects.filter(user=bob).update(role="viewer")
    named(alice, "one", workspace=team)
    page = bob_client.get(reverse("workspace_library", args=[team.pk])).content.decode()
    assert "selection.zip" in page
    for name in ("tag", "collect", "trash", "move", "copy"):
        assert f"/selection/{name}/" not in page


def test_filters_are_a_page_of_their_own(alice: User, alice_client: Client, own: Workspace) -> None:
    add_tags(own, named(alice, "one"), ["red"])
    new_collection(alice, own, "Spring")
    page = alice_client.get(reverse("library_filters", args=[own.pk]) + "?tag=red&kind=uploaded").content.decode()
    assert '<option value="red" selected>' in page
    assert "Spring" in page
    assert "Alice" in page


def test_empty_library_teaches(alice_client: Client) -> None:
    assert "Upload the first one" in alice_client.get("/library/").content.decode()
    assert "Show all" in alice_client.get("/library/?q=nothing").content.decode()


def test_expired_picture_says_so_on_its_tile(alice: User, alice_client: Client) -> None:
    named(alice, "fresh", usable_until=timezone.now().date() + timedelta(days=2))
    assert "may not be edited any more" not in alice_client.get("/library/").content.decode()
    named(alice, "old", usable_until=timezone.now().date() - timedelta(days=2))
    page = alice_client.get("/library/").content.decode()
    assert page.count('Expired<span class="visually-hidden">: it may not be edited any more.') == 1
