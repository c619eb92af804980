"""Edits of edits of edits: what they cost the picture, and the way to ask for all of it at once."""

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import ordinal
from django.urls import reverse

from editor.forms import PROMPT_MAX
from editor.images.rights import expired
from editor.jobs.lineage import Row, joined, row_to
from editor.models import GenerationJob, Image
from editor.views.versions import Versions

if TYPE_CHECKING:
    from editor.models import User

NOTICED = 2
"""Edits behind a picture from which on it is said that one more would be made of it."""


class Loss(NamedTuple):
    """What the dock says of a picture that was made by several edits in a row."""

    number: str  # "3rd": what the next edit would be, or the one that made it is
    made: bool  # whether it is said of a result that is there
    at_least: bool  # whether some of them are out of sight
    address: str  # of the form that asks for all of them at once; empty: that can't be done
    why_not: str  # in words, where they help


def loss_of(image: Image, user: "User", versions: Versions, *, made: bool = False) -> Loss | None:
    """What the next edit of `image` would cost it, or what it cost the result that `image` is, if it is `made`.

    None for few edits: of a source that an edit may well be made of, and of what was made of such a source.
    """
    if image.job_id is None:
        return None
    row = row_to(image, user, _known(versions))
    place = row.length if made else row.length + 1
    if place <= NOTICED:
        return None
    why_not = _why_not(row, versions, user)
    address = f"{reverse('studio_image', args=[versions.root.pk])}?joined={image.pk}" if why_not is None else ""
    return Loss(str(ordinal(place)), made, not row.whole, address, why_not or "")


def at_once(image: Image, user: "User", versions: Versions) -> dict[str, Any]:
    """What the dock holds to ask for all at once that made `image`; nothing if that can't be done."""
    row = row_to(image, user, _known(versions))
    if row.length < NOTICED or _why_not(row, versions, user) is not None:
        return {}
    spec = joined(row)
    said = {name: getattr(spec, name) for name in ("prompt", "negative_prompt", "ratio", "strength")}
    return {"joined": image.pk, **said}


def picture_of(versions: Versions, image_id: UUID, user: "User") -> Image | None:
    """What was made of this upload, if the person may see it: of the tree, or looked up."""
    for job in _known(versions).values():
        for image in job.results.all():
            if image.pk == image_id and image.root_id == versions.root.pk:
                return image if image.is_shown_to(user) else None
    return Image.objects.visible_to(user).filter(pk=image_id, root=versions.root).first()


def _known(versions: Versions) -> dict[UUID, GenerationJob]:
    return {node.job.pk: node.job for node in versions.nodes} | versions.asked


def _why_not(row: Row, versions: Versions, user: "User") -> str | None:
    """Why these edits can't be asked for at once; empty if it is nothing to tell; None if they can."""
    root = versions.root
    if not row.whole or row.edits[0].sources[0].pk != root.pk:
        return ""
    if any(edit.job.workspace_id != root.workspace_id for edit in row.edits):
        return ""  # pictures move, and what is made of them has to lie beside them
    if row.merges:
        return "A second picture came in on the way, so they can’t be joined into one edit."
    between = [edit.sources[0] for edit in row.edits[1:]]
    if root.purged_at or not all(picture.is_there_for(user) for picture in (root, *between)):
        return ""
    if root.trashed_at:
        return "The original is in the trash; put it back, and all of them can be made in one edit."
    spec = joined(row)
    if len(spec.prompt) > PROMPT_MAX or len(spec.negative_prompt) > PROMPT_MAX:
        return "Their words are too long to be joined into one edit."
    return "" if expired([root]) or not root.is_ready else None
