"""How often a link was opened: once an hour for each browser of somebody outside."""

import re
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from editor.access import is_guest_of
from editor.models import Share

COOKIE = "seen"
ONCE_IN = timedelta(hours=1)
_MACHINES = re.compile(
    r"bot\b|crawl|spider|preview|facebookexternalhit|^whatsapp|embedly|curl/|wget/|python-|okhttp", re.IGNORECASE
)


def count(request: HttpRequest, response: HttpResponseBase, share: Share) -> None:
    """Somebody opened its page. Neither members, nor what browsers and chats fetch before anybody looks."""
    if request.method != "GET" or _is_machine(request) or hasattr(request, "viewing"):
        return
    if request.get_signed_cookie(COOKIE, "", salt=str(share.pk), max_age=ONCE_IN):
        return
    if not is_guest_of(request.user, share):
        return
    Share.objects.filter(pk=share.pk).update(views=F("views") + 1, viewed_at=timezone.now())
    response.set_signed_cookie(
        COOKIE,
        "1",
        salt=str(share.pk),
        max_age=ONCE_IN,
        path=reverse("shared", args=[share.token]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _is_machine(request: HttpRequest) -> bool:
    asked_before = request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    return "prefetch" in asked_before or bool(_MACHINES.search(request.headers.get("User-Agent", "")))
