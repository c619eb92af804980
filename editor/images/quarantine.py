"""The bytes of removed pictures lie apart, where no address but the desk's leads, until their time is over.

Each step may be repeated after a crash at any line: an object is copied before it is deleted, and one that is missing
was moved already, or never there. A lease on the row keeps two from moving one picture in opposite directions.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from editor.images import bucket, keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.models import CaseState, ChangeMap, ChangeState, Image, ImageState, NoChangeMap
from editor.models.chosen import chosen

log = logging.getLogger(__name__)

SETTLED = {ImageState.READY, ImageState.REFUSED}
DESCENDANTS_MAX = 2_000
MOST_AT_ONCE = 50  # pictures, so that the clock goes on


def unfinished() -> QuerySet[Image]:
    """Removed ones whose bytes still lie in the open, and those given back whose bytes still lie apart.

    Two queries in one, each with an index that holds nothing else.
    """
    rows = Image.objects.filter(state__in=SETTLED, purged_at=None)
    apart = rows.filter(removed_at__isnull=False, quarantined_at=None)
    return apart.union(rows.filter(removed_at=None, quarantined_at__isnull=False), all=True)


def settle(image: Image) -> bool:
    """Move the bytes to where the row says that they should lie. Raises BucketUnavailable."""
    image.refresh_from_db()
    if image.removed_at is not None:
        return quarantine(image)
    return image.quarantined_at is not None and release(image)


def quarantine(image: Image) -> bool:
    """Move all bytes of a removed picture apart. True if they are there now. Raises BucketUnavailable.

    One that a worker has yet to look at waits for that: its bytes are not all there.
    """
    if not image.claim(set(SETTLED), settings.IMAGE_LEASE):
        return False
    if image.removed_at is None or image.purged_at is not None:
        image.let_go()
        return False
    _move(image, [(key, keys.quarantine_key(key)) for key in _every_key(image)])
    now = image.quarantined_at or timezone.now()
    return image.swap(set(SETTLED), quarantined_at=now, lease_until=None, due_at=None) and _still(image, removed=True)


def release(image: Image) -> bool:
    """The decision was changed: move the bytes back. True if they are there now. Raises BucketUnavailable."""
    if not image.claim(set(SETTLED), settings.IMAGE_LEASE):
        return False
    if image.removed_at is not None or image.purged_at is not None:
        image.let_go()
        return False
    _move(image, [(keys.quarantine_key(key), key) for key in _every_key(image)])
    return image.swap(set(SETTLED), quarantined_at=None, lease_until=None, due_at=None) and _still(image, removed=False)


def _still(image: Image, *, removed: bool) -> bool:
    """Whether the decision is still the same; if not, the clock moves the bytes the other way."""
    image.refresh_from_db()
    return (image.removed_at is not None) == removed


def _move(image: Image, pairs: Iterable[tuple[str, str]]) -> None:
    moved = []
    try:
        for source, target in pairs:
            with suppress(Missing):
                bucket.copy(source, target)
                moved.append(source)
        # Whoever lost the lease deletes nothing: somebody else may be about to copy it back.
        if image.renew(settings.IMAGE_LEASE):
            bucket.delete(moved)
    except BucketUnavailable:
        image.let_go()
        raise


def keys_of(image: Image) -> list[str]:
    """Where all its bytes lie while it is in the open, but for what can be made again."""
    found = [keys.raw_key(image.pk), keys.init_key(image.pk)]
    found += [keys.rendition_key(image.pk, width) for width in image.rendition_widths]
    if image.master_ext:  # a refused picture never had a master
        found.append(keys.master_key(image.pk, image.master_ext))
    return found


def _every_key(image: Image) -> list[str]:
    """Where there may be bytes of it, what can be made again included."""
    return [*keys_of(image), keys.change_key(image.pk)]


def key_for(image: Image, width: int) -> str:
    """Where the desk finds a rendition of at least this width, or the largest. Raises Missing, BucketUnavailable.

    For whoever may moderate alone, and each look is to be recorded. While bytes are being moved it asks the bucket.
    """
    widths = sorted(image.rendition_widths)
    if not widths or image.purged_at is not None:
        raise Missing(str(image.pk))
    key = keys.rendition_key(image.pk, next((w for w in widths if w >= width), widths[-1]))
    apart = keys.quarantine_key(key)
    if image.removed_at is None and image.quarantined_at is None:
        return key
    if image.removed_at is not None and image.quarantined_at is not None:
        return apart
    return apart if bucket.exists(apart) else key


def purge_quarantine() -> list[Image]:
    """Delete the bytes of those removed QUARANTINE_DAYS ago. Those about which a case is open wait for it.

    Some at a time; returns them. One that can't be deleted keeps none of the others.
    """
    before = timezone.now() - timedelta(days=chosen.QUARANTINE_DAYS)
    over = Image.objects.filter(removed_at__lte=before, quarantined_at__isnull=False, purged_at=None)
    over = over.exclude(cases__state=CaseState.OPEN).select_related("workspace")
    purged = []
    for image in over.order_by("removed_at")[:MOST_AT_ONCE]:
        try:
            if _purge(image):
                purged.append(image)
        except Exception:
            log.exception("Picture %s stays in quarantine for now.", image.pk)
    return purged


def _purge(image: Image) -> bool:
    """False if the decision was changed at the last moment. Raises BucketUnavailable."""
    if not image.claim(set(SETTLED), settings.IMAGE_LEASE) or image.removed_at is None:
        return False
    ChangeMap.objects.filter(pk=image.pk).update(state=ChangeState.NONE, reason=NoChangeMap.GONE)
    open_keys = _every_key(image)
    bucket.delete([*open_keys, *map(keys.quarantine_key, open_keys)])
    # Nothing that shows it stays, not even as a blur of a few pixels.
    return image.swap(set(SETTLED), purged_at=timezone.now(), thumbhash="", lease_until=None, due_at=None)


def descendants_of(image: Image) -> QuerySet[Image]:
    """Of its family those that are ready and there, the latest first."""
    rows = Image.objects.filter(pk__in=family_of(image), state=ImageState.READY, removed_at=None, purged_at=None)
    return rows.select_related("made_by").order_by("-created_at", "-id")


def family_of(image: Image) -> list[UUID]:
    """What was made from it, in whatever workspace: results of edits (through merges, too), copies, and theirs.

    DESCENDANTS_MAX at most. Copies are known by their bytes, so the same bytes sent by somebody else are among them.
    """
    found: set[UUID] = {image.pk}
    level = {image.pk}
    while level and len(found) <= DESCENDANTS_MAX:
        made = Image.objects.filter(job__sources__image__in=level)
        sums = Image.objects.filter(pk__in=level).exclude(master_sha256="").values("master_sha256")
        copies = Image.objects.filter(master_sha256__in=list(sums.values_list("master_sha256", flat=True)))
        family = Image.objects.filter(root__in=level)
        fresh: set[UUID] = set()
        for rows in (made, copies, family):
            fresh |= set(rows.values_list("pk", flat=True)[:DESCENDANTS_MAX])
        level = fresh - found
        found |= level
    return sorted(found - {image.pk})[:DESCENDANTS_MAX]
