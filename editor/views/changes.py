"""What an edit changed in one of its results: the map to lay over it, and asking for one that was never made."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from editor.access import compared_for
from editor.images import change_maps, keys
from editor.images.delivery import ask_database, respond
from editor.models import ChangeMap
from editor.views.frame import PersonRequest, signed_in, way_back


def _change_for(request: HttpRequest, image_id: UUID) -> tuple[ChangeMap, str]:
    """The map, and the sum of what it lies over. Raises Http404."""
    if not request.user.is_authenticated:
        raise Http404
    image = compared_for(request.user, image_id)
    change = getattr(image, "change_map", None)
    if change is None or not change.is_made:
        raise Http404
    return change, image.master_sha256


@require_safe
async def image_change(request: HttpRequest, image_id: UUID) -> HttpResponseBase:
    """A transparent PNG in the shape of the result."""
    change, sha256 = await ask_database(lambda: _change_for(request, image_id))
    return await respond(request, keys.change_key(image_id), etag=f"{sha256}-change-{change.method}")


@require_POST
@signed_in
def image_change_ask(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Have it made, for whoever may see both pictures; back to the page that asked."""
    image = compared_for(request.user, image_id)
    change_maps.ask_for(image)
    return way_back(request.POST.get("next", ""), reverse("studio_image", args=[image.pk]))
