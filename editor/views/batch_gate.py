"""Looking at results before they go on; and orders for all of a batch: pause, keep all, again from a step, collect."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import open_workspace_for, own_batch_for, own_item_for
from editor.forms import CollectionForm
from editor.jobs import batches, gate
from editor.jobs.chains import collect_results
from editor.library import shelves
from editor.library.shelves import NotPossible
from editor.models import Batch, BatchItem, ItemState
from editor.views.batches import edits, mark_of, marks_in, one_page, standing, telling, with_pictures
from editor.views.frame import PersonRequest, signed_in
from editor.views.selection import many

if TYPE_CHECKING:
    from editor.models.batches import ItemQuerySet

PER_LOOK = 30  # that wait for a look, on one page;
MOST_TILES = 120  # with those that were decided there
DECISIONS: dict[str, Callable[[BatchItem], bool]] = {"drop": gate.drop, "again": gate.again, "undo": gate.take_back}


@never_cache
@require_safe
@signed_in
def batch_look(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """What waits for a look, to be kept, dropped or run again one by one."""
    found = own_batch_for(request.user, batch_id)
    page = one_page(request, _tiles(found).filter(state=ItemState.LOOKING), PER_LOOK)
    return render(request, "batches/look.html", standing(request, found) | page | _ahead(found, page["items"]))


@never_cache
@require_safe
@signed_in
def batch_look_news(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """How far all is; of the pictures that the page shows the tiles that changed; and more that wait for a look."""
    found = own_batch_for(request.user, batch_id)
    context = standing(request, found) | _news(found, request.GET)
    return telling(render(request, "batches/look_news.html", context), bool(context["changed"]))


def _tiles(found: Batch) -> "ItemQuerySet":
    return gate.with_looks(with_pictures(batches.items_of(found)))


def _news(found: Batch, said: QueryDict, told: BatchItem | None = None) -> dict[str, Any]:
    """For a page with the items that it says, each as `<number>.<mark>`; `told` is one that it gets anyway."""
    asked = marks_in(said, MOST_TILES)
    shown = list(_tiles(found).filter(number__in=asked))
    looking = [item for item in shown if item.state == ItemState.LOOKING]
    room = min(PER_LOOK - len(looking), MOST_TILES - len(asked))
    others = _tiles(found).filter(state=ItemState.LOOKING).exclude(number__in=asked)
    fresh = list(others[: max(0, room)]) if asked or told is None else []
    changed = [item for item in shown if mark_of(item) != asked[item.number] and item != told]
    return {"changed": changed, "fresh": fresh} | _ahead(found, shown + fresh)


def _ahead(found: Batch, shown: list[BatchItem]) -> dict[str, Any]:
    """The first that waits for a look among those that are shown, and how many of these there are."""
    for item in shown:
        item.batch = found
    looking = [item for item in shown if item.state == ItemState.LOOKING]
    return {"first": looking[0] if looking else None, "looking_here": len(looking)}


@require_POST
@signed_in
def batch_decide(request: PersonRequest, batch_id: UUID, number: int) -> HttpResponse:
    """`what` to do with one picture, if it is still as it was `seen`; for a script the tile and how far all is."""
    item = own_item_for(request.user, batch_id, number)
    open_workspace_for(request.user, item.batch.workspace_id)
    what = request.POST.get("what", "")
    done = _decide(item, what, request.POST)
    if request.headers.get("HX-Request") != "true":
        if not done:
            messages.info(request, _not_done(what))
        back = reverse("batch_look" if request.POST.get("next") == "look" else "batch", args=[item.batch_id])
        return redirect(f"{back}#item-{number}")
    fresh = _tiles(item.batch).get(number=number)
    fresh.batch = item.batch
    context = standing(request, item.batch) | _news(item.batch, request.POST, fresh)
    context |= {"item": fresh, "not_done": "" if done else _not_done(what)}
    return telling(render(request, "batches/decided.html", context), done or bool(context["changed"]))


def _decide(item: BatchItem, what: str, said: "dict[str, str]") -> bool:
    """Raises Http404."""
    if what not in {"keep", *DECISIONS}:
        raise Http404
    if said.get("seen") != item.stamp and what != "undo":
        return False
    if what != "keep":
        return DECISIONS[what](item)
    try:
        return gate.keep(item, UUID(said["image"]) if said.get("image") else None)
    except ValueError:
        raise Http404 from None


def _not_done(what: str) -> str:
    if what == "undo":
        return "It can’t be taken back any more: the next edit was sent already."
    return "This picture went on meanwhile, so nothing was done."


@require_POST
@signed_in
def batch_order(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """`what` to do with all of it: pause, resume, keep, from (a step), collect."""
    found = own_batch_for(request.user, batch_id)
    order = ORDERS.get(request.POST.get("what", ""))
    if order is None:
        raise Http404
    open_workspace_for(request.user, found.workspace_id)
    try:
        messages.success(request, order(request, found))
    except NotPossible as problem:
        messages.error(request, str(problem))
    return redirect("batch", found.pk)


def _pause(request: PersonRequest, found: Batch) -> str:
    number = batches.pause(found)
    return f"Paused: {edits(number)} wait, and nothing more is sent. What is under way ends."


def _resume(request: PersonRequest, found: Batch) -> str:
    batches.resume(found)
    return "It goes on."


def _keep(request: PersonRequest, found: Batch) -> str:
    number = gate.keep_all(found, batches.items_of(found))
    return f"{many(number)} kept." if number else "Nothing waited for a look."


def _from(request: PersonRequest, found: Batch) -> str:
    """Raises Http404, NotPossible."""
    step = request.POST.get("step", "")
    if step not in {str(number) for number in range(len(found.steps))}:
        raise Http404
    number = gate.run_from(found, batches.items_of(found), int(step))
    if not number:
        raise NotPossible("No picture can begin at that step again: they are under way, or never came there.")
    return f"{many(number)} run again from step {int(step) + 1}."


def _collect(request: PersonRequest, found: Batch) -> str:
    """Raises NotPossible."""
    form = CollectionForm({"name": request.POST.get("collection_name", "")})
    if not form.is_valid():
        raise NotPossible("Type the name of a collection; a new one is made by that.")
    collection = shelves.collection_named(request.user, found.workspace, form.cleaned_data["name"])
    number = collect_results(found, collection)
    return f"{many(number)} in {collection.name}. What is kept from now on goes there as well."


ORDERS: dict[str, Callable[[PersonRequest, Batch], str]] = {
    "pause": _pause,
    "resume": _resume,
    "keep": _keep,
    "from": _from,
    "collect": _collect,
}
