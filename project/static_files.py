"""WhiteNoise under ASGI.

Its own middleware is synchronous, which would put every request on a thread twice, and answers with an iterator that
Django warns about under ASGI. Static files are small: they are answered whole.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

Get = Callable[[HttpRequest], HttpResponseBase]
AsyncGet = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """A module that another one imports is the same one that a page names: under two addresses it would run twice.

    Django can do so for every script; among those of packages are some whose imports lead nowhere, so that here it is
    done for ours alone.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r"""(?P<matched>from "(?P<url>\.{1,2}/[^"]+)")""", 'from "%(url)s"'),)),
    )


@sync_and_async_middleware
def static_files(get_response: Get | AsyncGet) -> Get | AsyncGet:
    whitenoise = WhiteNoiseMiddleware(lambda request: None)

    def find(request: HttpRequest) -> HttpResponse | None:
        found: FileResponse | None = whitenoise(request)
        return None if found is None else whole(found)

    if iscoroutinefunction(get_response):
        rest = cast(AsyncGet, get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            if request.path_info.startswith(whitenoise.static_prefix):
                found = await asyncio.to_thread(find, request)
                if found is not None:
                    return found
            return await rest(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return find(request) or cast(Get, get_response)(request)

    return answer


def whole(streamed: FileResponse) -> HttpResponse:
    """The same response with its content read."""
    response = HttpResponse(streamed.getvalue(), status=streamed.status_code)
    del response["Content-Type"]  # only what WhiteNoise says
    for name, value in streamed.items():
        response[name] = value
    if streamed.file_to_stream is not None:  # not `streamed.close()`, which would say that the request is over
        streamed.file_to_stream.close()
    return response
