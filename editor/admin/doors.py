"""The doors of the administration: its sign-in, sign-out and passwords are those of everybody, with their limits."""

from urllib.parse import urlencode, urlsplit

from allauth.account.views import logout as allauth_logout
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache

from editor.accounts.links import is_ours


@never_cache
def login(request: HttpRequest) -> HttpResponseBase:
    """Send strangers to sign in and then to where they wanted; somebody who is no administrator gets a clear no."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    if not is_ours(wanted) or urlsplit(wanted).path == reverse("admin:login"):
        wanted = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")
    if not request.user.is_staff:
        return render(request, "admin/refused.html", status=403)
    return redirect(wanted)


# The button of the administration posts here.
logout = allauth_logout


def password_change(request: HttpRequest) -> HttpResponse:
    return redirect("account_change_password")


def no_page_of_its_own(request: HttpRequest, rest: str) -> HttpResponse:
    """Instead of Django's "view on site", which fails for a kind of row without a table; none of ours has such a page.

    Raises Http404.
    """
    raise Http404
