"""Recipes: versions, copies, room, the path that leads to an edit, and what happens to them in the end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from editor.accounts.leaving import delete_account
from editor.images.moving import move
from editor.jobs import clock, recipes
from editor.jobs.creation import EditSpec
from editor.jobs.purging import purge_workspaces
from editor.jobs.recipes import Draft
from editor.library.shelves import NotPossible
from editor.models import GenerationJob, Image, JobState, Recipe, RecipeVersion, User, Workspace
from editor.models.chosen import chosen
from tests.accounts.test_leaving import exported
from tests.makers import make_image, make_job
from tests.people import alice, alice_client, bob, quick_passwords, team

__all__ = ["alice", "alice_client", "bob", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db

NOW = timezone.now()
WARM = EditSpec("warm {colour} light", strength=0.4)


def saved(user: User, workspace: Workspace, *, shared: bool = False, picture: Image | None = None) -> Recipe:
    return recipes.save(user, workspace, Draft("Evening", [WARM], shared, picture), f"form {Recipe.objects.count()}")


def made(user: User, *sources: Image, prompt: str) -> Image:
    """The result of an edit of these."""
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now(), "due_at": None}
    job = make_job(user, *sources, prompt=prompt, seed=GenerationJob.objects.count() + 100, **ended)
    return make_image(user, workspace=sources[0].workspace, kind="generated", job=job, root=sources[0].first_upload)


def numbers(recipe: Recipe) -> list[int]:
    return list(recipe.versions.values_list("number", flat=True))


def test_the_same_form_makes_one_recipe(alice: User, bob: User, team: Workspace) -> None:
    first = recipes.save(alice, team, Draft("Evening", [WARM]), "a form")
    again = recipes.save(alice, team, Draft("Evening", [WARM]), "a form")
    assert again == first
    assert recipes.save(bob, team, Draft("Evening", [WARM]), "a form") != first
    assert Recipe.objects.count() == RecipeVersion.objects.count() == 2


def test_only_other_steps_are_a_new_version(alice: User, team: Workspace) -> None:
    recipe = saved(alice, team)
    assert not recipes.change(alice, recipe, Draft("Morning", [WARM], shared=True))
    recipe.refresh_from_db()
    assert (recipe.name, recipe.shared, numbers(recipe)) == ("Morning", True, [1])
    assert recipes.change(alice, recipe, Draft("Morning", [WARM, EditSpec("then night")], shared=True))
    assert numbers(recipe) == [2, 1]
    assert recipes.steps_of(recipe) == [WARM, EditSpec("then night")]


def test_old_version_comes_back_as_a_new_one(alice: User, bob: User, team: Workspace) -> None:
    recipe = saved(alice, team, shared=True)
    recipes.change(alice, recipe, Draft("Evening", [EditSpec("cold light")], shared=True))
    recipe.refresh_from_db()
    assert recipes.take_back(bob, recipe, recipe.versions.get(number=1))
    assert numbers(recipe) == [3, 2, 1]
    assert recipes.steps_of(recipe) == [WARM]
    assert recipe.versions.get(number=3).made_by == bob
    assert not recipes.take_back(bob, recipe, recipe.versions.get(number=3))


def test_recipe_is_not_changed_for_ever(alice: User, team: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "VERSIONS_MAX", 2)
    recipe = saved(alice, team)
    recipes.change(alice, recipe, Draft("Evening", [EditSpec("two")]))
    with pytest.raises(NotPossible, match="Duplicate it"):
        recipes.change(alice, recipe, Draft("Evening", [EditSpec("three")]))


def test_workspace_has_room_for_so_many(alice: User, team: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "RECIPES_MAX", 2)
    first = saved(alice, team)
    saved(alice, team)
    with pytest.raises(NotPossible, match="Delete one that nobody uses"):
        saved(alice, team)
    recipes.put_away(first)
    saved(alice, team)
    with pytest.raises(NotPossible):
        recipes.put_back(first)


def test_nothing_is_saved_in_an_archived_workspace(alice: User, team: Workspace) -> None:
    team.archive()
    with pytest.raises(NotPossible, match="archived"):
        saved(alice, team)


def test_duplicate_is_private_and_takes_no_picture_elsewhere(alice: User, bob: User, team: Workspace) -> None:
    recipe = saved(alice, team, shared=True, picture=make_image(alice, workspace=team))
    here = recipes.duplicate(bob, recipe, team, "a")
    there = recipes.duplicate(bob, recipe, Workspace.objects.personal_of(bob), "b")
    assert (here.name, here.shared, here.made_by, here.picture) == ("Evening (copy)", False, bob, recipe.picture)
    assert there.picture is None
    assert recipes.steps_of(there) == [WARM]


def test_personal_workspace_has_nobody_to_share_with(alice: User) -> None:
    recipe = saved(alice, Workspace.objects.personal_of(alice), shared=True)
    assert not recipe.shared
    recipes.share(recipe, shared=True)
    recipe.refresh_from_db()
    assert not recipe.shared


def test_path_leads_from_the_upload_to_the_edit(alice: User) -> None:
    upload = make_image(alice)
    a = made(alice, upload, prompt="A")
    b = made(alice, a, prompt="B")
    made(alice, a, prompt="aside")
    c = made(alice, b, prompt="C")
    assert c.job
    path = recipes.path_to(c.job)
    assert [job.prompt for job in path.jobs] == ["A", "B", "C"]
    assert path.merge is None


def test_path_begins_after_a_merge(alice: User) -> None:
    upload, other = make_image(alice), make_image(alice)
    merged = made(alice, made(alice, upload, prompt="A"), other, prompt="both")
    last = made(alice, merged, prompt="C")
    assert last.job
    assert merged.job
    path = recipes.path_to(last.job)
    assert ([job.prompt for job in path.jobs], path.merge) == (["C"], merged.job)
    assert recipes.path_to(merged.job) == ([], merged.job)


def test_path_of_too_many_steps_is_refused(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "STEPS_MAX", 2)
    image = make_image(alice)
    for words in "ABC":
        image = made(alice, image, prompt=words)
    assert image.job
    with pytest.raises(NotPossible, match="2 steps at most"):
        recipes.path_to(image.job)


def test_seeds_are_kept_only_where_none_is_said() -> None:
    steps = [replace(WARM, seed=None), replace(WARM, seed=5)]
    assert [step.seed for step in recipes.with_seeds(steps, [1, 2])] == [1, 5]


def test_deleting_an_account_leaves_what_is_shared(alice: User, bob: User, team: Workspace) -> None:
    private, shared, gone = (saved(bob, team, shared=shared) for shared in (False, True, True))
    recipes.put_away(gone)
    delete_account(bob)
    assert list(Recipe.objects.all()) == [shared]
    assert Recipe.objects.visible_to(alice).get().made_by.email.startswith("deleted-")
    assert not RecipeVersion.objects.filter(recipe=private).exists()


def test_clock_forgets_what_was_deleted_long_ago(alice: User, team: Workspace) -> None:
    old, new = saved(alice, team), saved(alice, team)
    recipes.put_away(new)
    Recipe.objects.filter(pk=old.pk).update(put_away_at=timezone.now() - timedelta(days=chosen.TRASH_DAYS))
    clock.empty_trash()
    assert list(Recipe.objects.all()) == [new]


def test_recipes_go_with_their_workspace(alice: User, team: Workspace) -> None:
    saved(alice, team, picture=make_image(alice, workspace=team, stored=True))
    kept = saved(alice, Workspace.objects.personal_of(alice))
    Workspace.objects.filter(pk=team.pk).update(trashed_at=timezone.now() - timedelta(days=chosen.TRASH_DAYS))
    assert list(Recipe.objects.visible_to(alice)) == [kept]
    purge_workspaces()
    assert list(Recipe.objects.all()) == [kept]


def test_picture_that_moves_is_no_longer_the_recipes(alice: User, team: Workspace) -> None:
    recipe = saved(alice, team, picture=make_image(alice, workspace=team))
    assert recipe.picture
    move(alice, [recipe.picture], Workspace.objects.personal_of(alice))
    recipe.refresh_from_db()
    assert recipe.picture is None


@pytest.mark.parametrize(
    "facts", [{"withheld_at": NOW}, {"trashed_at": NOW}, {"purged_at": NOW}, {"sensitive": True}, {"state": "received"}]
)
def test_picture_that_may_not_lie_open_is_not_shown(
    facts: dict[str, object], alice: User, bob: User, team: Workspace
) -> None:
    recipe = saved(alice, team, shared=True, picture=make_image(alice, workspace=team))
    assert recipe.picture_for(bob)
    assert recipe.picture
    Image.objects.filter(pk=recipe.picture.pk).update(**facts)
    recipe = Recipe.objects.get(pk=recipe.pk)
    assert recipe.picture_for(bob) is None


def test_export_of_an_account_holds_its_recipes(alice: User, alice_client: Client, bob: User, team: Workspace) -> None:
    mine = saved(alice, team)
    saved(bob, team, shared=True)
    with exported(alice_client) as archive:
        text = archive.read("recipes.json").decode()
    assert str(mine.pk) in text
    assert text.count("warm {colour} light") == 1
