"""Rounds: all that wait for a person or were asked by them, one of them, and what is said in it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import asked_review_for, image_for, review_for, reviews_for, withdrawable_review_for
from editor.library.filters import id_of
from editor.models import Review, ReviewState
from editor.review import rounds
from editor.review.rounds import NotPossible
from editor.views import cursors
from editor.views.approval import approval_section, why_in
from editor.views.comments import comments_section
from editor.views.frame import PersonRequest, may_edit_here, signed_in, way_back, workspace_here, workspaces_of
from editor.views.proposals import proposal_section

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import Workspace

PER_PAGE = 30
COUNTED_MAX = 99
SHOWN = {"mine": "Waiting for me", "asked": "Asked by me", "open": "All open"}


@never_cache
@require_safe
@signed_in
def reviews(request: PersonRequest) -> HttpResponse:
    """`show`: those that wait for the person, that they asked for (ended ones, too), or all open of a `workspace`.

    `count`: how many of a `workspace` wait for the person, as a mark; nothing for none.
    """
    if "count" in request.GET:
        return _count(request)
    show = request.GET.get("show", "")
    show = show if show in SHOWN else "mine"
    space = None
    if show == "open":
        space = _space_of(request)
    rows = _listed(request, show).filter(workspace=space) if space else _listed(request, show)
    place = cursors.read(request.GET.get("before", ""), _salt(request, show))
    if place is not None:
        moment, pk = place
        rows = rows.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=pk), created_at__lte=moment)
    found = list(rows.order_by("-created_at", "-pk").prefetch_related("reviewers__user")[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    shown = found[:PER_PAGE]
    context = {
        "show": show,
        "shown": SHOWN,
        "space": space,
        "spaces": [each for each in workspaces_of(request) if not each.is_personal],
        "reviews": shown,
        "older": cursors.write(shown[-1].created_at, shown[-1].pk, _salt(request, show)) if more else "",
        "first_page": place is None,
    }
    return render(request, "reviews/list.html", context)


def _listed(request: PersonRequest, show: str) -> "QuerySet[Review]":
    rows = reviews_for(request.user)
    if show == "asked":
        return rows.filter(asked_by=request.user)
    rows = rows.filter(state=ReviewState.OPEN)
    if show == "mine":
        return rows.filter(reviewers__user=request.user, reviewers__answered_at=None)
    return rows


def _space_of(request: PersonRequest) -> "Workspace":
    """The one that is named, or where the person is; nobody is asked in a personal one, so then their first team."""
    asked = id_of(request.GET.get("workspace", ""))
    here = workspace_here(request, asked)
    if asked is not None or not here.is_personal:
        return here
    return next((each for each in workspaces_of(request) if not each.is_personal), here)


def _count(request: PersonRequest) -> HttpResponse:
    space = workspace_here(request, id_of(request.GET.get("workspace", "")))
    number = _listed(request, "mine").filter(workspace=space).order_by()[: COUNTED_MAX + 1].count()
    return render(request, "reviews/number.html", {"number": number, "most": COUNTED_MAX})


def _salt(request: PersonRequest, show: str) -> str:
    return f"reviews:{request.user.pk}:{show}"


@never_cache
@require_safe
@signed_in
def review(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """What is asked, of whom, what they said, and what people say about the picture."""
    found = review_for(request.user, review_id)
    image = image_for(request.user, found.image_id)
    workspace = workspace_here(request, found.workspace_id)
    context: dict[str, Any] = {"image": image, "workspace": workspace, "may_edit": may_edit_here(workspace)}
    context |= comments_section(request, image) | approval_section(request, image)
    asked = context["asked"] if context["review"] == found else list(found.reviewers.select_related("user"))
    context |= proposal_section(request, found)
    context |= {
        "is_open": found.state == ReviewState.OPEN,
        "review": found,
        "asked": asked,
        "mine": next((each for each in asked if each.user_id == request.user.pk), None),
    }
    return render(request, "reviews/review.html", context)


@require_POST
@signed_in
def review_answer(request: PersonRequest, review_id: UUID) -> HttpResponse:
    """`what`: approve or reject, with `why`."""
    found = asked_review_for(request.user, review_id)
    what = request.POST.get("what", "")
    if what not in {"approve", "reject"}:
        raise Http404
    try:
        ended = rounds.answer(found, request.user, what == "approve", why_in(request))
    except NotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _said(ended, approves=what == "approve"))
    return _back(request, found)


def _said(review: Review, *, approves: bool) -> str:
    if not approves:
        return "Rejected."
    return "Approved." if review.state == ReviewState.APPROVED else "Your yes is noted. The others are still asked."


@require_POST
@signed_in
def review_withdraw(request: PersonRequest, review_id: UUID) -> HttpResponse:
    found = withdrawable_review_for(request.user, review_id)
    try:
        rounds.withdraw(found, request.user)
    except NotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Withdrawn: nobody is asked any more.")
    return _back(request, found)


def _back(request: PersonRequest, found: Review) -> HttpResponse:
    asked = request.POST.get("next", "")
    return way_back(asked, reverse("review", args=[found.pk])) if asked else redirect("review", found.pk)
