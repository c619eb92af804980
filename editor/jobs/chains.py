"""From one step of a batch to the next: each edit that its items want is made of rows alone.

As an edit succeeds, its item says in the same transaction what comes next: `due_at`, and by its step, its source and
the number of its tries, which edit that is. A worker makes it when the bell rings, or the clock finds it. Under the
lock of the batch, and by a form token that follows from the row, each edit is made once however many try.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from editor import rings
from editor.access import MAY_EDIT
from editor.images.rights import expired, expired_words
from editor.jobs.creation import EditSpec, NotAllowed, Order, create_jobs
from editor.jobs.steps import fill, from_rows
from editor.library.shelves import collect
from editor.models import (
    Batch,
    BatchItem,
    Collection,
    GenerationJob,
    Image,
    ImageState,
    ItemState,
    JobState,
    Membership,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models.images import ImageQuerySet

AT_ONCE = 100  # edits made under one lock
TOKEN_MAX = 44  # with numbers of item, step and try a token stays below the 64 characters that a form may send
CANCELED = "You canceled the rest before this step."


def follow(job: GenerationJob, ready: list[Image]) -> None:
    """An edit succeeded: on with its item, or to the gate. In the transaction in which it did."""
    if job.batch_item_id is None:
        return
    item = BatchItem.objects.filter(pk=job.batch_item_id, job=job).select_related("batch").first()
    if item is None or item.state != ItemState.WORKING:
        return
    if item.batch.gate:
        item.swap({ItemState.WORKING}, state=ItemState.LOOKING)
    else:
        advance(item, ItemState.WORKING, ready[0], None)


def advance(item: BatchItem, state: ItemState, result: Image, kept: Image | None) -> bool:
    """state → the next step with this result; behind the last one it is kept: `kept` alone, or all of its edit.

    False if it is not in that state any more.
    """
    batch, states = item.batch, {str(state)}
    if item.step + 1 >= len(batch.steps):
        if not item.swap(states, state=ItemState.KEPT, kept=kept):
            return False
        put_into_collection(batch, _there([kept] if kept else item.job.results.all()))
        return True
    if not item.begin(states, item.step + 1, result):
        return False
    rings.ring_steps(batch.pk)
    return True


def put_into_collection(batch: Batch, images: list[Image]) -> None:
    """Where its results go by now, if anywhere: also if that is said while this transaction is not over.

    Whoever says it writes that first and looks then for what is kept: one of both finds the other.
    """
    if not _put(batch, images):
        transaction.on_commit(lambda: _put(batch, images), robust=True)


def collection_of(batch: Batch) -> Collection | None:
    """Where its results go by now: it may have been said since the batch was read."""
    return Collection.objects.filter(pk__in=Batch.objects.filter(pk=batch.pk).values("collection")).first()


def _put(batch: Batch, images: list[Image]) -> bool:
    found = collection_of(batch)
    if found is not None:
        collect(batch.made_by, found, images)
    return found is not None


def _there(images: Iterable[Image]) -> list[Image]:
    return [image for image in images if image.state == ImageState.READY and image.trashed_at is None]


def due_batches(now: datetime) -> "QuerySet[BatchItem, UUID]":
    """The ids of batches that go on now; for the clock."""
    return BatchItem.objects.due(now).order_by().values_list("batch", flat=True).distinct()


def go_on(batch_id: UUID) -> int:
    """Make the edits that are due, so many at most; returns how many were made."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id, paused_at=None).first()
        if batch is None:
            return 0
        rows = (
            batch.items.filter(due_at__lte=timezone.now()).order_by("number").select_related("image", "source", "job")
        )
        items = list(rows.select_for_update(no_key=True, of=("self",))[: AT_ONCE + 1])
        if len(items) > AT_ONCE:
            rings.ring_steps(batch.pk)
        return make_due(batch, items[:AT_ONCE]) if items else 0


def make_due(batch: Batch, items: list[BatchItem]) -> int:
    """The next edits of these, which are due; the caller has locked the batch. Those that may not be made stop."""
    able, closed = [], _against_all(batch)
    for item in items:
        if why := closed or _against(batch, item):
            item.stop(why)
        else:
            able.append(item)
    if not able or _made(batch, able) is None:
        return len(able)
    return sum(_make_or_stop(batch, item) for item in able)


def _make_or_stop(batch: Batch, item: BatchItem) -> bool:
    refusal = _made(batch, [item])
    if refusal is not None:
        item.stop(refusal)
    return refusal is None


def make_edits(batch: Batch, items: list[BatchItem]) -> None:
    """The next edits of all of these, or of none. Raises NotAllowed."""
    steps = from_rows(batch.steps)
    orders = [order_of(batch, item, steps, item.job) for item in items]
    jobs = create_jobs(batch.made_by, orders, lambda: {"batch": batch, "interactive": False})
    for item, job in zip(items, jobs, strict=True):
        item.job, item.tries, item.due_at = job, item.tries + 1, None
        item.state, item.said = ItemState.WORKING, ""
    BatchItem.objects.bulk_update(items, ["job", "tries", "due_at", "state", "said"], batch_size=200)


def _made(batch: Batch, items: list[BatchItem]) -> str | None:
    """None if they were; otherwise why not, and nothing was."""
    try:
        make_edits(batch, items)
    except NotAllowed as problem:
        return str(problem)
    return None


def order_of(batch: Batch, item: BatchItem, steps: list[EditSpec], before: GenerationJob | None) -> Order:
    """The next edit of an item, `before` being its last one.

    One that went wrong is repeated as it was; of a step that gave a result before, another is made.
    """
    step = item.step
    spec = fill([steps[step]], item.values)[0]
    again = before if before is not None and before.batch_step == step else None
    if again is not None and again.state != JobState.SUCCEEDED:
        spec = replace(spec, seed=again.seed)
    elif before is not None and before.batch_step is not None and before.batch_step >= step:
        spec = replace(spec, seed=None)
    return Order(
        [item.made_of],
        spec,
        token_of(batch.form_token, item.number, step, item.tries),
        rerun_of=again,
        fields={"batch_item_id": item.pk, "batch_step": step},
    )


def token_of(form_token: str, number: int, step: int, tries: int) -> str:
    return f"{form_token[:TOKEN_MAX]}.{number}.{step}.{tries}"


def _against_all(batch: Batch) -> str:
    """What speaks against going on with any of it, besides what speaks against any edit."""
    if batch.canceled_at is not None:
        return CANCELED
    role = Membership.objects.filter(user=batch.made_by_id, workspace=batch.workspace_id).values_list("role", flat=True)
    found = role.first()
    if found is None:
        return f"You are no longer in {batch.workspace.name}, so nothing is made for you there."
    if found not in MAY_EDIT:
        return f"You may only look in {batch.workspace.name} now, so nothing is made for you there."
    return ""


def _against(batch: Batch, item: BatchItem) -> str:
    source = item.made_of
    if not _is_there(source, batch):
        return GONE
    return expired_words(source) if expired([source]) else ""


GONE = "The picture that it would be made of is gone, in the trash, or in another workspace."


def usable(source: Image, batch: Batch) -> bool:
    """Whether an edit of the batch may be made of it."""
    return _is_there(source, batch) and expired([source]) is None


def _is_there(source: Image, batch: Batch) -> bool:
    open_to_maker = source.trashed_at is None and source.removed_at is None and source.purged_at is None
    mine = source.withheld_at is None or source.made_by_id == batch.made_by_id
    here = source.workspace_id == batch.workspace_id and source.state != ImageState.REFUSED
    return open_to_maker and mine and here


def wake(items: "QuerySet[BatchItem]", batch: Batch) -> int:
    """Let those that stopped try once more; returns how many."""
    with transaction.atomic():
        rows = items.filter(state=ItemState.STOPPED).select_for_update(no_key=True, of=("self",))
        ids = list(rows.order_by("number").values_list("pk", flat=True))
        BatchItem.objects.filter(pk__in=ids).update(state=ItemState.WORKING, said="", due_at=timezone.now())
    if ids:
        rings.ring_steps(batch.pk)
    return len(ids)


def results_kept(batch: Batch) -> "ImageQuerySet":
    """What came of a batch: of each picture that is through, the result that was chosen, or all of its last edit."""
    kept = BatchItem.objects.of(batch).filter(state=ItemState.KEPT)
    chosen = Q(pk__in=kept.filter(kept__isnull=False).values("kept"))
    of_all = Q(job__in=kept.filter(kept=None).values("job"))
    here = Image.objects.filter(chosen | of_all, workspace=batch.workspace_id, removed_at=None)
    return here.filter(state=ImageState.READY, trashed_at=None, purged_at=None)


def collect_results(batch: Batch, collection: Collection) -> int:
    """What was kept, and whatever will be, into a collection; returns how many lie there now."""
    batch.collection = collection
    batch.save(update_fields=["collection"])  # by itself: what is kept from now on finds it
    images = list(results_kept(batch).order_by("-created_at", "-id"))
    collect(batch.made_by, collection, images)
    return len(images)
