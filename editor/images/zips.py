"""Pictures as one ZIP, with lists that say how each came to be."""

import csv
import io
import json
import logging
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from editor.images import bucket, keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.export_names import RESERVED
from editor.images.exports import NotExported
from editor.images.zipping import Outbox, Source, add_object
from editor.images.zipping import entry as zip_entry
from editor.models import Image
from editor.models.images import file_name

log = logging.getLogger(__name__)

ZIPPED_MAX = 2_000  # pictures in one file
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets take for a beginning of one


@dataclass(frozen=True)
class Made:
    """A picture of the ZIP, and how it came to be."""

    file: str = ""  # empty: its bytes could not be had
    name: str = ""
    kind: str = ""
    by: str = ""
    created_at: str = ""
    width: int | None = None
    height: int | None = None
    description: str = ""
    alt_text: str = ""
    tags: tuple[str, ...] = ()
    licence: str = ""
    credit: str = ""
    consent: str = ""
    usable_until: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    ratio: str = ""
    strength: float | None = None
    seed: int | None = None
    edit: str = ""  # the id of the edit that made it
    asked_at: str = ""
    samples: int | None = None
    edit_width: int | None = None
    edit_height: int | None = None
    sources: tuple[str, ...] = ()  # names of the pictures that it was made of, in their order
    rerun_of: str = ""  # the edit that this one repeated
    sandbox: bool = False
    note: str = ""  # why there is no file


NOT_READY = "It is not ready yet."
GONE = "No longer there for you."
UNREADABLE = "It could not be read just now."


@dataclass(frozen=True)
class Entry:
    """A file of the ZIP."""

    image_id: UUID
    key: str  # in the bucket
    moment: datetime
    made: Made


def entries_of(
    images: Iterable[Image],
    tags: dict[object, list[str]],
    sources: Mapping[object, list[str]] = {},
    names: Mapping[UUID, str] = {},
    called: Callable[[Image], str] | None = None,
) -> list[Entry]:
    """`images` come with their makers and edits; `tags` are names by a picture's id, `sources` by an edit's.

    `names` are those of files, by an edit's id, that come before the pictures' own; `called` says all of a file's name.

    Those that are still being looked at are in the lists alone.
    """
    taken: set[str] = set()
    called = called or (lambda image: _file_name(image, names))
    return [
        Entry(
            image_id=image.pk,
            key=keys.master_key(image.pk, image.master_ext) if image.is_ready else "",
            moment=image.created_at,
            made=_made(
                image,
                unique_name(called(image), taken) if image.is_ready else "",
                tags.get(image.pk, []),
                sources.get(image.job_id, []),
            ),
        )
        for image in images
    ]


def _file_name(image: Image, names: Mapping[UUID, str]) -> str:
    name = names.get(image.job_id) if image.job_id is not None else None
    return file_name(name, image.master_ext) if name else image.download_name


def _made(image: Image, file: str, tags: list[str], sources: list[str]) -> Made:
    job = image.job
    asked: dict[str, Any] = {}
    if job is not None:
        names = ("prompt", "negative_prompt", "ratio", "strength", "seed", "samples")
        asked = {name: getattr(job, name) for name in names} | {
            "edit": str(job.pk),
            "asked_at": job.created_at.isoformat(),
            "edit_width": job.width,
            "edit_height": job.height,
            "rerun_of": str(job.rerun_of_id or ""),
            "sources": tuple(sources),
        }
    return Made(
        file=file,
        name=image.name,
        kind=image.kind,
        by=image.made_by.get_short_name(),
        created_at=image.created_at.isoformat(),
        width=image.width,
        height=image.height,
        description=image.description,
        alt_text=image.alt_text,
        tags=tuple(tags),
        licence=image.licence,
        credit=image.credit,
        consent=image.consent,
        usable_until=image.usable_until.isoformat() if image.usable_until else "",
        sandbox=image.sandbox,
        note="" if image.is_ready else NOT_READY,
        **asked,
    )


def unique_name(name: str, taken: set[str]) -> str:
    """A name that no other file of the ZIP has, nor one that Windows keeps for itself."""
    stem, _, extension = name.rpartition(".")
    if stem.casefold() in RESERVED:
        stem += " picture"
    found, number = f"{stem}.{extension}", 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem} {number}.{extension}"
    taken.add(found.casefold())
    return found


async def _as_it_is(entry: Entry) -> Source:
    return await bucket.open_stream_soon(entry.key)


async def stream(
    entries: list[Entry],
    may_give: Callable[[UUID], Awaitable[bool]],
    opened: Callable[[Entry], Awaitable[Source]] = _as_it_is,
) -> AsyncGenerator[bytes, None]:
    """The ZIP, piece by piece. A picture that is not to be had is left out, and its line in the lists says so.

    `opened` gives the bytes of a picture, if they are not to be those of its master; raises Missing, BucketUnavailable
    or NotExported.

    `may_give` is asked before each picture: it may have been removed, or the person, since the ZIP began. Then not
    even its words stay in the lists.

    Raises BucketUnavailable where one breaks off in the middle: the download fails, as half a file would lie.
    """
    outbox, made = Outbox(), []
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for entry in entries:
            if not await may_give(entry.image_id):
                made.append(Made(note=GONE))
                continue
            if entry.made.note:
                made.append(entry.made)
                continue
            try:
                found = await opened(entry)
            except (Missing, BucketUnavailable, NotExported) as error:
                log.warning("%s is not in a ZIP: %s", entry.key, error)
                note = str(error) if isinstance(error, NotExported) else UNREADABLE
                made.append(replace(entry.made, file="", note=note))
                continue
            made.append(entry.made)
            pieces = add_object(archive, zip_entry(entry.made.file, entry.moment), found, outbox.take)
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        archive.writestr("pictures.json", json.dumps([asdict(one) for one in made], indent=2, ensure_ascii=False))
        archive.writestr("pictures.csv", "".join(_csv(made)))
    yield outbox.take()


def _csv(made: list[Made]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([field.name for field in fields(Made)])
    writer.writerows([safe_cell(_cell(value)) for value in asdict(one).values()] for one in made)
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield out.getvalue()


def _cell(value: object) -> object:
    return ", ".join(value) if isinstance(value, tuple) else value


def safe_cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
