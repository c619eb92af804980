"""A picture's page: everything about one picture."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import image_for, open_workspace_for
from editor.forms import PictureForm
from editor.library.words import index_words
from editor.models import Collection, GenerationJob, Image, Tag
from editor.views.approval import approval_section, replacements_section
from editor.views.comments import comments_section
from editor.views.frame import PersonRequest, may_edit_here, may_manage_here, signed_in, workspace_here
from editor.views.library import targets
from editor.views.shares import shares_section
from editor.views.trash import trashed_page
from editor.views.versions import versions_of

USES_SHOWN = 12
ALT_MAX = 300


@never_cache
@require_safe
@signed_in
def picture(request: PersonRequest, image_id: UUID) -> HttpResponse:
    try:
        image = image_for(request.user, image_id)
    except Http404:
        return trashed_page(request, image_id)
    return picture_page(request, image)


def _could_be_cover(image: Image) -> bool:
    """Everybody sees a workspace's picture, without asking to."""
    return image.is_ready and not image.sensitive and image.withheld_at is None


def picture_page(request: PersonRequest, image: Image, form: PictureForm | None = None) -> HttpResponse:
    """`form`: one that was refused."""
    workspace = workspace_here(request, image.workspace_id)
    edits = GenerationJob.objects.visible_to(request.user)
    made_by = edits.filter(pk=image.job_id).with_pictures().first() if image.job_id else None
    offered = _offered(image, made_by)
    context: dict[str, Any] = {
        "image": image,
        "workspace": workspace,
        "may_edit": may_edit_here(workspace),
        "may_be_cover": _could_be_cover(image) and may_manage_here(workspace),
        "form": form or PictureForm(_facts(image, offered)),
        "offered": bool(offered) and form is None,
        "edit": made_by,
        "uses": edits.filter(sources__image=image).order_by("-created_at")[:USES_SHOWN],
        "versions": versions_of(image, request.user),
        "tags": Tag.objects.filter(image_tags__image=image),
        "collections": Collection.objects.filter(items__image=image).select_related("parent"),
        "is_favourite": image.favourites.filter(user=request.user).exists(),
        "targets": targets(request, workspace),
        "rights": ["pictures/rights.html", "pictures/no_rights.html"],
    }
    context |= comments_section(request, image) | approval_section(request, image) | shares_section(request, image)
    context |= replacements_section(request, image)
    return render(request, "pictures/picture.html", context, status=422 if form is not None else 200)


@require_POST
@signed_in
def picture_words(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Name, description and alternative text."""
    image = image_for(request.user, image_id)
    open_workspace_for(request.user, image.workspace_id)
    form = PictureForm(request.POST)
    if not form.is_valid():
        return picture_page(request, image, form)
    with transaction.atomic():
        Image.objects.filter(pk=image.pk).update(**form.cleaned_data)
        index_words(image)
    messages.success(request, "Saved.")
    return redirect("picture", image.pk)


def _facts(image: Image, offered: str) -> dict[str, str]:
    return {"name": image.name, "description": image.description, "alt_text": image.alt_text or offered}


def _offered(image: Image, edit: GenerationJob | None) -> str:
    """An alternative text where there is none: the words of the edit, until somebody says what can be seen."""
    return "" if image.alt_text or edit is None else " ".join(edit.prompt.split())[:ALT_MAX]
