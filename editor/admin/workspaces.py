"""Workspaces, who is in them, what they may spend, and the ledger of what they did."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from editor.admin.images import as_uuid
from editor.admin.lists import PlainAdmin, ReadOnlyAdmin
from editor.admin.shown import link
from editor.models import AllowanceEntry, Membership, Workspace

if TYPE_CHECKING:
    from django.db.models import QuerySet


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # Django's class takes none at run time
    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role", "pictures_per_month", "created_at"]
    readonly_fields = ["created_at"]
    extra = 0


@admin.register(Workspace)
class WorkspaceAdmin(PlainAdmin[Workspace]):
    list_display = ["name", "personal_for", "condition", "pictures_per_month", "money_per_month", "created_at"]
    list_filter = [
        ("personal_for", admin.EmptyFieldListFilter),
        ("archived_at", admin.EmptyFieldListFilter),
        ("trashed_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["personal_for"]
    search_fields = ["name", "personal_for__email"]
    search_help_text = "Name, or the address of the person that it belongs to."
    ordering = ["-created_at"]
    fields = [
        "name",
        "personal_for",
        "pictures_per_month",
        "money_per_month",
        "created_at",
        "archived_at",
        "trashed_at",
        "purged_at",
    ]
    readonly_fields = ["personal_for", "created_at", "archived_at", "trashed_at", "purged_at"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False

    @admin.display(description="condition")
    def condition(self, workspace: Workspace) -> str:
        if workspace.purged_at:
            return "purged"
        if workspace.trashed_at:
            return "in the trash"
        return "archived" if workspace.archived_at else "open"


@admin.register(AllowanceEntry)
class AllowanceEntryAdmin(ReadOnlyAdmin[AllowanceEntry]):
    """The ledger, the latest movement first."""

    list_display = ["created_at", "kind", "pictures", "money", "month", "workspace", "user", "edit"]
    list_filter = ["kind"]
    list_select_related = ["workspace", "user", "job"]
    search_fields = ["job__id"]  # get_search_results says how
    search_help_text = "The id of an edit or of a workspace, or a person's whole address."
    ordering = ["-pk"]  # written once and in order, so that the key says the time
    readonly_fields = ["workspace", "user", "edit", "kind", "month", "pictures", "money", "created_at"]
    fields = tuple(readonly_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[AllowanceEntry]", search_term: str
    ) -> "tuple[QuerySet[AllowanceEntry], bool]":
        term = search_term.replace("\0", "").strip()
        pk = as_uuid(term)
        if pk:
            return queryset.filter(Q(job=pk) | Q(workspace=pk)), False
        return (queryset.filter(user__email=term.lower()) if term else queryset), False

    @admin.display(description="edit")
    def edit(self, entry: AllowanceEntry) -> str | SafeString:
        return link(entry.job)
