"""Workspaces and who is in them."""

from django.contrib import admin
from django.http import HttpRequest

from editor.admin.lists import PlainAdmin
from editor.models import Membership, Workspace


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # Django's class takes none at run time
    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role", "created_at"]
    readonly_fields = ["created_at"]
    extra = 0


@admin.register(Workspace)
class WorkspaceAdmin(PlainAdmin[Workspace]):
    list_display = ["name", "personal_for", "created_at"]
    list_filter = [("personal_for", admin.EmptyFieldListFilter)]
    list_select_related = ["personal_for"]
    search_fields = ["name", "personal_for__email"]
    search_help_text = "Name, or the address of the person that it belongs to."
    ordering = ["-created_at"]
    fields = ["name", "personal_for", "created_at"]
    readonly_fields = ["personal_for", "created_at"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False
