"""Picking a picture of the workspace: for a slot of the dock, or to compare with. A page of links, or a dialog."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import image_for
from editor.library.filters import Filters, Sort
from editor.library.listing import find
from editor.models import Image
from editor.views.frame import PersonRequest, signed_in, workspace_here
from editor.views.library import read_cursor, write_cursor

PER_PAGE = 36
PLACES = {"source": "Source picture", "second": "Second picture", "against": "Compare with"}
_KEPT = ("edit", "result", "second")  # of the studio's address, while a picture is picked


@never_cache
@require_safe
@signed_in
def studio_pick(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Pictures to pick from, newest first, found by words (`q`); `slot` says what for: a key of PLACES."""
    image = image_for(request.user, image_id)
    workspace = workspace_here(request, image.workspace_id)
    slot = request.GET.get("slot", "")
    slot = slot if slot in PLACES else "source"
    kept = {name: value for name in _KEPT if (value := request.GET.get(name, ""))}
    filters = Filters(q=request.GET.get("q", "")[:200])
    place = read_cursor(request.user, workspace, Sort.NEWEST, request.GET.get("before", ""))
    found, _ = find(request.user, workspace, filters, place, PER_PAGE + 1, with_names=False)
    images = found[:PER_PAGE]
    cursor = write_cursor(request.user, workspace, Sort.NEWEST, images[-1]) if len(found) > PER_PAGE else ""
    context: dict[str, Any] = {
        "image": image,
        "workspace": workspace,
        "slot": slot,
        "title": PLACES[slot],
        "kept": kept,
        "q": filters.q,
        "picks": [(each, address_with(image, slot, each, kept)) for each in images if _fits(each, image, slot)],
        "older": f"?{urlencode({**kept, 'slot': slot, 'q': filters.q, 'before': cursor})}" if cursor else "",
    }
    return render(request, "studio/pick.html", context)


def address_with(image: Image, slot: str, picked: Image, kept: dict[str, str]) -> str:
    """The studio with that picture where it was picked for."""
    if slot == "source":
        query = {"second": kept["second"]} if kept.get("second", str(picked.pk)) != str(picked.pk) else {}
        return _studio(picked, query)
    if slot == "second":
        return _studio(image, {"second": str(picked.pk)})
    asked = {name: kept[name] for name in ("edit", "result") if name in kept}
    return _studio(image, asked | {"against": str(picked.pk)})


def _studio(image: Image, query: dict[str, str]) -> str:
    address = reverse("studio_image", args=[image.pk])
    return f"{address}?{urlencode(query)}" if query else address


def _fits(picked: Image, image: Image, slot: str) -> bool:
    return picked.is_ready if slot == "against" else picked.pk != image.pk
