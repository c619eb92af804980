"""Recipes: saving what was asked once, changing it, and putting it away. Each change of what it says is a version."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from editor.jobs.creation import EditSpec
from editor.jobs.steps import STEPS_MAX, from_rows, to_rows
from editor.library.shelves import NotPossible
from editor.models import GenerationJob, Image, Recipe, RecipeVersion, User, Workspace

RECIPES_MAX = 500  # of one workspace, everybody's together
VERSIONS_MAX = 200  # of one recipe
NAME_MAX = 80
FORMAT = "retake-recipe"
FORMAT_VERSION = 1
_OF_FORMS = UUID("5f0c7f0a-6f9d-4c52-9a5e-1d1c0f5f2f0b")  # names in it are people and their forms


@dataclass(frozen=True)
class Draft:
    """What a recipe is to be. `steps`: one at least, STEPS_MAX at most; `picture` lies in the recipe's workspace."""

    name: str
    steps: list[EditSpec]
    shared: bool = False
    picture: Image | None = None


class Path(NamedTuple):
    """The edits that lead to one, the oldest first; without those up to the last merge on the way, if there is one."""

    jobs: list[GenerationJob]
    merge: GenerationJob | None


def save(user: User, workspace: Workspace, draft: Draft, form_token: str) -> Recipe:
    """A new one. The same form token again: the recipe that it made, be it changed or put away since.

    Raises NotPossible.
    """
    pk = uuid5(_OF_FORMS, f"{user.pk}:{form_token}")  # so that a form sent twice needs no column
    try:
        with transaction.atomic():
            _lock(workspace)
            if (made := Recipe.objects.filter(pk=pk).first()) is not None:
                return made
            _check_room(workspace)
            recipe = Recipe.objects.create(
                pk=pk,
                workspace=workspace,
                made_by=user,
                name=draft.name,
                shared=draft.shared and not workspace.is_personal,
                picture=draft.picture,
            )
            RecipeVersion.objects.create(recipe=recipe, number=1, steps=to_rows(draft.steps), made_by=user)
            return recipe
    except IntegrityError:  # into two workspaces at once
        return Recipe.objects.get(pk=pk)


def change(user: User, recipe: Recipe, draft: Draft) -> bool:
    """Whether it says something else from now on, which is a version of its own. Raises NotPossible."""
    with transaction.atomic():
        held = Recipe.objects.select_for_update(of=("self",)).get(pk=recipe.pk)
        steps = to_rows(draft.steps)
        last = held.versions.order_by("-number").first()
        newly = last is None or last.steps != steps
        if newly:
            _add_version(user, held, steps)
        facts = {"name": draft.name, "shared": draft.shared, "picture_id": draft.picture.pk if draft.picture else None}
        changed = {name: value for name, value in facts.items() if getattr(held, name) != value}
        if newly or changed:
            Recipe.objects.filter(pk=held.pk).update(**changed, changed_at=timezone.now())
    return newly


def take_back(user: User, recipe: Recipe, version: RecipeVersion) -> bool:
    """What it said then, once more as its newest version; False if it says that already. Raises NotPossible."""
    draft = Draft(recipe.name, from_rows(version.steps), recipe.shared, recipe.picture)
    return change(user, recipe, draft)


def duplicate(user: User, recipe: Recipe, workspace: Workspace, form_token: str) -> Recipe:
    """A private one that says the same. Its picture goes along only within its workspace. Raises NotPossible."""
    name = f"{recipe.name[: NAME_MAX - 7].rstrip()} (copy)"
    picture = recipe.picture_for(user) if recipe.workspace_id == workspace.pk else None
    return save(user, workspace, Draft(name, steps_of(recipe), picture=picture), form_token)


def share(recipe: Recipe, *, shared: bool) -> None:
    """With everybody in its workspace, or no longer. Of a personal workspace there is nobody to share with."""
    wanted = shared and not recipe.workspace.is_personal
    Recipe.objects.filter(pk=recipe.pk).exclude(shared=wanted).update(shared=wanted, changed_at=timezone.now())


def put_away(recipe: Recipe) -> None:
    Recipe.objects.filter(pk=recipe.pk, put_away_at=None).update(put_away_at=timezone.now())


def put_back(recipe: Recipe) -> None:
    """Raises NotPossible if others took its place."""
    with transaction.atomic():
        _lock(recipe.workspace)
        _check_room(recipe.workspace)
        Recipe.objects.filter(pk=recipe.pk).update(put_away_at=None)


def steps_of(recipe: Recipe) -> list[EditSpec]:
    """What it says now."""
    return said_by([recipe])[recipe.pk]


def said_by(recipes: Iterable[Recipe]) -> dict[UUID, list[EditSpec]]:
    """What each of them says now, in one query."""
    newest = RecipeVersion.objects.filter(recipe=OuterRef("recipe")).order_by("-number").values("pk")[:1]
    rows = RecipeVersion.objects.filter(recipe__in=[recipe.pk for recipe in recipes], pk=Subquery(newest))
    return {row.recipe_id: from_rows(row.steps) for row in rows}


def spec_of(job: GenerationJob, *, keep_seed: bool = False) -> EditSpec:
    """An edit as a step; the seed is drawn anew each time, unless it is kept."""
    seed = job.seed if keep_seed else None
    return EditSpec(job.prompt, job.negative_prompt, job.ratio, job.samples, job.strength, seed)


def path_to(job: GenerationJob) -> Path:
    """From the upload to this edit, by the first picture of each. Raises NotPossible if there are too many steps.

    Of what came before a merge nothing is taken, as a step has one source only; of a merge itself, nothing is left.
    """
    found: list[GenerationJob] = []
    here: GenerationJob | None = job
    while here is not None:
        sources = here.source_images
        if len(sources) > 1:
            return Path(found[::-1], here)
        found.append(here)
        if len(found) > STEPS_MAX:
            raise NotPossible(
                f"More than {STEPS_MAX} edits lead to this picture, and a recipe has {STEPS_MAX} steps at most. "
                "Save its last edit as a recipe, and add steps to that by hand."
            )
        made_by = sources[0].job_id if sources else None
        here = GenerationJob.objects.filter(workspace=job.workspace_id, pk=made_by).first() if made_by else None
    return Path(found[::-1], None)


def as_file(name: str, steps: Iterable[EditSpec]) -> dict[str, Any]:
    """A recipe as it is exported: nothing in it says whose it is or where it was."""
    return {"format": FORMAT, "version": FORMAT_VERSION, "name": name, "steps": to_rows(steps)}


def _add_version(user: User, held: Recipe, steps: list[dict[str, Any]]) -> None:
    number = held.versions.aggregate(last=Max("number"))["last"] or 0
    if number >= VERSIONS_MAX:
        raise NotPossible(
            f"It was changed {VERSIONS_MAX} times, and no recipe keeps more. Duplicate it and go on there."
        )
    RecipeVersion.objects.create(recipe=held, number=number + 1, steps=steps, made_by=user)


def _lock(workspace: Workspace) -> None:
    """One after the other, so that two windows can't take the last place."""
    held = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if not held.is_open:
        raise NotPossible(f"Nothing changes in {held.name} any more: it was archived or put into the trash.")


def _check_room(workspace: Workspace) -> None:
    rows = Recipe.objects.filter(workspace=workspace, put_away_at=None)
    if rows.order_by()[RECIPES_MAX - 1 : RECIPES_MAX].exists():
        raise NotPossible(
            f"{workspace.name} has {RECIPES_MAX} recipes, and no workspace may have more. Delete one that nobody uses."
        )


def with_seeds(steps: Iterable[EditSpec], seeds: Iterable[int | None]) -> list[EditSpec]:
    """Steps that draw their seed get these instead."""
    return [replace(step, seed=seed) if step.seed is None else step for step, seed in zip(steps, seeds, strict=True)]
