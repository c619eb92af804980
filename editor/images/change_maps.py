"""Making maps of what edits changed: rows promise them, a worker makes each from two renditions, which are our own.

Off the path of the edit: it has succeeded before, and whatever goes wrong here harms nothing but the map.
"""

import io
import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from PIL import Image as Pillow

from editor import events, rings
from editor.images import bucket, keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.changes import METHOD, SIDE, Incomparable, changes
from editor.images.overlay import draw
from editor.models import ChangeMap, ChangeState, Image, NoChangeMap
from editor.models.changes import PASSING, can_have_one

log = logging.getLogger(__name__)

TRIES = 3
LEASE = timedelta(minutes=2)
RETRY = timedelta(seconds=30)
_LARGEST = 50_000_000  # pixels of a rendition; there are none like that


def promise(images: list[Image]) -> None:
    """For results that are ready now, in the transaction that says so; rings when it is committed."""
    ChangeMap.objects.promise(images)
    for image in images:
        rings.ring_changes(image.pk)


def ask_for(image: Image) -> None:
    """Somebody wants to see one that was never made, or for a reason that may be over."""
    if not can_have_one(image):
        return
    ChangeMap.objects.promise([image])
    again = ChangeMap.objects.filter(image=image, reason__in=PASSING)
    again.update(state=ChangeState.WANTED, reason="", tries=0, due_at=timezone.now())
    rings.ring_changes(image.pk)


def make(wanted: ChangeMap) -> bool:
    """Once, whoever else does so at the same time. True if this call decided about it."""
    if not wanted.claim(LEASE * settings.TIME_SCALE):
        return False
    image = Image.objects.select_related("job").get(pk=wanted.pk)
    source = source_of(image)
    if not _is_there(image):
        return wanted.give_up(NoChangeMap.GONE)
    if source is None or not _is_there(source):
        return wanted.give_up(NoChangeMap.SOURCE)
    try:
        done = _make(wanted, image, source)
    except Incomparable as why:
        done = wanted.give_up(NoChangeMap(why.reason))
    except (BucketUnavailable, Missing, OSError, ValueError, MemoryError) as error:
        log.warning("What changed in picture %s is not known (try %s): %r", image.pk, wanted.tries, error)
        if wanted.tries < TRIES:
            wanted.look_later(timezone.now() + RETRY * settings.TIME_SCALE * wanted.tries)
            return False
        done = wanted.give_up(NoChangeMap.FAILED)
    if done:
        events.image_changed(image.pk, image.made_by_id, image.workspace_id)
    return done


def source_of(image: Image) -> Image | None:
    """The picture that a result is laid over: the first of its edit's sources."""
    return image.job.source_image if image.job is not None else None


def _is_there(image: Image) -> bool:
    return image.is_ready and image.purged_at is None and image.removed_at is None and image.quarantined_at is None


def between(before: Image, after: Image) -> bytes:
    """A map of what is different in the second picture, as PNG; of any two, made anew each time.

    Raises Incomparable, Missing, BucketUnavailable, OSError, ValueError.
    """
    return draw(changes(_rendition(before), _rendition(after)).map)


def _make(wanted: ChangeMap, image: Image, source: Image) -> bool:
    found = changes(_rendition(source), _rendition(image))
    data, key = draw(found.map), keys.change_key(image.pk)
    bucket.put(key, data, "image/png")
    with transaction.atomic():
        # Locked, so that a removal comes before, or finds the map.
        now = Image.objects.select_for_update(no_key=True).get(pk=image.pk)
        done = _is_there(now) and wanted.become_made(share=found.share, byte_size=len(data), method=METHOD)
        if done:
            Image.objects.filter(pk=image.pk).update(copies_size=F("copies_size") + len(data))
    if not done and not ChangeMap.objects.made_of([image.pk]):
        bucket.delete([key, keys.quarantine_key(key)])  # it may have been moved apart in between
    return done


def _rendition(image: Image) -> Pillow.Image:
    """As small a one as will do. Raises Missing, BucketUnavailable, and what `opened` does."""
    width, height = image.width or 1, image.height or 1
    widths = sorted(image.rendition_widths)
    enough = (each for each in widths if each * max(1, height / width) >= 2 * SIDE)
    return opened(bucket.get(keys.rendition_key(image.pk, next(enough, widths[-1]))))


def opened(data: bytes) -> Pillow.Image:
    """A rendition in RGB, on white. It is ours and clean: nothing untrusted is decoded here.

    Raises OSError, ValueError.
    """
    with Pillow.open(io.BytesIO(data), formats=["WEBP", "JPEG"]) as found:
        if found.width * found.height > _LARGEST:
            raise ValueError(f"{found.size} is no rendition")
        if found.mode == "RGB":
            found.load()
            return found
        picture = found.convert("RGBA")
    white = Pillow.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white
