"""Many pictures as one file, sent while it is made."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from editor.access import batch_for, collection_for, edits_for, known_edits, pictures_for, results_of
from editor.forms import SAMPLES_MAX
from editor.images.delivery import ask_database
from editor.images.export_zips import Contents, contents_of
from editor.images.exports import ExportSettings
from editor.images.making import collections_of
from editor.images.zips import ZIPPED_MAX, Entry, entries_of, stream
from editor.jobs.batches import BATCH_MAX
from editor.jobs.chains import results_kept
from editor.library.shelves import NotPossible
from editor.models import Batch, BatchItem, Image, ImageState, ImageTag, JobSource
from editor.views.chosen_edits import edit_ids_in, some
from editor.views.downloads import Unclear, busy, settings_asked
from editor.views.selection import LARGEST, ids_in, nothing_chosen, refusal

if TYPE_CHECKING:
    from editor.models import User
    from editor.models.images import ImageQuerySet


@require_POST
async def selection_zip(request: HttpRequest, workspace_id: UUID) -> HttpResponseBase:
    """The chosen pictures that the person may see."""
    user = await _person(request)
    try:
        ids = ids_in(request, LARGEST)
    except NotPossible as problem:
        return await sync_to_async(refusal)(request, problem)
    if not request.POST.getlist("picture"):
        return await sync_to_async(nothing_chosen)(request, user, workspace_id)
    return await _answer(request, user, lambda: chosen_pictures(user, workspace_id, ids))


@require_POST
async def edits_zip(request: HttpRequest) -> HttpResponseBase:
    """The pictures of the chosen edits, and how each was made."""
    user = await _person(request)
    return await _answer(request, user, lambda: made_by(user, edit_ids_in(request, LARGEST)))


@require_GET
async def collection_zip(request: HttpRequest, collection_id: UUID) -> HttpResponseBase:
    """The newest ZIPPED_MAX of a collection."""
    user = await _person(request)
    return await _answer(request, user, lambda: collected(user, collection_id))


@require_GET
async def batch_zip(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """What was kept of a batch."""
    user = await _person(request)
    return await _answer(request, user, lambda: of_batch(user, batch_id))


async def _person(request: HttpRequest) -> "User":
    """Raises Http404: where a browser expects a file, a page to sign in would be saved under its name."""
    user = await request.auser()
    if not user.is_authenticated:
        raise Http404
    return user


@dataclass(frozen=True)
class Many:
    """The pictures of a ZIP, and what it is called."""

    name: str
    images: "ImageQuerySet"
    workspace_id: UUID
    names: Mapping[UUID, str] = field(default_factory=dict)  # of files by the edit that made them, before their own
    most: int = ZIPPED_MAX
    collection: str = ""  # in which they all lie

    def newest(self, most: int | None = None) -> list[Image]:
        """The newest that are ready or will be, so many at most."""
        rows = self._there().select_related("made_by", "job").order_by("-created_at", "-id")
        return list(rows[: min(most or self.most, self.most)])

    def number(self) -> int:
        """How many will be in it; numbers in names are as long as this one. Reads no more than these ids."""
        return len(self._there().values_list("pk", flat=True)[: self.most])

    def _there(self) -> "ImageQuerySet":
        return self.images.filter(state__in=[ImageState.READY, ImageState.RECEIVED], purged_at=None)


def chosen_pictures(user: "User", workspace_id: UUID, ids: list[UUID]) -> Many:
    """Raises Http404."""
    workspace, images = pictures_for(user, workspace_id, ids)
    shown = Image.objects.shown_to(user).filter(pk__in=[image.pk for image in images])
    return Many(workspace.name, shown, workspace.pk)


def made_by(user: "User", ids: list[UUID]) -> Many:
    """Raises Http404, NotPossible."""
    images = some(results_of(user, edits_for(user, ids)))
    shown = Image.objects.shown_to(user).filter(pk__in=[image.pk for image in images])
    return Many("Edits", shown, images[0].workspace_id, most=LARGEST * SAMPLES_MAX)


def collected(user: "User", collection_id: UUID) -> Many:
    """Raises Http404."""
    collection, _ = collection_for(user, collection_id)
    mine = Image.objects.shown_to(user)
    images = mine.filter(collection_items__collection=collection, workspace=collection.workspace_id)
    return Many(collection.name, images, collection.workspace_id, collection=collection.name)


def of_batch(user: "User", batch_id: UUID) -> Many:
    """Raises Http404."""
    batch = batch_for(user, batch_id)
    kept = results_kept(batch).filter(pk__in=Image.objects.shown_to(user))
    return Many(batch.prompt, kept, batch.workspace_id, _names_in(user, batch), BATCH_MAX * SAMPLES_MAX)


def _names_in(user: "User", batch: Batch) -> dict[UUID, str]:
    """What the results of a batch are called: like the pictures that it was asked for. By edit."""
    items = BatchItem.objects.of(batch).filter(
        image__in=Image.objects.there_for(user), image__workspace=batch.workspace
    )
    return {job: name for job, name in items.values_list("job", "image__name") if name}


def _contents(user: "User", many: Many, settings: ExportSettings | None) -> list[Entry] | Contents:
    """As they are, or as somebody asked for them."""
    rows = many.newest()
    tags: dict[object, list[str]] = defaultdict(list)
    for image_id, name in ImageTag.objects.filter(image__in=rows).values_list("image_id", "tag__name"):
        tags[image_id].append(name)
    sources: dict[object, list[str]] = defaultdict(list)
    known = Image.objects.there_for(user)
    theirs = JobSource.objects.filter(job__in={row.job_id for row in rows if row.job_id}, image__in=known)
    for job_id, name in theirs.order_by("position").values_list("job_id", "image__name"):
        sources[job_id].append(name)
    if settings is None:
        return entries_of(rows, tags, sources, many.names)
    together = {row.pk: many.collection for row in rows} if many.collection else collections_of(rows, settings)
    return contents_of(rows, settings, known_edits(user, rows), tags, sources, many.names, together, user.pk)


def _may_give(user: "User") -> Callable[[UUID], Awaitable[bool]]:
    """Whether the person may still have a picture; one query."""
    member = {"workspace__memberships__user": user, "workspace__memberships__user__is_active": True}
    mine = Image.objects.shown_to(user).filter(**member, workspace__trashed_at=None, purged_at=None)

    async def may_give(image_id: UUID) -> bool:
        return await ask_database(mine.filter(pk=image_id).exists)

    return may_give


async def _answer(request: HttpRequest, user: "User", find: Callable[[], Many]) -> HttpResponseBase:
    """`find` may raise Http404 and NotPossible."""

    def look() -> tuple[str, list[Entry] | Contents]:
        many = find()
        asked = request.POST if request.method == "POST" else request.GET
        return many.name, _contents(user, many, settings_asked(user, asked))

    try:
        name, contents = await ask_database(look)
    except (NotPossible, Unclear) as problem:
        return await sync_to_async(refusal)(request, problem)
    if isinstance(contents, Contents) and not contents.take_place():
        return await sync_to_async(busy)(request)
    may_give = _may_give(user)
    pieces = contents.stream(may_give) if isinstance(contents, Contents) else stream(contents, may_give)
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    kept = "".join(c for c in name if c.isalnum() or c in " -_").strip()[:60]
    response["Content-Disposition"] = content_disposition_header(True, f"{kept or 'pictures'}.zip") or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy in between sends it on as it comes
    return response
