"""An edit of a picture offered as its next version: proposing it, what reviewers look at, and taking it back."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import decidable_image_for, image_for, open_workspace_for, replacement_for, review_for
from editor.images import change_maps
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.changes import Incomparable
from editor.images.delivery import ask_database
from editor.models import WHY_MAX, Image, Review, User, Workspace
from editor.review import replacing, rounds
from editor.review.replacing import current_of, replaceable_by
from editor.review.rounds import NotPossible
from editor.views.approval import people_in, people_to_ask, why_in
from editor.views.frame import PersonRequest, may_manage_here, signed_in, workspace_here


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_propose(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Which picture it is to replace, and who is asked; `at_once`: nobody, for those who decide unasked."""
    image = image_for(request.user, image_id)
    workspace = open_workspace_for(request.user, image.workspace_id)
    offered = replaceable_by(image, request.user)
    if request.method != "POST":
        return _proposing(request, image, workspace, offered)
    replaced = next((each for each in offered if str(each.pk) == request.POST.get("replaces")), None)
    if replaced is None:
        return _proposing(request, image, workspace, offered, "Choose the picture that it is to replace.")
    try:
        if "at_once" in request.POST:
            return _replace_at_once(request, image, replaced)
        people, note = people_in(request, workspace), why_in(request, "note")
        review = rounds.ask(image, request.user, people, note, replaces=replaced)
    except NotPossible as problem:
        return _proposing(request, image, workspace, offered, str(problem))
    return redirect("review", review.pk)


def _proposing(
    request: PersonRequest, image: Image, workspace: Workspace, offered: list[Image], problem: str = ""
) -> HttpResponse:
    chosen = request.POST.get("replaces", "")
    context = {
        "image": image,
        "workspace": workspace,
        "offered": offered,
        "chosen": next((each for each in offered if str(each.pk) == chosen), next(iter(offered), None)),
        "may_decide": may_manage_here(workspace_here(request, workspace.pk)),
        "problem": problem,
        "note": request.POST.get("note", ""),
        "why_max": WHY_MAX,
        **people_to_ask(request, workspace),
    }
    return render(request, "proposals/propose.html", context, status=422 if problem else 200)


def _replace_at_once(request: PersonRequest, image: Image, replaced: Image) -> HttpResponse:
    """Raises NotPossible, Http404, InArchive."""
    decidable_image_for(request.user, image.pk)
    made = replacing.put_in_place(replaced, image, request.user)
    if made is not None:
        messages.success(request, f"It stands in the place of “{made.old.name or 'the other picture'}” now.")
    return redirect("picture", image.pk)


@require_POST
@signed_in
def replacement_undo(request: PersonRequest, replacement_id: UUID) -> HttpResponse:
    """One click back, for whoever decided it and for those who manage the workspace."""
    made = replacement_for(request.user, replacement_id)
    try:
        if replacing.take_back(made, request.user):
            messages.success(request, "Taken back: the earlier version is used again.")
    except NotPossible as why:
        messages.error(request, str(why))
    return redirect("picture", made.old_id)


def proposal_section(request: PersonRequest, review: Review) -> dict[str, Any]:
    """What `proposals/section.html` shows on the page of a review: both pictures over each other."""
    if review.replaces is None:
        return {}
    before, after = _pair(request.user, review)
    return {
        "before": before,
        "after": after,
        "same_shape": before is not None and after.lies_over(before),
        "sensitive": after.sensitive or (before is not None and before.sensitive),
        "replacement": getattr(review, "replacement", None),
    }


def _pair(user: User, review: Review) -> tuple[Image | None, Image]:
    """What it is to replace, or replaced; None if the person can't see that any more."""
    made = getattr(review, "replacement", None)
    before = made.old if made is not None else current_of(review.replaces or review.image)
    there = before.is_ready and before.purged_at is None and before.is_shown_to(user)
    return (before if there and before.workspace_id == review.workspace_id else None), review.image


def _pair_for(request: HttpRequest, review_id: UUID) -> tuple[Image, Image]:
    """Raises Http404."""
    if not isinstance(request.user, User):
        raise Http404
    review = review_for(request.user, review_id)
    before, after = _pair(request.user, review)
    if review.replaces_id is None or before is None:
        raise Http404
    return before, after


@require_safe
async def review_change(request: HttpRequest, review_id: UUID) -> HttpResponseBase:
    """What is different in the proposed picture, as a transparent PNG to lay over it."""
    before, after = await ask_database(lambda: _pair_for(request, review_id))
    try:
        data = await sync_to_async(change_maps.between, thread_sensitive=False)(before, after)
    except (Incomparable, Missing, BucketUnavailable, OSError, ValueError):
        raise Http404 from None
    response = HttpResponse(data, content_type="image/png")
    response["Cache-Control"] = "private, max-age=300"
    response["Vary"] = "Cookie"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
