"""Our answers to allauth's questions: who may sign up, what an account starts with, what mails say."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.internal.httpkit import get_client_ip
from django.contrib import messages
from django.core import signing
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from editor.accounts import signup
from editor.accounts.addresses import normal_address
from editor.accounts.links import is_ours, on_public_url
from editor.models import User, Workspace

log = logging.getLogger(__name__)

SUSPENDED_KEY = "suspended"  # in the session: who gave the right password, though suspended
SUSPENDED_SALT = "retake.suspended"
SUSPENDED_SHOWN = timedelta(minutes=15)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Mail links, sign-up policy and the personal workspace."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "That address and password don't belong together. Check both, or choose a new one.",
        "too_many_login_attempts": "Too many failed tries. Wait five minutes, or reset the password.",
        "duplicate_email": "That is your address already.",
        "enter_current_password": "That is not your current password.",
        "incorrect_password": "That is not your password.",
        "rate_limited": "That was too often. Wait a minute and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return not signup.is_by_invitation() or signup.invitation_of(request) is not None

    def clean_email(self, email: str) -> str:
        return normal_address(email)

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Write the account and its personal workspace; an invitation has proven the address."""
        invitation = signup.invitation_of(request)
        user.name = form.cleaned_data.get("name", "")
        with transaction.atomic():
            super().save_user(request, user, form, commit=commit)
            if commit:
                Workspace.objects.personal_of(user)
        if invitation and invitation.email == user.email:
            self.stash_verified_email(request, user.email)
            signup.accept(request, user.email)
        return user

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Mark an address as proven. False if another account has it."""
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            template = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, template, {"email": email_address.email})
            return False

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> bool:
        """Send one mail, its links on PUBLIC_URL. False, logged and said to the person, if the mail server fails."""
        links = {name: on_public_url(value) for name, value in context.items() if value and name.endswith("_url")}
        message = self.render_mail(template_prefix, email, {**context, **links, "email": email}, headers)
        try:
            message.send()
        except (OSError, SMTPException):
            log.exception("A mail was not sent: %s", template_prefix)
            self._say_that_mail_fails()
            return False
        return True

    def is_safe_url(self, url: str) -> bool:
        """Where a page may lead after it: allauth would trust every name in ALLOWED_HOSTS."""
        return is_ours(url)

    def _say_that_mail_fails(self) -> None:
        if allauth_context.request is not None:
            words = "The mail server doesn't answer, so no mail was sent. Try again in some minutes."
            self.add_message(allauth_context.request, messages.ERROR, message=words)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """After the right password alone; whoever is suspended learns why and how to appeal."""
        if user.suspended_at is not None:
            request.session[SUSPENDED_KEY] = signing.dumps(user.pk, salt=SUSPENDED_SALT)
            return redirect("suspended")
        answer: HttpResponse = super().respond_user_inactive(request, user)
        return answer

    def get_client_ip(self, request: HttpRequest) -> str:
        """For rate limits. Behind a unix socket there is none: then all share one limit rather than being refused."""
        return get_client_ip(request) or "unknown"
