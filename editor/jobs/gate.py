"""Looking before the next step: results are kept, dropped or run again, and each decision can be taken back.

A decision names what was seen, the stamp of the item: pressed twice, or on a page that is old, it does nothing.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from editor import rings
from editor.jobs.chains import advance, collection_of, put_into_collection
from editor.library.shelves import take_out
from editor.models import (
    Allowance,
    Batch,
    BatchItem,
    GenerationJob,
    Image,
    ImageState,
    ItemState,
    JobState,
)

if TYPE_CHECKING:
    from editor.models.batches import ItemQuerySet
    from editor.models.images import ImageQuerySet

ENDED_BADLY = {JobState.FAILED, JobState.BLOCKED, JobState.CANCELED}


def results_of(job: GenerationJob) -> "ImageQuerySet":
    """Those of an edit that can go on."""
    there = Image.objects.filter(job=job, workspace=job.workspace_id, state=ImageState.READY, purged_at=None)
    return there.filter(trashed_at=None, removed_at=None).order_by("position")


def keep(item: BatchItem, image_id: UUID | None = None) -> bool:
    """looking → on with this result, or with the first; behind the last step it is kept. False: nothing to keep."""
    if item.state != ItemState.LOOKING:
        return False
    results = results_of(item.job)
    result = (results.filter(pk=image_id) if image_id else results).first()
    if result is None:
        return False
    with transaction.atomic():
        return advance(item, ItemState.LOOKING, result, result)


def drop(item: BatchItem) -> bool:
    """looking, stopped, or an edit that went wrong → dropped; it costs nothing more."""
    if item.state == ItemState.WORKING and (item.due_at is not None or item.job.state not in ENDED_BADLY):
        return False
    if item.state not in {ItemState.LOOKING, ItemState.STOPPED, ItemState.WORKING}:
        return False
    return item.swap({item.state}, state=ItemState.DROPPED, due_at=None)  # why it stopped stays, to be taken back


def again(item: BatchItem) -> bool:
    """looking → the same step once more, with a new seed."""
    if not item.begin({ItemState.LOOKING}, item.step, item.source):
        return False
    rings.ring_steps(item.batch_id)
    return True


def keep_all(batch: Batch, items: "ItemQuerySet") -> int:
    """On with the first result of each that waits for a look; returns how many."""
    with transaction.atomic():
        Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        rows = items.filter(state=ItemState.LOOKING).select_for_update(no_key=True, of=("self",))
        looking = list(rows.order_by("number"))
        firsts = _firsts([item.job_id for item in looking])
        going = [item for item in looking if item.job_id in firsts]
        last, now = len(batch.steps) - 1, timezone.now()
        for item in going:
            result = firsts[item.job_id]
            if item.step >= last:
                item.state, item.kept = ItemState.KEPT, result
            else:
                item.state, item.step, item.source, item.due_at = ItemState.WORKING, item.step + 1, result, now
        BatchItem.objects.bulk_update(going, ["state", "kept", "step", "source", "due_at"], batch_size=200)
        put_into_collection(batch, [item.kept for item in going if item.kept is not None])
        rings.ring_steps(batch.pk)
    return len(going)


def _firsts(jobs: Iterable[UUID]) -> dict[UUID, Image]:
    rows = Image.objects.filter(job__in=list(jobs), state=ImageState.READY, purged_at=None, trashed_at=None)
    found: dict[UUID, Image] = {}
    for image in rows.filter(removed_at=None).order_by("position"):
        if image.job_id is not None:
            found.setdefault(image.job_id, image)
    return found


def with_looks(items: "ItemQuerySet") -> "ItemQuerySet":
    """With `looked`: whether there is a result, at their step or before it, that somebody may look at again."""
    done = GenerationJob.objects.filter(batch_item=OuterRef("pk"), state=JobState.SUCCEEDED)
    return items.annotate(looked=Exists(done.filter(batch_step__lte=OuterRef("step"))))


def can_take_back(item: BatchItem) -> bool:
    """Whether `take_back` would do so now; of an item `with_looks`."""
    match item.state:
        case ItemState.DROPPED:
            return True
        case ItemState.KEPT:
            return item.batch.gate
        case ItemState.WORKING | ItemState.STOPPED:
            return item.batch.gate and bool(item.looked) and not _was_sent(item)  # type: ignore[attr-defined]
    return False


def _was_sent(item: BatchItem) -> bool:
    """Whether its present edit is with the flux server, from where nothing comes back."""
    made = item.due_at is None and item.state == ItemState.WORKING
    return made and not item.job.is_final and item.job.state not in {JobState.HELD, JobState.QUEUED}


def take_back(item: BatchItem) -> bool:
    """The last decision about an item: it waits for a look again. False if its next edit was sent already."""
    match item.state:
        case ItemState.DROPPED:
            return item.swap({ItemState.DROPPED}, state=_before_drop(item), due_at=None)
        case ItemState.KEPT:
            return _keep_no_more(item)
        case ItemState.WORKING | ItemState.STOPPED:
            return _back(item)
    return False


def _before_drop(item: BatchItem) -> ItemState:
    if item.said:  # the edit of its step was never made
        return ItemState.STOPPED
    return ItemState.LOOKING if item.job.state == JobState.SUCCEEDED else ItemState.WORKING


def _keep_no_more(item: BatchItem) -> bool:
    kept, batch = item.kept, item.batch
    with transaction.atomic():
        if not batch.gate or not item.swap({ItemState.KEPT}, state=ItemState.LOOKING, kept=None):
            return False
        collection = collection_of(batch)
        if collection is not None and kept is not None:
            take_out(collection, [kept])
    return True


def _back(item: BatchItem) -> bool:
    """To the result that was looked at before the edit which waits, went wrong, or was not made."""
    before = _looked_at(item)
    if not item.batch.gate or before is None or before.batch_step is None:
        return False
    with transaction.atomic():
        waits = item.due_at is None and item.state == ItemState.WORKING and not item.job.is_final
        if _was_sent(item) or (waits and not item.job.cancel(Allowance.RELEASED)):
            return False
        source = before.source_image
        values = {"step": before.batch_step, "source": None if source.pk == item.image_id else source, "said": ""}
        states: set[str] = {ItemState.WORKING, ItemState.STOPPED}
        if not item.swap(states, state=ItemState.LOOKING, job=before, due_at=None, **values):
            transaction.set_rollback(True)
            return False
    return True


def _looked_at(item: BatchItem) -> GenerationJob | None:
    """The newest edit of the item that succeeded, at its step or before it."""
    done = item.edits.filter(state=JobState.SUCCEEDED, batch_step__lte=item.step)
    return done.order_by("-created_at", "-id").first()


def run_from(batch: Batch, items: "ItemQuerySet", step: int) -> int:
    """Once more from a step (from 0) on, of what was kept before it; returns how many.

    None that is under way, and none that somebody dropped.
    """
    resting = {ItemState.LOOKING, ItemState.KEPT, ItemState.STOPPED}
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(canceled_at=None)  # which locks it, too
        rows = items.filter(state__in=resting).select_for_update(no_key=True, of=("self",)).order_by("number")
        found = list(rows)
        sources = _sources_of(found, step)
        going = [item for item in found if step == 0 or item.pk in sources]
        for item in going:
            item.state, item.step, item.source = ItemState.WORKING, step, sources.get(item.pk)
            item.kept, item.said, item.due_at = None, "", timezone.now()
        names = ["state", "step", "source", "kept", "said", "due_at"]
        BatchItem.objects.bulk_update(going, names, batch_size=200)
        rings.ring_steps(batch.pk)
    return len(going)


def _sources_of(items: list[BatchItem], step: int) -> dict[UUID, Image]:
    """What the newest edit of this step was made of, by item; nothing for step 0, which is made of the pictures."""
    if step == 0:
        return {}
    edits = GenerationJob.objects.filter(batch_item__in=items, batch_step=step).with_pictures().order_by("created_at")
    return {job.batch_item_id: job.source_image for job in edits if job.batch_item_id is not None}
