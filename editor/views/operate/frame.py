"""What the pages of the operation share: who may open them, and how one comes from one to the other."""

from functools import wraps
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache

from editor.views.frame import PersonRequest, View, signed_in


class Entry(NamedTuple):
    """A page of the operation: the name of its address, and what its link says."""

    name: str
    words: str


PAGES = (
    Entry("operate", "Dashboard"),
    Entry("operate_flux", "Flux server"),
    Entry("operate_storage", "Storage"),
)


def operating(view: View) -> View:
    """For operators alone; everybody else finds nothing here, and visitors may sign in first. Never cached."""

    @never_cache
    @signed_in
    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm("editor.operate"):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def page(request: PersonRequest, template: str, here: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page that extends `operate/base.html`; `here` is the name of the entry that it belongs to."""
    return render(request, template, {"pages": links(here), **context}, status=status)


def links(here: str) -> list[tuple[str, str, bool]]:
    """(address, words, whether it is this page) of all pages that there are."""
    found = []
    for entry in PAGES:
        try:
            found.append((reverse(entry.name), entry.words, entry.name == here))
        except NoReverseMatch:
            continue
    return found
