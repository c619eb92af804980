"""Going through many pictures, one or two at a time: approve, reject, skip, undo. As plain forms, too."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import (
    InArchive,
    asked_review_for,
    batch_for,
    collection_for,
    culling_for,
    decidable_image_for,
    may_decide_as,
    pictures_for,
    reviews_to_answer,
    workspace_for,
)
from editor.library.filters import Filters, id_of
from editor.library.listing import find
from editor.library.shelves import NotPossible
from editor.models import Approval, Batch, Culling, Image, ImageState, Review, User, Workspace
from editor.review import culling as going
from editor.review.rounds import approval_of, seen_at
from editor.views.approval import why_in
from editor.views.frame import PersonRequest, signed_in, workspace_here
from editor.views.library import collections_of
from editor.views.selection import ids_in, nothing_chosen

BATCHES_SHOWN = 20


@dataclass
class Plate:
    """A picture of a page: `image` is None for one that is not there any more."""

    at: int
    image: Image | None
    approval: Approval | None
    review: Review | None  # in which the person was asked
    may: bool
    said: bool | None  # in this culling

    @property
    def seen(self) -> str:
        return seen_at(self.approval) if self.approval else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def cull(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Begin: with chosen pictures, a `collection`, a `batch`, or (`from` review) all that are in review."""
    workspace = workspace_for(request.user, workspace_id)
    if request.method != "POST":
        context = {
            "workspace": workspace_here(request, workspace_id),
            "collections": collections_of(workspace),
            "batches": Batch.objects.filter(workspace=workspace).order_by("-created_at")[:BATCHES_SHOWN],
            "begun": Culling.objects.filter(user=request.user, workspace=workspace).order_by("-created_at"),
        }
        return render(request, "reviews/cull_begin.html", context)
    try:
        title, ids = _asked_for(request, workspace)
    except NotPossible as problem:
        messages.error(request, str(problem))
        return redirect("cull", workspace.pk)
    if title == "" and not ids:
        return nothing_chosen(request, request.user, workspace.pk)
    if not ids:
        messages.info(request, "There is nothing to go through: no picture of that kind is here.")
        return redirect("cull", workspace.pk)
    return redirect("culling", going.begin(request.user, workspace, title or "Chosen pictures", ids).pk)


def _asked_for(request: PersonRequest, workspace: Workspace) -> tuple[str, list[UUID]]:
    """A title and the ids in order. Raises Http404, NotPossible."""
    user, said = request.user, request.POST
    if said.get("from") == "review":
        return "In review", _ids(request, workspace, Filters(approval="in-review"))
    if said.get("collection"):
        shelf, _ = collection_for(user, id_of(said["collection"]) or workspace.pk)
        if shelf.workspace_id != workspace.pk:
            raise Http404
        return f"Collection {shelf.name}", _ids(request, workspace, Filters(collection=shelf.pk))
    if said.get("batch"):
        batch = batch_for(user, id_of(said["batch"]) or workspace.pk)
        made = Image.objects.shown_to(user).filter(workspace=workspace, job__batch=batch, state=ImageState.READY)
        rows = made.order_by("created_at", "pk").values_list("pk", flat=True)
        return f"Batch: {batch.prompt}", list(rows[: going.PICTURES_MAX])
    chosen = ids_in(request)
    return "", [image.pk for image in pictures_for(user, workspace.pk, chosen)[1]] if chosen else []


def _ids(request: PersonRequest, workspace: Workspace, filters: Filters) -> list[UUID]:
    found, _ = find(request.user, workspace, filters, None, going.PICTURES_MAX, with_names=False)
    return [image.pk for image in found if image.is_ready]


@never_cache
@require_safe
@signed_in
def culling(request: PersonRequest, culling_id: UUID) -> HttpResponse:
    """`at`: which picture; with `two`, the pair in which it is. Behind the last one stands how it went."""
    found = culling_for(request.user, culling_id)
    workspace = workspace_here(request, found.workspace_id)
    two = request.GET.get("two") == "1"
    total = len(found.pictures)
    at = min(_number(request.GET.get("at", "")), total)
    first = at - at % 2 if two else at
    shown = range(first, min(first + (2 if two else 1), total))
    ahead = range(shown.stop, min(shown.stop + (2 if two else 1), total))
    plates, coming = _plates(request, workspace, found, shown, ahead) if shown else ([], [])
    approved, rejected = going.counts(found)
    context: dict[str, Any] = {
        "culling": found,
        "workspace": workspace,
        "two": two,
        "at": at,
        "plates": plates,
        "coming": coming,
        "total": total,
        "approved": approved,
        "rejected": rejected,
        "left": total - approved - rejected,
        "before": _address(found, max(at - 1, 0), two) if at else "",
        "after": _address(found, _behind(found, at, two), two) if shown else "",
        "other_way": _address(found, at, not two),
        "first_open": _address(found, _first_open(found), two),
        "may_any": may_decide_as(getattr(workspace, "my_role", ""), workspace),
    }
    return render(request, "reviews/cull.html", context)


def _plates(
    request: PersonRequest, workspace: Workspace, found: Culling, shown: range, ahead: range
) -> tuple[list[Plate], list[Image]]:
    """What is shown, and what is loaded ahead; of hundreds of pictures no more than these."""
    ids = [UUID(found.pictures[at]) for at in [*shown, *ahead]]
    rows = Image.objects.shown_to(request.user).filter(
        workspace=workspace, pk__in=ids, state=ImageState.READY, purged_at=None
    )
    images = {image.pk: image for image in rows}
    asked = {review.image_id: review for review in reviews_to_answer(request.user, ids[: len(shown)])}
    manages = may_decide_as(getattr(workspace, "my_role", ""), workspace)
    said = {step["image"]: step["approves"] for step in found.steps}
    plates = []
    for at in shown:
        image = images.get(UUID(found.pictures[at]))
        review = asked.get(image.pk) if image else None
        approval = approval_of(image) if image else None
        may = workspace.is_open and (review is not None or manages) and not (approval and approval.locked_at)
        plates.append(Plate(at, image, approval, review, may and image is not None, said.get(found.pictures[at])))
    coming = [images[pk] for pk in ids[len(shown) :] if pk in images and not images[pk].sensitive]
    return plates, coming


@require_POST
@signed_in
def cull_decide(request: PersonRequest, culling_id: UUID) -> HttpResponse:
    """`what`: approve, reject or undo. Goes on to the next picture, of two to the other one first."""
    found = culling_for(request.user, culling_id)
    what, two = request.POST.get("what", ""), request.POST.get("two") == "1"
    at = min(_number(request.POST.get("at", "")), len(found.pictures))
    try:
        if what == "undo":
            undone = going.take_back(found, partial(_may_still, request.user))
            if undone is None:
                messages.info(request, "Nothing is left to take back.")
            else:
                at = found.pictures.index(str(undone))
            return redirect(_address(found, at, two))
        if what not in {"approve", "reject"} or at >= len(found.pictures):
            raise Http404
        _decide(request, found, UUID(found.pictures[at]), approves=what == "approve")
    except NotPossible as problem:
        messages.error(request, str(problem))
        return redirect(_address(found, at, two))
    return redirect(_address(found, _next(request, found, at, two), two))


def _may_still(user: User, image_id: UUID, answered: UUID | None) -> bool:
    """Whether the person could still make the decision that they take back: in that round, or unasked."""
    try:
        if answered is None:
            decidable_image_for(user, image_id)
        else:
            asked_review_for(user, answered)
    except Http404:
        return False
    return True


def _decide(request: PersonRequest, found: Culling, image_id: UUID, *, approves: bool) -> None:
    """Raises Http404, InArchive, NotPossible."""
    rows = Image.objects.shown_to(request.user).filter(workspace=found.workspace_id)
    image = rows.filter(pk=image_id).first()
    if image is None:
        raise NotPossible("This picture is not here any more.")
    review = reviews_to_answer(request.user, [image_id]).first()
    if review is None:
        decidable_image_for(request.user, image_id)
    elif not found.workspace.is_open:
        raise InArchive(found.workspace)
    seen = request.POST.get("seen", "")
    going.decide(found, image, review, approves=approves, why=why_in(request), seen=seen)


def _next(request: PersonRequest, found: Culling, at: int, two: bool) -> int:
    """On; but of a pair the left one, if that was passed over and the person may decide on it."""
    fresh = Culling.objects.get(pk=found.pk)
    decided = {step["image"] for step in fresh.steps}
    if two and at % 2 and fresh.pictures[at - 1] not in decided:
        workspace = workspace_here(request, found.workspace_id)
        (left,), _ = _plates(request, workspace, found, range(at - 1, at), range(0))
        return at - 1 if left.may else at + 1
    return at + 1


def _behind(found: Culling, at: int, two: bool) -> int:
    """Where passing over leads: not to the right one of a pair that was decided first."""
    decided = {step["image"] for step in found.steps}
    right = found.pictures[at + 1] if two and not at % 2 and at + 1 < len(found.pictures) else None
    return at + 2 if right in decided else at + 1


def _first_open(found: Culling) -> int:
    """The first one that was passed over; behind the last one if none was."""
    decided = {step["image"] for step in found.steps}
    return next((at for at, pk in enumerate(found.pictures) if pk not in decided), len(found.pictures))


def _address(found: Culling, at: int, two: bool) -> str:
    said = {"at": at, **({"two": 1} if two else {})}
    return f"{reverse('culling', args=[found.pk])}?{urlencode(said)}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
