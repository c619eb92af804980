"""Pictures of a workspace that are the same as others, byte by byte, or look like them. Offered, never acted upon."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from editor.models import Image, ImageKind, ImageState, Workspace

if TYPE_CHECKING:
    from editor.images.hashing import Parts

ALIKE = 8
"""Bits of 64 in which two pictures that look alike may differ.

Measured on 69 photographs and parts of them: scaled, saved again, brighter, darker, sharper or in grey, 0 to 6 of them
differ, with a hundredth cut off each side up to 8; between different photographs 18 (14 where they overlapped).
"""

SHOWN = 6
CANDIDATES = 300  # rows that are compared for one look
PARTS = ("phash_a", "phash_b", "phash_c", "phash_d")


def same_bytes(workspace: Workspace, raw_sha256: str) -> Image | None:
    """The first upload of exactly these bytes in the workspace, if it was not refused or thrown away."""
    rows = Image.objects.filter(workspace=workspace, raw_sha256=raw_sha256, kind=ImageKind.UPLOADED, trashed_at=None)
    return rows.exclude(state=ImageState.REFUSED).order_by("created_at", "id").first()


def alike(images: Iterable[Image]) -> dict[UUID, list[Image]]:
    """For each ready picture of one workspace those in it that look like it, the most alike first. One query.

    Found are all that differ in up to three bits, since those share one of four parts, and most that differ in ALIKE.
    """
    hashes = {image.pk: (image, found) for image in images if (found := phash_of(image)) is not None}
    if not hashes:
        return {}
    wanted: dict[str, set[int]] = defaultdict(set)
    for _, parts in hashes.values():
        for name, part in zip(PARTS, parts, strict=True):
            wanted[name].add(part)
    workspaces = {image.workspace_id for image, _ in hashes.values()}
    shared = reduce(or_, (Q(**{f"{name}__in": parts}) for name, parts in wanted.items()))
    rows = Image.objects.filter(shared, workspace__in=workspaces, state=ImageState.READY, trashed_at=None)
    candidates = list(rows[: CANDIDATES * len(hashes)])
    return {pk: _nearest(image, parts, candidates) for pk, (image, parts) in hashes.items()}


def _nearest(image: Image, parts: "Parts", candidates: list[Image]) -> list[Image]:
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


def phash_of(image: Image) -> "Parts | None":
    a, b, c, d = image.phash_a, image.phash_b, image.phash_c, image.phash_d
    if a is None or b is None or c is None or d is None:
        return None
    return a, b, c, d


def difference(one: "Parts", other: "Parts") -> int:
    """In how many of 64 bits."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def phash_columns(parts: "Parts | None") -> dict[str, int | None]:
    return dict(zip(PARTS, parts or (None,) * len(PARTS), strict=True))
