"""Invitations: adding one sends the mail."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from editor.accounts.addresses import AddressField
from editor.accounts.mails import send_invitation
from editor.admin.lists import PlainAdmin
from editor.models import Invitation, User


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes none at run time
    email = AddressField(label="E-mail")

    class Meta:
        model = Invitation
        fields = ["email"]

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if User.objects.filter(email=address).exists():
            raise forms.ValidationError("There is an account with this address already.")
        return address


@admin.register(Invitation)
class InvitationAdmin(PlainAdmin[Invitation]):
    form = InvitationForm
    list_display = ["email", "invited_by", "created_at", "accepted_at"]
    list_filter = [("accepted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["invited_by"]
    search_fields = ["email"]
    ordering = ["-id"]
    actions = ["send_again"]
    readonly_fields = ["invited_by", "created_at", "accepted_at"]

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return ["email", "invited_by", "created_at", "accepted_at"] if obj else ["email"]

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return [*self.readonly_fields, "email"] if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        if change:
            return
        if not isinstance(request.user, User):
            raise TypeError("only somebody who is signed in invites")
        obj.invited_by = request.user
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: self._send(request, [obj]))

    def _send(self, request: HttpRequest, invitations: list[Invitation]) -> None:
        sent = [invitation.email for invitation in invitations if send_invitation(invitation)]
        if sent:
            messages.success(request, f"The invitation went to {', '.join(sent)}.")

    @admin.action(description="Send the mail again", permissions=["add"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        waiting = queryset.filter(accepted_at=None).select_related("invited_by")
        self._send(request, list(waiting))
