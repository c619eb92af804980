"""Following a batch on one page, and what can be done there for all of it at once."""

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import batch_for, open_workspace_for, own_batch_for
from editor.jobs import batches
from editor.jobs.creation import NotAllowed
from editor.jobs.progress import progress
from editor.jobs.steps import from_rows
from editor.library.changed import EXTENTS, numbers_changed, that_changed
from editor.models import Batch, BatchItem, ChangeMap, GenerationJob, Image, ItemState, JobState
from editor.models.jobs import FINAL
from editor.views.frame import PersonRequest, may_edit_here, signed_in, workspace_here

if TYPE_CHECKING:
    from editor.models.batches import ItemQuerySet

PER_PAGE = 24
LISTED = 30
BADLY = Q(state=ItemState.WORKING, job__state__in=[JobState.FAILED, JobState.BLOCKED, JobState.CANCELED])
ASKING = Q(state=ItemState.WORKING, job__state=JobState.UNCONFIRMED)
SHOWN = {
    "asking": ASKING,
    "working": Q(state=ItemState.WORKING) & ~BADLY & ~ASKING,
    "looking": Q(state=ItemState.LOOKING),
    "kept": Q(state=ItemState.KEPT),
    "dropped": Q(state=ItemState.DROPPED),
    "wrong": BADLY | Q(state=ItemState.STOPPED),
}
"""What can be looked at alone, by the word in the address."""


class Filter(NamedTuple):
    word: str  # in the address
    label: str
    number: int  # of pictures


@never_cache
@require_safe
@signed_in
def batch(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    found = batch_for(request.user, batch_id)
    rows, changed = with_pictures(shown(request, found)), request.GET.get("changed", "")
    if changed in dict(EXTENTS):
        rows = rows.filter(job__in=that_changed(batches.edits_of(found), changed, request.user).values("pk"))
    context = standing(request, found) | one_page(request, rows) | {"changed": changed}
    return render(request, "batches/batch.html", context | filters(request, found, context["standing"]))


def shown(request: PersonRequest, found: Batch) -> "ItemQuerySet":
    """Those of the kind that the address names; all of them if it names none."""
    return batches.items_of(found).filter(SHOWN.get(request.GET.get("show", ""), Q()))


def filters(request: PersonRequest, found: Batch, now: batches.Standing) -> dict[str, Any]:
    """What the pictures can be narrowed to, each with how many that are: by how much changed, of those `show` alone."""
    wrong = now.failed + now.blocked + now.canceled + now.stopped
    kinds = [
        Filter("looking", "To look at", now.looking),
        Filter("asking", "Needs a word", now.asking),
        Filter("working", "Under way", now.under_way - now.asking),
        Filter("kept", "Kept" if found.gate else "Done", now.done),
        Filter("dropped", "Dropped", now.dropped),
        Filter("wrong", "Went wrong", wrong),
    ]
    if not found.gate:
        kinds = [kind for kind in kinds if kind.number or kind.word not in {"looking", "dropped"}]
    numbers = numbers_changed(shown(request, found), request.user)
    return {
        "show": request.GET.get("show", "") if request.GET.get("show") in SHOWN else "",
        "kinds": kinds,
        "extents": [Filter(word, label, numbers[word]) for word, label in EXTENTS],
    }


def with_pictures(rows: "ItemQuerySet") -> "ItemQuerySet":
    results = Prefetch("job__results", Image.objects.select_related("change_map").order_by("position"))
    return rows.select_related("image", "source", "kept", "job").prefetch_related(results).order_by("number")


def one_page(request: PersonRequest, rows: "ItemQuerySet", most: int = PER_PAGE) -> dict[str, Any]:
    """So many, behind the one that `after` names: their numbers are their order."""
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 9:
        rows = rows.filter(number__gt=int(after))
    page = list(rows[: most + 1])
    items = page[:most]
    return {
        "items": items,
        "working": [item for item in items if changes(item)],
        "more": items[-1].number if len(page) > most else None,
        "first_page": not after,
    }


def changes(item: BatchItem) -> bool:
    """Whether its tile does without anybody's doing: it goes on, or how much changed is not known yet."""
    goes_on = item.state == ItemState.WORKING and (item.due_at is not None or not item.job.is_final)
    return goes_on or ((known := change_of(item)) is not None and known.is_wanted)


def change_of(item: BatchItem) -> ChangeMap | None:
    """How much changed in the first result of its edit, with `with_pictures`; None if nobody will look."""
    results = list(item.job.results.all())
    return getattr(results[0], "change_map", None) if results else None


@never_cache
@require_safe
@signed_in
def batch_progress(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """How far all of it is, and of the pictures asked about, each as `<number>.<mark>`, the tiles that changed."""
    found = batch_for(request.user, batch_id)
    asked = marks_in(request.GET, PER_PAGE)
    items = list(with_pictures(batches.items_of(found)).filter(number__in=asked))
    context = standing(request, found, last=True)
    context |= filters(request, found, context["standing"]) | {
        "changed": [item for item in items if mark_of(item) != asked[item.number]],
        "working": [item for item in items if changes(item)],
    }
    return telling(render(request, "batches/changed.html", context), bool(context["changed"]))


def telling(response: HttpResponse, changed: bool) -> HttpResponse:
    """With word for the top bar, if pictures `changed`: what is left may be another number by that."""
    if changed:
        response["HX-Trigger"] = "batch-changed"
    return response


def mark_of(item: BatchItem) -> str:
    """What of an item a tile shows; how much changed is known a little later than the result."""
    known = change_of(item)
    told = "-changed" if known is not None and known.is_made else ""
    return f"{item.state}-{item.step}-{item.tries}-{item.job.state}{told}"


def marks_in(said: QueryDict, most: int) -> dict[int, str]:
    """What of so many items the page shows that asks, by their numbers: each as `<number>.<mark>`."""
    parts = [text.partition(".") for text in said.getlist("item")[:most]]
    return {int(number): mark for number, _, mark in parts if number.isdecimal() and len(number) < 9}


@require_POST
@signed_in
def batch_cancel(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Stop what was not sent yet."""
    found = own_batch_for(request.user, batch_id)
    number = batches.cancel_waiting(found)
    if number:
        messages.success(
            request, f"{edits(number)} canceled; nothing was charged. The others go on, and these can be run again."
        )
    else:
        messages.info(request, "Nothing waited any more. What is under way ends, and no step begins after it.")
    return redirect("batch", found.pk)


@require_POST
@signed_in
def batch_again(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Run once more what failed, or with `what=canceled` what was canceled, or `stopped` what could not go on."""
    found = own_batch_for(request.user, batch_id)
    open_workspace_for(request.user, found.workspace_id)
    what = request.POST.get("what", "")
    try:
        if what == "stopped":
            number = batches.go_on_with_stopped(found)
        else:
            number = batches.run_again(found, JobState.CANCELED if what == "canceled" else JobState.FAILED)
    except NotAllowed as problem:
        messages.error(request, str(problem))
        return redirect("batch", found.pk)
    if number:
        messages.success(request, f"{edits(number)} run again." if what != "stopped" else f"{edits(number)} go on.")
    else:
        messages.info(request, "Nothing to run again: it runs already, it can’t be repeated, or its pictures are gone.")
    return redirect("batch", found.pk)


@never_cache
@require_safe
@signed_in
def batch_list(request: PersonRequest) -> HttpResponse:
    """The person's newest batches."""
    mine = Batch.objects.filter(made_by=request.user, workspace__memberships__user=request.user)
    mine = mine.filter(workspace__trashed_at=None).select_related("workspace")
    rows = list(mine.annotate(**_has_items()).order_by("-created_at", "-id")[:LISTED])
    covers = _covers(rows)
    entries = [(each, covers.get(each.pk), _how_it_stands(each)) for each in rows]
    return render(request, "batches/batches.html", {"batches": entries})


def _has_items() -> dict[str, Exists]:
    """For each batch whether any of its pictures wait for a look, go on, or went wrong."""
    items = BatchItem.objects.filter(batch=OuterRef("pk"), job__workspace=OuterRef("workspace"))
    goes_on = Q(due_at__isnull=False) | ~Q(job__state__in=FINAL)
    return {
        "has_looking": Exists(items.filter(SHOWN["looking"])),
        "has_working": Exists(items.filter(goes_on, state=ItemState.WORKING)),
        "has_wrong": Exists(items.filter(SHOWN["wrong"])),
    }


def _how_it_stands(found: Any) -> tuple[str, str]:
    """Of a batch with `_has_items`: what is to be known first, in words with their tone; empty if all is well."""
    if found.has_looking:
        return "Waits for your look", "ask"
    if found.has_working:
        return ("Paused", "ask") if found.paused_at else ("Under way", "work")
    return ("Some went wrong", "bad") if found.has_wrong else ("", "")


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


def standing(request: PersonRequest, found: Batch, *, last: bool = False) -> dict[str, Any]:
    """How far it is and what may be done; with `last` also how the last that waits does, which asks for more."""
    now = batches.standing_of(found)
    own = found.made_by_id == request.user.pk
    may = own and may_edit_here(workspace_here(request, found.workspace_id))
    waits = batches.last_in_line(found) if last and now.waiting else None
    return {
        "batch": found,
        "workspace": found.workspace,
        "standing": now,
        "steps": list(zip(from_rows(found.steps), now.by_step, strict=True)),
        "own": own,
        "may": may,
        "last": progress(waits) if waits else None,
        "bar": bar_of(now),
        "may_pause": may and found.paused_at is None and can_be_paused(found, now),
        "may_again": may and now.failed > 0 and batches.repeatable(found),
        "may_resume": may and now.canceled > 0,
        "may_go_on": may and now.stopped > 0,
    }


def can_be_paused(found: Batch, now: batches.Standing) -> bool:
    """Whether anything is yet to be sent: what waits, or a next step of what is under way."""
    return now.waiting > 0 or (now.before_last > 0 and found.canceled_at is None)


def bar_of(now: batches.Standing) -> list[tuple[str, int, int]]:
    """The parts of a bar of as many units as there are pictures, each with where it begins and how long it is."""
    bad, gone = now.failed + now.blocked + now.stopped, now.dropped + now.canceled
    parts, place = [], 0
    for name, number in (("done", now.done), ("looking", now.looking), ("bad", bad), ("gone", gone)):
        if number:
            parts.append((name, place, number))
        place += number
    return parts


def edits(number: int) -> str:
    return "1 edit" if number == 1 else f"{number:,} edits"
