"""What a person may put back, and the page of a picture that somebody put into the trash."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.models import Image
from editor.models.chosen import chosen
from editor.views.frame import PersonRequest, signed_in

SHOWN = 100


@never_cache
@require_safe
@signed_in
def trash(request: PersonRequest) -> HttpResponse:
    """The latest of the trash."""
    images = list(Image.objects.trashed_of(request.user)[:SHOWN])
    return render(request, "trash/trash.html", {"images": images, "days": chosen.TRASH_DAYS, "shown": SHOWN})


def trashed_page(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Says that a picture is in the trash and offers it back; status 404. Raises Http404 to whoever may not have it."""
    image = Image.objects.trashed_of(request.user).filter(pk=image_id).first()
    if image is None:
        raise Http404
    return render(request, "trash/picture.html", {"image": image, "days": chosen.TRASH_DAYS}, status=404)
