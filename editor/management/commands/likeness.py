"""Hashes what pictures look like, for those that came in before that was kept. May be stopped and run again."""

import io
from typing import Any

from django.core.management.base import BaseCommand
from PIL import Image as Pillow

from editor.images import bucket, keys
from editor.images.hashing import perceptual_hash
from editor.library.perceptual import phash_columns
from editor.models import Image, ImageState

BATCH = 200


class Command(BaseCommand):
    help = "Hashes what pictures look like, for those that came in before that was kept."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Image.objects.filter(state=ImageState.READY, phash_a=None, purged_at=None).order_by("pk")
        hashed = missing = 0
        batch = list(rows[:BATCH])
        while batch:
            for image in batch:
                try:
                    hashed += _hash(image)
                except bucket.Missing:
                    missing += 1
            batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH])
        self.stdout.write(f"{hashed} hashed; {missing} have no bytes.")


def _hash(image: Image) -> bool:
    """From its smallest rendition, which is ours and clean: nothing untrusted is decoded here. Raises Missing."""
    data = bucket.get(keys.rendition_key(image.pk, min(image.rendition_widths)))
    with Pillow.open(io.BytesIO(data), formats=["WEBP"]) as opened:
        picture = opened.convert("RGBA")
    white = Pillow.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    parts = perceptual_hash(white)
    return parts is not None and bool(Image.objects.filter(pk=image.pk).update(**phash_columns(parts)))
