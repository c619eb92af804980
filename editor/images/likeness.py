"""Pictures of a workspace that are the same as others, byte by byte, or look like them. Offered, never acted upon."""

from collections.abc import Iterable
from uuid import UUID

from editor.library.perceptual import ALIKE, Parts, difference, phash_of, sharing_a_part
from editor.models import Image, ImageKind, ImageState, User, Workspace

SHOWN = 6
CANDIDATES = 300  # rows that are compared for one look


def same_bytes(user: User, workspace: Workspace, raw_sha256: str) -> Image | None:
    """The first upload of exactly these bytes that the person sees there, if it was not refused or thrown away."""
    rows = Image.objects.shown_to(user).filter(workspace=workspace, raw_sha256=raw_sha256, kind=ImageKind.UPLOADED)
    return rows.exclude(state=ImageState.REFUSED).order_by("created_at", "id").first()


def alike(user: User, images: Iterable[Image]) -> dict[UUID, list[Image]]:
    """For each ready picture of one workspace those in it that look like it, the most alike first. One query.

    What the person does not see is not found.

    Found are all that differ in up to three bits, since those share one of four parts, and most that differ in ALIKE.
    """
    hashes = {image.pk: (image, found) for image in images if (found := phash_of(image)) is not None}
    if not hashes:
        return {}
    workspaces = {image.workspace_id for image, _ in hashes.values()}
    shared = sharing_a_part(parts for _, parts in hashes.values())
    rows = Image.objects.shown_to(user).filter(shared, workspace__in=workspaces, state=ImageState.READY)
    candidates = list(rows[: CANDIDATES * len(hashes)])
    return {pk: _nearest(image, parts, candidates) for pk, (image, parts) in hashes.items()}


def _nearest(image: Image, parts: Parts, candidates: list[Image]) -> list[Image]:
    near = []
    for other in candidates:
        theirs = phash_of(other)
        if theirs is None or other.pk == image.pk or _family(other, image) or other.workspace_id != image.workspace_id:
            continue
        distance = difference(parts, theirs)
        if distance <= ALIKE:
            near.append((distance, other))
    return [other for _, other in sorted(near, key=lambda found: found[0])][:SHOWN]


def _family(one: Image, other: Image) -> bool:
    """Versions of one upload look alike of course, and stand side by side anyway."""
    return (one.root_id or one.pk) == (other.root_id or other.pk)
