"""The edits in a row that led from an upload to a picture, and what they say as one.

Each edit of an edit is encoded anew, and details fade. The same words asked once of the upload spare it that.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from editor.images.sizes import MATCH
from editor.jobs.creation import EditSpec
from editor.models import GenerationJob, Image, JobSource

if TYPE_CHECKING:
    from editor.models import User

EDITS_MAX = 40
"""Edits of a row that are looked at; it is longer only by somebody's will."""


class Edit(NamedTuple):
    job: GenerationJob
    sources: list[Image]


class Row(NamedTuple):
    """Edits, each made of the first picture of the next one's sources; the oldest comes first."""

    edits: list[Edit]
    whole: bool  # whether it begins at an upload; else at an edit that the person may not see, or too far away

    @property
    def length(self) -> int:
        """How many edits lie between the upload and the picture; of one that is not whole, that many at least."""
        return len(self.edits) + (not self.whole)

    @property
    def merges(self) -> bool:
        """Whether another picture came in on the way."""
        return any(len(edit.sources) > 1 for edit in self.edits)


def row_to(image: Image, user: "User", known: Mapping[UUID, GenerationJob]) -> Row:
    """The row that made `image`. `known`: edits at hand, with their pictures; only if one is missing, one query."""
    at_hand = {pk: Edit(job, job.source_images) for pk, job in known.items()}
    row = _walk(image, at_hand)
    if row.whole or image.job_id is None or len(row.edits) >= EDITS_MAX:
        return row
    return _walk(image, _read(user, image.job_id))


def joined(row: Row) -> EditSpec:
    """All that was asked for on the way, as one edit; its words may be longer than those of an edit may be."""
    specs = [edit.job for edit in row.edits]
    steps = [_sentence(job.prompt) for job in specs]
    avoided = dict.fromkeys(job.negative_prompt.strip() for job in specs if job.negative_prompt.strip())
    shapes = [job.ratio for job in specs if job.ratio != MATCH]
    return EditSpec(
        prompt=" ".join(f"{'Then' if number else 'First'}: {step}" for number, step in enumerate(steps)),
        negative_prompt=", ".join(avoided),
        ratio=shapes[-1] if shapes else MATCH,
        strength=max((job.strength for job in specs), default=EditSpec("").strength),
    )


def _sentence(words: str) -> str:
    """On one line, with an end."""
    line = " ".join(words.split()).rstrip(",;: ")
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _walk(image: Image, known: Mapping[UUID, Edit]) -> Row:
    edits: list[Edit] = []
    job_id = image.job_id
    while job_id is not None and len(edits) < EDITS_MAX and (edit := known.get(job_id)) is not None:
        edits.append(edit)
        job_id = edit.sources[0].job_id
    return Row(edits[::-1], whole=job_id is None)


def _read(user: "User", job_id: UUID) -> dict[UUID, Edit]:
    """The edits from this one upwards that the person may see."""
    sources, images = JobSource._meta.db_table, Image._meta.db_table
    above = f"""
        WITH RECURSIVE above(job_id, number) AS (
            SELECT s.job_id, 1 FROM {sources} s WHERE s.job_id = %s AND s.position = 0
            UNION ALL
            SELECT i.job_id, number + 1 FROM above
            JOIN {sources} s ON s.job_id = above.job_id AND s.position = 0
            JOIN {images} i ON i.id = s.image_id
            WHERE i.job_id IS NOT NULL AND number < %s
        ) SELECT job_id FROM above
    """  # noqa: S608  names of ours
    first = GenerationJob._meta.pk.get_db_prep_value(job_id, connection)
    ids = RawSQL(above, (first, EDITS_MAX), output_field=TextField())  # noqa: S611
    jobs = GenerationJob.objects.visible_to(user).filter(pk__in=ids)
    found: dict[UUID, Edit] = {}
    pictures: dict[UUID, list[Image]] = defaultdict(list)
    for source in JobSource.objects.filter(job__in=jobs).select_related("job", "image").order_by("position"):
        pictures[source.job_id].append(source.image)
        found[source.job_id] = Edit(source.job, pictures[source.job_id])
    return found
