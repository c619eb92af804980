"""Source pictures for the flux server: signed links that live as long as a job may wait."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from editor.images import keys
from editor.images.delivery import respond
from editor.jobs import vendor
from editor.models import Image, ImageState


@require_safe
async def flux_source(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        image_id = UUID(vendor.image_of_link(token))
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    there = Image.objects.filter(pk=image_id, state=ImageState.READY, purged_at=None, removed_at=None)
    image = await sync_to_async(there.first)()
    if image is None:
        raise Http404
    return await respond(request, keys.init_key(image.pk), etag=f"{image.master_sha256}-init")
