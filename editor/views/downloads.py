"""Downloading as something else: the form in which that is asked for, and the file of one picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from editor.access import exportable_for, known_edits, may_edit_as, member_of, preset_for, presets_of
from editor.forms.downloads import ASKED, FORMATS, SIZES, SPACES, DownloadForm
from editor.images import keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.delivery import UNREACHED, ask_database, respond
from editor.images.export_names import PLACEHOLDERS
from editor.images.export_settings import problem_with
from editor.images.exports import BadSettings, Busy, ExportSettings, Making, NotExported, export
from editor.images.making import collections_of, making_of, stem_for
from editor.models import DownloadPreset, Image
from editor.views.frame import PersonRequest, signed_in

if TYPE_CHECKING:
    from editor.models import User

SHOWN = 3  # names in a form for many pictures


class Unclear(Exception):  # noqa: N818  it says what is the matter
    """What was asked for makes no sense; the form says why."""

    def __init__(self, form: DownloadForm) -> None:
        super().__init__(" ".join(form.problems))
        self.form = form


def settings_asked(user: "User", asked: QueryDict) -> ExportSettings | None:
    """What an address or a form asks for; None if that is nothing. Raises Unclear, Http404 (another's preset)."""
    if text := asked.get("preset", ""):
        return settings_of(preset_for(user, _id(text)))
    if not ASKED & asked.keys():
        return None
    form = DownloadForm(asked)
    if not form.is_valid():
        raise Unclear(form)
    return form.settings


def settings_of(preset: DownloadPreset) -> ExportSettings:
    """Pictures as they are, should the preset say what this version does not know."""
    try:
        return ExportSettings.from_row(preset.options)
    except BadSettings:
        return ExportSettings()


@never_cache
@require_safe
@signed_in
def picture_download(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """The form for one picture; with what it was sent with, it says how the file will be called."""
    return picture_form(request, exportable_for(request.user, image_id))


def picture_form(request: PersonRequest, image: Image, *, said: str = "", status: int = 200) -> HttpResponse:
    """`said`: why it was not given as asked for."""
    more = {
        "image": image,
        "action": reverse("picture_export", args=[image.pk]),
        "back": reverse("picture", args=[image.pk]),
        "said": said,
    }
    return form_page(request, [image], image.workspace_id, more, status=status)


def form_page(
    request: PersonRequest,
    images: list[Image],
    workspace_id: UUID,
    more: dict[str, Any],
    *,
    collection: str = "",
    of: int = 1,
    status: int = 200,
) -> HttpResponse:
    """The form for these pictures, the first `of` so many; `more` is for the template.

    It begins with what the workspace takes by default, if nothing is asked for yet.
    """
    me = member_of(request.user, workspace_id)
    presets = list(presets_of(request.user, workspace_id))
    asked = request.POST if request.method == "POST" else request.GET
    if ASKED & asked.keys():
        form = DownloadForm(asked)
    else:
        first = presets[0] if presets and presets[0].is_default else None
        form = DownloadForm((settings_of(first) if first else ExportSettings()).to_row())
    context: dict[str, Any] = {
        "form": form,
        "formats": FORMATS,
        "sizes": SIZES,
        "spaces": SPACES,
        "placeholders": PLACEHOLDERS,
        "presets": presets,
        "workspace": me.workspace,
        "may_edit": may_edit_as(me.role, me.workspace),
        "many": "image" not in more,
        "preview": _preview(request.user, images, form, collection, of) if form.is_valid() else None,
        **more,
    }
    return render(request, "downloads/form.html", context, status=status)


@dataclass(frozen=True)
class Preview:
    """What the first pictures will be: their names, sizes, and what has to be said before."""

    files: list[tuple[str, int, int]]
    larger: bool  # some are made larger than they are
    smaller: bool  # some are smaller than what is asked for, and stay so
    problem: str
    further: bool  # there are pictures that are not named


def _preview(user: "User", images: list[Image], form: DownloadForm, collection: str, of: int) -> Preview:
    asked, known = form.settings, known_edits(user, images)
    collections = collections_of(images, asked) if not collection else {}
    files, larger, problem = [], False, ""
    for number, image in enumerate(images, 1):
        name = collection or collections.get(image.pk, "")
        stem = stem_for(image, asked, known, number=number, of=of, collection=name)
        width, height = image.width or 1, image.height or 1
        files.append((f"{stem}.{asked.ending_of(image.master_ext)}", *asked.size_of(width, height)))
        larger = larger or asked.would_enlarge(width, height)
        problem = problem or problem_with(image, asked)
    return Preview(files, larger and asked.enlarge, larger and not asked.enlarge, problem, of > len(images))


@require_GET
async def picture_export(request: HttpRequest, image_id: UUID) -> HttpResponseBase:
    """The file: `preset`, or what the form asks for; without either the picture as it is."""
    user = await request.auser()
    if not user.is_authenticated:
        raise Http404

    def looked_up() -> tuple[Image, ExportSettings, str, Making] | HttpResponse:
        image = exportable_for(user, image_id)
        try:
            asked = settings_asked(user, request.GET) or ExportSettings()
        except Unclear as unclear:
            return picture_form(_of_person(request, user), image, said=str(unclear), status=422)
        known = known_edits(user, [image])
        collection = collections_of([image], asked).get(image.pk, "")
        return image, asked, stem_for(image, asked, known, collection=collection), making_of(image, known)

    found = await ask_database(looked_up)
    if isinstance(found, HttpResponse):
        return found
    image, asked, stem, making = found
    if asked.leaves(image):
        name = f"{stem}.{image.master_ext}"
        return await respond(
            request, keys.master_key(image.pk, image.master_ext), etag=image.master_sha256, download_as=name
        )
    try:
        file = await export(image, asked, stem=stem, making=making, who=user.pk)
    except Busy:
        return await sync_to_async(busy)(request, reverse("picture_download", args=[image_id]))
    except NotExported as problem:
        page = sync_to_async(picture_form)
        return await page(_of_person(request, user), image, said=str(problem), status=422)
    except Missing:
        raise Http404 from None
    except BucketUnavailable:
        return HttpResponse(UNREACHED, status=503)
    response = StreamingHttpResponse(file, content_type=file.content_type)
    response["Content-Length"] = str(file.length)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def busy(request: HttpRequest, back: str = "") -> HttpResponse:
    """As many files are being written as the portal bears at once."""
    response = render(request, "downloads/busy.html", {"back": back}, status=503)
    response["Retry-After"] = "10"
    return response


def _of_person(request: HttpRequest, user: "User") -> PersonRequest:
    request.user = user
    return request  # type: ignore[return-value]  # somebody is signed in, as its other views are told by a decorator


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
