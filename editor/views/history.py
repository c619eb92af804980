"""Edits, newest first: a person's, or everybody's in a workspace; narrowed by filters that have addresses.

Keyset: the last page costs what the first does, and nothing is counted.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import OuterRef, Prefetch, Q, Subquery, UUIDField, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from editor.images.delivery import thumbnail_address
from editor.library.existence import there_is
from editor.library.history import History, Known, Place, Saved, find, look_up
from editor.library.history_filters import HistoryFilters
from editor.models import Favourite, GenerationJob, Image, ImageState, JobSource, JobState
from editor.views import cursors
from editor.views.frame import PersonRequest, choose_workspace, signed_in, workspace_here, workspaces_of

if TYPE_CHECKING:
    from editor.models import User
    from editor.models.jobs import JobQuerySet

PER_PAGE = 24
MEMBERS_SHOWN = 500
GROUP_WORDS = {"": "All", "working": "Working", "done": "Done", "failed": "Did not work"}


@vary_on_headers("HX-Request")  # a page that scrolls in is another one than that which the way back opens
@require_safe
@signed_in
def history(request: PersonRequest) -> HttpResponse:
    """My edits, in all workspaces that I am in."""
    return _page(request, History(request.user))


@vary_on_headers("HX-Request")
@require_safe
@signed_in
def workspace_history(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Everybody's edits in one workspace."""
    space = workspace_here(request, workspace_id)
    choose_workspace(request, space)
    return _page(request, History(request.user, space), workspace=space, everybody=True)


@require_safe
@signed_in
def history_filters(request: PersonRequest, workspace_id: UUID | None = None) -> HttpResponse:
    """All that a history can be narrowed by; a page of its own, or put into the history's."""
    context: dict[str, Any] = {
        "filters": HistoryFilters.read(request.GET.dict()),
        "groups": GROUP_WORDS,
        "workspaces": workspaces_of(request),
        "everybody": workspace_id is not None,
        "room": reverse("history"),
    }
    if workspace_id is not None:
        space = workspace_here(request, workspace_id)
        members = space.memberships.select_related("user").order_by("user__name", "user__email")
        room = reverse("workspace_history", args=[space.pk])
        context |= {"workspace": space, "members": members[:MEMBERS_SHOWN], "room": room}
    return render(request, "history/filters.html", context)


def _page(request: PersonRequest, edits: History, **about: Any) -> HttpResponse:
    filters = HistoryFilters.read(request.GET.dict())
    place = _place(request)
    known = look_up(edits, filters)
    jobs = list(_with_covers(find(edits, filters, known, place, PER_PAGE + 1), request.user))
    _address(request, jobs)
    more, extra, jobs = len(jobs) > PER_PAGE, jobs[-1:], jobs[:PER_PAGE]
    if place is not None and place.newer:
        if not more:
            return redirect(request.path + filters.address())  # the newest page, and a whole one
        jobs.reverse()
    here = _cursor(request, extra if place is not None and place.newer else []) or request.GET.get("before", "")
    above = place is not None and jobs
    below = more or (place is not None and place.newer)
    room = reverse("workspace_history", args=[edits.workspace.pk]) if edits.workspace else reverse("history")
    narrowed_by = list(_said(request, filters, known, everybody=edits.workspace is not None))
    saved = [(each, _address_of(each), _is(each, edits, filters)) for each in known.saved]
    context: dict[str, Any] = {
        "days": [(day, list(group)) for day, group in groupby(jobs, key=lambda job: job.created_at.date())],
        "older": filters.address(before=_cursor(request, jobs[-1:])) if below else "",
        "newer": filters.address(after=_cursor(request, jobs[:1])) if above else "",
        "here": filters.address(before=here),
        "continued_day": place.created_at.date() if place is not None and request.htmx else None,
        "first_page": place is None,
        "working": [job for job in jobs if not job.is_final],
        "room": room,
        "filters": filters,
        "groups": [(label, value, filters.address(state=value)) for value, label in GROUP_WORDS.items()],
        "favourites_address": filters.address(favourites=not filters.favourites),
        "said": narrowed_by,
        "saved": saved,
        "saved_here": next((each for each, _, is_here in saved if is_here), None),
        **about,
    }
    return render(request, "history/history.html", context)


def _place(request: PersonRequest) -> Place | None:
    """None for the first page."""
    for name in ("before", "after"):
        cursor = read_cursor(request.user, request.GET.get(name, ""))
        if cursor is not None:
            return Place(*cursor, newer=name == "after")
    return None


def _cursor(request: PersonRequest, jobs: list[GenerationJob]) -> str:
    return write_cursor(request.user, jobs[0]) if jobs else ""


def _address_of(saved: Saved) -> str:
    room = reverse("workspace_history", args=[saved.workspace]) if saved.workspace else reverse("history")
    return room + saved.query


def _is(saved: Saved, edits: History, filters: HistoryFilters) -> bool:
    """Whether the page asks for just this."""
    return saved.query == filters.address() and saved.workspace == (edits.workspace.pk if edits.workspace else None)


def _said(
    request: PersonRequest, filters: HistoryFilters, known: Known, *, everybody: bool
) -> Iterator[tuple[str, str]]:
    """What the history is narrowed by, in words, and the address without it."""
    if filters.q:
        yield f"“{filters.q}”", filters.address(q="")
    if filters.workspace and not everybody:
        names = {each.pk: each.name for each in workspaces_of(request)}
        yield f"In {names.get(filters.workspace, 'no workspace of yours')}", filters.address(workspace=None)
    if filters.who and everybody:
        yield f"By {known.person or 'nobody here'}", filters.address(who=None)
    if filters.since:
        yield f"From {filters.since:%d %b %Y}", filters.address(since=None)
    if filters.until:
        yield f"Until {filters.until:%d %b %Y}", filters.address(until=None)
    if filters.source:
        yield f"Made of {known.source or 'a picture'}", filters.address(source=None)


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
    _address(request, jobs)
    waiting = [job for job in jobs if job.state == JobState.QUEUED]
    prefetch_related_objects(waiting, Prefetch("sources", JobSource.objects.select_related("image")))
    context = {
        "everybody": "everybody" in request.GET,
        "changed": [job for job in jobs if job.state != asked[job.pk]],
        "waiting": waiting,
        "working": [job for job in jobs if not job.is_final],
    }
    return render(request, "history/changed.html", context)


def _address(request: PersonRequest, jobs: "list[Any]") -> None:
    """Write on each edit where its pictures are."""
    viewing = getattr(request, "viewing", None) is not None
    for job in jobs:
        for name in ("cover", "source"):
            pk, width = getattr(job, f"{name}_id"), getattr(job, f"{name}_width")
            setattr(job, f"{name}_address", thumbnail_address(pk, width, viewing=viewing) if pk else "")


def _read_working(edits: list[str]) -> Iterator[tuple[UUID, str]]:
    for text in edits:
        job_id, _, state = text.partition(".")
        with suppress(ValueError):
            yield UUID(job_id), state


def write_cursor(user: "User", job: GenerationJob) -> str:
    """Where the next page begins; signed, and good for this person alone."""
    return cursors.write(job.created_at, job.pk, f"history:{user.pk}")


def read_cursor(user: "User", text: str) -> tuple[datetime, UUID] | None:
    """None for the first page, and for whatever we did not write for this person."""
    return cursors.read(text, f"history:{user.pk}")


def _with_covers(jobs: "JobQuerySet", user: "User") -> "JobQuerySet":
    """Each edit with the id of its first source and of its first result: all that a tile needs, in one query."""
    results = Image.objects.filter(job=OuterRef("pk"))
    shown = results.shown_to(user).filter(state=ImageState.READY).order_by("position")
    open_to_them = Q(image__withheld_at=None) | Q(image__made_by=user)
    sources = JobSource.objects.filter(
        open_to_them, job=OuterRef("pk"), image__state=ImageState.READY, image__trashed_at=None
    )
    marked = Favourite.objects.filter(user=user, job=OuterRef("pk"), job_created_at=OuterRef("created_at"))
    return jobs.annotate(
        cover_id=Subquery(shown.values("id")[:1], output_field=UUIDField()),
        cover_thumbhash=Subquery(shown.values("thumbhash")[:1]),
        cover_width=Subquery(shown.values("width")[:1]),
        cover_sensitive=Subquery(shown.values("sensitive")[:1]),
        source_width=Subquery(sources.order_by("position").values("image__width")[:1]),
        source_sensitive=Subquery(sources.order_by("position").values("image__sensitive")[:1]),
        source_id=Subquery(sources.order_by("position").values("image_id")[:1], output_field=UUIDField()),
        is_favourite=there_is(marked),
        in_trash=there_is(results.there_for(user).filter(trashed_at__isnull=False, purged_at=None)),
    )
