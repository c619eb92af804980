"""Recipes: all of them, one of them, one for the picture on the stage, and what is done with one."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import changeable_recipe_for, image_for, may_change_recipe_as, own_recipe_for, recipe_for
from editor.forms import draw_form_token
from editor.forms.fields import line_of
from editor.jobs import recipes
from editor.jobs.creation import EditSpec
from editor.jobs.steps import from_rows, placeholders
from editor.library.shelves import NotPossible
from editor.models import Image, Recipe, RecipeVersion, User, Workspace
from editor.models.chosen import chosen
from editor.views import cursors
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here, workspaces_of

if TYPE_CHECKING:
    from editor.models.recipes import RecipeQuerySet

PER_PAGE = 36
VERSIONS_SHOWN = 10
PICTURES_SHOWN = 12


@never_cache
@require_safe
@signed_in
def recipe_list(request: PersonRequest) -> HttpResponse:
    """Their own and the shared ones, changed last first; `q`, `workspace`, and `deleted` for those to be put back."""
    query = request.GET
    deleted = "deleted" in query
    rows = Recipe.objects.visible_to(request.user)
    if deleted:
        rows = Recipe.objects.known_to(request.user).filter(made_by=request.user, put_away_at__isnull=False)
    space = workspace_here(request, _id_in(query.get("workspace", ""))) if query.get("workspace") else None
    rows = rows.filter(workspace=space) if space else rows
    listed = _listed(request, rows, _words(query.get("q", "")))
    kept = {"workspace": str(space.pk)} if space else {}
    context: dict[str, Any] = {
        **listed,
        "older": _older(listed, kept | ({"deleted": "1"} if deleted else {})),
        "space": space,
        "deleted": deleted,
        "days": chosen.TRASH_DAYS,
        "may_make": any(may_edit_here(each) for each in workspaces_of(request)),
    }
    return render(request, "recipes/list.html", context)


@never_cache
@require_safe
@signed_in
def studio_recipes(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Recipes for the picture in the studio: a page of links, or a dialog. `second`: what lies in the second slot."""
    image = image_for(request.user, image_id)
    listed = _listed(request, Recipe.objects.visible_to(request.user), _words(request.GET.get("q", "")))
    second = request.GET.get("second", "")
    kept = {"second": second} if second else {}
    address = reverse("studio_image", args=[image.pk])
    choices = [
        (*entry, f"{address}?{urlencode({'recipe': str(entry[0].pk), **kept})}" if len(entry[1]) == 1 else "")
        for entry in listed["entries"]
    ]
    context = {**listed, "image": image, "choices": choices, "kept": kept, "older": _older(listed, kept)}
    return render(request, "recipes/menu.html", context)


@never_cache
@require_safe
@signed_in
def recipe(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    """What it says now, and what it said.

    `before`: the number of a version, for those that are older; `picture`: one to run it on, first of those to choose.
    """
    found = recipe_for(request.user, recipe_id)
    workspace = workspace_here(request, found.workspace_id)
    versions, older = _versions(found, request.GET.get("before", ""))
    newest = versions[0][0] if versions and "before" not in request.GET else found.versions.first()
    steps = from_rows(newest.steps) if newest else []
    wanted = _wanted(request)
    context: dict[str, Any] = {
        "recipe": found,
        "picture": found.picture_for(request.user),
        "steps": steps,
        "names": placeholders(steps),
        "newest": newest,
        "versions": versions,
        "older": older,
        "workspace": workspace,
        "may_change": _may_change(request.user, workspace, found),
        "own": found.made_by_id == request.user.pk,
        "may_make": any(may_edit_here(each) for each in workspaces_of(request)),
        "form_token": draw_form_token(),
        "may_edit": may_edit_here(workspace),
        "wanted": wanted,
        "pictures": _pictures(request.user, workspace, wanted) if may_edit_here(workspace) or wanted else [],
    }
    return render(request, "recipes/recipe.html", context)


@require_POST
@signed_in
def recipe_duplicate(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    """In its own workspace, or in the person's own one where they may only look."""
    found = recipe_for(request.user, recipe_id)
    here = workspace_here(request, found.workspace_id)
    place = here if may_edit_here(here) else Workspace.objects.personal_of(request.user)
    token = request.POST.get("form_token", "")[:64] or draw_form_token()
    try:
        made = recipes.duplicate(request.user, found, place, token)
    except NotPossible as problem:
        messages.error(request, str(problem))
        return redirect("recipe", found.pk)
    messages.success(request, f"This is your copy, in {place.name}. Nobody else sees it.")
    return redirect("recipe", made.pk)


@require_POST
@signed_in
def recipe_share(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    """`shared=1`: with everybody in its workspace; anything else: no longer."""
    found = own_recipe_for(request.user, recipe_id)
    wanted = request.POST.get("shared") == "1"
    recipes.share(found, shared=wanted)
    who = f"Everybody in {found.workspace.name}" if wanted else "Nobody but you"
    messages.success(request, f"{who} {'can' if wanted else 'sees and can'} use it now.")
    return redirect("recipe", found.pk)


@require_POST
@signed_in
def recipe_delete(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    found = changeable_recipe_for(request.user, recipe_id)
    recipes.put_away(found)
    tags = f"undo={reverse('recipe_restore', args=[found.pk])} trash={reverse('recipe_list')}?deleted=1"
    messages.success(request, f"{found.name} is deleted. What was made with it stays.", extra_tags=tags)
    return redirect("recipe_list")


@require_POST
@signed_in
def recipe_restore(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    found = changeable_recipe_for(request.user, recipe_id)
    try:
        recipes.put_back(found)
    except NotPossible as problem:
        messages.error(request, str(problem))
        return redirect("recipe_list")
    messages.success(request, f"{found.name} is back.")
    return redirect("recipe", found.pk)


@require_POST
@signed_in
def recipe_take_back(request: PersonRequest, recipe_id: UUID, number: int) -> HttpResponse:
    """What it said in that version becomes its newest."""
    found = changeable_recipe_for(request.user, recipe_id)
    version = found.versions.filter(number=min(number, recipes.VERSIONS_MAX + 1)).first()
    if version is None or found.put_away_at is not None:
        raise Http404
    try:
        newly = recipes.take_back(request.user, found, version)
    except NotPossible as problem:
        messages.error(request, str(problem))
        return redirect("recipe", found.pk)
    said = f"It says again what it said in version {number}." if newly else "It says that already."
    messages.success(request, said)
    return redirect("recipe", found.pk)


def _listed(request: PersonRequest, rows: "RecipeQuerySet", q: str) -> dict[str, Any]:
    """A page of them. `entries`: (recipe, its steps, the picture that may be shown)."""
    rows = rows.filter(name__icontains=q) if q else rows
    place = cursors.read(request.GET.get("before", ""), _salt(request.user))
    rows = rows.older_than(*place) if place else rows
    found = list(rows.newest_first()[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    said = recipes.said_by(shown)
    entries: list[tuple[Recipe, list[EditSpec], Image | None]] = [
        (each, said.get(each.pk, []), each.picture_for(request.user)) for each in shown
    ]
    cursor = cursors.write(shown[-1].changed_at, shown[-1].pk, _salt(request.user)) if len(found) > PER_PAGE else ""
    return {"entries": entries, "q": q, "cursor": cursor, "first_page": place is None}


def _older(listed: dict[str, Any], kept: dict[str, str]) -> str:
    if not listed["cursor"]:
        return ""
    asked = {"q": listed["q"]} if listed["q"] else {}
    return f"?{urlencode({**kept, **asked, 'before': listed['cursor']})}"


def _versions(found: Recipe, before: str) -> tuple[list[tuple[RecipeVersion, list[EditSpec]]], int | None]:
    """Newest first, with their steps; and the number of the last one, if there are older ones."""
    rows = found.versions.select_related("made_by")
    if before.isascii() and before.isdigit() and len(before) < 6:
        rows = rows.filter(number__lt=int(before))
    versions = list(rows[: VERSIONS_SHOWN + 1])
    shown = versions[:VERSIONS_SHOWN]
    older = shown[-1].number if len(versions) > VERSIONS_SHOWN else None
    return [(each, from_rows(each.steps)) for each in shown], older


def _may_change(user: User, workspace: Workspace, found: Recipe) -> bool:
    role: str = getattr(workspace, "my_role", "")
    return workspace.is_open and may_change_recipe_as(role, user, found)


def _pictures(user: User, workspace: Workspace, wanted: Image | None) -> list[Image]:
    """To use it on at once: the newest ones where the wanted one is, for pictures of one workspace run together."""
    there = wanted.workspace_id if wanted else workspace.pk
    rows = Image.objects.sources_for(user).filter(workspace=there, purged_at=None)
    if wanted is None:
        return list(rows[:PICTURES_SHOWN])
    return [wanted, *rows.exclude(pk=wanted.pk)[: PICTURES_SHOWN - 1]]


def _wanted(request: PersonRequest) -> Image | None:
    """The picture that the studio sent them with, if it can be edited; none where the address means nothing."""
    try:
        image_id = UUID(request.GET.get("picture", ""))
    except ValueError:
        return None
    image = Image.objects.sources_for(request.user).filter(pk=image_id, purged_at=None).first()
    return image if image is not None and may_edit_here(workspace_here(request, image.workspace_id)) else None


def _words(text: str) -> str:
    return line_of(text[:200])


def _id_in(text: str) -> UUID:
    """Raises Http404."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _salt(user: User) -> str:
    return f"recipes:{user.pk}"
