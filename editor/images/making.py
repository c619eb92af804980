"""What a download says of a picture, and what its file is called: as much of it as the person may see."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from editor.images.export_names import beginning, name_without_ending, stem_of
from editor.images.export_settings import ExportSettings
from editor.images.provenance import Making
from editor.models import CollectionItem, Image


def making_of(image: Image, known: set[UUID]) -> Making:
    """How it was made. `known`: the edits that its reader may see (`access.known_edits`); others are not told of."""
    job = image.job if image.job_id in known else None
    said = Making(
        name=image.name,
        made_at=image.created_at.isoformat(timespec="seconds"),
        portal=settings.PUBLIC_URL,
        credit=image.credit,
    )
    if job is None:
        return said
    return replace(
        said,
        prompt=job.prompt,
        negative_prompt=job.negative_prompt,
        seed=job.seed,
        strength=job.strength,
        shape="" if job.ratio == "match" else job.ratio,
        sandbox=image.sandbox,
    )


def stem_for(
    image: Image,
    asked: ExportSettings,
    known: set[UUID],
    *,
    number: int = 1,
    of: int = 1,
    name: str = "",
    collection: str = "",
) -> str:
    """What its file is called, without an ending; the `number`-th `of` so many. `name`: not the picture's own."""
    job = image.job if image.job_id in known else None
    width, height = asked.size_of(image.width or 1, image.height or 1)
    values = {
        "name": name_without_ending(name or image.name) or "picture",
        "collection": collection,
        "date": image.created_at.date().isoformat(),
        "number": f"{number:0{len(str(of))}d}",
        "width": width,
        "height": height,
        "seed": job.seed if job else None,
        "prompt": beginning(job.prompt) if job else None,
    }
    return stem_of(asked.pattern, values)


def collections_of(images: Iterable[Image], asked: ExportSettings) -> dict[UUID, str]:
    """For each picture the first of its collections by name, if the pattern speaks of them."""
    if "{collection" not in asked.pattern.lower().replace(" ", ""):
        return {}
    items = CollectionItem.objects.filter(image__in=list(images)).order_by("-collection__name")
    return dict(items.values_list("image_id", "collection__name"))
