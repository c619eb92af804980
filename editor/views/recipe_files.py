"""Recipes as files: one goes out, one comes in."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import recipe_for
from editor.forms import ImportForm, draw_form_token
from editor.jobs import recipes
from editor.jobs.recipes import Draft
from editor.library.shelves import NotPossible
from editor.views.frame import PersonRequest, current_workspace, may_edit_here, signed_in, workspaces_of


@never_cache
@require_safe
@signed_in
def recipe_export(request: PersonRequest, recipe_id: UUID) -> HttpResponse:
    found = recipe_for(request.user, recipe_id)
    text = json.dumps(recipes.as_file(found.name, recipes.steps_of(found)), indent=2, ensure_ascii=False)
    response = HttpResponse(text + "\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{slugify(found.name)[:60] or "recipe"}.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recipe_import(request: PersonRequest) -> HttpResponse:
    """A file of one recipe; it becomes a private one."""
    places = [each for each in workspaces_of(request) if may_edit_here(each)]
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES, workspaces=places)
        if form.is_valid():
            words = form.cleaned_data
            place = next(each for each in places if str(each.pk) == words["workspace"])
            try:
                made = recipes.save(
                    request.user, place, Draft(words["file"].name, words["file"].steps), words["form_token"]
                )
            except NotPossible as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, f"{made.name} is here now. Nobody but you sees it.")
                return redirect("recipe", made.pk)
    else:
        form = ImportForm(initial={"workspace": str(current_workspace(request).pk)}, workspaces=places)
    context: dict[str, Any] = {"form": form, "form_token": draw_form_token(), "places": places}
    return render(request, "recipes/import.html", context, status=422 if form.errors else 200)
