"""Asking for a picture's approval, and deciding on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import (
    decidable_image_for,
    image_for,
    may_decide_as,
    may_reopen_as,
    may_withdraw_as,
    open_workspace_for,
    reopenable_image_for,
)
from editor.models import ApprovalEvent, Image, Membership, Review, ReviewState, User, Workspace
from editor.models.reviews import WHY_MAX
from editor.review import rounds
from editor.review.replacing import history_of
from editor.review.rounds import NotPossible
from editor.views.frame import PersonRequest, may_edit_here, may_manage_here, signed_in, way_back, workspace_here

EVENTS_SHOWN = 30
PEOPLE_SHOWN = 200


def approval_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/approval.html` shows on a picture's page: three queries, four while a round is open."""
    workspace = workspace_here(request, image.workspace_id)
    role = getattr(workspace, "my_role", "")
    here = {"image": image, "workspace": image.workspace_id}
    approval = rounds.approval_of(image)
    review = Review.objects.filter(**here, state=ReviewState.OPEN).select_related("asked_by").first()
    asked = list(review.reviewers.select_related("user")) if review else []
    mine = next((each for each in asked if each.user_id == request.user.pk), None)
    events = ApprovalEvent.objects.filter(**here).select_related("by", "review").order_by("-at", "-id")
    return {
        "approval": approval,
        "approval_seen": rounds.seen_at(approval),
        "review": review,
        "asked": asked,
        "mine": mine,
        "may_answer": mine is not None and workspace.is_open,
        "may_decide": may_decide_as(role, workspace),
        "may_withdraw": review is not None and workspace.is_open and may_withdraw_as(role, request.user, review),
        "may_reopen": workspace.is_open and may_reopen_as(role, request.user, approval),
        "approval_events": events[:EVENTS_SHOWN],
        "can_be_asked": image.is_ready and image.purged_at is None and not workspace.is_personal,
        "why_max": WHY_MAX,
    }


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


@never_cache
@require_safe
@signed_in
def picture_approval(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """The section by itself, with what took whose place: a page asks for them again when something happened."""
    image = image_for(request.user, image_id)
    workspace = workspace_here(request, image.workspace_id)
    context = {"image": image, "workspace": workspace, "may_edit": may_edit_here(workspace)}
    context |= approval_section(request, image) | replacements_section(request, image) | {"beside": True}
    return render(request, "pictures/approval_again.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_review(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Ask people for a review: the page that asks whom, and what it sends."""
    image = image_for(request.user, image_id)
    workspace = open_workspace_for(request.user, image.workspace_id)
    if request.method != "POST":
        return _asking(request, image, workspace)
    try:
        review = rounds.ask(image, request.user, people_in(request, workspace), why_in(request, "note"))
    except NotPossible as problem:
        return _asking(request, image, workspace, str(problem))
    names = ", ".join(each.user.get_short_name() for each in review.reviewers.select_related("user"))
    messages.success(request, f"Asked {names}.")
    return redirect("picture", image.pk)


def _asking(request: PersonRequest, image: Image, workspace: Workspace, problem: str = "") -> HttpResponse:
    context = {
        "image": image,
        "workspace": workspace,
        "problem": problem,
        "note": request.POST.get("note", ""),
        "why_max": WHY_MAX,
        **people_to_ask(request, workspace),
    }
    return render(request, "reviews/ask.html", context, status=422 if problem else 200)


def people_to_ask(request: PersonRequest, workspace: Workspace) -> dict[str, Any]:
    """What `reviews/people.html` shows: everybody else in the workspace, narrowed by `q` of the address."""
    wanted = " ".join(request.GET.get("q", "").split())[:100]
    rows = Membership.objects.filter(workspace=workspace, user__is_active=True).exclude(user=request.user)
    if wanted:
        rows = rows.filter(Q(user__name__icontains=wanted) | Q(user__email__icontains=wanted))
    found = list(rows.select_related("user").order_by("user__name", "user__email")[: PEOPLE_SHOWN + 1])
    return {
        "people": found[:PEOPLE_SHOWN],
        "more_people": len(found) > PEOPLE_SHOWN,
        "wanted": wanted,
        "chosen_people": set(request.POST.getlist("person")),
    }


def people_in(request: PersonRequest, workspace: Workspace) -> list[User]:
    """The members that a form names; whatever else it names is nobody."""
    ids = [text for text in request.POST.getlist("person") if text.isascii() and text.isdigit() and len(text) < 16]
    return list(User.objects.filter(pk__in=ids, memberships__workspace=workspace))


def why_in(request: PersonRequest, name: str = "why") -> str:
    return request.POST.get(name, "").replace("\r\n", "\n").strip()[:WHY_MAX]


@require_POST
@signed_in
def picture_decide(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """`what`: approve, reject or reopen; `seen`, so that nobody decides on what they have not seen."""
    what = request.POST.get("what", "")
    if what not in {"approve", "reject", "reopen"}:
        raise Http404
    image = (reopenable_image_for if what == "reopen" else decidable_image_for)(request.user, image_id)
    try:
        seen = request.POST.get("seen")
        if what == "reopen":
            rounds.reopen(image, request.user, why_in(request), seen)
        else:
            rounds.decide(image, by=request.user, approves=what == "approve", why=why_in(request), seen=seen)
    except NotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, {"approve": "Approved.", "reject": "Rejected.", "reopen": "A draft again."}[what])
    return back_to(request, image)


@require_POST
@signed_in
def picture_lock(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Or unlock it, with `remove`."""
    image = decidable_image_for(request.user, image_id)
    try:
        if request.POST.get("remove"):
            rounds.unlock(image, request.user)
            messages.success(request, "Unlocked.")
        else:
            rounds.lock(image, request.user)
            messages.success(request, "Locked: it stays approved, and nobody can put it into the trash.")
    except NotPossible as problem:
        messages.error(request, str(problem))
    return back_to(request, image)


def back_to(request: PersonRequest, image: Image) -> HttpResponse:
    return way_back(request.POST.get("next", ""), reverse("picture", args=[image.pk]))
