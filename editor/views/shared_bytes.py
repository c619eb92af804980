"""The bytes of shared pictures: through the portal alone, asked anew each time, and kept nowhere."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from editor.images import keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.delivery import UNREACHED, WEBP, ask_database, respond
from editor.images.watermarks import marked
from editor.models import Image, Share
from editor.models.images import file_name
from editor.sharing.showing import name_of
from editor.views.shared_door import NOWHERE, guest_async, seen


@require_safe
@guest_async
async def shared_rendition(request: HttpRequest, token: str, image_id: UUID, width: int) -> HttpResponseBase:
    """The rendition of at least that width, or the largest there is; nobody gets more than that to look at."""
    share, image = await ask_database(lambda: seen(request, token, image_id))
    widths = sorted(image.rendition_widths)
    chosen = next((each for each in widths if each >= width), widths[-1])
    if share.watermark:
        return await _marked(image, chosen, share.watermark)
    key = keys.rendition_key(image.pk, chosen)
    etag = f"{image.master_sha256}-{chosen}"
    return await respond(request, key, etag=etag, cache=NOWHERE, linked=False, hold=True)


@require_safe
@guest_async
async def shared_download(request: HttpRequest, token: str, image_id: UUID) -> HttpResponseBase:
    """The master as a file; of a link with a watermark no more than there is to look at."""

    def allowed() -> tuple[Share, Image]:
        share, image = seen(request, token, image_id)
        if not share.may_download:
            raise Http404
        return share, image

    share, image = await ask_database(allowed)
    if share.watermark:
        response = await _marked(image, max(image.rendition_widths), share.watermark)
        response["Content-Disposition"] = (
            content_disposition_header(True, file_name(name_of(share, image), "webp")) or "attachment"
        )
        return response
    key = keys.master_key(image.pk, image.master_ext)
    called = file_name(name_of(share, image), image.master_ext)
    return await respond(request, key, etag=image.master_sha256, download_as=called, cache=NOWHERE, linked=False)


async def _marked(image: Image, width: int, words: str) -> HttpResponse:
    try:
        data = await marked(keys.rendition_key(image.pk, width), words)
    except Missing:
        raise Http404 from None
    except BucketUnavailable:
        return HttpResponse(UNREACHED, status=503)
    response = HttpResponse(data, content_type=WEBP)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
