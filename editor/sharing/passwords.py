"""The password of a link: tries are limited, and whoever gave it keeps a sealed cookie for some hours.

The cookie is good for this link and this password alone: a new one asks everybody again.
"""

from datetime import timedelta

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from editor.models import Share

COOKIE = "shared"
GOOD_FOR = timedelta(hours=8)
TRIES = "shared_password"  # in ACCOUNT_RATE_LIMITS


class TooMany(Exception):  # noqa: N818  it says what is the matter
    """Too many tries, of this address or at this link; worth another one in some minutes."""


def is_unlocked(request: HttpRequest, share: Share) -> bool:
    """Whether there is nothing to ask for, or it was given in this browser."""
    if not share.password:
        return True
    given = request.get_signed_cookie(COOKIE, "", salt=_salt(share), max_age=GOOD_FOR)
    return constant_time_compare(given or "", _seal(share))


def fits(request: HttpRequest, share: Share, password: str) -> bool:
    """One try, which counts only if it is wrong: many may come at once who know it, from one address.

    Whoever knows a new one does not wait for what was tried at the one before. Raises TooMany, without looking at the
    password.
    """
    key = f"{share.pk} {share.password}"
    tried = ratelimit.consume(request, app="allauth.account", action=TRIES, key=key)
    if not tried:
        raise TooMany
    if not check_password(password, share.password):
        return False
    tried.rollback()
    return True


def unlock(response: HttpResponseBase, share: Share) -> None:
    """For this browser, at this link's own addresses alone."""
    response.set_signed_cookie(
        COOKIE,
        _seal(share),
        salt=_salt(share),
        max_age=GOOD_FOR,
        path=reverse("shared", args=[share.token]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _seal(share: Share) -> str:
    return salted_hmac("editor.sharing.password", f"{share.pk}:{share.password}", algorithm="sha256").hexdigest()


def _salt(share: Share) -> str:
    return f"shared:{share.pk}"
