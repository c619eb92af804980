"""One prompt on many pictures: asking for it, and following all of them on one page."""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import batch_for, editable_workspaces, may_edit_in, open_workspace_for, own_batch_for
from editor.forms import RELOAD, BatchForm, RunAgainForm, draw_form_token
from editor.images.sizes import MATCH, RATIOS
from editor.jobs import batches
from editor.jobs.creation import NotAllowed
from editor.jobs.outlook import Outlook, about
from editor.jobs.progress import progress
from editor.library.shelves import NotPossible
from editor.models import Batch, GenerationJob, Image, JobState, User, Workspace
from editor.models.allowances import price
from editor.views.frame import PersonRequest, rest_here, signed_in
from editor.views.selection import ids_in, many, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

PER_PAGE = 48
THUMBS = 24  # of the chosen pictures on the form
LISTED = 30
SHAPES = [(MATCH, "Each picture’s own"), *((ratio, ratio.replace(":", " : ")) for ratio in RATIOS)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def batch_new(request: PersonRequest) -> HttpResponse:
    """The form for the chosen pictures; with `prompt` among what was sent, the batch itself."""
    if request.method != "POST":
        messages.info(request, "Choose pictures in the library first; then say once what should change in all of them.")
        return redirect("library")
    try:
        ids = ids_in(request)
    except NotPossible as problem:
        return refusal(request, problem)
    if not ids:
        messages.error(request, "Choose pictures first.")
        return redirect("library")
    return batch_form(request, ids)


def batch_form(request: PersonRequest, ids: list[UUID]) -> HttpResponse:
    """The same for these pictures. Raises Http404, InArchive."""
    workspace, images, left_out = _chosen(request.user, list(dict.fromkeys(ids)))
    if not images:
        return refusal(request, "None of these pictures can be edited: their rights have ended, or they can’t be read.")
    form = BatchForm(request.POST if "prompt" in request.POST else None, initial={"ratio": MATCH, "samples": 1})
    if form.is_bound and form.is_valid():
        words = form.cleaned_data
        try:
            batch = batches.create_batch(
                request.user, images, form.spec(), words["form_token"], mail=bool(words["mail"])
            )
            return redirect("batch", batch.pk)
        except NotAllowed as problem:
            form.add_error(None, str(problem))
    context = {
        "form": form,
        "form_token": draw_form_token(),
        "workspace": workspace,
        "images": images,
        "shown": images[:THUMBS],
        "more": len(images) - THUMBS,
        "left_out": left_out,
        "left": rest_here(request, workspace),
        "price": price(),
        "takes": _takes(len(images)),
        "shapes": SHAPES,
    }
    return render(request, "batches/new.html", context, status=422 if form.errors else 200)


def _takes(edits: int) -> str:
    """How long so many edits take, in words; empty if nobody can know yet."""
    span = batches.time_of(edits, Outlook())
    return about(span) if span else ""


def _chosen(user: User, ids: list[UUID]) -> tuple[Workspace, list[Image], list[str]]:
    """Of these pictures those that can be edited, in the same order, and in sentences which others were left out.

    All are of the workspace of the first that the person may edit. Raises Http404, InArchive.
    """
    rows = Image.objects.shown_to(user).filter(pk__in=ids, workspace__memberships__user=user)
    known = {image.pk: image for image in rows.filter(workspace__trashed_at=None).select_related("workspace")}
    found = [known[pk] for pk in ids if pk in known]
    if not found:
        raise Http404
    mine = set(editable_workspaces(user).values_list("pk", flat=True))
    place = next((image.workspace for image in found if image.workspace_id in mine), None)
    if place is None:
        place = open_workspace_for(user, found[0].workspace_id)
    here = [image for image in found if image.workspace_id == place.pk]
    images = batches.usable(here)
    told = []
    if elsewhere := len(found) - len(here):
        told.append(f"{many(elsewhere)} left out: not in {place.name}. All pictures of a batch are of one workspace.")
    if unusable := len(here) - len(images):
        told.append(f"{many(unusable)} left out: the rights have ended, or the file can’t be read.")
    return place, images, told


@never_cache
@require_safe
@signed_in
def batch(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    found = batch_for(request.user, batch_id)
    rows = batches.latest(found).with_pictures().order_by("created_at", "id")
    if after := _read_cursor(found, request.GET.get("after", "")):
        rows = rows.filter(Q(created_at__gt=after[0]) | Q(id__gt=after[1]), created_at__gte=after[0])
    page = list(rows[: PER_PAGE + 1])
    jobs = page[:PER_PAGE]
    context = _standing(request, found) | {
        "jobs": jobs,
        "working": [job for job in jobs if not job.is_final],
        "more": _write_cursor(found, jobs[-1]) if len(page) > PER_PAGE else "",
        "first_page": after is None,
    }
    return render(request, "batches/batch.html", context)


@never_cache
@require_safe
@signed_in
def batch_progress(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """How far all of it is, and of the edits asked about, each as `<id>.<state>`, the tiles of those that went on."""
    found = batch_for(request.user, batch_id)
    asked = dict(_read_states(request.GET.getlist("edit")[:PER_PAGE]))
    jobs = list(batches.edits_of(found).with_pictures().filter(pk__in=asked).order_by("created_at", "id"))
    context = _standing(request, found) | {
        "changed": [job for job in jobs if job.state != asked[job.pk]],
        "working": [job for job in jobs if not job.is_final],
    }
    return render(request, "batches/changed.html", context)


@require_POST
@signed_in
def batch_cancel(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Stop what was not sent yet."""
    found = own_batch_for(request.user, batch_id)
    number = batches.cancel_waiting(found)
    if number:
        messages.success(
            request, f"{_edits(number)} canceled; nothing was charged. The others go on, and these can be run again."
        )
    else:
        messages.info(request, "There was nothing left to cancel: all were sent already.")
    return redirect("batch", found.pk)


@require_POST
@signed_in
def batch_again(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Run once more what failed, or with `what=canceled` what was canceled."""
    found = own_batch_for(request.user, batch_id)
    open_workspace_for(request.user, found.workspace_id)
    form = RunAgainForm(request.POST)
    if not form.is_valid():
        messages.error(request, RELOAD)
        return redirect("batch", found.pk)
    try:
        state = JobState.CANCELED if request.POST.get("what") == "canceled" else JobState.FAILED
        number = batches.run_again(request.user, found, form.cleaned_data["form_token"], state)
    except NotAllowed as problem:
        messages.error(request, str(problem))
        return redirect("batch", found.pk)
    if number:
        messages.success(request, f"{_edits(number)} run again.")
    else:
        messages.info(request, "Nothing to run again: it can’t be repeated, or its pictures are gone.")
    return redirect("batch", found.pk)


@never_cache
@require_safe
@signed_in
def batch_list(request: PersonRequest) -> HttpResponse:
    """The person's newest batches."""
    mine = Batch.objects.filter(made_by=request.user, workspace__memberships__user=request.user)
    rows = list(
        mine.filter(workspace__trashed_at=None).select_related("workspace").order_by("-created_at", "-id")[:LISTED]
    )
    covers = _covers(rows)
    return render(request, "batches/batches.html", {"batches": [(each, covers.get(each.pk)) for each in rows]})


def _covers(rows: list[Batch]) -> dict[UUID, GenerationJob]:
    """One edit of each, the first, with its pictures."""
    firsts = [batches.edits_of(each).order_by("created_at", "id").values("pk")[:1] for each in rows]
    if not firsts:
        return {}
    ids = Q()
    for each in firsts:
        ids |= Q(pk__in=each)
    jobs = GenerationJob.objects.filter(ids).with_pictures()
    return {job.batch_id: job for job in jobs if job.batch_id is not None}


def _standing(request: PersonRequest, found: Batch) -> dict[str, Any]:
    standing = batches.standing_of(found)
    own = found.made_by_id == request.user.pk
    ended = standing.failed or standing.canceled
    may = bool(own and ended and may_edit_in(request.user, found.workspace))
    last = batches.last_in_line(found) if standing.waiting else None
    return {
        "batch": found,
        "workspace": found.workspace,
        "standing": standing,
        "own": own,
        "last": progress(last) if last else None,
        "may_again": may and standing.failed > 0 and batches.repeatable(found),
        "may_resume": may and standing.canceled > 0,
    }


def _edits(number: int) -> str:
    return "1 edit" if number == 1 else f"{number} edits"


def _read_states(texts: "Iterable[str]") -> "Iterable[tuple[UUID, str]]":
    for text in texts:
        job_id, _, state = text.partition(".")
        with suppress(ValueError):
            yield UUID(job_id), state


def _write_cursor(found: Batch, job: GenerationJob) -> str:
    return signing.dumps([job.created_at.isoformat(), str(job.pk)], salt=f"batch:{found.pk}", compress=True)


def _read_cursor(found: Batch, text: str) -> tuple[datetime, UUID] | None:
    """None for the first page, and for whatever we did not write for this batch."""
    if not text:
        return None
    try:
        moment, job_id = signing.loads(text, salt=f"batch:{found.pk}")
        return datetime.fromisoformat(moment), UUID(job_id)
    except (signing.BadSignature, ValueError):
        return None
