"""Bytes from the bucket to whoever asked: cached privately for minutes; streamed, but for thumbnails."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils.http import content_disposition_header

from editor.images import bucket, keys
from editor.images.held import LARGEST, renditions

Answer = TypeVar("Answer")
CACHED = "private, max-age=300"
LINK_SECONDS = 600
THUMBNAIL = keys.RENDITION_WIDTHS[0]
WEBP = "image/webp"
UNREACHED = "The picture store does not answer. Try again in a moment."


async def respond(
    request: HttpRequest,
    key: str,
    *,
    etag: str,
    download_as: str | None = None,
    cache: str = CACHED,
    linked: bool = True,
    hold: bool = False,
) -> HttpResponseBase:
    """One object of the bucket. The caller has checked that the person may see it. Raises Http404.

    Not `linked`: never by a signed link, which opens for whoever has it as long as it lives. `hold`: it is asked for
    often, and is kept at hand if it is small.
    """
    if request.headers.get("If-None-Match") == f'"{etag}"':
        response: HttpResponseBase = HttpResponse(status=304)
    elif settings.S3_PUBLIC and linked and download_as is None:
        link = await sync_to_async(bucket.signed_url, thread_sensitive=False)(key, expires=LINK_SECONDS)
        response = HttpResponseRedirect(link)
    elif hold and (data := renditions.get(key)) is not None:
        response = HttpResponse(data, content_type=WEBP)
    else:
        response = await _stream(key, download_as, hold)
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = cache
    response["Vary"] = "Cookie"
    # A picture is never a page: whatever somebody smuggled into its bytes is not run from here.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def thumbnail_address(image_id: UUID, width: int, *, viewing: bool = False) -> str:
    """Where a page finds a picture of that width as a thumbnail. The caller has checked that the person may see it.

    Straight in the bucket where browsers reach it, so that the portal is not asked for each; but not for somebody who
    looks at the portal as another person: those pictures are to stay in no cache.
    """
    if not settings.S3_PUBLIC or viewing:
        return reverse("image_rendition", args=[image_id, THUMBNAIL])
    return bucket.signed_url(keys.rendition_key(image_id, min(width, THUMBNAIL)), LINK_SECONDS, cached=CACHED)


async def _stream(key: str, download_as: str | None, hold: bool) -> HttpResponseBase:
    await sync_to_async(leave_database)()
    try:
        found = await bucket.open_stream_soon(key)
    except bucket.Missing:
        raise Http404 from None
    except bucket.BucketUnavailable:
        return HttpResponse(UNREACHED, status=503)
    if hold and found.length <= LARGEST and found.content_type == WEBP:
        return await _whole(key, found)
    response = StreamingHttpResponse(found, content_type=found.content_type)
    response["Content-Length"] = str(found.length)
    if download_as is not None:
        response["Content-Disposition"] = content_disposition_header(True, download_as) or "attachment"
    return response


async def _whole(key: str, found: bucket.Streamed) -> HttpResponse:
    try:
        data = b"".join([chunk async for chunk in found])
    except bucket.BucketUnavailable:
        return HttpResponse(UNREACHED, status=503)
    renditions.put(key, data)
    return HttpResponse(data, content_type=WEBP)


async def ask_database(question: Callable[[], Answer]) -> Answer:
    """In a thread, without keeping a connection for whoever goes on to read or to wait."""

    def ask() -> Answer:
        answer = question()
        leave_database()
        return answer

    return await sync_to_async(ask)()


def leave_database() -> None:
    """Give the connection back: others want it while this request waits for the bucket, and then for the browser."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
