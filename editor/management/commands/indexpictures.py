"""Let pictures that were there before the library be found: their words and their shapes."""

from typing import Any

from django.core.management.base import BaseCommand

from editor.library.words import index_words
from editor.models import Image, ImageState, Shape

BATCH = 500


class Command(BaseCommand):
    help = "Write the words and shapes by which the library finds pictures. Harmless to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        done, last = 0, None
        while True:
            images = Image.objects.filter(state=ImageState.READY, purged_at=None).order_by("pk")
            batch = list(images.filter(pk__gt=last)[:BATCH] if last else images[:BATCH])
            if not batch:
                break
            for image in batch:
                image.shape = Shape.of(image.width or 1, image.height or 1)
            Image.objects.bulk_update(batch, ["shape"])
            index_words(*batch)
            done, last = done + len(batch), batch[-1].pk
        self.stdout.write(f"{done} pictures are found by their words and shapes.")
