"""Pictures come in, one file per request, and go to the trash and back."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import InArchive, image_for, may_edit_in, member_of, open_workspace_for, trashed_image_for
from editor.forms import RightsForm, UploadForm
from editor.images.bucket import BucketUnavailable
from editor.images.ingest import AlreadyThere, Closed, TooMany, receive, sent_before
from editor.images.likeness import alike
from editor.images.refusals import REFUSALS, Refused
from editor.images.rights import Rights
from editor.models import Approval, Image, ImageState, Workspace
from editor.models.chosen import chosen
from editor.views.frame import (
    PersonRequest,
    current_workspace,
    may_edit_here,
    signed_in,
    wants_json,
    workspace_here,
)
from editor.views.selection import locked_words
from editor.views.studio import SAMPLES

if TYPE_CHECKING:
    from typing import IO

SAMPLES_DIR = Path(settings.BASE_DIR) / "static" / "samples"
MOST_STATES = 100
BUCKET_RETRY = 10  # seconds


@dataclass(frozen=True)
class Sending:
    """What comes along with a file. `token`: the sender's name for it, so that sending it again makes no second one."""

    name: str
    sha256: str = ""  # of its bytes
    token: str = ""
    keeps_one: bool = False  # where the workspace has these bytes, they are not stored again
    rights: Rights | None = None


class CappedUploadHandler(FileUploadHandler):
    """Stops reading a file once it is larger than UPLOAD_MAX_BYTES; the view answers with 413.

    Hashes what it reads, so that nobody has to read it again to see whether it is there already.
    """

    seen = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.sha256 = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.sha256.update(raw_data)
        self.seen += len(raw_data)
        if self.seen > settings.UPLOAD_MAX_BYTES:
            self.request.META["retake.upload_too_large"] = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler holds the file."""
        self.request.META["retake.upload_sha256"] = self.sha256.hexdigest()  # type: ignore[union-attr]


@require_POST
@signed_in
def image_upload(request: PersonRequest) -> HttpResponse:
    form, rights = UploadForm(request.POST, request.FILES), RightsForm(request.POST)
    valid = form.is_valid() and rights.is_valid()
    if request.META.get("retake.upload_too_large"):
        limit = settings.UPLOAD_MAX_BYTES / 1_000_000
        return _refusal(request, 413, f"This file is too large. A picture may have up to {limit:g} MB.")
    if not valid:
        return _refusal(request, 400, _first_error(form, rights))
    sending = Sending(
        name=form.picture.name or "",
        sha256=request.META.get("retake.upload_sha256", ""),
        token=form.cleaned_data["token"],
        keeps_one=form.cleaned_data["same"] == "one",
        rights=rights.rights,
    )
    with form.picture.open() as file:
        return _take_in(request, file, sending)


@require_POST
@signed_in
def sample_use(request: PersonRequest, name: str) -> HttpResponse:
    """One of the sample pictures, as if the person had uploaded it."""
    if name not in SAMPLES:
        raise Http404
    with (SAMPLES_DIR / f"{name}.jpg").open("rb") as file:
        return _take_in(request, file, Sending(f"{SAMPLES[name]}.jpg"))


@require_safe
@signed_in
def library_upload(request: PersonRequest) -> HttpResponse:
    """Many at once, into one workspace; without scripts one after the other."""
    workspace = workspace_here(request, _id(request.GET.get("workspace", "")))
    sent = _id(request.GET.get("sent", ""))
    context = {
        "workspace": workspace,
        "may_edit": may_edit_here(workspace),
        "rights_form": RightsForm(auto_id="upload-%s"),
        "sent": Image.objects.visible_to(request.user).filter(pk=sent).first() if sent else None,
        "is_same": "same" in request.GET,
        "most_waiting": chosen.UPLOADS_WAITING,
    }
    return render(request, "library/upload.html", context)


@never_cache
@require_safe
@signed_in
def image_states(request: PersonRequest) -> HttpResponse:
    """How far some pictures are (`id`, up to MOST_STATES times), and which look like them. Strangers' are left out."""
    ids = [found for text in request.GET.getlist("id")[:MOST_STATES] if (found := _id(text)) is not None]
    images = list(Image.objects.visible_to(request.user).filter(pk__in=ids))
    likenesses = alike(request.user, (image for image in images if image.is_ready))
    answer = {}
    for image in images:
        others = likenesses.get(image.pk, [])
        answer[str(image.pk)] = _facts(image) | {"alike": [_facts(other) for other in others]}
    return JsonResponse(answer)


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
    open_workspace_for(request.user, image.workspace_id)
    if image.trash():
        undo = reverse("image_restore", args=[image.pk])
        messages.success(request, f"In the trash for {chosen.TRASH_DAYS} days.", extra_tags=f"undo={undo}")
    elif Approval.objects.filter(image=image, locked_at__isnull=False).exists():
        messages.error(request, locked_words(1))
        return redirect("picture", image.pk)
    return redirect("studio")


@require_POST
@signed_in
def image_restore(request: PersonRequest, image_id: UUID) -> HttpResponse:
    image = trashed_image_for(request.user, image_id)
    if not image.restore() and image.purged_at:
        messages.error(request, "This picture was in the trash for too long; it is gone.")
        return redirect("trash" if request.POST.get("next") == reverse("trash") else "studio")
    if request.POST.get("next") == reverse("trash"):
        messages.success(request, f"{image.name or 'The picture'} is back in {image.workspace.name}.")
        return redirect("trash")
    messages.success(request, "Put back.")
    return redirect("studio_image", image.pk)


def _take_in(request: PersonRequest, file: "IO[bytes]", sending: Sending) -> HttpResponse:
    workspace = _chosen(request)
    if workspace.archived_at:
        return _refusal(request, 403, str(InArchive(workspace)))
    if not may_edit_in(request.user, workspace):
        return _refusal(request, 403, f"In {workspace.name} you may look, not upload. Choose another workspace above.")
    if before := sent_before(request.user, workspace, sending.token):
        return _taken(request, before, status=200)
    try:
        image = receive(
            request.user,
            workspace,
            file,
            sending.name,
            sha256=sending.sha256,
            token=sending.token,
            keeps_one=sending.keeps_one,
            rights=sending.rights,
        )
    except Refused as bounced:
        return _refusal(request, 422, bounced.sentence)
    except AlreadyThere as found:
        return _taken(request, found.image, status=200, is_same=True)
    except TooMany as refusal:
        return _refusal(request, 429, str(refusal), refusal.retry_after)
    except Closed as refusal:
        return _refusal(request, 403, str(refusal))
    except BucketUnavailable:
        sentence = "Our store for pictures does not answer. Try again in a minute."
        return _refusal(request, 503, sentence, BUCKET_RETRY)
    return _taken(request, image, status=201)


def _taken(request: PersonRequest, image: Image, status: int, is_same: bool = False) -> HttpResponse:
    """`is_same`: nothing was stored, as the workspace has these bytes already."""
    if wants_json(request):
        return JsonResponse(_facts(image) | ({"same": True} if is_same else {}), status=status)
    if request.POST.get("back") == "library":
        said = {"workspace": image.workspace_id, "sent": image.pk} | ({"same": 1} if is_same else {})
        return redirect(f"{reverse('library_upload')}?{urlencode(said)}")
    words = f"?{urlencode({'try': request.POST['try']})}" if request.POST.get("try") else ""  # one of our sentences
    return redirect(reverse("studio_image", args=[image.pk]) + words)


def _chosen(request: PersonRequest) -> Workspace:
    """The workspace that the form was shown for: it may have been another one than is chosen by now."""
    text = request.POST.get("workspace", "")
    if not text:
        return current_workspace(request)
    try:
        return member_of(request.user, UUID(text)).workspace
    except ValueError:
        raise Http404 from None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _first_error(*forms: Form) -> str:
    return next(str(errors[0]) for form in forms for errors in form.errors.values())


def _facts(image: Image) -> dict[str, Any]:
    facts = {"id": str(image.pk), "state": image.state, "url": reverse("studio_image", args=[image.pk])}
    if image.is_ready:
        facts |= {"name": image.name, "page": reverse("picture", args=[image.pk])}
        if not image.sensitive:
            facts["thumb"] = reverse("image_rendition", args=[image.pk, 320])
    if image.state == ImageState.REFUSED:
        facts["error"] = REFUSALS.get(image.refused_code, "This picture could not be read.")
        facts["code"] = image.refused_code
    return facts


def _refusal(request: HttpRequest, status: int, sentence: str, retry_after: int | None = None) -> HttpResponse:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if wants_json(request):
        return JsonResponse({"error": sentence}, status=status, headers=headers)
    response = render(request, "refusal.html", {"sentence": sentence}, status=status)
    for name, value in headers.items():
        response[name] = value
    return response
