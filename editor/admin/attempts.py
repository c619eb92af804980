"""Attempts: the ledger of what may have been charged, with the vendor's own words."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from editor.admin.images import as_uuid
from editor.admin.lists import ReadOnlyAdmin
from editor.admin.shown import link, pretty
from editor.models import Attempt, FluxServer

# Whoever knows the secret can speak for the vendor, so nobody reads it.
FACTS = [field.name for field in Attempt._meta.fields if field.name != "secret"]
VENDORS_WORDS = {"answer": "its_answer", "last_answer": "its_last_answer", "outputs": "its_outputs"}
SHOWN = [VENDORS_WORDS.get(name, name) for name in FACTS]


class VendorsWords:
    """The vendor's answers, line by line."""

    @admin.display(description="answer")
    def its_answer(self, attempt: Attempt) -> str | SafeString:
        return pretty(attempt.answer)

    @admin.display(description="last answer")
    def its_last_answer(self, attempt: Attempt) -> str | SafeString:
        return pretty(attempt.last_answer)

    @admin.display(description="outputs")
    def its_outputs(self, attempt: Attempt) -> str | SafeString:
        return pretty(attempt.outputs)


def with_vendor_id(vendor_id: str) -> QuerySet[Attempt]:
    """By the vendor's id, which is indexed per server."""
    return Attempt.objects.filter(server__in=FluxServer.objects.all(), vendor_id=vendor_id)


@admin.register(Attempt)
class AttemptAdmin(VendorsWords, ReadOnlyAdmin[Attempt]):
    list_display = ["id", "number", "edit", "state", "verdict", "reason", "vendor_id", "price", "created_at"]
    list_filter = ["state"]
    list_select_related = ["job"]
    search_fields = ["vendor_id"]  # get_search_results says how
    search_help_text = "A track id, the id of an edit, or the vendor's id."
    ordering = ["-created_at"]
    readonly_fields = ["edit", *(name for name in SHOWN if name != "job")]
    fields = tuple(readonly_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Attempt], search_term: str
    ) -> tuple[QuerySet[Attempt], bool]:
        term = search_term.strip()
        pk = as_uuid(term)
        if pk:
            return queryset.filter(Q(pk=pk) | Q(job=pk)), False
        return (queryset.filter(pk__in=with_vendor_id(term).values("pk")) if term else queryset), False

    @admin.display(description="edit")
    def edit(self, attempt: Attempt) -> str | SafeString:
        return link(attempt.job)
