"""The flux server: its limits, and a brake for operators."""

from datetime import timedelta

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from editor.admin import recording
from editor.admin.lists import PlainAdmin
from editor.models import FluxServer

UNTIL_RESUMED = timedelta(days=3650)


@admin.register(FluxServer)
class FluxServerAdmin(PlainAdmin[FluxServer]):
    list_display = ["name", "limit", "queue_limit", "outstanding", "is_paused", "pause_reason", "pause_detail"]
    ordering = ["name"]
    actions = ["pause", "resume"]
    fields = [
        "name", "queue_limit", "outstanding", "paused_until", "pause_reason", "pause_detail", "last_answer_at"
    ]  # fmt: skip
    readonly_fields = ["name", "paused_until", "pause_reason", "pause_detail", "last_answer_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FluxServer | None = None) -> bool:
        return False

    @admin.display(description="paused", boolean=True)
    def is_paused(self, server: FluxServer) -> bool:
        return server.paused

    @admin.action(description="Pause: edits wait until it is resumed", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[FluxServer]) -> None:
        with transaction.atomic():
            for server in queryset:
                server.pause("operator", f"Paused by {request.user}.", UNTIL_RESUMED)
                recording.record(request, "fluxserver.paused", server, str(server))
        messages.success(request, "Paused. What the flux server has already goes on; nothing new is sent.")

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[FluxServer]) -> None:
        with transaction.atomic():
            for server in queryset:
                server.resume()
                recording.record(request, "fluxserver.resumed", server, str(server))
        messages.success(request, "Resumed.")
