"""Writing a recipe: a new one, from nothing or from edits, and one that is changed."""

from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from editor.access import changeable_recipe_for, job_for, open_workspace_for
from editor.forms import BaseSteps, RecipeForm, draw_form_token, rearranged, rows_in, steps_form
from editor.images.sizes import MATCH, RATIOS
from editor.jobs import recipes
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft
from editor.jobs.steps import STEPS_MAX
from editor.library.shelves import NotPossible
from editor.models import GenerationJob, Image, Recipe, User, Workspace
from editor.views.frame import PersonRequest, current_workspace, may_edit_here, signed_in, workspaces_of
from editor.views.studio import id_asked
from editor.views.versions import stage_address

SHAPES = [(MATCH, "Match source"), *((ratio, ratio.replace(":", " : ")) for ratio in RATIOS)]


class Forms(NamedTuple):
    """What is written: all but the steps, and the steps."""

    about: RecipeForm
    steps: BaseSteps
    begun: int | None = None  # the step that was added or moved last: the focus goes there

    @property
    def are_valid(self) -> bool:
        return all([self.about.is_valid(), self.steps.is_valid()])  # both, so that everything wrong is said at once

    def draft(self, picture: Image | None, *, shared: bool) -> Draft:
        words = self.about.cleaned_data
        steps = self.steps.specs(keep_seeds=words["keep_seeds"])
        return Draft(words["name"], steps, shared, None if words["no_picture"] else picture)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recipe_new(request: PersonRequest) -> HttpResponse:
    """Empty, or from an `edit`, alone or with all that led to it (`path`); `result`: which of its pictures, from 1."""
    places = [each for each in workspaces_of(request) if may_edit_here(each)]
    if request.method != "POST":
        job_id = id_asked(request, "edit")
        if job_id is None:
            about = {"workspace": str(_first(places, current_workspace(request)).pk)}
            return _page(request, _unsent(about, [{}], places))
        return _from_edit(request, job_for(request.user, job_id), places)
    if (moved := _moved(request, places)) is not None:
        return _page(request, moved)
    forms = Forms(RecipeForm(request.POST, workspaces=places), steps_form(request.POST))
    if forms.are_valid:
        words = forms.about.cleaned_data
        place = next(each for each in places if str(each.pk) == words["workspace"])
        draft = forms.draft(_picture(request.user, place, words["picture"]), shared=words["shared"])
        try:
            made = recipes.save(request.user, place, draft, words["form_token"])
        except NotPossible as problem:
            forms.about.add_error(None, str(problem))
        else:
            lost = " Its picture lies in another workspace and stays there." if _left_behind(words, draft) else ""
            messages.success(request, f"{made.name} is saved. {_who_may_use(made)}{lost}")
            return redirect("recipe", made.pk)
    return _page(request, forms, status=422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recipe_change(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    found = changeable_recipe_for(request.user, recipe_id)
    if found.put_away_at is not None:
        raise Http404
    if request.method != "POST":
        about = {"name": found.name, "shared": found.shared}
        return _page(request, _unsent(about, [asdict(step) for step in recipes.steps_of(found)]), found)
    if (moved := _moved(request)) is not None:
        return _page(request, moved, found)
    forms = Forms(RecipeForm(request.POST), steps_form(request.POST))
    if forms.are_valid:
        shared = forms.about.cleaned_data["shared"] if _may_share(request, found) else found.shared
        try:
            newly = recipes.change(request.user, found, forms.draft(found.picture, shared=shared))
        except NotPossible as problem:
            forms.about.add_error(None, str(problem))
        else:
            messages.success(request, "Saved as a new version." if newly else "Saved.")
            return redirect("recipe", found.pk)
    return _page(request, forms, found, status=422)


def _from_edit(request: PersonRequest, job: GenerationJob, places: list[Workspace]) -> HttpResponse:
    workspace = open_workspace_for(request.user, job.workspace_id)
    told = ""
    steps = [job]
    if "path" in request.GET:
        try:
            path = recipes.path_to(job)
        except NotPossible as problem:
            messages.error(request, str(problem))
            return redirect(stage_address(job, request.user))
        if not path.jobs:
            sentence = "This edit put two pictures together, and a step of a recipe has one: no path leads through it."
            messages.error(request, f"{sentence} Its words alone can be saved, in the menu of its result.")
            return redirect(stage_address(job, request.user))
        steps = path.jobs
        if path.merge is not None:
            said = f"“{path.merge.prompt[:80]}” put two pictures together, and a step of a recipe has one."
            told = f"{said} So the path begins after it."
    elif len(job.source_images) > 1:
        told = "This edit used a second picture. A recipe keeps the words; choose a second picture each time."
    picture = _result(request.user, job, request.GET.get("result", ""))
    about = {"workspace": str(workspace.pk), "picture": picture.pk if picture else None}
    rows = [asdict(recipes.spec_of(each)) | {"drawn": each.seed} for each in steps]
    return _page(request, _unsent(about, rows, places), told=told)


def _page(
    request: PersonRequest, forms: Forms, recipe: Recipe | None = None, told: str = "", status: int = 200
) -> HttpResponse:
    picture = recipe.picture_for(request.user) if recipe else _picture_shown(request, forms)
    context: dict[str, Any] = {
        "form": forms.about,
        "steps": forms.steps,
        "begun": forms.begun,
        "recipe": recipe,
        "may_share": _may_share(request, recipe),
        "picture": picture,
        "told": told,
        "form_token": draw_form_token(),
        "shapes": SHAPES,
        "steps_max": STEPS_MAX,
        "has_seeds": any(form["drawn"].value() not in (None, "") for form in forms.steps),
    }
    return render(request, "recipes/form.html", context, status=status)


def _may_share(request: PersonRequest, recipe: Recipe | None) -> bool:
    """Whether there is anybody to share it with, and it is theirs to say."""
    if recipe is None:
        return any(not each.is_personal and may_edit_here(each) for each in workspaces_of(request))
    return recipe.made_by_id == request.user.pk and not recipe.workspace.is_personal


def _unsent(about: dict[str, Any], rows: list[dict[str, Any]], places: list[Workspace] | None = None) -> Forms:
    blank = asdict(EditSpec("")) | {"drawn": None}
    return Forms(RecipeForm(initial=about, workspaces=places or ()), steps_form(initial=[blank | row for row in rows]))


def _moved(request: PersonRequest, places: list[Workspace] | None = None) -> Forms | None:
    """The form with a step more, fewer or elsewhere, and nothing checked; None if it is to be saved."""
    deed = request.POST.get("do", "")
    if not deed:
        return None
    rows, begun = rearranged(rows_in(request.POST), deed)
    names = ("name", "workspace", "shared", "picture", "no_picture", "keep_seeds")
    about = {name: request.POST.get(name, "") for name in names}
    return _unsent(about, rows, places)._replace(begun=begun)


def _first(places: list[Workspace], wanted: Workspace) -> Workspace:
    """Where a new one goes, if nobody says anything else. Raises Http404 to whoever may not make any."""
    found = next((each for each in places if each.pk == wanted.pk), None) or next(iter(places), None)
    if found is None:
        raise Http404
    return found


def _result(user: User, job: GenerationJob, which: str) -> Image | None:
    there = [image for image in job.results.all() if image.is_ready and image.is_shown_to(user)]
    return next((image for image in there if str(image.position + 1) == which), next(iter(there), None))


def _picture(user: User, workspace: Workspace, image_id: UUID | None) -> Image | None:
    """One that may stand beside the recipe; whatever else was sent is passed over."""
    if image_id is None:
        return None
    rows = Image.objects.sources_for(user).filter(pk=image_id, workspace=workspace, purged_at=None)
    return rows.first()


def _who_may_use(recipe: Recipe) -> str:
    return f"Everybody in {recipe.workspace.name} can use it." if recipe.shared else "Nobody but you sees it."


def _left_behind(words: dict[str, Any], draft: Draft) -> bool:
    """Whether the form showed a picture that the recipe does not have."""
    return bool(words["picture"]) and not words["no_picture"] and draft.picture is None


def _picture_shown(request: PersonRequest, forms: Forms) -> Image | None:
    """Of a recipe that is not saved yet."""
    text = str(forms.about["picture"].value() or "")
    try:
        image_id = UUID(text) if text else None
    except ValueError:
        return None
    image = Image.objects.sources_for(request.user).filter(pk=image_id, purged_at=None).first() if image_id else None
    return None if image is None or image.sensitive else image
