"""The ways of downloading that a workspace keeps under names."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from editor.access import (
    RIGHTS,
    Right,
    managed_workspace,
    may_edit_as,
    member_of,
    open_workspace_for,
    preset_for,
    presets_of,
)
from editor.forms.downloads import ASKED, FORMATS, SIZES, SPACES, PresetForm
from editor.images.export_names import PLACEHOLDERS
from editor.images.exports import ExportSettings
from editor.models import DownloadPreset, Role
from editor.models.downloads import PRESETS_MAX
from editor.views.downloads import settings_of
from editor.views.frame import PersonRequest, signed_in

TAKEN = "There is one of this name already. Choose another."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def preset_list(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """All of a workspace, and a form for another one, which an address may fill in."""
    me = member_of(request.user, workspace_id)
    form = None
    if request.method == "POST":
        workspace = open_workspace_for(request.user, workspace_id)
        form = PresetForm(request.POST)
        preset = DownloadPreset(workspace=workspace, made_by=request.user)
        if form.is_valid() and _has_room(form, preset) and _written(form, preset):
            messages.success(request, f"{preset.name} is there for everybody in {workspace.name}.")
            return redirect("preset_list", workspace_id)
    context: dict[str, Any] = {
        "workspace": me.workspace,
        "presets": presets_of(request.user, workspace_id).select_related("made_by"),
        "may_edit": may_edit_as(me.role, me.workspace),
        "may_manage": me.workspace.is_open and Right.MANAGE in RIGHTS[Role(me.role)],
        "form": form or PresetForm(_begun(request.GET)),
        "begun": form is not None or bool(ASKED & request.GET.keys()),
        "told": form is not None,
        **_choices(),
    }
    return render(request, "downloads/presets.html", context, status=422 if form is not None else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def preset(request: PersonRequest, preset_id: UUID) -> HttpResponse:
    """Change one."""
    row = preset_for(request.user, preset_id, Right.EDIT)
    form = PresetForm(settings_of(row).to_row() | {"name": row.name})
    if request.method == "POST":
        form = PresetForm(request.POST)
        if form.is_valid() and _written(form, row):
            messages.success(request, f"{row.name} is saved.")
            return redirect("preset_list", row.workspace_id)
    told = request.method == "POST"
    context = {"preset": row, "workspace": row.workspace, "form": form, "told": told, **_choices()}
    return render(request, "downloads/preset.html", context, status=422 if told else 200)


@require_POST
@signed_in
def preset_delete(request: PersonRequest, preset_id: UUID) -> HttpResponse:
    row = preset_for(request.user, preset_id, Right.EDIT)
    row.delete()
    messages.success(request, f"{row.name} is gone. Pictures are as they were.")
    return redirect("preset_list", row.workspace_id)


@require_POST
@signed_in
def preset_default(request: PersonRequest, preset_id: UUID) -> HttpResponse:
    """What the form begins with in this workspace; with `off`, it is as before."""
    row = preset_for(request.user, preset_id)
    managed_workspace(request.user, row.workspace_id)
    on = "off" not in request.POST
    with transaction.atomic():
        # In one order for all, so that of two at the same moment one simply comes later.
        list(DownloadPreset.objects.select_for_update().filter(workspace=row.workspace_id).order_by("pk"))
        DownloadPreset.objects.filter(workspace=row.workspace_id, is_default=True).update(is_default=False)
        if on:
            DownloadPreset.objects.filter(pk=row.pk).update(is_default=True)
    messages.success(request, f"Downloads begin with {row.name} now." if on else "Downloads begin as they are again.")
    return redirect("preset_list", row.workspace_id)


def _begun(asked: QueryDict) -> Any:
    """What a form for a new one holds; what makes no sense is said beside its field."""
    return asked if ASKED & asked.keys() else ExportSettings().to_row()


def _choices() -> dict[str, Any]:
    return {"formats": FORMATS, "sizes": SIZES, "spaces": SPACES, "placeholders": PLACEHOLDERS}


def _has_room(form: PresetForm, preset: DownloadPreset) -> bool:
    rows = DownloadPreset.objects.filter(workspace=preset.workspace)
    if rows[PRESETS_MAX - 1 : PRESETS_MAX].exists():
        form.add_error("name", f"There is room for {PRESETS_MAX}. Delete one first.")
        return False
    return True


def _written(form: PresetForm, preset: DownloadPreset) -> bool:
    """False, and a word beside its name, if there is one of this name."""
    preset.name, preset.options = form.cleaned_data["name"], form.settings.to_row()
    preset.changed_at = timezone.now()
    try:
        with transaction.atomic():
            preset.save()
    except IntegrityError:
        form.add_error("name", TAKEN)
        return False
    return True
