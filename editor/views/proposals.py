"""An edit of a picture offered as its next version: proposing it, what reviewers look at, and taking it back."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import image_for, may_manage_as, open_workspace_for, replacement_for, review_for
from editor.forms.proposals import ProposeForm
from editor.images import change_maps
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.changes import Incomparable
from editor.images.delivery import ask_database
from editor.models import Image, Review, User, Workspace
from editor.review import replacing, rounds
from editor.review.replacing import NotPossible, current_of, history_of, replaceable_by
from editor.views.comparing import same_shape
from editor.views.frame import PersonRequest, may_manage_here, signed_in, workspace_here


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_propose(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """`at_once`: without asking anybody, for those who decide unasked."""
    image = image_for(request.user, image_id)
    workspace = open_workspace_for(request.user, image.workspace_id)
    images = replaceable_by(image, request.user)
    form = ProposeForm(request.POST or None, images=images, people=_others(workspace, request.user))
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            return _propose(request, image, form)
        except NotPossible as why:
            refused = str(why)
    context = {
        "image": image,
        "workspace": workspace,
        "form": form,
        "refused": refused,
        "may_manage": may_manage_here(workspace_here(request, workspace.pk)),
    }
    return render(request, "proposals/propose.html", context, status=422 if request.method == "POST" else 200)


def _others(workspace: Workspace, user: User) -> list[User]:
    members = User.objects.filter(memberships__workspace=workspace, is_active=True).exclude(pk=user.pk)
    return list(members.order_by("name", "email"))


def _propose(request: PersonRequest, image: Image, form: ProposeForm) -> HttpResponse:
    """Raises NotPossible."""
    if "at_once" not in request.POST:
        review = rounds.ask(image, request.user, form.asked, form.cleaned_data["note"], replaces=form.replaced)
        return redirect("review", review.pk)
    if not may_manage_as(request.user, image.workspace_id):
        raise Http404
    made = replacing.put_in_place(form.replaced, image, request.user)
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


def replacements_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `proposals/on_picture.html` shows on a picture's page: what it replaced and what replaced it."""
    known = history_of(image)
    manages = may_manage_here(workspace_here(request, image.workspace_id))
    latest = {made.old_id for made in known}
    return {
        "replacements": [
            {
                "made": made,
                "other": made.old if made.new_id == image.pk else made.new,
                "is_old": made.old_id == image.pk,
                "may_take_back": (manages or made.by_id == request.user.pk) and made.new_id not in latest,
            }
            for made in known
        ],
        "may_be_proposed": image.job_id is not None and image.is_ready and image.withheld_at is None,
    }


def proposal_section(request: PersonRequest, review: Review) -> dict[str, Any]:
    """What `proposals/section.html` shows on the page of a review: both pictures over each other."""
    if review.replaces is None:
        return {}
    before, after = _pair(request.user, review)
    return {
        "before": before,
        "after": after,
        "same_shape": same_shape(before, after),
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
