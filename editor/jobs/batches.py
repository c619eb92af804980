"""One prompt on many pictures: an edit each, made together, then followed, stopped and repeated as a whole.

They are edits like all others and wait behind those that somebody sits and waits for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from editor.images.rights import expired
from editor.jobs.creation import EditSpec, NotAllowed, Order, create_jobs
from editor.jobs.outlook import Outlook, Span
from editor.models import OPEN, Allowance, Batch, GenerationJob, Image, ImageState, JobState, User

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from editor.models.jobs import JobQuerySet

BATCH_MAX = 500  # edits; with their numbers, tokens stay below the 64 characters that a form may send
TOKEN_MAX = 58
NOT_REPEATED = ("refused",)  # failures that somebody decided on


@dataclass(frozen=True)
class Standing:
    """How far a batch is: its edits by what became of them. One that was run again counts once, as its last run."""

    waiting: int = 0  # nothing was sent yet, so that stopping them is free
    working: int = 0
    asking: int = 0  # they want their owner's word
    done: int = 0
    failed: int = 0
    blocked: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.working + self.asking + self.ended

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.blocked + self.canceled

    @property
    def is_over(self) -> bool:
        return self.ended == self.total


_GROUPS = {
    JobState.HELD: "waiting",
    JobState.QUEUED: "waiting",
    JobState.UNCONFIRMED: "asking",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
    JobState.BLOCKED: "blocked",
    JobState.CANCELED: "canceled",
}


def usable(images: list[Image]) -> list[Image]:
    """Those that an edit may be made of: not refused, and their rights have not ended."""
    return [image for image in images if image.state != ImageState.REFUSED and expired([image]) is None]


def create_batch(user: User, images: list[Image], spec: EditSpec, form_token: str, *, mail: bool = False) -> Batch:
    """The same words on each of these pictures, all of one workspace; or none. The same token again: the same batch.

    `mail`: whether its maker is told when all of them have ended. Raises NotAllowed.
    """
    if len(images) > BATCH_MAX:
        raise NotAllowed(f"At most {BATCH_MAX} pictures at once, please. Nothing was made of these {len(images):,}.")

    def shared() -> dict[str, Any]:
        batch = Batch.objects.create(
            workspace_id=images[0].workspace_id,
            made_by=user,
            form_token=form_token,
            prompt=spec.prompt,
            mail_due_at=timezone.now() if mail else None,
        )
        return {"batch": batch, "interactive": False}

    orders = [Order([image], spec, _token(form_token, number)) for number, image in enumerate(images)]
    made = create_jobs(user, orders, shared)[0].batch
    if made is None:
        raise NotAllowed("Please reload the page and try again.")
    return made


def run_again(user: User, batch: Batch, form_token: str, state: JobState = JobState.FAILED) -> int:
    """Once more, with their own seeds, what failed or was canceled and was not run again yet: how many edits that are.

    Pictures that are gone, in the trash, or may not be used any more are left out. Raises NotAllowed.
    """
    refusal: NotAllowed | None = None
    with transaction.atomic():
        # One window at a time: the other ones find that what failed is run again by now.
        Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        begun = _token(form_token, 0).removesuffix("0")
        if made := edits_of(batch).filter(made_by=user, form_token__startswith=begun).count():
            return made
        try:
            return len(_again(user, batch, form_token, state))
        except NotAllowed as problem:
            refusal = problem  # what was noted of the attempt stays
    raise refusal


def _again(user: User, batch: Batch, form_token: str, state: JobState) -> list[GenerationJob]:
    ended = latest(batch).filter(state=state).exclude(failure_code__in=NOT_REPEATED).with_pictures()
    there = Image.objects.shown_to(user).filter(workspace=batch.workspace_id, used_by__job__in=ended.values("pk"))
    usable_ids = {image.pk for image in usable(list(there))}
    orders = [
        Order(job.source_images, _spec_of(job), _token(form_token, number), rerun_of=job)
        for number, job in enumerate(ended.order_by("created_at", "id")[:BATCH_MAX])
        if all(image.pk in usable_ids for image in job.source_images)
    ]
    return create_jobs(user, orders, lambda: {"batch": batch, "interactive": False}) if orders else []


def cancel_waiting(batch: Batch) -> int:
    """Stop those that nothing was sent for yet, the last ones first. Free; returns how many.

    One that is sent at this moment has a new fence, so that its old row cancels nothing.
    """
    return sum(job.cancel(Allowance.RELEASED) for job in edits_of(batch).waiting().order_by("-created_at", "-id"))


def edits_of(batch: Batch) -> "JobQuerySet":
    """All of them but those that were moved to another workspace since: who sees the batch may not be in it."""
    return GenerationJob.objects.filter(batch=batch, workspace=batch.workspace_id)


def latest(batch: Batch) -> "JobQuerySet":
    """The edits of a batch without those that were run again in it."""
    again = GenerationJob.objects.filter(rerun_of=OuterRef("pk"), batch=batch)
    return edits_of(batch).filter(~Exists(again))


def standing_of(batch: Batch) -> Standing:
    numbers: dict[str, int] = {}
    for state, number in latest(batch).order_by().values_list("state").annotate(Count("pk")):
        group = _GROUPS.get(JobState(state), "working")
        numbers[group] = numbers.get(group, 0) + number
    return Standing(**numbers)


def repeatable(batch: Batch) -> bool:
    """Whether something failed that may be run again."""
    return latest(batch).filter(state=JobState.FAILED).exclude(failure_code__in=NOT_REPEATED).exists()


def last_in_line(batch: Batch) -> GenerationJob | None:
    """The waiting edit of the batch whose turn comes last, with its pictures."""
    return edits_of(batch).filter(state=JobState.QUEUED).with_pictures().order_by("-created_at", "-id").first()


def time_of(edits: int, outlook: Outlook) -> Span | None:
    """Seconds until the last of so many more edits is there, if nobody else asked for any; None if nobody can know."""
    return outlook.seconds(max(0, edits - 1))


def to_be_mailed(now: datetime) -> "QuerySet[Batch, UUID]":
    """The ids of batches that are over and whose makers wanted to hear of it."""
    unfinished = GenerationJob.objects.filter(batch=OuterRef("pk"), state__in=OPEN)
    due = Batch.objects.filter(~Exists(unfinished), mail_due_at__lte=now)
    return due.order_by("mail_due_at").values_list("pk", flat=True)


def _token(form_token: str, number: int) -> str:
    return f"{form_token[:TOKEN_MAX]}.{number}"


def _spec_of(job: GenerationJob) -> EditSpec:
    return EditSpec(job.prompt, job.negative_prompt, job.ratio, job.samples, job.strength, job.seed)
