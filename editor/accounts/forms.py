"""allauth's forms in our words: addresses in one spelling, one password field, and a bound on its length."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.fields import PasswordField
from allauth.core import context
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from editor.accounts import signup
from editor.accounts.addresses import AddressField
from editor.models import User

PASSWORD_MAX = 200  # characters; more is refused before it is hashed
CHOICE_HELP = "At least 10 characters. Three or four words make a good one."


class _Plain:
    """What all of them share. Mixed into allauth's forms, which build their fields in `__init__`."""

    labels: dict[str, str] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)  # seeing it and resetting it help more than typing it twice
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            if isinstance(field, PasswordField):
                self._make_plain(name, field)

    def _make_plain(self, name: str, field: forms.Field) -> None:
        too_long = f"A password has at most {PASSWORD_MAX} characters."
        field.validators.append(MaxLengthValidator(PASSWORD_MAX, too_long))
        field.widget.attrs.pop("placeholder", None)
        field.help_text = CHOICE_HELP if name == "password1" else ""


class LoginForm(_Plain, allauth_forms.LoginForm):  # type: ignore[misc]  # allauth is untyped
    labels = {"login": "E-mail", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rest = {name: field for name, field in self.fields.items() if name != "login"}
        self.fields = {"login": AddressField(label="E-mail"), **rest}

    @property
    def offers_signup(self) -> bool:
        return not signup.is_by_invitation()


class SignupForm(_Plain, allauth_forms.SignupForm):  # type: ignore[misc]
    labels = {"email": "E-mail", "password1": "Password", "name": "Name (if you like)"}
    email = AddressField()
    name = forms.CharField(max_length=80, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["email", "password1", "name"]
    account_already_exists: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = signup.invitation_of(context.request)
        if self.invitation:
            self.fields["email"].initial = self.invitation.email
            self.fields["email"].disabled = True

    @property
    def policy(self) -> str:
        return "" if self.invitation else signup.policy()

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if not self.invitation and not signup.admits(address):
            raise ValidationError(f"You can't sign up with this address. {signup.policy()}", code="not_admitted")
        return str(super().clean_email())

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """As allauth's; of two sign-ups with one address at the same moment the second is answered like a late one."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return self.save(request), None
            except IntegrityError:
                self.account_already_exists = True
        else:
            # As slow as making an account, so that the time tells nobody who has one.
            make_password(self.cleaned_data["password1"])
        # Outside of the transaction: this sends a mail.
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved


class AddEmailForm(_Plain, allauth_forms.AddEmailForm):  # type: ignore[misc]
    email = AddressField(label="New address")

    def clean_email(self) -> str:
        """Where sign-up is for some domains, so is every later address."""
        address = self.cleaned_data["email"]
        if signup.domains() and not signup.admits(address):
            raise ValidationError(f"You can't use this address here. {signup.policy()}", code="not_admitted")
        return str(super().clean_email())


class ResetPasswordForm(_Plain, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    email = AddressField(label="E-mail")


class ChangePasswordForm(_Plain, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    labels = {"oldpassword": "Current password", "password1": "New password"}


class SetPasswordForm(_Plain, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    labels = {"password1": "Password"}


class ResetPasswordKeyForm(_Plain, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    labels = {"password1": "New password"}


class ReauthenticateForm(_Plain, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    labels = {"password": "Password"}
