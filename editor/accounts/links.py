"""Addresses that leave the portal by mail. They follow from PUBLIC_URL, never from what a request claims to be."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def public_url(name: str, *, query: Mapping[str, str] | None = None, **kwargs: Any) -> str:
    """The public address of a page by its url name."""
    address: str = settings.PUBLIC_URL + reverse(name, kwargs=kwargs)
    return f"{address}?{urlencode(query)}" if query else address


def is_ours(address: str) -> bool:
    """Whether a page may lead there: a path of our own, or an address at PUBLIC_URL as it is spelt there.

    Other names of this machine are foreign: what answers at `//localhost/` is the visitor's own machine.
    """
    if address.startswith("/"):
        return url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    origin = on_public_url("/")
    return address == origin.rstrip("/") or address.startswith(origin)


def on_public_url(address: str) -> str:
    """The same page, at PUBLIC_URL whatever host the address names."""
    public, page = urlsplit(settings.PUBLIC_URL), urlsplit(address)
    return urlunsplit((public.scheme, public.netloc, page.path, page.query, ""))
