"""What narrows a history: words, days, people, places, favourites, sources; alone and together."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from editor.images.moving import move
from editor.library import history
from editor.library.edits import index_edits
from editor.library.shelves import add_favourites
from editor.models import EditTerm, GenerationJob, Image, ImageKind, SavedFilter, User, Workspace
from editor.views.history import PER_PAGE
from tests.makers import make_image, make_job
from tests.views.test_history import shown

pytestmark = pytest.mark.django_db
MaxQueries = Callable[[int], AbstractContextManager[Any]]


def edit(user: User, prompt: str, *sources: Image, **fields: Any) -> GenerationJob:
    """An edit that can be found, with a result."""
    job = make_job(user, *sources, prompt=prompt, **fields)
    make_image(user, kind=ImageKind.GENERATED, job=job, workspace=job.workspace, root=job.source_image)
    index_edits(job)
    return job


@pytest.fixture
def edits(alice: User) -> dict[str, GenerationJob]:
    now = timezone.now()
    prompts = ("make the heron blue", "a blue night over the bay", "a heron at night")
    return {
        name: edit(alice, prompt, created_at=now - timedelta(minutes=number))
        for number, (name, prompt) in enumerate(zip("abc", prompts, strict=True))
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        *[("heron", "ac"), ("BLUE", "ab"), ("blue heron", "a"), ("her", "ac"), ("night b", ""), ("ni", "bc")],
        *[("night blu", "b"), ("!", ""), ("dragon", ""), ("heron dragon", "")],
    ],
)
def test_words_are_found_together_and_the_last_by_its_beginning(
    words: str, found: str, edits: dict[str, GenerationJob], alice_client: Client
) -> None:
    assert shown(alice_client, f"/history/?q={words}") == [edits[name] for name in found]


def test_rare_word_leads_before_a_common_one(
    edits: dict[str, GenerationJob], alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "RARE", 1)
    assert shown(alice_client, "/history/?q=bay+blue") == [edits["b"]]
    assert shown(alice_client, "/history/?q=blue+bay&state=working") == [edits["b"]]


def test_each_filter_and_all_of_them(alice: User, bob: User, alice_client: Client, team: Workspace) -> None:
    picture = make_image(alice, workspace=team)
    other = edit(alice, "a blue cup", created_at=datetime(2025, 5, 3, 12, tzinfo=UTC))
    theirs = edit(bob, "a red cup", make_image(alice, workspace=team))
    mine = edit(alice, "a red cup", picture, created_at=datetime(2025, 5, 4, 12, tzinfo=UTC))
    add_favourites(alice, list(mine.results.select_related("job")))
    asked = {
        "workspace": f"workspace={team.pk}",
        "since": "since=2025-05-04",
        "source": f"source={picture.pk}",
        "favourite": "favourites=1",
        "word": "q=red",
    }
    for query in [*asked.values(), "&".join(asked.values()) + "&until=2025-05-04&state=working"]:
        assert shown(alice_client, f"/history/?{query}") == [mine], query
    assert shown(alice_client, "/history/?until=2025-05-03") == [other]
    assert shown(alice_client, f"/workspaces/{team.pk}/history/?who={bob.pk}&q=cup") == [theirs]
    assert "By Bob" in alice_client.get(f"/workspaces/{team.pk}/history/?who={bob.pk}").content.decode()
    assert shown(alice_client, "/history/?favourites=1&state=done") == []


def test_edit_with_four_favourites_stands_there_once(alice: User, alice_client: Client) -> None:
    jobs = [edit(alice, "a cup", created_at=timezone.now() - timedelta(minutes=number)) for number in range(3)]
    for job in jobs:
        for position in range(1, 4):
            make_image(alice, kind=ImageKind.GENERATED, job=job, position=position)
        add_favourites(alice, list(job.results.select_related("job")))
    assert shown(alice_client, "/history/?favourites=1") == jobs


def test_favourites_of_others_and_those_in_the_trash_do_not_count(
    alice: User, bob: User, alice_client: Client, team: Workspace
) -> None:
    job = edit(alice, "a cup", make_image(alice, workspace=team))
    add_favourites(bob, list(job.results.select_related("job")))
    assert shown(alice_client, "/history/?favourites=1") == []
    add_favourites(alice, list(job.results.select_related("job")))
    job.results.get().trash()
    assert shown(alice_client, "/history/?favourites=1") == []


@pytest.mark.parametrize("query", ["", "?q=cup", "?source={source}", "?favourites=1", "?workspace={team}"])
def test_nothing_of_a_left_workspace_is_found(query: str, bob: User, bob_client: Client, team: Workspace) -> None:
    job = edit(bob, "a cup", make_image(bob, workspace=team))
    add_favourites(bob, list(job.results.select_related("job")))
    address = "/history/" + query.format(source=job.source_image.pk, team=team.pk)
    assert shown(bob_client, address) == [job]
    bob.memberships.filter(workspace=team).delete()
    assert shown(bob_client, address) == []


def test_edits_that_moved_are_found_where_they_are(alice: User, alice_client: Client, team: Workspace) -> None:
    source = make_image(alice)
    job = edit(alice, "a cup", source, state="canceled", allowance="released", finished_at=timezone.now())
    move(alice, [source], team)
    assert shown(alice_client, f"/workspaces/{team.pk}/history/?q=cup") == [job]
    assert shown(alice_client, f"/workspaces/{Workspace.objects.personal_of(alice).pk}/history/?q=cup") == []


def test_whatever_makes_no_sense_asks_for_nothing(edits: dict[str, GenerationJob], alice_client: Client) -> None:
    address = "/history/?state=x&workspace=1&who=-1&since=never&until=2025-02-30&source=%00&favourites="
    assert shown(alice_client, address) == list(edits.values())


@pytest.mark.parametrize(
    "query", ["?q=blue", "?q=blue+her&state=working&since=2020-01-01&favourites=1", "?workspace=x&source={source}"]
)
def test_five_queries_and_no_count_however_much_is_asked(
    query: str,
    edits: dict[str, GenerationJob],
    alice: User,
    alice_client: Client,
    django_assert_max_num_queries: MaxQueries,
) -> None:
    for number in range(PER_PAGE):
        edit(alice, f"blue {number}")
    SavedFilter.objects.create(user=alice, name="Herons", query="?q=heron")
    address = "/history/" + query.format(source=edits["a"].source_image.pk)
    with django_assert_max_num_queries(5) as context:
        alice_client.get(address)
    assert not any("COUNT(" in query["sql"].upper() for query in context.captured_queries)


def test_new_edit_is_found_by_its_words_and_sources(alice: User, alice_client: Client) -> None:
    source = make_image(alice)
    alice_client.post("/edits/", {"source": source.pk, "prompt": "Ein Café, at night", "form_token": "t" * 32})
    job = GenerationJob.objects.get()
    assert set(EditTerm.objects.values_list("term", flat=True)) == {"ein", "cafe", "at", "night", f"={source.pk.hex}"}
    assert shown(alice_client, f"/history/?q=cafe&source={source.pk}") == [job]


def test_strangers_picture_is_not_named(alice: User, charlie_client: Client) -> None:
    picture = make_image(alice, name="secret.jpg")
    assert "secret" not in charlie_client.get(f"/history/?source={picture.pk}").content.decode()


def test_filter_is_saved_applied_renamed_and_forgotten(edits: dict[str, GenerationJob], alice_client: Client) -> None:
    made = alice_client.post("/history/saved/", {"name": "Blue ones", "query": "?q=blue&state=working&evil=1"})
    assert made["Location"] == "/history/?q=blue&state=working"
    page = alice_client.get("/history/").content.decode()
    assert '<a class="said-one said-saved" href="/history/?q=blue&amp;state=working">Blue ones</a>' in page
    assert "Save this filter" not in alice_client.get("/history/?q=blue&state=working").content.decode()
    row = SavedFilter.objects.get()
    alice_client.post(f"/history/saved/{row.pk}/rename/", {"name": "Blues"})
    assert ">Blues</a>" in alice_client.get("/history/").content.decode()
    alice_client.post(f"/history/saved/{row.pk}/delete/")
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("name", ["", "cats", "x" * 61])
def test_name_that_is_empty_taken_or_too_long_is_refused_in_words(name: str, alice: User, alice_client: Client) -> None:
    SavedFilter.objects.create(user=alice, name="Cats", query="?q=cat")
    page = alice_client.post("/history/saved/", {"name": name, "query": "?q=dog"}, follow=True)
    assert any(message.level_tag == "error" for message in page.context["messages"])
    assert SavedFilter.objects.count() == 1


def test_saved_filter_of_somebody_else_is_not_there(alice: User, charlie: User, charlie_client: Client) -> None:
    row = SavedFilter.objects.create(user=alice, name="Cats", query="?q=cat")
    assert charlie_client.post(f"/history/saved/{row.pk}/delete/").status_code == 404
    assert "Cats" not in charlie_client.get("/history/").content.decode()


def test_filters_page_keeps_what_is_asked(alice: User, bob: User, alice_client: Client, team: Workspace) -> None:
    page = alice_client.get(f"/workspaces/{team.pk}/history/filters/?q=cup&state=done&who={bob.pk}").content.decode()
    assert 'value="cup"' in page
    assert f'<option value="{bob.pk}" selected>' in page
    assert '<option value="done" selected>' in page
    assert f'<option value="{team.pk}">Team</option>' in alice_client.get("/history/filters/").content.decode()


def test_empty_result_says_so_and_offers_all(alice_client: Client) -> None:
    page = alice_client.get("/history/?q=nothing").content.decode()
    assert "No edit is like this." in page
    assert "Show all" in page
