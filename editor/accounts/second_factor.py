"""The second factor: its secrets are encrypted at rest, and with STAFF_SECOND_FACTOR staff gets nowhere without one."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from asgiref.sync import iscoroutinefunction, sync_to_async
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware

Get = Callable[[HttpRequest], HttpResponseBase]
AsyncGet = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

BEHIND_IT = ("/admin/", "/desk/", "/operate/")
DECIDING = ("editor.moderate", "editor.operate")  # what opens pages outside of the administration
NEEDED = "Staff of this portal signs in with a second factor. Set up an authenticator app, then go on."


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """Our words, and a database from which nobody reads a secret without SECRET_KEY."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code does not fit. Codes change every 30 seconds: take the newest one.",
        "cannot_generate_recovery_codes": "First set up an authenticator app.",
        "unverified_email": "First confirm your address.",
    }

    def get_totp_issuer(self) -> str:
        return "Retake"

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises cryptography.fernet.InvalidToken if SECRET_KEY is another one by now."""
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"editor.second_factor:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def count_as_used(request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any) -> None:
    """Receiver: who just set it up has typed a code from it, in this very session."""
    if authenticator.type == "totp" and request is not None:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


@sync_and_async_middleware
def staff_second_factor(get_response: Get | AsyncGet) -> Get | AsyncGet:
    """With STAFF_SECOND_FACTOR, what belongs to the staff opens only after a second factor was used."""
    if iscoroutinefunction(get_response):
        rest = cast(AsyncGet, get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            first = await sync_to_async(led_there)(request) if concerns(request) else None
            return first or await rest(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        first = led_there(request) if concerns(request) else None
        return first or cast(Get, get_response)(request)

    return answer


def concerns(request: HttpRequest) -> bool:
    return settings.STAFF_SECOND_FACTOR and request.path_info.startswith(BEHIND_IT)


def led_there(request: HttpRequest) -> HttpResponseBase | None:
    """Where to set one up, or to type a code if this session has not seen one; None if the way is free."""
    user = request.user
    if not user.is_authenticated or not (user.is_staff or user.is_superuser or any(map(user.has_perm, DECIDING))):
        return None  # they learn at the door that it is not for them
    if not is_mfa_enabled(user, ["totp"]):
        messages.info(request, NEEDED)
        return redirect("mfa_index")
    if any(record.get("method") == "mfa" for record in get_authentication_records(request, user)):
        return None
    wanted = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")
