"""The bucket that keeps the pictures. Nothing but this module and the inbox talks to S3.

Keys follow from rows, so every write may be repeated. The client is django-storages', with deadlines of our own; it is
made once per process, serves all threads, and a forked process that finds it used by its parent makes itself another.

Where a browser waits at the event loop, a second client gives up sooner, in threads of its own: a bucket that hangs
must not keep the loop's common threads, which pages and static files need too.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from django.core.files.storage import storages

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]  # stubs of its own package

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 20.0
ATTEMPTS = 3
DELIVERY_READ_TIMEOUT = 6.0
DELIVERY_ATTEMPTS = 1
DELIVERY_THREADS = 16
DELIVERY_PATIENCE = 8.0
"""Seconds from asking to an answer, waiting for a thread included; then the bucket counts as unavailable."""

LINK_REMEMBERED = 300
"""Seconds for which one and the same signed link is given out, so that browsers can cache what it leads to."""

LONGEST_LINK = 7 * 24 * 3600
"""Seconds. Signature version 4 knows no longer ones."""

_CHUNK = 64 * 1024
_DELETED_AT_ONCE = 1_000  # S3's own limit
_SENT_AT_ONCE = 4_000_000  # bytes of a file; before a larger one, botocore asks and waits for S3's word to go on
_LINKS_REMEMBERED = 10_000
ABSENT = {"NoSuchKey", "404", "NotFound"}
DENIED = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}


class BucketUnavailable(Exception):  # noqa: N818  it says what is the matter
    """The bucket did not do what it was asked: not reached, too slow, broken or wrongly set up. Worth trying later."""


class Denied(BucketUnavailable):
    """The key may not do this."""


class Missing(Exception):  # noqa: N818  it says what is the matter
    """There is nothing under this key."""


class UnsatisfiableRange(Exception):  # noqa: N818  it says what is the matter
    """The object has no such bytes (HTTP 416)."""


@dataclass
class Streamed:
    """An object being read. `body` yields its bytes in chunks and closes the connection at its end, or by `close`."""

    body: Iterator[bytes]
    length: int  # bytes that `body` yields
    etag: str  # with its quotes
    content_type: str
    content_range: str | None  # of a part: "bytes 0-9/120"
    close: Callable[[], None]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The same chunks without holding the event loop."""
        try:
            while chunk := await asyncio.wrap_future(_threads.submit(next, self.body, b"")):
                yield chunk
        finally:
            self.close()


@dataclass
class _Held:
    """What this process holds: its clients, the settings that they were made of, the process that connected first."""

    client: "S3Client | None" = None
    hurried: "S3Client | None" = None  # for whom a browser waits; made when it is needed first
    bucket_name: str = ""
    settings: object = None
    used_by: int | None = None


_held = _Held()
_lock = threading.Lock()
_links: dict[tuple[Any, ...], tuple[str, float]] = {}
_threads = ThreadPoolExecutor(DELIVERY_THREADS, thread_name_prefix="bucket")


def _renew_lock() -> None:
    """A fork may copy the lock while another thread of the parent holds it: nobody would ever let go of the copy."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def warm() -> None:
    """Make the client, which costs a third of a second, without connecting: to be called before workers fork."""
    with _lock:
        _made()


def put(key: str, data: bytes | Path | IO[bytes], content_type: str) -> None:
    """Write an object, whether or not there is one already. Raises BucketUnavailable."""
    with _border(key):
        client, name = _used()
        if isinstance(data, Path) and data.stat().st_size > _SENT_AT_ONCE:
            with data.open("rb") as file:
                client.put_object(Bucket=name, Key=key, Body=file, ContentType=content_type)
        else:
            body = data.read_bytes() if isinstance(data, Path) else data
            client.put_object(Bucket=name, Key=key, Body=body, ContentType=content_type)


def get(key: str) -> bytes:
    """All bytes of an object, by one request. Raises Missing, BucketUnavailable."""
    with _border(key):
        client, name = _used()
        with closing(client.get_object(Bucket=name, Key=key)["Body"]) as body:
            return bytes(body.read())


def open_stream(key: str, byte_range: tuple[int, int | None] | None = None, *, hurried: bool = False) -> Streamed:
    """Begin to read an object, or its bytes from first to last (inclusive; None for the end).

    `hurried` tries once and not for long. Raises Missing, UnsatisfiableRange, BucketUnavailable; the latter also while
    `body` is read.
    """
    asked: Any = {}
    if byte_range is not None:
        first, last = byte_range
        asked["Range"] = f"bytes={first}-{'' if last is None else last}"
    with _border(key):
        client, name = _used(hurried)
        answer = client.get_object(Bucket=name, Key=key, **asked)
    body = answer["Body"]

    def chunks() -> Iterator[bytes]:
        try:
            with _border(key):
                yield from body.iter_chunks(_CHUNK)
        finally:
            body.close()

    return Streamed(
        body=chunks(),
        length=answer["ContentLength"],
        etag=answer.get("ETag", ""),
        content_type=answer.get("ContentType", "application/octet-stream"),
        content_range=answer.get("ContentRange"),
        close=body.close,
    )


async def open_stream_soon(key: str) -> Streamed:
    """The same for the event loop, within DELIVERY_PATIENCE. Raises Missing, BucketUnavailable."""
    opening = _threads.submit(open_stream, key, hurried=True)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(opening), DELIVERY_PATIENCE)
    except TimeoutError:
        opening.add_done_callback(_close_unread)
        raise BucketUnavailable(f"no answer within {DELIVERY_PATIENCE:g} s for {key}") from None
    except asyncio.CancelledError:  # the browser went away
        opening.add_done_callback(_close_unread)
        raise


def _close_unread(opening: Future[Streamed]) -> None:
    """Give back the connection of an object that nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def exists(key: str) -> bool:
    """Whether there is an object. Raises BucketUnavailable."""
    try:
        with _border(key):
            client, name = _used()
            client.head_object(Bucket=name, Key=key)
    except Missing:
        return False
    return True


def delete(keys: Iterable[str]) -> None:
    """Delete objects; those that are not there any more are no error. Raises BucketUnavailable."""
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _DELETED_AT_ONCE):
        batch = wanted[start : start + _DELETED_AT_ONCE]
        with _border(batch[0]):
            client, name = _used()
            objects: Any = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            answer = client.delete_objects(Bucket=name, Delete=objects)
        if errors := [error for error in answer.get("Errors", []) if error.get("Code") not in ABSENT]:
            raise BucketUnavailable(f"{len(errors)} of {len(batch)} objects were not deleted: {errors[0].get('Code')}")


def copy(source: str, target: str) -> None:
    """Copy an object within the bucket, on the server's side. Raises Missing, BucketUnavailable."""
    with _border(source):
        client, name = _used()
        client.copy_object(Bucket=name, Key=target, CopySource={"Bucket": name, "Key": source})


def signed_url(
    key: str,
    expires: int,
    *,
    download_as: str | None = None,
    content_type: str | None = None,
    cached: str | None = None,
) -> str:
    """A link that anyone may GET for at least `expires` seconds (seven days at most), the same one for some minutes.

    `download_as` is a whole Content-Disposition header, `content_type` another type than the stored one, `cached` a
    Cache-Control.
    """
    told = {
        "ResponseContentDisposition": download_as,
        "ResponseContentType": content_type,
        "ResponseCacheControl": cached,
    }
    parameters = {name: value for name, value in told.items() if value is not None}
    remembered = (key, expires, *parameters.items())
    now = time.monotonic()
    with _lock:
        client, name = _made()
        url, until = _links.get(remembered, ("", 0.0))
    if now < until:
        return url
    url = str(
        client.generate_presigned_url(
            "get_object",
            Params={"Bucket": name, "Key": key, **parameters},
            ExpiresIn=min(expires + LINK_REMEMBERED, LONGEST_LINK),
        )
    )
    if len(_links) >= _LINKS_REMEMBERED:
        _links.clear()
    _links[remembered] = url, now + LINK_REMEMBERED
    return url


def _made() -> tuple["S3Client", str]:
    """The client and the bucket's name; made anew for other settings or in a fork of a process that has connected.

    Called under the lock.
    """
    handler: Any = storages
    settings = handler.backends["default"]
    if _held.client is None or _held.settings != settings or _held.used_by not in (None, os.getpid()):
        _links.clear()
        _held.client, _held.bucket_name = _make(READ_TIMEOUT, ATTEMPTS)
        _held.hurried, _held.settings, _held.used_by = None, settings, None
    return _held.client, _held.bucket_name


def _make(read_timeout: float, attempts: int) -> tuple["S3Client", str]:
    # Not the storage that others share: it makes a client per thread, with botocore's own deadlines of minutes.
    handler: Any = storages
    storage = handler.create_storage(handler.backends["default"])
    storage.client_config = storage.client_config.merge(
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=50,
            # Checksums in trailers are news to many S3 servers that are not Amazon's.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    return storage.connection.meta.client, storage.bucket_name


def _used(hurried: bool = False) -> tuple["S3Client", str]:
    with _lock:
        client, name = _made()
        _held.used_by = os.getpid()
        if hurried:
            if _held.hurried is None:
                _held.hurried, _ = _make(DELIVERY_READ_TIMEOUT, DELIVERY_ATTEMPTS)
            client = _held.hurried
        return client, name


@contextmanager
def talking(about: str, *, hurried: bool = False) -> Iterator[tuple["S3Client", str]]:
    """The client and our bucket's name, for whoever works in another bucket too, under the same border of errors.

    Raises Missing, UnsatisfiableRange, Denied, BucketUnavailable.
    """
    with _border(about):
        yield _used(hurried)


@contextmanager
def _border(key: str) -> Iterator[None]:
    """Nothing of boto3's errors gets past here."""
    try:
        yield
    except ParamValidationError:
        raise  # a mistake of ours, which no waiting will mend
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ABSENT:
            raise Missing(key) from error
        if code in ("InvalidRange", "416"):
            raise UnsatisfiableRange(key) from error
        if code in DENIED:
            raise Denied(f"{code} for {key}") from error
        raise BucketUnavailable(f"{code or 'no code'} for {key}") from error
    except BotoCoreError as error:
        raise BucketUnavailable(f"{type(error).__name__} for {key}") from error
