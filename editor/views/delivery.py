"""Pictures for the browser, under the same access rules as the pages that show them."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from editor import access
from editor.images import keys
from editor.images.delivery import ask_database, respond
from editor.models import Image


def _image_for(request: HttpRequest, image_id: UUID) -> Image:
    """The picture if the signed-in person may see it. Raises Http404."""
    if not request.user.is_authenticated:
        raise Http404
    for image in access.deliverable_to(request.user, [image_id]):
        return image
    raise Http404


@require_safe
async def image_rendition(request: HttpRequest, image_id: UUID, width: int) -> HttpResponseBase:
    """The rendition of at least that width, or the largest there is."""
    return await rendition_of(request, await ask_database(lambda: _image_for(request, image_id)), width)


async def rendition_of(request: HttpRequest, image: Image, width: int) -> HttpResponseBase:
    widths = sorted(image.rendition_widths)
    chosen = next((w for w in widths if w >= width), widths[-1])
    return await respond(
        request, keys.rendition_key(image.pk, chosen), etag=f"{image.master_sha256}-{chosen}", hold=True
    )


@require_safe
async def image_master(request: HttpRequest, image_id: UUID) -> HttpResponseBase:
    image = await ask_database(lambda: _image_for(request, image_id))
    name = image.download_name if "download" in request.GET else None
    key = keys.master_key(image.pk, image.master_ext)
    return await respond(request, key, etag=image.master_sha256, download_as=name)
