"""Pictures of other people, for the administration alone: seen by permission, kept by no cache.

A sensitive one is shown after a click alone, and the click is in the audit log.
"""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.signing import BadSignature, TimestampSigner
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.images import keys
from editor.images.delivery import respond
from editor.models import Image, User
from editor.moderation import audit

SHOWN_SECONDS = 300  # after the click


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
    user = await request.auser()
    image = await sync_to_async(_picture)(user, image_id)
    if image is None or not image.is_ready or not image.rendition_widths:
        raise Http404
    if image.sensitive and not _was_asked_for(request.GET.get("asked", ""), user, image):
        raise Http404
    widths = sorted(image.rendition_widths)
    chosen = next((w for w in widths if w >= width), widths[-1])
    etag = f"{image.master_sha256}-{chosen}"
    return await respond(
        request, keys.rendition_key(image.pk, chosen), etag=etag, cache="private, no-store", linked=False
    )


def _signer() -> TimestampSigner:
    """Made when it is needed: without SECRET_KEY, a process is still to say what is missing."""
    return TimestampSigner(salt="editor.admin.pictures")


def asking(user: User, image: Image) -> str:
    """Lets this person see that picture for some minutes."""
    return _signer().sign(f"{user.pk}:{image.pk}")


def _was_asked_for(text: str, user: User | AnonymousUser, image: Image) -> bool:
    try:
        return _signer().unsign(text, max_age=SHOWN_SECONDS) == f"{user.pk}:{image.pk}"
    except BadSignature:
        return False


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def admin_sensitive_image(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Asks before it shows a sensitive picture, and notes that it did. Raises Http404."""
    user = request.user
    if not isinstance(user, User) or not may_look(user):
        raise Http404
    image = get_object_or_404(Image, pk=image_id, purged_at=None, removed_at=None)
    asked = ""
    if request.method == "POST":
        audit.record(user, "picture.viewed", image, "In the administration.")
        asked = asking(user, image)
    shown = {"image": image, "asked": asked, **admin.site.each_context(request)}
    return render(request, "admin/sensitive_picture.html", {"title": "A sensitive picture", **shown})
