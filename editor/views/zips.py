"""Many pictures as one file, sent while it is made."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from editor.access import batch_for, collection_for, edits_for, pictures_for, results_of
from editor.forms import SAMPLES_MAX
from editor.images.delivery import ask_database, leave_database
from editor.images.zips import ZIPPED_MAX, Entry, entries_of, stream
from editor.jobs.batches import BATCH_MAX
from editor.jobs.chains import results_kept
from editor.library.shelves import NotPossible
from editor.models import Batch, BatchItem, Image, ImageState, ImageTag, JobSource
from editor.views.chosen_edits import edit_ids_in, some
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
    name, entries = await sync_to_async(_chosen)(user, workspace_id, ids)
    return _answer(user, name, entries)


@require_POST
async def edits_zip(request: HttpRequest) -> HttpResponseBase:
    """The pictures of the chosen edits, and how each was made."""
    user = await _person(request)
    try:
        entries = await sync_to_async(_made_by)(user, edit_ids_in(request, LARGEST))
    except NotPossible as problem:
        return await sync_to_async(refusal)(request, problem)
    return _answer(user, "Edits", entries)


@require_safe
async def collection_zip(request: HttpRequest, collection_id: UUID) -> HttpResponseBase:
    """The newest ZIPPED_MAX of a collection."""
    user = await _person(request)
    name, entries = await sync_to_async(_collected)(user, collection_id)
    return _answer(user, name, entries)


@require_safe
async def batch_zip(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """What was kept of a batch."""
    user = await _person(request)
    name, entries = await sync_to_async(_of_batch)(user, batch_id)
    return _answer(user, name, entries)


async def _person(request: HttpRequest) -> "User":
    """Raises Http404: where a browser expects a file, a page to sign in would be saved under its name."""
    user = await request.auser()
    if not user.is_authenticated:
        raise Http404
    return user


def _chosen(user: "User", workspace_id: UUID, ids: list[UUID]) -> tuple[str, list[Entry]]:
    workspace, images = pictures_for(user, workspace_id, ids)
    return workspace.name, _entries(user, Image.objects.shown_to(user).filter(pk__in=[image.pk for image in images]))


def _made_by(user: "User", ids: list[UUID]) -> list[Entry]:
    images = results_of(user, edits_for(user, ids))
    mine = Image.objects.shown_to(user).filter(pk__in=[image.pk for image in some(images)])
    return _entries(user, mine, most=LARGEST * SAMPLES_MAX)


def _collected(user: "User", collection_id: UUID) -> tuple[str, list[Entry]]:
    collection, _ = collection_for(user, collection_id)
    mine = Image.objects.shown_to(user)
    images = mine.filter(collection_items__collection=collection, workspace=collection.workspace_id)
    return collection.name, _entries(user, images)


def _of_batch(user: "User", batch_id: UUID) -> tuple[str, list[Entry]]:
    batch = batch_for(user, batch_id)
    kept = results_kept(batch).filter(pk__in=Image.objects.shown_to(user))
    return batch.prompt, _entries(user, kept, _names_in(user, batch), BATCH_MAX * SAMPLES_MAX)


def _names_in(user: "User", batch: Batch) -> dict[UUID, str]:
    """What the results of a batch are called: like the pictures that it was asked for. By edit."""
    items = BatchItem.objects.of(batch).filter(
        image__in=Image.objects.there_for(user), image__workspace=batch.workspace
    )
    return {job: name for job, name in items.values_list("job", "image__name") if name}


def _entries(
    user: "User", images: "ImageQuerySet", names: Mapping[UUID, str] = {}, most: int = ZIPPED_MAX
) -> list[Entry]:
    """The newest, so many at most. `names` of files by the edit that made them, instead of the pictures' own."""
    there = images.filter(state__in=[ImageState.READY, ImageState.RECEIVED], purged_at=None)
    rows = list(there.select_related("made_by", "job").order_by("-created_at", "-id")[:most])
    tags: dict[object, list[str]] = defaultdict(list)
    for image_id, name in ImageTag.objects.filter(image__in=rows).values_list("image_id", "tag__name"):
        tags[image_id].append(name)
    sources: dict[object, list[str]] = defaultdict(list)
    known = Image.objects.there_for(user)
    theirs = JobSource.objects.filter(job__in={row.job_id for row in rows if row.job_id}, image__in=known)
    for job_id, name in theirs.order_by("position").values_list("job_id", "image__name"):
        sources[job_id].append(name)
    leave_database()
    return entries_of(rows, tags, sources, names)


def _may_give(user: "User") -> Callable[[UUID], Awaitable[bool]]:
    """Whether the person may still have a picture; one query."""
    member = {"workspace__memberships__user": user, "workspace__memberships__user__is_active": True}
    mine = Image.objects.shown_to(user).filter(**member, workspace__trashed_at=None, purged_at=None)

    async def may_give(image_id: UUID) -> bool:
        return await ask_database(mine.filter(pk=image_id).exists)

    return may_give


def _answer(user: "User", name: str, entries: list[Entry]) -> HttpResponseBase:
    kept = "".join(c for c in name if c.isalnum() or c in " -_").strip()[:60]
    response = StreamingHttpResponse(stream(entries, _may_give(user)), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, f"{kept or 'pictures'}.zip") or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy in between sends it on as it comes
    return response
