"""The settings of people: what holds, where it comes from, who changed it, and a page for each to change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from editor.admin import recording
from editor.admin.lists import PlainAdmin
from editor.forms.fields import RELOAD, LineField, StatementField
from editor.models import AuditEntry, ChangedMeanwhile, Setting
from editor.models.chosen import problem_of, valid
from editor.moderation.audit import about_of
from project.adjustable import Adjustable, as_text

CHANGES_SHOWN = 20


@dataclass(frozen=True)
class Standing:
    """One setting with what holds now, for the pages."""

    known: Adjustable
    row: Setting

    @property
    def problem(self) -> str | None:
        """Why what was set here can't hold; then the default does."""
        return None if self.row.value is None else problem_of(self.known.name, self.row.value)

    @property
    def is_set_here(self) -> bool:
        return self.row.value is not None and self.problem is None

    @property
    def text(self) -> str:
        return as_text(valid(self.known.name, self.row.value)[1]) if self.is_set_here else self.default

    @property
    def default(self) -> str:
        return as_text(getattr(settings, self.known.name))

    @property
    def default_from(self) -> str:
        given = self.known.name in settings.ADJUSTABLE_GIVEN
        return f"from {self.known.name} in the environment" if given else "built in"


class SettingForm(forms.Form):
    """One value, and the version that was looked at when it was typed."""

    def __init__(self, standing: Standing, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing, known = standing, standing.known
        words: dict[str, Any] = {
            "required": False,
            "label": known.label,
            "help_text": known.help,
            "strip": True,
            "max_length": 100_000,
        }
        self.fields["value"] = (
            StatementField(widget=forms.Textarea(attrs={"rows": known.rows, "class": "vLargeTextField"}), **words)
            if known.rows
            else LineField(widget=forms.TextInput(attrs={"class": "vTextField"}), **words)
        )
        self.fields["seen"] = forms.IntegerField(
            min_value=0,
            max_value=2_000_000_000,
            widget=forms.HiddenInput,
            error_messages={"required": RELOAD, "invalid": RELOAD},
        )

    def clean_value(self) -> str:
        """Raises ValidationError."""
        try:
            return as_text(self.standing.known.parsed(self.cleaned_data["value"]))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Setting)
class SettingAdmin(PlainAdmin[Setting]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Setting | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All of them. Raises PermissionDenied."""
        self._need_to_view(request)
        rows = {row.name: row for row in Setting.objects.select_related("changed_by")}
        standings = [Standing(known, rows.get(name, Setting(name=name))) for name, known in settings.ADJUSTABLE.items()]
        groups = [(name, list(each)) for name, each in groupby(standings, lambda standing: standing.known.group)]
        shown = {**self.admin_site.each_context(request), "title": "Settings", "groups": groups, "opts": self.opts}
        return TemplateResponse(request, "admin/editor/setting/change_list.html", shown)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One of them, with its last changes. Raises Http404, PermissionDenied."""
        self._need_to_view(request)
        if object_id not in settings.ADJUSTABLE:
            raise Http404
        standing = Standing(settings.ADJUSTABLE[object_id], Setting.objects.of(object_id))
        may_change = self.has_change_permission(request)
        if request.method != "POST":
            return self._page(request, standing, self._form(standing), may_change)
        if not may_change:
            raise PermissionDenied
        return self._change(request, standing)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Its page shows it. Raises PermissionDenied."""
        self._need_to_view(request)
        return redirect("admin:editor_setting_change", object_id)

    def _need_to_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _form(self, standing: Standing) -> SettingForm:
        return SettingForm(standing, initial={"value": standing.text, "seen": standing.row.version})

    def _change(self, request: HttpRequest, standing: Standing) -> HttpResponse:
        name, back = standing.known.name, "default" in request.POST
        form = SettingForm(standing, {**request.POST.dict(), "value": standing.default} if back else request.POST)
        if not form.is_valid():
            return self._page(request, standing, form, may_change=True, status=422)
        value = None if back else form.cleaned_data["value"]
        if value == standing.row.value and form.cleaned_data["seen"] == standing.row.version:
            messages.info(request, "Nothing was changed.")
            return redirect("admin:editor_setting_change", name)
        try:
            with transaction.atomic():
                row = Setting.objects.change(
                    name, value, seen=form.cleaned_data["seen"], by=recording.actor_of(request)
                )
                self._tell(request, standing, Standing(standing.known, row))
        except ChangedMeanwhile:
            return self._changed_meanwhile(request, standing.known)
        messages.success(request, f"{standing.known.label}: changed. It holds everywhere within some seconds.")
        return redirect("admin:editor_setting_change", name)

    def _tell(self, request: HttpRequest, before: Standing, after: Standing) -> None:
        name = after.known.name
        was, now = (each.text if each.is_set_here else f"{each.text} (default)".strip() for each in (before, after))
        recording.record(request, "setting.changed", after.row, f"{name}: {was} → {now}", changes=[[name, was, now]])

    def _changed_meanwhile(self, request: HttpRequest, known: Adjustable) -> HttpResponse:
        """Theirs stays; what was typed stands in the field, to be saved once more by somebody who knows."""
        now = Standing(known, Setting.objects.of(known.name))
        form = SettingForm(now, {"value": request.POST.get("value", now.text), "seen": now.row.version})
        form.is_valid()
        who = now.row.changed_by or "Somebody"
        form.add_error(
            None,
            f"{who} changed this meanwhile, and nothing of yours was saved. "
            "What holds now stands above; save again to put yours in its place.",
        )
        return self._page(request, now, form, may_change=True, status=409)

    def _page(
        self, request: HttpRequest, standing: Standing, form: SettingForm, may_change: bool, status: int = 200
    ) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            "title": standing.known.label,
            "standing": standing,
            "form": form,
            "may_change": may_change,
            "changes": _last_changes(standing.row),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/editor/setting/change_form.html", shown, status=status)


def _last_changes(row: Setting) -> list[dict[str, Any]]:
    """By the audit log, the latest first: at, by, was, now."""
    entries = AuditEntry.objects.filter(about=about_of(row)).select_related("actor").order_by("-number")
    return [
        {"at": entry.at, "by": entry.actor, "was": was, "now": now}
        for entry in entries[:CHANGES_SHOWN]
        for _, was, now in _told(entry)
    ]


def _told(entry: AuditEntry) -> Sequence[Sequence[str]]:
    changes: list[list[str]] = entry.details.get("changes", [])
    return changes
