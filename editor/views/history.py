"""Edits, newest first: a person's, or everybody's in a workspace.

Keyset: the last page costs what the first does, and nothing is counted.
"""

from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core import signing
from django.db.models import OuterRef, Prefetch, Q, Subquery, UUIDField, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import member_of
from editor.models import OPEN, GenerationJob, Image, ImageState, JobSource, JobState
from editor.views.frame import PersonRequest, choose_workspace, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from editor.models import User
    from editor.models.jobs import JobQuerySet

PER_PAGE = 24
FILTERS: dict[str, tuple[str, set[str]]] = {
    "working": ("Working", set(OPEN)),
    "done": ("Done", {JobState.SUCCEEDED}),
    "failed": ("Did not work", {JobState.FAILED, JobState.BLOCKED, JobState.CANCELED}),
}


@require_safe
@signed_in
def history(request: PersonRequest) -> HttpResponse:
    """My edits, in all workspaces that I am in."""
    return _page(request, GenerationJob.objects.history_of(request.user))


@require_safe
@signed_in
def workspace_history(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Everybody's edits in one workspace."""
    space = member_of(request.user, workspace_id).workspace
    choose_workspace(request, space)
    return _page(request, GenerationJob.objects.history_in(space), workspace=space, everybody=True)


def _page(request: PersonRequest, jobs: "JobQuerySet", **about: Any) -> HttpResponse:
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in FILTERS else ""
    cursor = read_cursor(request.user, request.GET.get("before", ""))
    jobs = _with_covers(jobs, request.user)
    if chosen:
        jobs = jobs.filter(state__in=FILTERS[chosen][1])
    if cursor is not None:
        jobs = jobs.older_than(*cursor)
    page = list(jobs[: PER_PAGE + 1])
    context: dict[str, Any] = {
        "days": [(day, list(group)) for day, group in groupby(page[:PER_PAGE], key=lambda job: job.created_at.date())],
        "older": write_cursor(request.user, page[PER_PAGE - 1]) if len(page) > PER_PAGE else "",
        "continued_day": cursor[0].date() if cursor is not None and request.htmx else None,
        "first_page": cursor is None,
        "working": [job for job in page[:PER_PAGE] if not job.is_final],
        "state": chosen,
        "filters": {value: label for value, (label, _) in FILTERS.items()},
        **about,
    }
    return render(request, "history/history.html", context)


@never_cache
@require_safe
@signed_in
def history_working(request: PersonRequest) -> HttpResponse:
    """Of the edits asked about, each as `<id>.<state>`: the tiles of those that went on since, and what to ask next.

    And of those that wait how many go before them, which the page itself leaves out: it is known by the line of all.
    """
    asked = dict(_read_working(request.GET.getlist("edit")[:PER_PAGE]))
    jobs = list(
        _with_covers(GenerationJob.objects.visible_to(request.user), request.user)
        .filter(pk__in=asked)
        .select_related("made_by")
    )
    waiting = [job for job in jobs if job.state == JobState.QUEUED]
    prefetch_related_objects(waiting, Prefetch("sources", JobSource.objects.select_related("image")))
    context = {
        "everybody": "everybody" in request.GET,
        "changed": [job for job in jobs if job.state != asked[job.pk]],
        "waiting": waiting,
        "working": [job for job in jobs if not job.is_final],
    }
    return render(request, "history/changed.html", context)


def _read_working(edits: list[str]) -> "Iterator[tuple[UUID, str]]":
    for text in edits:
        job_id, _, state = text.partition(".")
        with suppress(ValueError):
            yield UUID(job_id), state


def write_cursor(user: "User", job: GenerationJob) -> str:
    """Where the next page begins; signed, and good for this person alone."""
    return signing.dumps([job.created_at.isoformat(), str(job.pk)], salt=f"history:{user.pk}", compress=True)


def read_cursor(user: "User", text: str) -> tuple[datetime, UUID] | None:
    """None for the first page, and for whatever we did not write for this person."""
    if not text:
        return None
    try:
        moment, job_id = signing.loads(text, salt=f"history:{user.pk}")
        return datetime.fromisoformat(moment), UUID(job_id)
    except (signing.BadSignature, ValueError):
        return None


def _with_covers(jobs: "JobQuerySet", user: "User") -> "JobQuerySet":
    """Each edit with the id of its first source and of its first result: all that a tile needs, in one query."""
    shown = Image.objects.shown_to(user).filter(state=ImageState.READY)
    results = shown.filter(job=OuterRef("pk")).order_by("position")
    open_to_them = Q(image__withheld_at=None) | Q(image__made_by=user)
    sources = JobSource.objects.filter(
        open_to_them, job=OuterRef("pk"), image__state=ImageState.READY, image__trashed_at=None
    )
    return jobs.annotate(
        cover_id=Subquery(results.values("id")[:1], output_field=UUIDField()),
        cover_thumbhash=Subquery(results.values("thumbhash")[:1]),
        cover_sensitive=Subquery(results.values("sensitive")[:1]),
        source_sensitive=Subquery(sources.order_by("position").values("image__sensitive")[:1]),
        source_id=Subquery(sources.order_by("position").values("image_id")[:1], output_field=UUIDField()),
    )
