"""Requests are read as UTF-8 or not at all.

Django decodes a body by whatever codec its Content-Type names, and Python knows codecs that are no charset (zlib, hex,
undefined) or whose output is none of what was checked (utf-7). Whoever reads the body then fails in a way that no page
expects, so this answers before anybody does.
"""

import codecs
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Get = Callable[[HttpRequest], HttpResponseBase]
AsyncGet = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

READ_AS_UTF8 = {"utf-8", "ascii"}  # by Python's names: ASCII is a part of UTF-8
NOT_READ = "What your browser sent is not in UTF-8, so it was not read and nothing was changed."


@sync_and_async_middleware
def utf8_only(get_response: Get | AsyncGet) -> Get | AsyncGet:
    """Answers 415 to a request in another charset."""
    if iscoroutinefunction(get_response):
        rest = cast(AsyncGet, get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return refusal(request) or await rest(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return refusal(request) or cast(Get, get_response)(request)

    return answer


def refusal(request: HttpRequest) -> HttpResponse | None:
    """None for a request that is UTF-8, under whichever of its names; it is then read as that."""
    charset = (request.content_params or {}).get("charset")
    if charset is None:
        return None
    try:
        known = codecs.lookup(charset).name
    except (LookupError, ValueError):
        known = ""
    if known not in READ_AS_UTF8:
        return HttpResponse(NOT_READ, content_type="text/plain; charset=utf-8", status=415)
    request.encoding = "utf-8"  # Django takes this spelling alone for a form
    return None
