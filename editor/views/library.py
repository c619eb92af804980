"""The library of a workspace: its pictures in a grid, with filters that have addresses. Keyset; nothing is counted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from editor.access import workspace_for
from editor.library.filters import Filters, Sort
from editor.library.listing import Known, Place, find
from editor.models import ApprovalState, Collection, Image, ImageKind, Shape, Tag, User, Workspace
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here, workspaces_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

PER_PAGE = 48
NAMES_SHOWN = 500
SORTS = {Sort.NEWEST: "Newest first", Sort.OLDEST: "Oldest first", Sort.NAME: "By name"}
KINDS = {ImageKind.UPLOADED: "Uploads", ImageKind.GENERATED: "Results"}
STANDS = {state: state.label for state in ApprovalState}
SHAPES = {Shape.LANDSCAPE: "Landscape", Shape.PORTRAIT: "Portrait", Shape.SQUARE: "Square"}


@require_safe
@signed_in
def library(request: PersonRequest, workspace_id: UUID | None = None) -> HttpResponse:
    workspace = workspace_here(request, workspace_id)
    context = pictures_page(request, workspace, Filters.read(request.GET.dict()))
    return render(request, "library/library.html", context)


def pictures_page(
    request: PersonRequest, workspace: Workspace, filters: Filters, collection: Collection | None = None
) -> dict[str, Any]:
    """What a grid of pictures shows: one page of them, and where the next one is."""
    filters = replace(filters, collection=collection.pk) if collection else filters
    fixed: dict[str, Any] = {"collection": None} if collection else {}
    place = read_cursor(request.user, workspace, filters.sort, request.GET.get("before", ""))
    found, known = find(request.user, workspace, filters, place, PER_PAGE + 1, with_names=collection is None)
    images = found[:PER_PAGE]
    more = len(found) > PER_PAGE
    cursor = write_cursor(request.user, workspace, filters.sort, images[-1]) if more else ""
    asked = replace(filters, **fixed)
    return {
        "workspace": workspace,
        "may_edit": may_edit_here(workspace),
        "images": images,
        "older": asked.address(before=cursor) if more else "",
        "first_page": place is None,
        "filters": asked,
        "said": list(_said(asked, known)),
        "kinds": [("All", "", asked.address(kind=""))]
        + [(label, value, asked.address(kind=value)) for value, label in KINDS.items()],
        "favourites_address": asked.address(favourites=not asked.favourites),
        "sorts": SORTS,
        "targets": targets(request, workspace),
        "names_known": known,
    }


def targets(request: PersonRequest, workspace: Workspace) -> list[Workspace]:
    """Where pictures of this workspace may be moved or copied to."""
    return [each for each in workspaces_of(request) if each.pk != workspace.pk and may_edit_here(each)]


@require_safe
@signed_in
def library_filters(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """All that a library can be narrowed by; a page of its own, or put into the library's."""
    workspace = workspace_here(request, workspace_id)
    members = workspace.memberships.select_related("user").order_by("user__name", "user__email")
    context = {
        "workspace": workspace,
        "filters": Filters.read(request.GET.dict()),
        "members": members[:NAMES_SHOWN],
        "tags": Tag.objects.filter(workspace=workspace)[:NAMES_SHOWN],
        "collections": collections_of(workspace),
        "kinds": KINDS,
        "shapes": SHAPES,
        "stands": STANDS,
        "sorts": SORTS,
    }
    return render(request, "library/filters.html", context)


@require_safe
@signed_in
def library_names(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """The names of tags and collections, to be offered where somebody types one."""
    workspace = workspace_for(request.user, workspace_id)
    tags = Tag.objects.filter(workspace=workspace).values_list("name", flat=True)[:NAMES_SHOWN]
    context = {"tags": tags, "collections": collections_of(workspace)}
    return render(request, "library/names.html", context)


def collections_of(workspace: Workspace) -> list[Collection]:
    """Each with those inside it behind it."""
    rows: QuerySet[Collection] = Collection.objects.filter(workspace=workspace).select_related("parent")
    return sorted(rows, key=lambda each: ((each.parent or each).name.casefold(), each.parent is not None, each.name))


def write_cursor(user: User, workspace: Workspace, sort: str, image: Image) -> str:
    """Where the next page begins; signed, and good for this person, library and order alone."""
    value = image.name if sort == Sort.NAME else image.created_at.isoformat()
    return signing.dumps([value, str(image.pk)], salt=_salt(user, workspace, sort), compress=True)


def read_cursor(user: User, workspace: Workspace, sort: str, text: str) -> Place | None:
    """None for the first page, and for whatever we did not write for this person and place."""
    if not text:
        return None
    try:
        value, pk = signing.loads(text, salt=_salt(user, workspace, sort))
        return Place(value if sort == Sort.NAME else datetime.fromisoformat(value), UUID(pk))
    except (signing.BadSignature, ValueError):
        return None


def _salt(user: User, workspace: Workspace, sort: str) -> str:
    return f"library:{user.pk}:{workspace.pk}:{sort}"


def _said(filters: Filters, known: Known) -> Iterator[tuple[str, str]]:
    """What the library is narrowed by, in words, and the address without it."""
    if filters.q:
        yield f"“{filters.q}”", filters.address(q="")
    if filters.shape:
        yield SHAPES[Shape(filters.shape)], filters.address(shape="")
    if filters.approval:
        yield STANDS[ApprovalState(filters.approval)], filters.address(approval="")
    if filters.who:
        yield f"By {known.person or 'nobody here'}", filters.address(who=None)
    if filters.since:
        yield f"From {filters.since:%d %b %Y}", filters.address(since=None)
    if filters.until:
        yield f"Until {filters.until:%d %b %Y}", filters.address(until=None)
    if filters.tag:
        yield f"Tag: {filters.tag}", filters.address(tag="")
    if filters.collection:
        yield f"In {known.collection or 'no collection'}", filters.address(collection=None)
