"""People: found, made, switched on and off; never deleted, and nobody sees a password."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from editor.accounts import people
from editor.accounts.addresses import AddressField
from editor.accounts.mails import send_welcome
from editor.admin.lists import PlainAdmin
from editor.models import User


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes none at run time
    email = AddressField(label="E-mail")

    class Meta:
        model = User
        fields = [
            "email", "name", "edits_per_day", "is_active", "is_staff", "is_superuser", "groups", "user_permissions"
        ]  # fmt: skip

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if people.is_taken(address, by_another_than=self.instance):
            raise forms.ValidationError("Another account has this address.")
        return address


@admin.register(User)
class UserAdmin(PlainAdmin[User]):
    form = UserForm
    list_display = ["email", "name", "is_active", "is_staff", "edits_per_day", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    search_help_text = "Address or name."
    ordering = ["-id"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["date_joined", "last_login"]
    actions = ["switch_off", "switch_on"]
    fieldsets = [
        (None, {"fields": ["email", "name", "edits_per_day", "is_active"]}),
        ("Rights", {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"], "classes": ["collapse"]}),
        ("When", {"fields": ["date_joined", "last_login"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "edits_per_day"]})]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Only a superuser gives rights, or could give them to themselves by way of another.
        rights = [] if request.user.is_superuser else ["is_staff", "is_superuser", "groups", "user_permissions"]
        return [*self.readonly_fields, *rights]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts of the administration are changed by superusers alone: an address is the way to its password."""
        above = obj is not None and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if "email" in form.changed_data:
                people.prove_address(obj)
            return
        people.open_account(obj)
        transaction.on_commit(lambda: self._welcome(request, obj))

    def _welcome(self, request: HttpRequest, user: User) -> None:
        if send_welcome(user):
            messages.info(request, f"{user.email} got a mail with a link to choose a password.")

    @admin.action(description="Switch off: signs them out at once", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        others = queryset.exclude(email=request.user.get_username())
        if not request.user.is_superuser:
            others = others.filter(is_staff=False, is_superuser=False)
        messages.success(request, f"{others.update(is_active=False)} switched off.")

    @admin.action(description="Switch on again", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        messages.success(request, f"{queryset.update(is_active=True)} switched on.")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(PlainAdmin[Group], DjangosGroupAdmin):
    """Django's own, in a list like all the others."""
