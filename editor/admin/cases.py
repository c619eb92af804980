"""Cases and decisions, to look at; deciding is done at the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from editor.admin.images import as_uuid
from editor.admin.lists import ReadOnlyAdmin
from editor.admin.shown import link, pretty
from editor.models import Decision, ModerationCase, Report, User


class ReportInline(admin.TabularInline):  # type: ignore[type-arg]  # Django's class takes none at run time
    model = Report
    readonly_fields = ["created_at", "reporter", "reason", "words"]
    fields = tuple(readonly_fields)
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).select_related("reporter")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def found_by(rows: QuerySet[Any], term: str, *ids: str) -> QuerySet[Any]:
    """By an id in one of these columns, by the person's whole address, or by what exactly was found."""
    term = term.replace("\0", "").strip()
    pk = as_uuid(term)
    if pk:
        wanted = Q()
        for name in ids:
            wanted |= Q(**{name: pk})
        return rows.filter(wanted)
    if "@" in term:
        return rows.filter(person__in=User.objects.filter(email=term.lower()))
    return rows.filter(key=term) if term else rows


@admin.register(ModerationCase)
class CaseAdmin(ReadOnlyAdmin[ModerationCase]):
    list_display = ["id", "cause", "urgency", "state", "person", "opened_at", "claimed_by", "decided_at"]
    list_filter = ["state", "cause"]
    list_select_related = ["person", "claimed_by"]
    search_fields = ["key"]  # get_search_results says how
    search_help_text = "The id of a case, a picture or an edit, a person's whole address, or what exactly was found."
    ordering = ["-opened_at", "-id"]
    readonly_fields = [
        "cause", "key", "urgency", "state", "person", "workspace", "of_image", "of_job", "of_decision", "in_detail",
        "opened_at", "claimed_by", "claimed_until", "decided_at",
    ]  # fmt: skip
    fields = tuple(readonly_fields)
    inlines = [ReportInline]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModerationCase], search_term: str
    ) -> tuple[QuerySet[ModerationCase], bool]:
        return found_by(queryset, search_term, "pk", "image", "job"), False

    @admin.display(description="picture")
    def of_image(self, case: ModerationCase) -> str | SafeString:
        return link(case.image)

    @admin.display(description="edit")
    def of_job(self, case: ModerationCase) -> str | SafeString:
        return link(case.job)

    @admin.display(description="appeal against")
    def of_decision(self, case: ModerationCase) -> str | SafeString:
        return link(case.appeal_of)

    @admin.display(description="details")
    def in_detail(self, case: ModerationCase) -> str | SafeString:
        return pretty(case.details)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    list_display = ["id", "created_at", "moderator", "cause", "person", "what", "reason"]
    list_filter = ["cause"]
    list_select_related = ["moderator", "person"]
    search_fields = ["key"]  # get_search_results says how
    search_help_text = "The id of a decision, a case or a picture, a person's whole address, or what exactly was found."
    ordering = ["-created_at", "-id"]
    readonly_fields = [
        "created_at", "moderator", "of_case", "cause", "key", "person", "of_image", "what", "reason", "note", "earlier"
    ]  # fmt: skip
    fields = tuple(readonly_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        return found_by(queryset, search_term, "pk", "case", "image"), False

    @admin.display(description="decided")
    def what(self, decision: Decision) -> str:
        return ", ".join(decision.labels)

    @admin.display(description="case")
    def of_case(self, decision: Decision) -> str | SafeString:
        return link(decision.case)

    @admin.display(description="picture")
    def of_image(self, decision: Decision) -> str | SafeString:
        return link(decision.image)

    @admin.display(description="instead of")
    def earlier(self, decision: Decision) -> str | SafeString:
        return link(decision.replaces)
