"""Rows against objects, some pages at a time; the next round goes on from there, and a mark in the database says where.

With --repair objects that no row knows, a day old at least, are deleted after they were listed. Pictures whose bytes
are gone are told and left as they are: if it is the bucket that is wrong, every picture would seem to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from editor.doctor.findings import Ask, Finding, fine, named, problem, warning
from editor.images import bucket, keys
from editor.models import Image, ImageState, Mark

PAGE = 1_000  # objects, and rows, at a go: also S3's own limit
PAGES = 10  # of one round without --all
OLD = timedelta(days=1)
IMAGES, INCOMING = "images/", "incoming/"
FEW = 20  # pictures; so many are deleted however few others there are
MOST_EXISTS = 200  # pictures without bytes, after which it is clear that the bucket is wrong


class Object(NamedTuple):
    key: str
    written_at: datetime
    image_id: UUID | None  # None: no key of ours
    size: int  # bytes


@dataclass
class Seen:
    """What one round came across."""

    known: int = 0  # pictures with objects and a row
    missing: list[UUID] = field(default_factory=list)  # ready pictures without their master
    orphans: list[str] = field(default_factory=list)  # keys without a row, or whose row says that the bytes are gone
    foreign: list[str] = field(default_factory=list)  # keys that are none of ours
    whole: bool = True  # False: this was not everything


def look_at_objects(ask: Ask) -> Iterator[Finding]:
    """May raise BucketUnavailable."""
    seen = Seen()
    _go_on(IMAGES, seen, ask)
    _go_on(INCOMING, seen, ask)
    _go_on("rows", seen, ask)
    if seen.missing:
        yield problem(
            f"{len(seen.missing)} pictures have a row but no bytes: {named(seen.missing)}.",
            "If these are nearly all pictures, S3_BUCKET is the wrong bucket. Else put objects under images/ back from "
            "a backup or an older version. Nothing is changed here.",
        )
    if seen.orphans:
        yield _of_orphans(seen, ask)
    if seen.foreign:
        yield warning(
            f"{len(seen.foreign)} objects are none of ours: {named(seen.foreign)}.",
            "Somebody else writes into this bucket; the portal needs one of its own.",
        )
    if not (seen.missing or seen.orphans or seen.foreign):
        how_far = "all were looked at" if seen.whole else "the next round goes on from here; --all looks at everything"
        yield fine(f"Rows and objects fit; {how_far}.")


def _of_orphans(seen: Seen, ask: Ask) -> Finding:
    pictures = len({key.split("/")[1] for key in seen.orphans})
    says = f"{len(seen.orphans)} objects of {pictures} pictures have no row: {named(seen.orphans)}."
    # A portal that was pointed at an empty or an old database finds no row for anything.
    if pictures > seen.known or (pictures > FEW and pictures * 10 > seen.known):
        return problem(
            says,
            f"That is too many beside {seen.known} pictures that have one, so none is deleted: is DATABASE_URL the "
            "right database, and the bucket no other portal's?",
        )
    mended = ""
    if ask.repair:
        gone = [key for key in seen.orphans if is_orphan(key)]
        bucket.delete(gone)
        mended = f"Deleted: {named(gone, most=len(gone))}."
    return warning(says, "They cost room and nothing else; --repair deletes them.", mended)


def is_orphan(key: str) -> bool:
    """Asked again just before it is deleted."""
    return not Image.objects.filter(pk=UUID(key.split("/")[1])).exclude(long_purged()).exists()


def long_purged() -> Q:
    """Rows that have said for a day that their bytes are gone."""
    return Q(purged_at__lte=timezone.now() - OLD)


def _go_on(what: str, seen: Seen, ask: Ask) -> None:
    """Some pages from where the last round ended, or all of them from the start."""
    mark = f"doctor {what}"
    after = "" if ask.everything else Mark.objects.value_of(mark)
    seen.whole = seen.whole and not after
    pages = 0
    while ask.everything or pages < PAGES:
        after = rows_behind(after, seen) if what == "rows" else _objects(what, after, seen)
        pages += 1
        if not after:
            break
    seen.whole = seen.whole and not after
    Mark.objects.leave(mark, after)


def _objects(folder: str, after: str, seen: Seen) -> str:
    """One page of keys behind `after`; returns where to go on, "" at the end."""
    listed, more = listing(folder, after)
    ids = {thing.image_id for thing in listed if thing.image_id is not None}
    rows = set(Image.objects.filter(pk__in=ids).exclude(long_purged()).values_list("pk", flat=True))
    before = timezone.now() - OLD
    for thing in listed:
        if thing.image_id is None:
            seen.foreign.append(thing.key)
        elif thing.image_id not in rows and thing.written_at <= before:
            seen.orphans.append(thing.key)
    seen.known += len(rows)
    return listed[-1].key if more else ""


def rows_behind(after: str, seen: Seen) -> str:
    """One page of ready pictures whose id lies behind `after`; returns where to go on, "" at the end."""
    ready = Image.objects.filter(state=ImageState.READY, purged_at=None, removed_at=None, quarantined_at=None)
    rows = ready.order_by("pk")
    page = list((rows.filter(pk__gt=UUID(after)) if after else rows)[:PAGE])
    if not page:
        return ""
    there = _keys_between(page[0].pk, page[-1].pk)
    for image in page:
        key = keys.master_key(image.pk, image.master_ext)
        if key in there or len(seen.missing) >= MOST_EXISTS:
            continue
        # One that came, went or was moved away meanwhile is none of those.
        if not bucket.exists(key) and ready.filter(pk=image.pk).exists():
            seen.missing.append(image.pk)
    return str(page[-1].pk) if len(page) == PAGE else ""


def _keys_between(first: UUID, last: UUID) -> set[str]:
    """The keys of all objects of the pictures from first to last."""
    found: set[str] = set()
    after, end = f"{IMAGES}{first}", f"{IMAGES}{last}/~"
    while True:
        listed, more = listing(IMAGES, after)
        found |= {thing.key for thing in listed if thing.key <= end}
        if not more or listed[-1].key > end:
            return found
        after = listed[-1].key


def listing(folder: str, after: str) -> tuple[list[Object], bool]:
    """The next objects of a folder by their keys, and whether there are more."""
    where: Any = {"Prefix": folder} | ({"StartAfter": after} if after else {})
    with bucket.talking(folder) as (client, name):
        answer = client.list_objects_v2(Bucket=name, MaxKeys=PAGE, **where)
    found = [Object(o["Key"], o["LastModified"], _image_id(o["Key"]), o["Size"]) for o in answer.get("Contents", [])]
    return found, bool(answer.get("IsTruncated")) and bool(found)


def _image_id(key: str) -> UUID | None:
    """The picture that a key belongs to."""
    try:
        found = UUID(key.split("/")[1])
    except ValueError:
        return None
    return found if str(found) == key.split("/")[1] else None
