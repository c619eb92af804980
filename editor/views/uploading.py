"""Pictures come in, one file per request, and go to the trash and back."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import image_for, may_edit_in, member_of, trashed_image_for
from editor.forms import UploadForm
from editor.images.bucket import BucketUnavailable
from editor.images.ingest import TooMany, receive
from editor.images.refusals import REFUSALS
from editor.models import Image, ImageState, Workspace
from editor.views.frame import PersonRequest, current_workspace, signed_in, wants_json
from editor.views.studio import SAMPLES

if TYPE_CHECKING:
    from typing import IO

SAMPLES_DIR = Path(settings.BASE_DIR) / "static" / "samples"


class CappedUploadHandler(FileUploadHandler):
    """Stops reading a file once it is larger than UPLOAD_MAX_BYTES; the view answers with 413."""

    seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.seen += len(raw_data)
        if self.seen > settings.UPLOAD_MAX_BYTES:
            self.request.META["retake.upload_too_large"] = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler holds the file."""


@require_POST
@signed_in
def image_upload(request: PersonRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    valid = form.is_valid()
    if request.META.get("retake.upload_too_large"):
        limit = settings.UPLOAD_MAX_BYTES / 1_000_000
        return _refusal(request, 413, f"This file is too large. A picture may have up to {limit:g} MB.")
    if not valid:
        return _refusal(request, 400, str(form.errors["file"][0]))
    with form.picture.open() as file:
        return _take_in(request, file, form.picture.name or "")


@require_POST
@signed_in
def sample_use(request: PersonRequest, name: str) -> HttpResponse:
    """One of the sample pictures, as if the person had uploaded it."""
    if name not in SAMPLES:
        raise Http404
    with (SAMPLES_DIR / f"{name}.jpg").open("rb") as file:
        return _take_in(request, file, f"{SAMPLES[name]}.jpg")


@never_cache
@require_safe
@signed_in
def image_state(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """How far a picture is. To htmx: nothing but an event once it is settled."""
    image = image_for(request.user, image_id)
    if request.htmx:
        response = HttpResponse(status=204)
        if image.state != ImageState.RECEIVED:
            response["HX-Trigger"] = f"image-settled-{image.pk}"
        return response
    return JsonResponse(_facts(image))


@require_POST
@signed_in
def image_trash(request: PersonRequest, image_id: UUID) -> HttpResponse:
    image = image_for(request.user, image_id)
    if not may_edit_in(request.user, image.workspace):
        raise Http404
    if image.trash():
        undo = reverse("image_restore", args=[image.pk])
        messages.success(request, f"In the trash for {settings.TRASH_DAYS} days.", extra_tags=f"undo={undo}")
    return redirect("studio")


@require_POST
@signed_in
def image_restore(request: PersonRequest, image_id: UUID) -> HttpResponse:
    image = trashed_image_for(request.user, image_id)
    if not image.restore() and image.purged_at:
        messages.error(request, "This picture was in the trash for too long; it is gone.")
        return redirect("studio")
    messages.success(request, "Put back.")
    return redirect("studio_image", image.pk)


def _take_in(request: PersonRequest, file: "IO[bytes]", name: str) -> HttpResponse:
    workspace = _chosen(request)
    if not may_edit_in(request.user, workspace):
        return _refusal(request, 403, f"In {workspace.name} you may look, not upload. Choose another workspace above.")
    try:
        image = receive(request.user, workspace, file, name)
    except TooMany as refusal:
        return _refusal(request, 429, str(refusal))
    except BucketUnavailable:
        return _refusal(request, 503, "Our store for pictures does not answer. Try again in a minute.")
    if wants_json(request):
        return JsonResponse(_facts(image), status=201)
    return redirect("studio_image", image.pk)


def _chosen(request: PersonRequest) -> Workspace:
    """The workspace that the form was shown for: it may have been another one than is chosen by now."""
    text = request.POST.get("workspace", "")
    if not text:
        return current_workspace(request)
    try:
        return member_of(request.user, UUID(text)).workspace
    except ValueError:
        raise Http404 from None


def _facts(image: Image) -> dict[str, str]:
    facts = {"id": str(image.pk), "state": image.state, "url": reverse("studio_image", args=[image.pk])}
    if image.state == ImageState.REFUSED:
        facts["error"] = REFUSALS.get(image.refused_code, "This picture could not be read.")
    return facts


def _refusal(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=status)
    return render(request, "refusal.html", {"sentence": sentence}, status=status)
