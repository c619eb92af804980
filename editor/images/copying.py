"""Copies of pictures: uploads of their own, whose bytes the bucket copied by itself."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from editor.images import bucket, keys, veils
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.ingest import LOST
from editor.library.perceptual import phash_of
from editor.library.words import index_words
from editor.models import ChangeMap, Image, ImageKind, ImageState, User, Workspace
from editor.moderation.first_looks import of_likeness, of_sources, of_trust, withhold

log = logging.getLogger(__name__)

_AT_ONCE = 8

# What a copy is born with; it has an uploader and a moment of its own, and no edit that made it.
_BORN_WITH = (
    *("name", "sandbox", "description", "alt_text", "licence", "credit", "consent", "usable_until"),
    *("phash_a", "phash_b", "phash_c", "phash_d"),
)
# And what it has from when its bytes are there.
_READY_WITH = (
    *(
        "width",
        "height",
        "byte_size",
        "copies_size",
        "master_ext",
        "content_type",
        "raw_sha256",
        "master_sha256",
        "rendition_widths",
    ),
    *("thumbhash", "init_width", "init_height", "init_crop", "frames_dropped", "shape"),
)


def copy(user: User, images: Sequence[Image], to: Workspace) -> list[Image]:
    """Copies of those that are ready and whose bytes are there; newest first, as the originals.

    Row first: should this process die, the clock finds a picture without bytes and refuses it.
    """
    originals = [image for image in images if image.is_ready and image.purged_at is None]
    now = timezone.now()
    rows = [
        Image(
            workspace=to,
            made_by=user,
            kind=ImageKind.UPLOADED,
            state=ImageState.RECEIVED,
            due_at=now + settings.IMAGE_LEASE * 4,
            created_at=now - number * timedelta(milliseconds=1),
            withheld_at=now,  # until it is known whether somebody has to look at it first
            **{name: getattr(original, name) for name in _BORN_WITH},
        )
        for number, original in enumerate(originals)
    ]
    for row, original in zip(rows, originals, strict=True):
        if original.job is not None and not row.description:
            row.description = original.job.prompt[:2000]
    Image.objects.bulk_create(rows)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        copied = list(pool.map(_copy_bytes, originals, rows))
    done = []
    for row, original, whole in zip(rows, originals, copied, strict=True):
        if whole and _become_ready(row, original):
            done.append(row)
        else:
            row.refuse(LOST)
    index_words(*done)
    return done


def _become_ready(row: Image, original: Image) -> bool:
    """Unless the original was removed while its bytes were copied, or is itself the copy of a removed picture."""
    facts = {name: getattr(original, name) for name in _READY_WITH}
    if facts["copies_size"] is not None:  # the map of what changed stays behind: a copy is no result
        facts["copies_size"] -= ChangeMap.objects.filter(image=original).aggregate(size=Sum("byte_size"))["size"] or 0
    with transaction.atomic():
        # Locked, so that a removal comes before, or finds the copy.
        original = Image.objects.select_for_update(no_key=True, of=("self",)).get(pk=original.pk)
        known = of_likeness(master_sha256=original.master_sha256, looks=phash_of(original))
        if original.removed_at is not None or any(each.details["exact"] for each in known):
            return False
        if done := row.become_ready(withheld_at=None, **facts):
            withhold(row, known + of_sources([original]) + of_trust(row.made_by, row.workspace))
            veils.inherit(row)
    return done


def _copy_bytes(original: Image, row: Image) -> bool:
    pairs = [(keys.master_key(original.pk, original.master_ext), keys.master_key(row.pk, original.master_ext))]
    pairs.append((keys.init_key(original.pk), keys.init_key(row.pk)))
    pairs += [(keys.rendition_key(original.pk, w), keys.rendition_key(row.pk, w)) for w in original.rendition_widths]
    try:
        for source, target in pairs:
            bucket.copy(source, target)
    except (BucketUnavailable, Missing) as error:
        log.warning("Picture %s was not copied: %s", original.pk, error)
        return False
    return True
