"""The form for downloading many pictures as something else; their ZIPs are in `zips`."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.library.shelves import NotPossible
from editor.models import ImageState
from editor.views.chosen_edits import edit_ids_in
from editor.views.downloads import SHOWN, form_page
from editor.views.frame import PersonRequest, signed_in, way_back
from editor.views.selection import LARGEST, ids_in, nothing_chosen, refusal
from editor.views.zips import Many, chosen_pictures, collected, made_by, of_batch


@never_cache
@require_POST
@signed_in
def selection_download(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """The chosen pictures; their ids go on to the ZIP in the form."""
    if not request.POST.getlist("picture"):
        return nothing_chosen(request, request.user, workspace_id)
    try:
        ids = ids_in(request, LARGEST)
    except NotPossible as problem:
        return refusal(request, problem)
    chosen = [("picture", str(each)) for each in ids]
    action, back = reverse("selection_zip", args=[workspace_id]), reverse("workspace_library", args=[workspace_id])
    return _page(request, chosen_pictures(request.user, workspace_id, ids), action, back, chosen)


@never_cache
@require_POST
@signed_in
def edits_download(request: PersonRequest) -> HttpResponse:
    """The pictures of the chosen edits."""
    try:
        ids = edit_ids_in(request, LARGEST)
        many = made_by(request.user, ids)
    except NotPossible as problem:
        return refusal(request, problem)
    return _page(request, many, reverse("edits_zip"), reverse("history"), [("edit", str(each)) for each in ids])


@never_cache
@require_safe
@signed_in
def collection_download(request: PersonRequest, collection_id: UUID) -> HttpResponse:
    many = collected(request.user, collection_id)
    address = [collection_id]
    return _page(request, many, reverse("collection_zip", args=address), reverse("collection", args=address))


@never_cache
@require_safe
@signed_in
def batch_download(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    many = of_batch(request.user, batch_id)
    return _page(request, many, reverse("batch_zip", args=[batch_id]), reverse("batch", args=[batch_id]))


def _page(
    request: PersonRequest, many: Many, action: str, back: str, chosen: list[tuple[str, str]] | None = None
) -> HttpResponse:
    """`chosen`: fields of the form that say which pictures; without, the action's address does."""
    shown = [image for image in many.newest(SHOWN) if image.state == ImageState.READY]
    if asked := request.POST.get("next"):
        back = way_back(asked, back)["Location"]
    more: dict[str, Any] = {
        "action": action,
        "back": back,
        "chosen": chosen or [],
        "posted": chosen is not None,
        "called": many.name,
        "number": len([name for name, _ in chosen or [] if name == "picture"]),
    }
    return form_page(request, shown, many.workspace_id, more, collection=many.collection, of=many.number())
