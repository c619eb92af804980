"""The same steps for many pictures: made together, then followed, paused, stopped and repeated as a whole.

Their edits are edits like all others and wait behind those that somebody sits and waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from editor import events, rings
from editor.images.rights import expired
from editor.jobs.chains import make_edits, order_of, usable, wake
from editor.jobs.creation import EditSpec, NotAllowed, create_jobs
from editor.jobs.outlook import Outlook, Span
from editor.jobs.steps import to_rows
from editor.models import (
    OPEN,
    Allowance,
    Batch,
    BatchItem,
    GenerationJob,
    HeldFor,
    Image,
    ImageState,
    ItemState,
    JobState,
    Recipe,
    User,
)

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from editor.models.batches import ItemQuerySet
    from editor.models.jobs import JobQuerySet

BATCH_MAX = 1_000  # pictures
CANCELED_AT_ONCE = 90  # edits; admission may wait for one of them, and a browser is told of each
NOT_REPEATED = ("refused",)  # failures that somebody decided on


@dataclass(frozen=True)
class Standing:
    """How far a batch is: its pictures by what became of them."""

    waiting: int = 0  # nothing was sent for its step yet, so that stopping them is free
    working: int = 0
    asking: int = 0  # they want their owner's word
    looking: int = 0  # their results wait at the gate
    done: int = 0
    failed: int = 0
    blocked: int = 0
    canceled: int = 0
    dropped: int = 0
    stopped: int = 0  # their next edit was not to be made
    before_last: int = 0  # of those under way: their steps are not all begun
    by_step: list[int] = field(default_factory=list)  # how many pictures are at each step, neither through nor dropped

    @property
    def total(self) -> int:
        return self.waiting + self.working + self.asking + self.looking + self.ended

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.blocked + self.canceled + self.dropped + self.stopped

    @property
    def is_over(self) -> bool:
        return self.ended == self.total

    @property
    def under_way(self) -> int:
        """Those that change without anybody's doing."""
        return self.waiting + self.working + self.asking


_OF_ITEMS = {
    ItemState.LOOKING: "looking",
    ItemState.KEPT: "done",
    ItemState.DROPPED: "dropped",
    ItemState.STOPPED: "stopped",
}
_OF_EDITS = {
    JobState.HELD: "waiting",
    JobState.QUEUED: "waiting",
    JobState.SUCCEEDED: "waiting",  # its next edit is about to be made
    JobState.UNCONFIRMED: "asking",
    JobState.FAILED: "failed",
    JobState.BLOCKED: "blocked",
    JobState.CANCELED: "canceled",
}

_UNDER_WAY = {"waiting", "working", "asking"}


def usable_ones(images: list[Image]) -> list[Image]:
    """Those that an edit may be made of: not refused, and their rights have not ended."""
    return [image for image in images if image.state != ImageState.REFUSED and expired([image]) is None]


def create_batch(
    user: User,
    images: Sequence[Image],
    steps: EditSpec | Sequence[EditSpec],
    form_token: str,
    *,
    values: Sequence[Mapping[str, str]] = (),
    gate: bool = False,
    recipe: Recipe | None = None,
    mail: bool = False,
) -> Batch:
    """These steps for each of these pictures, all of one workspace; or none. The same token again: the same batch.

    `values` fill the placeholders of each picture, in the order of the pictures. `mail`: whether its maker is mailed
    when all have ended, whatever they chose for all batches. Raises NotAllowed.
    """
    if len(images) > BATCH_MAX:
        raise NotAllowed(f"At most {BATCH_MAX:,} pictures at once, please. Nothing was made of these {len(images):,}.")
    steps = [steps] if isinstance(steps, EditSpec) else list(steps)
    batch = Batch(
        workspace_id=images[0].workspace_id,
        made_by=user,
        form_token=form_token,
        prompt=recipe.name if recipe else steps[0].prompt,
        steps=to_rows(steps),
        recipe=recipe,
        gate=gate,
        mail_due_at=timezone.now() if mail else None,
        tell_due_at=timezone.now(),
    )
    items = [
        BatchItem(
            batch=batch,
            number=number,
            image=image,
            values=dict(values[number]) if values else {},
            job_id=uuid4(),  # of the edit that is made of its order
        )
        for number, image in enumerate(images)
    ]
    orders = []
    for item in items:
        order = order_of(batch, item, steps, None)
        orders.append(replace(order, fields={**order.fields, "id": item.job_id}))
        item.tries = 1

    def shared() -> dict[str, Any]:
        batch.save(force_insert=True)
        BatchItem.objects.bulk_create(items)
        return {"batch": batch, "interactive": False}

    made = create_jobs(user, orders, shared)[0].batch
    if made is None:
        raise NotAllowed("Please reload the page and try again.")
    return made


def run_again(batch: Batch, state: JobState = JobState.FAILED) -> int:
    """Once more, with their own seeds, the edits that failed or were canceled: how many edits that are.

    Pictures that are gone, in the trash, or may not be used any more are left out. What was canceled before its next
    step goes on as well. Raises NotAllowed.
    """
    refusal: NotAllowed | None = None
    with transaction.atomic():
        # One window at a time: the other ones find that what failed is run again by now.
        batch = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        woken = 0
        if state == JobState.CANCELED:
            woken = _cancel_no_more(batch)
        try:
            return _again(batch, state) + woken
        except NotAllowed as problem:
            refusal = problem  # what was noted of the attempt stays
    raise refusal


def _cancel_no_more(batch: Batch) -> int:
    batch.canceled_at = None
    batch.save(update_fields=["canceled_at"])
    return wake(items_of(batch), batch)


def _again(batch: Batch, state: JobState) -> int:
    rows = items_of(batch).filter(state=ItemState.WORKING, job__state=state, due_at=None)
    rows = rows.exclude(job__failure_code__in=NOT_REPEATED).select_related("image", "source", "job")
    locked = rows.select_for_update(no_key=True, of=("self",)).order_by("number")
    items = [item for item in locked if usable(item.made_of, batch)]
    if items:
        make_edits(batch, items)
    return len(items)


def go_on_with_stopped(batch: Batch) -> int:
    """Let those that stopped before their next step try once more; returns how many."""
    Batch.objects.filter(pk=batch.pk).update(canceled_at=None)
    return wake(items_of(batch), batch)


def cancel_waiting(batch: Batch) -> int:
    """Stop those that nothing was sent for yet, the last ones first. Free; returns how many.

    What is under way ends, and no step begins after it. Those that somebody has hold of at this moment come last, one
    by one: one that is sent meanwhile has a new fence, so that its old row cancels nothing.
    """
    Batch.objects.filter(pk=batch.pk).update(canceled_at=timezone.now())
    waiting = edits_of(batch).waiting()
    number = sum(iter(lambda: waiting.cancel_some(CANCELED_AT_ONCE), 0))
    number += sum(job.cancel(Allowance.RELEASED) for job in waiting.order_by("-created_at", "-id"))
    Batch.objects.filter(pk=batch.pk).update(paused_at=None)  # not before, or some would be sent meanwhile
    rings.ring_steps(batch.pk)
    return number


def pause(batch: Batch) -> int:
    """Nothing more is sent until it goes on; returns how many edits wait now. What is under way ends."""
    Batch.objects.filter(pk=batch.pk, paused_at=None).update(paused_at=timezone.now())
    number = edits_of(batch).hold_all(HeldFor.PAUSED)
    events.edits_begun(batch.workspace_id)
    return number


def resume(batch: Batch) -> int:
    """On with it; returns how many edits wait for their turns again."""
    Batch.objects.filter(pk=batch.pk).update(paused_at=None)
    number = GenerationJob.objects.filter(batch=batch).release_all(HeldFor.PAUSED)
    rings.ring_steps(batch.pk)
    first = edits_of(batch).filter(state=JobState.QUEUED).order_by("created_at", "id").first()
    if first is not None:
        rings.ring_job(first.pk)  # each look at an edit rings for the next ones
    events.edits_begun(batch.workspace_id)
    return number


def items_of(batch: Batch) -> "ItemQuerySet":
    """All of them but those that were moved to another workspace since."""
    return BatchItem.objects.of(batch)


def edits_of(batch: Batch) -> "JobQuerySet":
    """All of them but those that were moved to another workspace since: who sees the batch may not be in it."""
    return GenerationJob.objects.filter(batch=batch, workspace=batch.workspace_id)


def standing_of(batch: Batch) -> Standing:
    numbers: dict[str, int] = {}
    by_step = [0] * len(batch.steps)
    rows = items_of(batch).order_by().values_list("state", "step", "job__state")
    for state, step, job_state, number in rows.annotate(Count("pk")):
        group = _OF_ITEMS.get(ItemState(state)) or _OF_EDITS.get(JobState(job_state), "working")
        numbers[group] = numbers.get(group, 0) + number
        if state not in {ItemState.KEPT, ItemState.DROPPED}:
            by_step[step] += number
        if group in _UNDER_WAY and step + 1 < len(batch.steps):
            numbers["before_last"] = numbers.get("before_last", 0) + number
    return Standing(**numbers, by_step=by_step)


def repeatable(batch: Batch) -> bool:
    """Whether something failed that may be run again."""
    failed = items_of(batch).filter(state=ItemState.WORKING, job__state=JobState.FAILED)
    return failed.exclude(job__failure_code__in=NOT_REPEATED).exists()


def last_in_line(batch: Batch) -> GenerationJob | None:
    """The waiting edit of the batch whose turn comes last, with its pictures."""
    return edits_of(batch).filter(state=JobState.QUEUED).with_pictures().order_by("-created_at", "-id").first()


def time_of(edits: int, outlook: Outlook) -> Span | None:
    """Seconds until the last of so many more edits is there, if nobody else asked for any; None if nobody can know."""
    return outlook.seconds(max(0, edits - 1))


def to_be_mailed(now: datetime) -> "QuerySet[Batch, UUID]":
    """The ids of batches that are over, or wait at the gate, and whose makers wanted a mail about it."""
    return _over().filter(mail_due_at__lte=now).order_by("mail_due_at").values_list("pk", flat=True)


def to_be_told(now: datetime) -> "QuerySet[Batch, UUID]":
    """Likewise, whose makers were not told yet."""
    return _over().filter(tell_due_at__lte=now).order_by("tell_due_at").values_list("pk", flat=True)


def _over() -> "QuerySet[Batch]":
    """Of those in which nothing is under way any more."""
    unfinished = GenerationJob.objects.filter(batch=OuterRef("pk"), state__in=OPEN)
    going_on = BatchItem.objects.filter(batch=OuterRef("pk"), due_at__isnull=False)
    return Batch.objects.filter(~Exists(unfinished), ~Exists(going_on))
