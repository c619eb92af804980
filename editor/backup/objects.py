"""Which objects belong to the rows of a backup, and copying those that are not there yet.

An object is kept under the key that it has while its picture is in the open, also when it lay in quarantine: whoever
restores puts it where the row says.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from editor.backup import rows
from editor.backup.folder import Folder, flush, make_private, open_private, sum_of
from editor.backup.index import Index, Kept
from editor.images import bucket, keys
from editor.images.bucket import Missing
from editor.images.quarantine import keys_of
from editor.models import ChangeMap, Image, ImageState

AT_ONCE = 25  # pictures between two commits of the index
THREADS = 8
FEW = 20  # pictures; so many may lack their bytes however few others there are
_SHA256 = 64  # letters


@dataclass
class Gathered:
    """What became of the objects of one run."""

    objects: int = 0
    size: int = 0  # bytes
    copied: int = 0  # of the objects; the others were there
    pictures: int = 0  # with objects
    lost: list[str] = field(default_factory=list)  # pictures of which objects were not found
    damaged: list[str] = field(default_factory=list)  # pictures whose bytes are not those that were taken in
    list_sha256: str = ""

    def look_wrong(self) -> bool:
        """So many have no bytes that it is the bucket which is the wrong one."""
        return len(self.lost) > FEW and len(self.lost) > self.pictures


@dataclass
class Wanted:
    """An object that a row speaks of."""

    image: Image
    key: str
    needed: bool  # the picture is not whole without it


class Incoming:
    """The pictures that have an object in `incoming/`, asked for in the order of their ids."""

    def __init__(self) -> None:
        self._ids = listed("incoming/")
        self._next = next(self._ids, "")

    def has(self, image_id: str) -> bool:
        while self._next and self._next < image_id:
            self._next = next(self._ids, "")
        return self._next == image_id


def listed(prefix: str) -> Iterator[str]:
    """What follows the prefix, of all keys that begin with it. Raises BucketUnavailable."""
    after: dict[str, Any] = {}
    while True:
        with bucket.talking(prefix) as (client, name):
            answer = client.list_objects_v2(Bucket=name, Prefix=prefix, **after)
        found = [thing["Key"] for thing in answer.get("Contents", [])]
        yield from (key.removeprefix(prefix) for key in found)
        if not answer.get("IsTruncated") or not found:
            return
        after = {"StartAfter": found[-1]}


def image_of(row: dict[str, Any]) -> Image:
    """A picture as its row in the backup describes it; for reading."""
    names = ("state", "kind", "master_ext", "master_sha256", "rendition_widths")
    moments = {name: row[name] for name in ("purged_at", "removed_at", "quarantined_at")}
    return Image(pk=rows.uuid_of(row["id"]), **{name: row[name] for name in names}, **moments)


def wanted_of(image: Image, incoming: Incoming, maps: Container[UUID] = ()) -> list[Wanted]:
    """The objects that a row speaks of, the raw one first. `maps`: the pictures with a map of what changed in them."""
    if image.purged_at is not None:
        return []
    raw = keys.raw_key(image.pk)
    found = []
    if image.state == ImageState.RECEIVED or image.quarantined_at or incoming.has(str(image.pk)):
        found.append(Wanted(image, raw, needed=image.state == ImageState.RECEIVED))
    if image.state == ImageState.READY:
        found += [Wanted(image, key, needed=True) for key in keys_of(image) if key != raw]
        if image.pk in maps:
            found.append(Wanted(image, keys.change_key(image.pk), needed=False))  # it can be made again
    return found


def gather(images: Iterable[dict[str, Any]], folder: Folder, index: Index, run: str) -> Iterator[Gathered]:
    """Copy what is missing of these pictures and write the run's list of objects; gives how far it is, again and again.

    `images` are rows by their ids. Raises BucketUnavailable; what was copied until then stays, and is not copied again.
    """
    incoming, gathered, left = Incoming(), Gathered(), iter(images)
    path = folder.runs / run / "objects.jsonl.gz"
    with open_private(path) as file, ThreadPoolExecutor(THREADS) as pool:
        with rows.packed_lines(file) as packed:
            while some := [image_of(row) for row in islice(left, AT_ONCE)]:
                maps = ChangeMap.objects.made_of(image.pk for image in some)
                wanted = [each for image in some for each in wanted_of(image, incoming, maps)]
                known = _still_there(index.find([each.key for each in wanted]), folder)
                fresh = [each for each in wanted if each.key not in known]
                copied = {kept.key: kept for kept in pool.map(lambda each: _copied(each, folder), fresh) if kept}
                gathered.copied += len(copied)
                _count(gathered, wanted, known | copied)
                index.note((known | copied).values(), run)
                for each in wanted:
                    if kept := known.get(each.key) or copied.get(each.key):
                        packed.write(json.dumps(kept).encode() + b"\n")
                yield gathered
        flush(file)
    gathered.list_sha256 = sum_of(path)
    yield gathered


def fetch(wanted: Iterable[Wanted], folder: Folder, index: Index, run: str) -> bool:
    """Copy these now, and only these; False if one of them was not there (any more)."""
    kept = [_copied(each, folder) for each in wanted]
    index.note(filter(None, kept), run)
    return all(kept)


def _still_there(known: dict[str, Kept], folder: Folder) -> dict[str, Kept]:
    def is_there(kept: Kept) -> bool:
        path = folder.object_path(kept.key)
        return path.is_file() and path.stat().st_size == kept.size

    return {key: kept for key, kept in known.items() if is_there(kept)}


def _count(gathered: Gathered, wanted: list[Wanted], found: dict[str, Kept]) -> None:
    lost = {str(each.image.pk): None for each in wanted if each.needed and each.key not in found}
    gathered.lost += lost
    gathered.pictures += len({each.image.pk for each in wanted if each.key in found})
    for each in wanted:
        if (kept := found.get(each.key)) is None:
            continue
        gathered.objects += 1
        gathered.size += kept.size
        told = each.image.master_sha256
        is_master = each.image.master_ext and each.key == keys.master_key(each.image.pk, each.image.master_ext)
        if is_master and len(told) == _SHA256 and kept.sha256 != told:
            gathered.damaged.append(str(each.image.pk))


def _copied(wanted: Wanted, folder: Folder) -> Kept | None:
    """None if it lies nowhere. Moved into quarantine or out of it meanwhile, it lies in the other place."""
    places = [wanted.key, keys.quarantine_key(wanted.key)]
    for place in reversed(places) if wanted.image.quarantined_at else places:
        try:
            return _copy(place, wanted.key, folder)
        except Missing:
            continue
    return None


def _copy(place: str, key: str, folder: Folder) -> Kept:
    """Raises Missing, BucketUnavailable."""
    found, digest, size = bucket.open_stream(place), hashlib.sha256(), 0
    draft, target = folder.new_draft(), folder.object_path(key)
    try:
        with open_private(draft) as file:
            for chunk in found.body:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            flush(file)
    finally:
        found.close()
    if size != found.length:
        raise bucket.BucketUnavailable(f"{size} bytes of {found.length} for {place}")
    make_private(target.parent)
    draft.replace(target)
    return Kept(key, size, digest.hexdigest(), found.content_type)
