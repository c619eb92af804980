"""The inbox: a bucket of its own, into which the flux server writes results with a key that opens nothing else.

What lies there was written by somebody else. A result becomes ours by a copy on the server's side, to where the raw
bytes of its picture belong, and is then looked at like everything that arrives. Our own key does all this; the
inbox therefore lies at the same store as the bucket with the pictures.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from editor.images import bucket, keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.download import NotThereYet, TooLarge, most_packed, unpacked

PAGE = 1_000
"""Objects of one listing and of one deletion: S3's own limit."""
MOST_PAGES = 5
"""Listings of one sweep."""

# No percent sign, no dot first, no empty part: whatever programs read in two ways is no name of a result.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_LONGEST_NAME = 500


@dataclass(frozen=True)
class Contents:
    """What lies in the inbox: how many results (`more` if there are further ones), and since when the oldest does."""

    count: int
    oldest: datetime | None
    more: bool


def folder() -> str:
    """What the keys of all results begin with, the slash included. Nothing outside it is ever touched."""
    return f"{settings.FLUX_INBOX_DIRECTORY}/"


def key_of(link: str) -> str | None:
    """The key of the result that a link means, or None for every link that is not exactly one of the inbox's own."""
    public = f"{settings.FLUX_INBOX_PUBLIC_URL}/{folder()}"
    if not settings.FLUX_INBOX or not link.startswith(public):
        return None
    name = link.removeprefix(public)
    return folder() + name if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) else None


def take_over(key: str, image_id: UUID, *, max_bytes: int) -> bytes:
    """Copy a result to the raw key of its picture, on the server's side; returns what is there then, out of base64.

    May be repeated. Raises NotThereYet, TooLarge, Denied (our key may not), BucketUnavailable.
    """
    raw_key = keys.raw_key(image_id)
    try:
        with bucket.talking(key) as (client, ours):
            found = client.head_object(Bucket=settings.FLUX_INBOX_BUCKET, Key=key)
            if found["ContentLength"] > most_packed(key, max_bytes):
                raise TooLarge(f"{key!r} in the inbox has {found['ContentLength']} bytes")
            client.copy_object(
                Bucket=ours,
                Key=raw_key,
                CopySource={"Bucket": settings.FLUX_INBOX_BUCKET, "Key": key},
                CopySourceIfMatch=found["ETag"],  # what was measured, not what may have been put there since
                MetadataDirective="REPLACE",  # theirs would come along: types and headers that a browser believes
                ContentType="application/octet-stream",
            )
    except Missing:
        raise NotThereYet(f"{key!r} is not in the inbox") from None
    try:
        return unpacked(key, bucket.get(raw_key), max_bytes)
    except Missing:
        raise NotThereYet(f"the copy of {key!r} is not there") from None


def forget(found: Iterable[str]) -> None:
    """Delete results; those that are not there any more are no error. Raises BucketUnavailable."""
    wanted = [key for key in dict.fromkeys(found) if key.startswith(folder())]
    for start in range(0, len(wanted), PAGE):
        _delete(wanted[start : start + PAGE])


def contents() -> Contents:
    """What lies there, counted up to a few thousand. Raises BucketUnavailable."""
    count, oldest, after = 0, None, ""
    for _ in range(MOST_PAGES):
        listed, more = _listed(after)
        count += len(listed)
        oldest = min([thing["LastModified"] for thing in listed] + ([oldest] if oldest else []), default=None)
        if not more:
            return Contents(count, oldest, more=False)
        after = listed[-1]["Key"]
    return Contents(count, oldest, more=True)


def sweep(before: datetime, after: str = "") -> tuple[int, str]:
    """Delete results that were written before then, in one bounded go over the keys behind `after`.

    Returns how many were deleted and where to go on; "" when the end was reached. Raises BucketUnavailable.
    """
    deleted = 0
    for _ in range(MOST_PAGES):
        listed, more = _listed(after)
        if old := [thing["Key"] for thing in listed if thing["LastModified"] < before]:
            _delete(old)
            deleted += len(old)
        after = listed[-1]["Key"] if more else ""
        if not more:
            break
    return deleted, after


def _listed(after: str) -> tuple[list[Any], bool]:
    """The next results by their keys, and whether there are more."""
    where: Any = {"Bucket": settings.FLUX_INBOX_BUCKET, "Prefix": folder()} | ({"StartAfter": after} if after else {})
    with bucket.talking("the inbox", hurried=True) as (client, _):
        answer = client.list_objects_v2(**where, MaxKeys=PAGE)
    found = [thing for thing in answer.get("Contents", []) if thing["Key"].startswith(folder())]
    return found, bool(found) and answer["IsTruncated"]


def _delete(some: list[str]) -> None:
    with bucket.talking("the inbox", hurried=True) as (client, _):
        objects: Any = {"Objects": [{"Key": key} for key in some], "Quiet": True}
        answer = client.delete_objects(Bucket=settings.FLUX_INBOX_BUCKET, Delete=objects)
    if errors := [error for error in answer.get("Errors", []) if error.get("Code") not in bucket.ABSENT]:
        raise BucketUnavailable(f"{len(errors)} of {len(some)} results were not deleted: {errors[0].get('Code')}")
