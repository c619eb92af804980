"""People: found, made, trusted, switched on and off; never deleted, and nobody sees a password."""

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
from editor.accounts.roles import ROLES, belongs_to_staff, ordinary
from editor.admin import recording
from editor.admin.lists import PlainAdmin
from editor.admin.person_doors import PersonDoors
from editor.forms.fields import LineField
from editor.models import User

RIGHTS = ["is_staff", "is_superuser", "groups", "user_permissions"]


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes none at run time
    email = AddressField(label="E-mail")
    why = LineField(
        label="Why this trust", required=False, max_length=200, help_text="Needed when you change it; for colleagues."
    )

    class Meta:
        model = User
        fields = ["email", "name", "edits_per_day", "is_active", "trust", *RIGHTS]

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if people.is_taken(address, by_another_than=self.instance):
            raise forms.ValidationError("Another account has this address.")
        return address

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if active and self.instance.suspended_at:
            raise forms.ValidationError("This person is suspended. Lift the suspension instead.")
        return active

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "trust" in self.changed_data and "trust" in self.fields and self.instance.pk and not values.get("why"):
            self.add_error("why", "Say why you change the trust.")
        if any(group.name in ROLES for group in values.get("groups") or ()):
            values["is_staff"] = True  # a role is of no use without the administration
        return values


@admin.register(User)
class UserAdmin(PersonDoors, PlainAdmin[User]):
    form = UserForm
    change_form_template = "admin/editor/user/change_form.html"
    list_display = [
        "email", "name", "trust", "is_active", "suspended_at", "is_staff", "edits_per_day", "date_joined", "last_login"
    ]  # fmt: skip
    list_filter = ["is_active", "trust", ("suspended_at", admin.EmptyFieldListFilter), "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    search_help_text = "Address or name."
    ordering = ["-id"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["suspended_at", "edits_paused_until", "date_joined", "last_login", "anonymised_at"]
    actions = ["switch_off", "switch_on", "sign_out_everywhere"]
    fieldsets = [
        (None, {"fields": ["email", "name", "edits_per_day", "is_active"]}),
        ("Moderation", {"fields": ["trust", "why", "suspended_at", "edits_paused_until"]}),
        ("Rights", {"fields": [*RIGHTS], "classes": ["collapse"]}),
        ("When", {"fields": ["date_joined", "last_login", "anonymised_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "edits_per_day"]})]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Only a superuser gives rights, or could give them to themselves by way of another.
        rights = [] if request.user.is_superuser else RIGHTS
        return [*self.readonly_fields, *rights]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts with any right are changed by superusers alone: an address is the way to its password."""
        if obj is not None and not request.user.is_superuser and belongs_to_staff(obj):
            return False
        return super().has_change_permission(request, obj)

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

    def _record(self, request: HttpRequest, what: str, obj: User) -> None:
        changed = {name for name, *_ in getattr(request, "_changes", [])}
        super()._record(request, "rights_changed" if changed & set(RIGHTS) else what, obj)

    def _changeable(self, request: HttpRequest, queryset: QuerySet[User]) -> list[User]:
        """Those of them whom this person may change, never themselves; locked."""
        others = queryset.exclude(email=request.user.get_username()).filter(anonymised_at=None)
        others = others if request.user.is_superuser else ordinary(others)
        return list(others.select_for_update(no_key=True, of=("self",)).order_by("pk"))

    @admin.action(description="Switch off: signs them out at once", permissions=["change"])
    @transaction.atomic
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._switch(request, queryset.filter(is_active=True), on=False)

    @admin.action(description="Switch on again", permissions=["change"])
    @transaction.atomic
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """But for suspended people, whose suspension has to be lifted."""
        self._switch(request, queryset.filter(is_active=False, suspended_at=None), on=True)

    def _switch(self, request: HttpRequest, queryset: QuerySet[User], *, on: bool) -> None:
        users = self._changeable(request, queryset)
        User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=on)
        for user in users:
            was, now = ("no", "yes") if on else ("yes", "no")
            recording.record(request, "user.changed", user, f"{user}: is_active", changes=[["is_active", was, now]])
        messages.success(request, f"{len(users)} switched {'on' if on else 'off'}.")

    @admin.action(description="Sign out everywhere", permissions=["change"])
    @transaction.atomic
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._changeable(request, queryset)
        for user in users:
            self.end_sessions(request, user)
        messages.success(request, f"{len(users)} signed out everywhere.")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(PlainAdmin[Group], DjangosGroupAdmin):
    """Django's own, in a list like all the others; for superusers alone, and roles stay as the portal keeps them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser and (obj is None or obj.name not in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser and (obj is None or obj.name not in ROLES)
