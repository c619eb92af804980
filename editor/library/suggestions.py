"""What somebody who begins to write may mean: their own earlier words, or a recipe of the workspace by its name.

Nothing of other people but recipes that they share; nothing of what was kept back, refused or thrown away.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef

from editor.library.existence import there_is
from editor.library.filters import SEARCHED, TEXT_MAX
from editor.library.history import History, find, look_up
from editor.library.history_filters import HistoryFilters
from editor.library.listing import BEGINNING
from editor.library.words import words_of
from editor.models import Image, JobState, Recipe, RecipeVersion, User, Workspace

LETTERS_MIN = 3
"""Of what is written, before anything is suggested."""

EARLIER_MAX, RECIPES_MAX = 4, 2
_EDITS_READ = 40  # among which many say the same
_RECIPES_READ = 300
_KEPT_BACK = {"refused", "refused_prompt"}  # failures that speak of the words


class Suggestion(NamedTuple):
    """`words` to put into the dock; of a recipe its name and id, and of how many steps these are the first.

    `by`: whose recipe it is; empty for one's own.
    """

    words: str
    recipe: str = ""
    steps: int = 1
    recipe_id: UUID | None = None
    by: str = ""


def suggestions(user: User, workspace: Workspace | None, text: str) -> list[Suggestion]:
    """For what is written so far: recipes first, then earlier words, newest first; none of what stands there already.

    Two queries for earlier words; one for the names of recipes, and one more if some fit.
    """
    words = _sought(text)
    if not words:
        return []
    recipes = _recipes(user, workspace, words) if workspace is not None else []
    found = _once([*recipes, *_earlier(user, words)])
    found.pop(_same(text), None)
    return list(found.values())


def _sought(text: str) -> list[str]:
    """The words that must all be there, the last of them as a beginning; none: it is too short, or long already."""
    words = words_of(text) if LETTERS_MIN <= len(text.strip()) <= TEXT_MAX else []
    if len(words) > 1 and len(words[-1]) < BEGINNING:
        words.pop()  # hardly begun
    return words if len(words) <= SEARCHED else []


def _earlier(user: User, words: list[str]) -> list[Suggestion]:
    history, filters = History(user), HistoryFilters(q=" ".join(words))
    jobs = find(history, filters, look_up(history, filters), None, _EDITS_READ)
    results = Image.objects.shown_to(user).filter(job=OuterRef("pk"))
    rows = jobs.annotate(is_there=there_is(results)).values_list("prompt", "state", "failure_code", "is_there")
    found = _once(Suggestion(prompt) for prompt, state, code, there in rows if _may_come_back(state, code, there))
    return list(found.values())[:EARLIER_MAX]


def _may_come_back(state: str, failure_code: str, is_there: bool) -> bool:
    if state == JobState.SUCCEEDED:
        return is_there
    return state != JobState.BLOCKED and failure_code not in _KEPT_BACK


def _recipes(user: User, workspace: Workspace, words: list[str]) -> list[Suggestion]:
    """By the beginnings of the words in their names, of the latest changed ones."""
    rows = Recipe.objects.visible_to(user).filter(workspace=workspace)
    names = rows.order_by("-changed_at", "-id").values_list("pk", "name")[:_RECIPES_READ]
    fitting = [pk for pk, name in names if _begins(words, words_of(name))][:RECIPES_MAX]
    if not fitting:
        return []
    # The latest version of each comes last, and stays.
    versions = RecipeVersion.objects.filter(recipe__in=fitting).order_by("number")
    latest = {each.recipe_id: each for each in versions.select_related("recipe__made_by")}
    return [
        _of_recipe(user, latest[pk].recipe, latest[pk].steps) for pk in fitting if pk in latest and latest[pk].steps
    ]


def _begins(words: list[str], name: list[str]) -> bool:
    return all(any(each.startswith(word) for each in name) for word in words)


def _of_recipe(user: User, recipe: Recipe, steps: list[dict[str, Any]]) -> Suggestion:
    by = recipe.made_by.get_short_name() if recipe.made_by_id != user.pk else ""
    return Suggestion(str(steps[0]["prompt"]), recipe.name, len(steps), recipe.pk, by)


def _once(found: Iterable[Suggestion]) -> dict[str, Suggestion]:
    """Of those that say the same the first, by what they say."""
    once: dict[str, Suggestion] = {}
    for each in found:
        once.setdefault(_same(each.words), each)
    return once


def _same(words: str) -> str:
    """What two texts share that are the same for a reader."""
    return " ".join(words.casefold().split())
