"""The flux server: its limits, its troubles, and a brake for operators."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from editor.admin import recording
from editor.admin.lists import PlainAdmin
from editor.forms.fields import line_of
from editor.forms.operate import LimitsForm
from editor.jobs import brakes
from editor.jobs.brakes import LONGEST_REASON
from editor.jobs.server_orders import Busy
from editor.models import FluxServer


class BrakeForm(ActionForm):
    reason = forms.CharField(
        label="Reason", required=False, max_length=LONGEST_REASON, help_text="Whoever waits reads it."
    )


@admin.register(FluxServer)
class FluxServerAdmin(PlainAdmin[FluxServer]):
    form = LimitsForm
    action_form = BrakeForm
    list_display = [
        "name", "limit", "queue_limit", "outstanding", "is_paused", "paused_since", "pause_reason", "pause_detail",
        "probing",
    ]  # fmt: skip
    ordering = ["name"]
    actions = ["pause", "resume"]
    readonly_fields = [
        "name", "paused_since", "paused_until", "paused_by_hand", "pause_reason", "pause_detail", "probing",
        "told_admins_at", "last_answer_at",
    ]  # fmt: skip
    fields = ["queue_limit", "outstanding", *readonly_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FluxServer | None = None) -> bool:
        return False

    @admin.display(description="paused", boolean=True)
    def is_paused(self, server: FluxServer) -> bool:
        return server.paused

    @admin.action(description="Pause: edits wait until it is resumed", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[FluxServer]) -> None:
        reason = _reason(request)
        if not reason:
            messages.error(request, "Nothing was paused. Give a reason: whoever waits reads it.")
            return
        for server in queryset:
            brakes.pause(recording.actor_of(request), server, reason)
        messages.success(request, "Paused. What the flux server has already goes on; nothing new is sent.")

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[FluxServer]) -> None:
        try:
            for server in queryset:
                brakes.resume(recording.actor_of(request), server, _reason(request))
        except Busy as busy:
            messages.error(request, str(busy))
            return
        messages.success(request, "Resumed.")


def _reason(request: HttpRequest) -> str:
    return line_of(request.POST.get("reason", ""))[:LONGEST_REASON]
