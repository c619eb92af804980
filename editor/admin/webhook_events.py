"""What arrived by webhook."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from editor.admin.images import as_uuid
from editor.admin.lists import ReadOnlyAdmin
from editor.admin.shown import link, pretty
from editor.models import WebhookEvent


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    list_display = ["id", "received_at", "status", "vendor_id", "attempt"]
    list_select_related = ["attempt"]
    search_fields = ["attempt__id"]  # get_search_results says how
    search_help_text = "A track id."
    ordering = ["-id"]
    fields = ["received_at", "status", "vendor_id", "of_attempt", "as_it_came"]
    readonly_fields = ["received_at", "status", "vendor_id", "of_attempt", "as_it_came"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent], search_term: str
    ) -> tuple[QuerySet[WebhookEvent], bool]:
        term = search_term.strip()
        pk = as_uuid(term)
        if pk:
            return queryset.filter(attempt=pk), False
        return (queryset.none() if term else queryset), False

    @admin.display(description="attempt")
    def of_attempt(self, event: WebhookEvent) -> str | SafeString:
        return link(event.attempt)

    @admin.display(description="body")
    def as_it_came(self, event: WebhookEvent) -> str | SafeString:
        return pretty(event.body)
