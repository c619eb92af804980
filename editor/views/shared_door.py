"""What all addresses of a shared link have in common: who comes in, and that nothing of it stays anywhere.

Whatever a link does not open, for whatever reason, is answered alike: by one page, which says nothing.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, cast
from uuid import UUID

from asgiref.sync import iscoroutinefunction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.decorators import sync_and_async_middleware

from editor.access import share_of_token, shared_image
from editor.models import Image, Share
from editor.sharing.passwords import is_unlocked

NOWHERE = "no-store"
PLACE = "/s/"  # where all addresses of links begin
Get = Callable[[HttpRequest], HttpResponseBase]
AsyncGet = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def seal(response: HttpResponseBase, *, forms: bool = False) -> HttpResponseBase:
    """Nothing keeps it, nothing lists it, and it tells nobody where it was.

    With `no-referrer` browsers hide from ourselves as well where a form comes from, which is asked of forms.
    """
    response["Cache-Control"] = NOWHERE
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin" if forms else "no-referrer"
    return response


@sync_and_async_middleware
def sealed(get_response: Get | AsyncGet) -> Get | AsyncGet:
    """The same for what comes to no view of a link: without its last slash, by a wrong method, refused as a form."""

    def closed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_open = request.path_info.startswith(PLACE) and "X-Robots-Tag" not in response
        return seal(response, forms=True) if is_open else response

    if iscoroutinefunction(get_response):
        rest = cast(AsyncGet, get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return closed(request, await rest(request))

        return answer_async

    return lambda request: closed(request, cast(Get, get_response)(request))


def gone() -> HttpResponseBase:
    """Revoked, over, removed, never there: nobody learns which. Made without the request, so the same for everybody."""
    return seal(HttpResponse(render_to_string("shared/gone.html"), status=404))


def guest(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For whoever has an open link, and its password if it has one: the view gets the link in its token's place."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, entered(request, token), *args, **kwargs)
        except Http404:
            return gone()

    return guarded


def guest_async(view: AsyncView) -> AsyncView:
    """For bytes: whatever the view finds is given out sealed. The view asks `entered` itself."""

    @wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return seal(await view(request, *args, **kwargs))
        except Http404:
            return gone()

    return guarded


def entered(request: HttpRequest, token: str) -> Share:
    """An open link whose password was given, if it has one. Raises Http404."""
    share = share_of_token(token)
    if not is_unlocked(request, share):
        raise Http404
    return share


def seen(request: HttpRequest, token: str, image_id: UUID) -> tuple[Share, Image]:
    """A picture that such a link shows. Raises Http404."""
    share = entered(request, token)
    return share, shared_image(share, image_id)
