"""Pictures of other people, for the administration alone: seen by permission, kept by no cache."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from editor.images import keys
from editor.images.delivery import respond
from editor.models import Image, User


def may_look(user: User | AnonymousUser) -> bool:
    """Staff with the permission to view pictures; one query for anybody but a superuser."""
    return user.is_active and user.is_staff and user.has_perm("editor.view_image")


def _picture(user: User | AnonymousUser, image_id: UUID) -> Image | None:
    if not may_look(user):
        return None
    return Image.objects.filter(pk=image_id, purged_at=None, removed_at=None).first()


@require_safe
async def admin_image(request: HttpRequest, image_id: UUID, width: int) -> HttpResponseBase:
    """A rendition of any picture, at least that wide if there is one, also of the trash. Raises Http404."""
    image = await sync_to_async(_picture)(await request.auser(), image_id)
    if image is None or not image.is_ready or not image.rendition_widths:
        raise Http404
    widths = sorted(image.rendition_widths)
    chosen = next((w for w in widths if w >= width), widths[-1])
    etag = f"{image.master_sha256}-{chosen}"
    return await respond(request, keys.rendition_key(image.pk, chosen), etag=etag, cache="private, no-store")
