"""Once a day all objects against all rows: what fits nowhere is written down for the storage page.

A worker does it, some pages at a time; the row of the round says where it is, so whoever takes the next ring goes on.
Sizes of smaller copies that nobody had measured are noted on the way.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor import rings
from editor.doctor import objects
from editor.doctor.objects import IMAGES, INCOMING, Object
from editor.images import bucket
from editor.models import BucketRound, Image, ImageState, Stray

EVERY = timedelta(days=1)
PAGES = 5  # of one ring
MOST_FOUND = 2_000  # are listed and can be deleted from the page; the rest is counted
KEPT = 10  # rounds
FOLDERS = (IMAGES, INCOMING, "rows")


def look() -> None:
    """The RQ entry point: go on with the round, and ring for the rest of it."""
    rings.answered(rings.LOOK_AT_BUCKET)
    if go_on():
        rings.ring_bucket()


def go_on(pages: int = PAGES) -> bool:
    """True if there is more. May raise BucketUnavailable; then the next ring goes on from the same place."""
    for _ in range(pages):
        current = BucketRound.objects.filter(finished_at=None).first()
        if current is None:
            return False
        with transaction.atomic():  # one after the other, each from where the one before came to
            current = BucketRound.objects.select_for_update().filter(pk=current.pk, finished_at=None).first()
            if current is None:
                return False
            after = _rows(current) if current.folder == "rows" else _objects(current)
            _move_on(current, after)
    return BucketRound.objects.filter(finished_at=None).exists()


def begin() -> BucketRound:
    """A new round, or the one that is under way."""
    found, _ = BucketRound.objects.get_or_create(finished_at=None)
    rings.ring_bucket()
    return found


def latest() -> BucketRound | None:
    """The last one that is over."""
    return BucketRound.objects.filter(finished_at__isnull=False).order_by("-started_at").first()


def _move_on(current: BucketRound, after: str) -> None:
    current.after = after
    if not after:
        place = FOLDERS.index(current.folder) + 1
        if place == len(FOLDERS):
            current.finished_at = timezone.now()
        else:
            current.folder = FOLDERS[place]
    current.save()
    if current.finished_at is not None:
        kept = BucketRound.objects.order_by("-started_at").values_list("pk", flat=True)[:KEPT]
        BucketRound.objects.exclude(pk__in=list(kept)).delete()


def _objects(current: BucketRound) -> str:
    listed, more = objects.listing(current.folder, current.after)
    if more:
        listed = _whole_pictures(listed)
    ids = {thing.image_id for thing in listed if thing.image_id is not None}
    rows = {i.pk: i for i in Image.objects.filter(pk__in=ids).exclude(objects.long_purged())}
    before = timezone.now() - objects.OLD
    strays = [t for t in listed if t.image_id is not None and t.image_id not in rows and t.written_at <= before]
    current.known += len(rows) if current.folder == IMAGES else 0
    _note(current, strays)
    _measure(current.folder, [thing for thing in listed if thing.image_id in rows], rows)
    return listed[-1].key if more else ""


def _whole_pictures(listed: list[Object]) -> list[Object]:
    """A page without its last picture, of which there may be more on the next one."""
    last = listed[-1].key.split("/")[1]
    whole = [thing for thing in listed if thing.key.split("/")[1] != last]
    return whole or listed


def _note(current: BucketRound, strays: list[Object]) -> None:
    current.strays += len(strays)
    current.strays_size += sum(thing.size for thing in strays)
    current.stray_pictures += len({thing.image_id for thing in strays})
    room = max(MOST_FOUND - current.found.exclude(key="").count(), 0) if strays else 0
    Stray.objects.bulk_create(
        Stray(round=current, key=thing.key, size=thing.size, written_at=thing.written_at) for thing in strays[:room]
    )


def _measure(folder: str, listed: list[Object], rows: dict[UUID, Image]) -> None:
    sizes: dict[UUID, int] = defaultdict(int)
    for thing in listed:
        if thing.image_id is not None and "/master." not in thing.key:
            sizes[thing.image_id] += thing.size
    name = "copies_size" if folder == IMAGES else "raw_size"
    changed = []
    for image_id, size in sizes.items():
        image = rows[image_id]
        if image.state == ImageState.READY and not getattr(image, name):
            setattr(image, name, size)
            changed.append(image)
    Image.objects.bulk_update(changed, [name], batch_size=200)


def _rows(current: BucketRound) -> str:
    seen = objects.Seen()
    after = objects.rows_behind(current.after, seen)
    current.missing += len(seen.missing)
    Stray.objects.bulk_create(Stray(round=current, image_id=image_id) for image_id in seen.missing)
    return after


def keep(now: datetime) -> None:
    """For the clock: begin a round each day, and ring for one that nobody goes on with."""
    current = BucketRound.objects.filter(finished_at=None).first()
    if current is not None:
        rings.ring_bucket()
        return
    last = latest()
    if last is None or last.started_at <= now - EVERY:
        begin()


def too_many(found: BucketRound) -> bool:
    """So many beside those that have a row that it is the database which is the wrong one."""
    pictures = found.stray_pictures
    return pictures > found.known or (pictures > objects.FEW and pictures * 10 > found.known)


def delete_strays(found: BucketRound) -> tuple[int, int] | None:
    """Delete the objects that this round listed and that still have no row; how many, and their bytes.

    None if somebody else did so meanwhile. May raise BucketUnavailable. Raises ValueError if they are too many.
    """
    with transaction.atomic():  # one press after the other
        locked = BucketRound.objects.select_for_update().filter(pk=found.pk).first()
        if locked is None or not locked.found.exclude(key="").exists():
            return None
        if too_many(locked):
            raise ValueError("too many strays")
        return _delete_listed(locked)


def _delete_listed(locked: BucketRound) -> tuple[int, int]:
    gone, size, done = 0, 0, 0
    pictures: set[str] = set()
    rows = locked.found.exclude(key="")
    while some := list(rows.order_by("pk")[:200]):
        still = [stray for stray in some if objects.is_orphan(stray.key)]
        bucket.delete([stray.key for stray in still])
        rows.filter(pk__in=[stray.pk for stray in some]).delete()
        gone, size, done = gone + len(still), size + sum(stray.size for stray in still), done + len(some)
        locked.strays_size = max(locked.strays_size - sum(stray.size for stray in some), 0)
        pictures |= {stray.key.split("/")[1] for stray in some}
    locked.strays = max(locked.strays - done, 0)
    locked.stray_pictures = max(locked.stray_pictures - len(pictures), 0)
    locked.save(update_fields=["strays", "strays_size", "stray_pictures"])
    return gone, size
