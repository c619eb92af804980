"""Pages of recipes: making, changing, finding and using them."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.jobs import recipes
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft
from editor.models import GenerationJob, Image, JobState, Membership, Recipe, Role, User, Workspace
from editor.views.recipes import PER_PAGE
from tests.makers import make_image, make_job
from tests.people import client_of, make_person

pytestmark = pytest.mark.django_db

WORDS = "paint the {object} {colour}"


def saved(user: User, workspace: Workspace, *steps: EditSpec, name: str = "Paint", shared: bool = False) -> Recipe:
    draft = Draft(name, list(steps) or [EditSpec(WORDS, ratio="3:2", strength=0.4)], shared)
    return recipes.save(user, workspace, draft, uuid4().hex)


def form(*prompts: str, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": "Paint", "form_token": uuid4().hex, "step-INITIAL_FORMS": 0}
    body["step-TOTAL_FORMS"] = len(prompts)
    body |= {f"step-{number}-prompt": words for number, words in enumerate(prompts)}
    return body | fields


def page_of(client: Client, name: str, *args: Any, query: str = "") -> str:
    response = client.get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


def result_of(user: User, *sources: Image, **fields: Any) -> Image:
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(user, *sources, **ended, **fields)
    return make_image(user, workspace=sources[0].workspace, kind="generated", job=job, root=sources[0].first_upload)


# Writing ------------------------------------------------------------------------------------------------------------


def test_form_makes_a_recipe_once(alice: User, alice_client: Client, own: Workspace) -> None:
    body = form("first {colour}", "then night", workspace=own.pk, **{"step-1-strength": "0.3", "step-1-ratio": "1:1"})
    responses = [alice_client.post(reverse("recipe_new"), body) for _ in range(2)]
    recipe = Recipe.objects.get()
    assert {response["Location"] for response in responses} == {reverse("recipe", args=[recipe.pk])}
    assert recipes.steps_of(recipe) == [EditSpec("first {colour}"), EditSpec("then night", ratio="1:1", strength=0.3)]
    page = page_of(alice_client, "recipe", recipe.pk)
    assert "2 steps" in page
    assert '<mark class="placeholder">{colour}</mark>' in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Give it a name."),
        ({"name": "x" * 81}, "At most 80 characters"),
        ({"workspace": "elsewhere"}, "Choose one of the list."),
        ({"step-0-prompt": " "}, "Say what should change"),
        ({"step-0-prompt": "x" * 4001}, "At most 4000 characters"),
        ({"step-0-prompt": "a\0b"}, "characters that are no text"),
        ({"step-0-strength": "nan"}, "A number from 0 to 1"),
        ({"step-0-strength": "1e309"}, "A number from 0 to 1"),
        ({"step-0-samples": "5"}, "One to four pictures"),
        ({"step-0-seed": "-1"}, "A whole number from 0"),
        ({"step-0-ratio": "7:1"}, "Choose one of the shapes."),
        ({"step-TOTAL_FORMS": "9"}, "8 steps at most"),
        ({"step-TOTAL_FORMS": "0"}, "one step at least"),
        ({"step-TOTAL_FORMS": "many"}, "one step at least"),
        ({"step-0-prompt": " ".join(f"{{name {n}}}" for n in "abcdefghijklm")}, "at most 12 placeholders"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_saved(
    fields: dict[str, Any], sentence: str, alice_client: Client, own: Workspace
) -> None:
    response = alice_client.post(reverse("recipe_new"), form("x", workspace=own.pk) | fields)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Recipe.objects.exists()


def test_recipe_is_not_made_where_one_may_only_look(bob: User, team: Workspace) -> None:
    Membership.objects.filter(workspace=team, user=bob).update(role=Role.VIEWER)
    response = client_of(bob).post(reverse("recipe_new"), form("x", workspace=team.pk))
    assert response.status_code == 422
    assert not Recipe.objects.exists()


def test_steps_are_added_moved_and_removed_without_javascript(alice_client: Client, own: Workspace) -> None:
    body = form("A", "B", workspace=own.pk, name="Half written")
    for deed, expected in [("add", ["A", "B", ""]), ("down-0", ["B", "A"]), ("up-1", ["B", "A"]), ("remove-0", ["B"])]:
        response = alice_client.post(reverse("recipe_new"), body | {"do": deed})
        assert response.status_code == 200
        assert [row["prompt"].value() for row in response.context["steps"]] == expected
        assert 'value="Half written"' in response.content.decode()
    for deed in ("remove-7", "up-0", "down-1", "up--1", "x", "up-\u0663"):
        response = alice_client.post(reverse("recipe_new"), body | {"do": deed})
        assert [row["prompt"].value() for row in response.context["steps"]] == ["A", "B"]
    assert not Recipe.objects.exists()


def test_edit_becomes_a_recipe_with_its_result_as_picture(alice: User, alice_client: Client, own: Workspace) -> None:
    result = result_of(alice, make_image(alice), prompt="warm light", ratio="4:3", strength=0.2, seed=77)
    response = alice_client.get(reverse("recipe_new") + f"?edit={result.job_id}")
    (step,) = response.context["steps"]
    assert (step["prompt"].value(), step["ratio"].value(), step["seed"].value()) == ("warm light", "4:3", None)
    assert response.context["picture"] == result
    body = form("warm light", workspace=own.pk, picture=result.pk, **{"step-0-drawn": "77"})
    alice_client.post(reverse("recipe_new"), body)
    recipe = Recipe.objects.get()
    assert recipe.picture == result
    assert recipes.steps_of(recipe)[0].seed is None
    alice_client.post(reverse("recipe_new"), body | {"keep_seeds": "1", "form_token": "another", "no_picture": "1"})
    other = Recipe.objects.exclude(pk=recipe.pk).get()
    assert (recipes.steps_of(other)[0].seed, other.picture) == (77, None)


def test_result_that_is_the_source_by_now_can_be_saved_as_a_recipe(alice: User, alice_client: Client) -> None:
    upload = make_image(alice)
    result = result_of(alice, upload, prompt="warm light")
    assert f"{reverse('recipe_new')}?edit={result.job_id}" in page_of(alice_client, "studio_image", result.pk)
    assert reverse("recipe_new") not in page_of(alice_client, "studio_image", upload.pk)


def told(client: Client, body: dict[str, Any]) -> str:
    page = client.post(reverse("recipe_new"), body, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_it_is_said_who_may_use_it_and_that_the_picture_stayed(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    shared = form("x", shared="1", picture=make_image(alice).pk)
    assert told(alice_client, shared | {"workspace": own.pk}) == "Paint is saved. Nobody but you sees it."
    said = told(alice_client, shared | {"workspace": team.pk, "form_token": "another"})
    assert f"Everybody in {team.name} can use it. Its picture lies in another workspace" in said


def test_form_says_who_sees_it_where_there_is_nobody_to_share_with(alice_client: Client, own: Workspace) -> None:
    assert "Nobody but you sees and uses it." in page_of(alice_client, "recipe_new")


def test_strangers_picture_is_not_taken(alice: User, alice_client: Client, own: Workspace) -> None:
    theirs = make_image(make_person("stranger"))
    alice_client.post(reverse("recipe_new"), form("x", workspace=own.pk, picture=theirs.pk))
    assert Recipe.objects.get().picture is None
    page = alice_client.post(reverse("recipe_new"), form("x", workspace=own.pk, picture=theirs.pk, do="add"))
    assert f"/images/{theirs.pk}/" not in page.content.decode()


def test_path_becomes_a_chain(alice: User, alice_client: Client) -> None:
    a = result_of(alice, make_image(alice), prompt="A")
    b = result_of(alice, a, prompt="B")
    page = page_of(alice_client, "studio_image", a.pk, query=f"?edit={b.job_id}")
    assert f"{reverse('recipe_new')}?edit={b.job_id}&amp;path=1" in page
    response = alice_client.get(reverse("recipe_new") + f"?edit={b.job_id}&path=1")
    assert [step["prompt"].value() for step in response.context["steps"]] == ["A", "B"]


def test_merge_is_no_step_and_that_is_said(alice: User, alice_client: Client) -> None:
    merged = result_of(alice, make_image(alice), make_image(alice), prompt="put both together")
    after = result_of(alice, merged, prompt="make it night")
    page = page_of(alice_client, "recipe_new", query=f"?edit={after.job_id}&path=1")
    assert "“put both together” put two pictures together" in page
    assert "So the path begins after it." in page
    response = alice_client.get(reverse("recipe_new") + f"?edit={merged.job_id}&path=1", follow=True)
    assert "no path leads through it" in response.content.decode()
    assert "second picture each time" in page_of(alice_client, "recipe_new", query=f"?edit={merged.job_id}")


# Changing -----------------------------------------------------------------------------------------------------------


def test_change_is_told_with_who_and_what_it_said_before(
    alice: User, alice_client: Client, bob: User, team: Workspace
) -> None:
    recipe = saved(bob, team, EditSpec("the old words"), shared=True)
    page = page_of(alice_client, "recipe_change", recipe.pk)
    assert "the old words" in page
    assert 'name="shared"' not in page  # whether to share is its maker's to say
    alice_client.post(reverse("recipe_change", args=[recipe.pk]), form("the new words"))
    recipe.refresh_from_db()
    assert recipe.shared
    page = page_of(client_of(bob), "recipe", recipe.pk)
    told = ("Version 2", alice.get_short_name(), "Version 1", bob.get_short_name(), "the old words")
    page = page[page.index('id="versions-title"') :]
    assert sorted(told, key=page.index) == list(told)
    client_of(bob).post(reverse("recipe_take_back", args=[recipe.pk, 1]))
    assert recipes.steps_of(recipe) == [EditSpec("the old words")]


def test_many_versions_come_page_by_page(alice: User, alice_client: Client, own: Workspace) -> None:
    recipe = saved(alice, own)
    for number in range(2, 13):
        recipes.change(alice, recipe, Draft("Paint", [EditSpec(f"number {number}")]))
    page = page_of(alice_client, "recipe", recipe.pk)
    assert "Version 3" in page
    assert ">Version 2<" not in page
    older = page_of(alice_client, "recipe", recipe.pk, query="?before=3")
    assert ">Version 2<" in older
    assert older.count("number 12") == 1  # what it says now stands above


def test_deleting_has_a_way_back(alice: User, alice_client: Client, own: Workspace) -> None:
    recipe = saved(alice, own)
    response = alice_client.post(reverse("recipe_delete", args=[recipe.pk]), follow=True)
    page = response.content.decode()
    assert reverse("recipe_restore", args=[recipe.pk]) in page
    assert reverse("recipe_list") + "?deleted=1" in page
    assert alice_client.get(reverse("recipe", args=[recipe.pk])).status_code == 404
    assert alice_client.get(reverse("recipe_change", args=[recipe.pk])).status_code == 404
    assert "Paint" in page_of(alice_client, "recipe_list", query="?deleted=1")
    alice_client.post(reverse("recipe_restore", args=[recipe.pk]))
    assert "Paint" in page_of(alice_client, "recipe", recipe.pk)


def test_shared_recipes_are_there_for_the_team_and_private_ones_are_not(
    alice: User, bob: User, team: Workspace
) -> None:
    shared, private = saved(alice, team, name="For all", shared=True), saved(alice, team, name="For me")
    page = page_of(client_of(bob), "recipe_list")
    assert "For all" in page
    assert "For me" not in page
    client_of(alice).post(reverse("recipe_share", args=[private.pk]), {"shared": "1"})
    client_of(alice).post(reverse("recipe_share", args=[shared.pk]), {"shared": "0"})
    page = page_of(client_of(bob), "recipe_list")
    assert "For all" not in page
    assert "For me" in page


def test_private_recipe_is_hidden_from_its_maker_once_they_left(alice: User, bob: User, team: Workspace) -> None:
    recipe = saved(bob, team)
    team.remove(Membership.objects.get(workspace=team, user=bob))
    assert client_of(bob).get(reverse("recipe", args=[recipe.pk])).status_code == 404
    assert "Paint" not in page_of(client_of(bob), "recipe_list")


def test_maker_who_may_only_look_by_now_changes_nothing(alice: User, bob: User, team: Workspace) -> None:
    recipe = saved(bob, team, shared=True)
    Membership.objects.filter(workspace=team, user=bob).update(role=Role.VIEWER)
    page = page_of(client_of(bob), "recipe", recipe.pk)
    assert reverse("recipe_change", args=[recipe.pk]) not in page
    assert client_of(bob).post(reverse("recipe_delete", args=[recipe.pk])).status_code == 404
    response = client_of(bob).post(reverse("recipe_duplicate", args=[recipe.pk]), follow=True)
    assert "in Personal" in response.content.decode()
    assert Recipe.objects.get(workspace__personal_for=bob).made_by == bob


def test_nothing_changes_in_the_archive(alice: User, alice_client: Client, team: Workspace) -> None:
    recipe = saved(alice, team, shared=True)
    team.archive()
    assert reverse("recipe_change", args=[recipe.pk]) not in page_of(alice_client, "recipe", recipe.pk)
    for name in ("recipe_change", "recipe_delete", "recipe_share"):
        assert alice_client.post(reverse(name, args=[recipe.pk]), form("x")).status_code == 409


# Finding ------------------------------------------------------------------------------------------------------------


def test_empty_list_teaches(alice_client: Client) -> None:
    assert "Save an edit as a recipe" in page_of(alice_client, "recipe_list")


def test_recipes_are_found_by_name_and_workspace(alice: User, alice_client: Client, team: Workspace) -> None:
    saved(alice, team, name="Warm evening")
    saved(alice, Workspace.objects.personal_of(alice), name="Cold morning")
    assert "Cold" not in page_of(alice_client, "recipe_list", query="?q=WARM")
    page = page_of(alice_client, "recipe_list", query=f"?workspace={team.pk}")
    assert "Warm" in page
    assert "Cold" not in page
    for query in ("?q=%00", "?q=" + "x" * 3000, "?before=nonsense"):
        page_of(alice_client, "recipe_list", query=query)
    for foreign in (uuid4(), "nonsense"):
        assert alice_client.get(reverse("recipe_list") + f"?workspace={foreign}").status_code == 404


def test_long_list_comes_page_by_page_in_few_queries(
    alice: User, alice_client: Client, own: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(PER_PAGE + 2):
        saved(alice, own, name=f"number {number:02}")
    with django_assert_max_num_queries(5):
        response = alice_client.get(reverse("recipe_list"))
    page = response.content.decode()
    assert f"number {PER_PAGE + 1:02}" in page
    assert "number 01" not in page
    older = page_of(alice_client, "recipe_list", query=response.context["older"])
    assert "number 01" in older
    assert "number 00" in older
    assert "number 02" not in older


# Using --------------------------------------------------------------------------------------------------------------


def test_recipe_fills_the_dock_with_fields_for_what_is_open(alice: User, alice_client: Client, own: Workspace) -> None:
    image, recipe = make_image(alice), saved(alice, own)
    menu = page_of(alice_client, "studio_recipes", image.pk)
    address = reverse("studio_image", args=[image.pk]) + f"?recipe={recipe.pk}"
    assert address in menu
    page = alice_client.get(address)
    dock = page.context["form"]
    assert dock.to_fill == [("object", ""), ("colour", "")]
    assert (dock["prompt"].value(), dock["ratio"].value(), dock["strength"].value()) == (WORDS, "3:2", 0.4)
    assert page.content.decode().count('name="placeholder"') == 2


def test_chain_leads_to_its_own_page(alice: User, alice_client: Client, own: Workspace) -> None:
    image, recipe = make_image(alice), saved(alice, own, EditSpec("A"), EditSpec("B"))
    assert reverse("recipe", args=[recipe.pk]) in page_of(alice_client, "studio_recipes", image.pk)
    response = alice_client.get(reverse("studio_image", args=[image.pk]) + f"?recipe={recipe.pk}")
    there = reverse("recipe", args=[recipe.pk]) + f"?picture={image.pk}"
    assert response["Location"] == there
    assert f'href="{there}"' in page_of(alice_client, "studio_recipes", image.pk)


def test_picture_of_the_studio_is_chosen_on_the_page_of_a_chain(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    image, theirs = make_image(alice), make_image(make_person("stranger"))
    make_image(alice)
    for place in (own, team):
        recipe = saved(alice, place, EditSpec("A"), EditSpec("B"))
        page = page_of(alice_client, "recipe", recipe.pk, query=f"?picture={image.pk}")
        assert f'value="{image.pk}" checked' in page
        assert page.count(f'name="picture" value="{image.pk}"') == page.count(" checked") == 1
    for nothing in (theirs.pk, "x", ""):
        assert " checked" not in page_of(alice_client, "recipe", recipe.pk, query=f"?picture={nothing}")


def test_chain_without_chosen_pictures_stays_on_its_page(alice: User, alice_client: Client, own: Workspace) -> None:
    recipe = saved(alice, own, EditSpec("A"), EditSpec("B"))
    response = alice_client.post(reverse("batch_new"), {"recipe": str(recipe.pk)})
    assert response["Location"] == reverse("recipe", args=[recipe.pk])


def test_page_of_a_recipe_says_what_to_do_where_it_can_not_be_used(alice: User, bob: User, team: Workspace) -> None:
    recipe = saved(alice, team, shared=True)
    assert "has no pictures yet" in page_of(client_of(alice), "recipe", recipe.pk)
    Membership.objects.filter(workspace=team, user=bob).update(role=Role.VIEWER)
    page = page_of(client_of(bob), "recipe", recipe.pk)
    assert "you may look, not edit" in page
    assert "has no pictures yet" not in page


def test_chain_is_run_on_pictures_that_are_chosen_on_its_page(
    alice: User, alice_client: Client, own: Workspace
) -> None:
    image, recipe = make_image(alice), saved(alice, own, EditSpec("A {colour}"), EditSpec("then B"))
    page = page_of(alice_client, "recipe", recipe.pk)
    assert f'name="picture" value="{image.pk}"' in page
    response = alice_client.post(reverse("batch_new"), {"recipe": str(recipe.pk), "picture": [image.pk]})
    assert response.context["recipe"] == recipe
    assert response.context["steps"] == recipes.steps_of(recipe)


def asked(client: Client, image: Image, words: str, names: list[str], values: list[str]) -> Any:
    body = {"source": image.pk, "prompt": words, "form_token": uuid4().hex, "placeholder": names, "value": values}
    return client.post(reverse("edit_create"), body)


def test_filled_in_words_are_asked_for(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    response = asked(alice_client, image, WORDS + ", {Colour}!", ["object", "colour"], ["car", "red {object}"])
    assert response.status_code == 302
    assert GenerationJob.objects.get().prompt == "paint the car red {object}, red {object}!"


def test_what_a_recipe_leaves_open_is_not_sent(alice: User, alice_client: Client) -> None:
    response = asked(alice_client, make_image(alice), WORDS, ["object", "colour"], ["car", " "])
    page = response.content.decode()
    assert response.status_code == 422
    assert "Say what {colour} is to be" in page
    assert f">{WORDS}</textarea>" in page  # as it was typed
    assert 'value="car"' in page
    assert not GenerationJob.objects.exists()


def test_doubled_braces_are_single_ones_with_fields_and_without(
    alice: User, alice_client: Client, own: Workspace
) -> None:
    image, recipe = make_image(alice), saved(alice, own, EditSpec("write {{name}}"))
    words = "write {{colour}} in {colour}"
    assert "double them: {{colour}}." in asked(alice_client, image, words, ["colour"], [""]).content.decode()
    asked(alice_client, image, words, ["colour"], ["red"])
    assert GenerationJob.objects.get().prompt == "write {colour} in red"
    dock = alice_client.get(reverse("studio_image", args=[image.pk]) + f"?recipe={recipe.pk}").context["form"]
    assert (dock["prompt"].value(), dock.to_fill) == ("write {name}", [])


@pytest.mark.parametrize(
    ("words", "names", "expected"),
    [
        ("a {colour} of my own", [], "a {colour} of my own"),
        ("no longer in the words", ["colour"], "no longer in the words"),
        ("{size} was typed by hand", ["colour"], "{size} was typed by hand"),
    ],
)
def test_other_braces_are_plain_words(
    words: str, names: list[str], expected: str, alice: User, alice_client: Client
) -> None:
    assert asked(alice_client, make_image(alice), words, names, [""] * len(names)).status_code == 302
    assert GenerationJob.objects.get().prompt == expected


@pytest.mark.parametrize(
    ("names", "values", "sentence"),
    [
        (["colour"], ["x" * 201], "colour: At most 200 characters"),
        (["colour"], ["\ufffd"], "colour: This holds characters that are no text"),
        (["no { name"], ["x"], "Please reload"),
        (["colour"], [], "Say what {colour} is to be"),
    ],
)
def test_hostile_values_are_answered(
    names: list[str], values: list[str], sentence: str, alice: User, alice_client: Client
) -> None:
    response = asked(alice_client, make_image(alice), "{colour}", names, values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not GenerationJob.objects.exists()


def test_words_that_grow_too_long_are_not_sent(alice: User, alice_client: Client) -> None:
    response = asked(alice_client, make_image(alice), "{a}" * 1000, ["a"], ["x" * 200])
    assert response.status_code == 422
    assert "4000 are the most" in response.content.decode()
