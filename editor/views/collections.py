"""Collections of a workspace, and the names of its tags."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import Right, collection_for, open_workspace_for, pictures_for
from editor.forms import CollectionForm, TagForm
from editor.library import shelves
from editor.library.filters import Filters, clean_tag
from editor.library.shelves import NotPossible
from editor.models import Collection, Tag, Workspace
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here
from editor.views.library import NAMES_SHOWN, collections_of, pictures_page
from editor.views.selection import back, ids_in, many, refusal


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def collections(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """All of a workspace with its tags, and a form for a new one."""
    if request.method != "POST":
        return _list(request, workspace_here(request, workspace_id), CollectionForm())
    workspace = open_workspace_for(request.user, workspace_id)
    form = CollectionForm(request.POST)
    if form.is_valid():
        parent = _parent(request, workspace, form.cleaned_data["parent"])
        try:
            made = shelves.new_collection(request.user, workspace, form.cleaned_data["name"], parent)
            return redirect("collection", made.pk)
        except NotPossible as problem:
            form.add_error("name", str(problem))
    return _list(request, workspace_here(request, workspace_id), form)


def _list(request: PersonRequest, workspace: Workspace, form: CollectionForm) -> HttpResponse:
    context = {
        "workspace": workspace,
        "may_edit": may_edit_here(workspace),
        "collections": collections_of(workspace),
        "tags": Tag.objects.filter(workspace=workspace)[:NAMES_SHOWN],
        "form": form,
    }
    return render(request, "library/collections.html", context, status=422 if form.errors else 200)


@require_safe
@signed_in
def collection(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    found, inside = collection_for(request.user, collection_id)
    return _page(request, found, inside, None)


def _page(
    request: PersonRequest, found: Collection, inside: list[Collection], form: CollectionForm | None
) -> HttpResponse:
    workspace = workspace_here(request, found.workspace_id)
    context = pictures_page(request, workspace, Filters.read(request.GET.dict()), found)
    context |= {"collection": found, "inside": inside, "form": form or CollectionForm({"name": found.name})}
    return render(request, "library/collection.html", context, status=422 if form else 200)


@require_POST
@signed_in
def collection_rename(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    found, inside = collection_for(request.user, collection_id, Right.EDIT)
    form = CollectionForm(request.POST)
    if form.is_valid():
        try:
            shelves.rename_collection(found, form.cleaned_data["name"])
            messages.success(request, "Renamed.")
            return redirect("collection", found.pk)
        except NotPossible as problem:
            form.add_error("name", str(problem))
    return _page(request, found, inside, form)


@require_POST
@signed_in
def collection_delete(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    """The collection and those inside it; never the pictures."""
    found, _ = collection_for(request.user, collection_id, Right.EDIT)
    found.delete()
    messages.success(request, f"{found.name} is no more. Its pictures are where they were.")
    return redirect("collections", found.workspace_id)


@require_POST
@signed_in
def collection_take_out(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    """The chosen pictures; they stay in the library."""
    found, _ = collection_for(request.user, collection_id, Right.EDIT)
    try:
        ids = ids_in(request)
    except NotPossible as problem:
        return refusal(request, problem)
    if not ids:
        messages.error(request, "Choose pictures first.")
        return back(request, found.workspace_id)
    _, images = pictures_for(request.user, found.workspace_id, ids, Right.EDIT)
    shelves.take_out(found, images)
    messages.success(request, f"{many(len(images))} taken out of {found.name}.")
    return back(request, found.workspace_id)


@require_POST
@signed_in
def tag_rename(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    workspace = open_workspace_for(request.user, workspace_id)
    form = TagForm(request.POST)
    new = clean_tag(form.cleaned_data["new"]) if form.is_valid() else ""
    if not new:
        messages.error(request, "Type what the tag is to be called.")
        return redirect("collections", workspace_id)
    try:
        shelves.rename_tag(workspace, clean_tag(form.cleaned_data["old"]), new)
        messages.success(request, f"It is called {new} now.")
    except NotPossible as problem:
        messages.error(request, str(problem))
    return redirect("collections", workspace_id)


def _parent(request: PersonRequest, workspace: Workspace, parent_id: UUID | None) -> Collection | None:
    """Raises Http404."""
    if parent_id is None:
        return None
    parent, _ = collection_for(request.user, parent_id, Right.EDIT)
    if parent.workspace_id != workspace.pk:
        raise Http404
    return parent
