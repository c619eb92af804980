"""What templates say about the pictures of a batch."""

from django import template

from editor.jobs.gate import can_take_back
from editor.models import BatchItem, Image, ItemState, User
from editor.templatetags.retake import progress_tone, state_words
from editor.views.batches import mark_of

register = template.Library()

WORDS = {ItemState.KEPT: "Kept", ItemState.DROPPED: "Dropped", ItemState.STOPPED: "Stopped", ItemState.LOOKING: "Look"}
TONES = {ItemState.KEPT: "done", ItemState.DROPPED: "", ItemState.STOPPED: "bad", ItemState.LOOKING: "ask"}


@register.filter
def item_mark(item: BatchItem) -> str:
    return mark_of(item)


@register.filter
def item_words(item: BatchItem) -> str:
    """Where it is, in a word or two."""
    if item.state != ItemState.WORKING:
        return WORDS[ItemState(item.state)]
    if item.due_at is None:
        return state_words(item.job)
    return f"On to step {item.step + 1}" if item.step > (item.job.batch_step or 0) else "Once more"


@register.filter
def item_tone(item: BatchItem) -> str:
    if item.state != ItemState.WORKING:
        return TONES[ItemState(item.state)]
    return "work" if item.due_at is not None else progress_tone(item.job)


@register.filter
def item_source(item: BatchItem, user: User) -> Image | None:
    """What its present step is made of, if this can be shown to the person."""
    image = item.made_of
    here = image.workspace_id == item.job.workspace_id and image.is_shown_to(user)
    return image if here and image.is_ready and not image.sensitive and image.purged_at is None else None


@register.filter
def item_name(item: BatchItem, user: User) -> str:
    """What the picture that it was asked for is called, if the person may know it."""
    known = item.image.workspace_id == item.job.workspace_id and item.image.is_there_for(user)
    return (item.image.name if known else "") or "Picture"


@register.filter
def item_results(item: BatchItem, user: User) -> list[Image]:
    """What can be shown of its present edit; of one that is through, what was chosen comes first.

    None while that edit is yet to be made: what came of the one before is its source by then.
    """
    if item.due_at is not None or item.job.batch_step not in {None, item.step}:
        return []
    images = [image for image in item.job.results.all() if image.is_ready and image.is_shown_to(user)]
    return sorted(images, key=lambda image: image.pk != item.kept_id)


@register.filter
def item_can_go_back(item: BatchItem) -> bool:
    """Whether a decision about it can still be taken back."""
    return can_take_back(item)
