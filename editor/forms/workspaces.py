"""Workspaces, who is in them, and leaving."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from editor.accounts.addresses import AddressField
from editor.forms.fields import TOO_LONG, LineField, PictureField
from editor.models import Role


class WorkspaceForm(forms.Form):
    name = LineField(max_length=80, error_messages={"required": "Give it a name."} | TOO_LONG)


class CoverForm(forms.Form):
    """The picture of a workspace; none if it is left empty."""

    picture = PictureField(required=False)


class RoleForm(forms.Form):
    """A role out of those that the person who gives it may give."""

    def __init__(self, roles: Iterable[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(choices=[(role.value, role.label) for role in roles])


class MemberLimitForm(forms.Form):
    """Pictures that a member may have made in a month; nothing takes the limit away."""

    pictures_per_month = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], "A whole number from 0 to 1000000, or nothing for no limit."
        ),
    )


class LeavingForm(forms.Form):
    """The end of an account: its address typed once more, and what becomes of what was made in teams."""

    STAYS, TRASH = "stays", "trash"

    email = forms.CharField(max_length=254, error_messages={"required": "Type your e-mail address to confirm."})
    made = forms.ChoiceField(
        required=False, choices=[(STAYS, "It stays with the teams"), (TRASH, "It goes into the teams’ trash")]
    )

    def __init__(self, address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"].strip().lower()
        if typed != self.address:
            raise ValidationError("That is not the e-mail address of this account.", code="other")
        return typed


class InvitationForm(RoleForm):
    """What every invitation says: as what somebody comes in, and how long it is good for."""

    days = forms.TypedChoiceField(
        label="Good for", coerce=int, choices=[(1, "a day"), (7, "a week"), (30, "a month")], initial=7
    )

    def __init__(self, roles: Iterable[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__([role for role in roles if role != Role.OWNER], *args, **kwargs)
        self.fields["role"].initial = Role.EDITOR

    def facts(self, now: datetime) -> dict[str, Any]:
        """The columns of the invitation. Only for a valid form."""
        said = self.cleaned_data
        return {"role": said["role"], "expires_at": now + timedelta(days=said["days"])}


class MailInvitationForm(InvitationForm):
    """For one address, once."""

    email = AddressField(error_messages={"required": "Type an address, or make a link instead."})

    def facts(self, now: datetime) -> dict[str, Any]:
        return super().facts(now) | {"email": self.cleaned_data["email"], "uses_max": 1}


class LinkInvitationForm(InvitationForm):
    """For whoever has the link, as often as it says."""

    uses_max = forms.IntegerField(
        min_value=1,
        max_value=200,
        initial=10,
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], "A number from 1 to 200."),
    )

    def facts(self, now: datetime) -> dict[str, Any]:
        return super().facts(now) | {"uses_max": self.cleaned_data["uses_max"]}
