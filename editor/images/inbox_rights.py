"""Before a key is handed out: what can it do, and what can't it? Found out by trying, with an object of our own."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from editor.images import bucket, inbox, keys
from editor.images.bucket import BucketUnavailable, Denied, Missing
from editor.images.download import DownloadError, download

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]  # stubs of its own package

PROBE = b"Retake looks whether this can be written, read and deleted."
PUBLIC_PATIENCE = 10.0  # seconds
FINE = "ok"
NO_ANSWER = "no answer"


class Unfit(Exception):  # noqa: N818  a sentence for the administrator
    """Inbox and keys can't be used like this; the text says why and what to do."""


def check() -> list[str]:
    """Try everything that direct delivery needs, and everything that the flux server's key must not do.

    Returns what is odd but may do. Raises Unfit. Leaves nothing behind, unless S3 fails in the middle.
    """
    key, raw_key = f"{inbox.folder()}retake-probe-{uuid4().hex}", keys.raw_key(uuid4())
    theirs = _Theirs(_client(*_door()), _client(settings.S3_ENDPOINT_URL or None, _style()))
    _we_can("list", lambda: inbox.contents())
    try:
        theirs.can_use_inbox(key)
        _we_can("read and copy", lambda: _copied(key, raw_key))
        theirs.can_not_use_pictures(raw_key)
        odd = [theirs.may_not_set_acl(key), _not_public(key)]
        _we_can("delete", lambda: inbox.forget([key]))
    finally:
        _remove(key, raw_key)
    return [sentence for sentence in odd if sentence]


class _Theirs:
    """The flux server's key, at the address that it is told and at our own bucket."""

    def __init__(self, at_inbox: "S3Client", at_pictures: "S3Client") -> None:
        self._inbox = at_inbox
        self._pictures = at_pictures

    def can_use_inbox(self, key: str) -> None:
        """Raises Unfit."""
        there: Any = {"Bucket": settings.FLUX_INBOX_BUCKET, "Key": key}
        tries: list[tuple[str, Callable[[], Any]]] = [
            ("write (PutObject)", lambda: self._inbox.put_object(**there, Body=PROBE, ContentType="text/plain")),
            ("read (GetObject)", lambda: self._inbox.get_object(**there)["Body"].read()),
            ("list (ListBucket)", lambda: self._inbox.list_objects_v2(Bucket=there["Bucket"], MaxKeys=1)),
        ]
        for what, act in tries:
            code = _code(act)
            if code != FINE:
                raise Unfit(
                    f"The flux server's key can't {what} in {there['Bucket']} at {settings.FLUX_INBOX_ENDPOINT_URL}: "
                    f"{code}. Check FLUX_INBOX_ACCESS_KEY_ID, FLUX_INBOX_SECRET_ACCESS_KEY and what the key may do."
                )

    def can_not_use_pictures(self, key: str) -> None:
        """`key` exists in the bucket with the pictures. Raises Unfit unless each try is plainly denied."""
        there: Any = {"Bucket": settings.S3_BUCKET, "Key": key}
        tries: list[tuple[str, Callable[[], Any]]] = [
            ("list", lambda: self._pictures.list_objects_v2(Bucket=there["Bucket"], MaxKeys=1)),
            ("read", lambda: self._pictures.get_object(**there)["Body"].read()),
            ("write", lambda: self._pictures.put_object(**there, Body=PROBE)),
            ("delete", lambda: self._pictures.delete_object(**there)),
        ]
        for what, act in tries:
            code = _code(act)
            if code == FINE:
                raise Unfit(
                    f"The flux server's key can {what} in {there['Bucket']}, where people's pictures are. "
                    f"It was not handed out. Let it do something in {settings.FLUX_INBOX_BUCKET} alone."
                )
            if code not in bucket.DENIED:
                raise Unfit(
                    f"Whether the flux server's key can {what} in {there['Bucket']} could not be found out: {code}. "
                    "It was not handed out. Try again later."
                )

    def may_not_set_acl(self, key: str) -> str:
        there: Any = {"Bucket": settings.FLUX_INBOX_BUCKET, "Key": key}
        code = _code(lambda: self._inbox.put_object_acl(**there, ACL="public-read"))
        if code == FINE:
            return ""
        return f"The flux server's key can't say who may read (PutObjectAcl: {code}), which its makers ask for."


def _we_can(what: str, act: Callable[[], object]) -> None:
    name = settings.FLUX_INBOX_BUCKET
    try:
        act()
    except (BucketUnavailable, Missing) as error:
        allow = f"Allow S3_ACCESS_KEY_ID to list, read and delete in {name}."
        hint = allow if isinstance(error, Denied) else "Is there such a bucket, at the same store as S3_BUCKET?"
        raise Unfit(f"Our own key can't {what} in {name}: {error}. {hint}") from error


def _copied(key: str, raw_key: str) -> None:
    with bucket.talking(key) as (client, ours):
        source: Any = {"Bucket": settings.FLUX_INBOX_BUCKET, "Key": key}
        client.copy_object(Bucket=ours, Key=raw_key, CopySource=source)
        client.head_object(**source)


def _not_public(key: str) -> str:
    parts = urlsplit(settings.FLUX_INBOX_PUBLIC_URL)
    origin = f"{parts.scheme}://{parts.netloc}"
    link = f"{settings.FLUX_INBOX_PUBLIC_URL}/{key}"
    try:
        found = download(link, allowed_origins=[origin], max_bytes=1_000, timeout=PUBLIC_PATIENCE)
    except DownloadError as error:
        reason = str(error)
    else:
        reason = "" if found == PROBE else "something else is there"
    if not reason:
        return ""
    return (
        f"What lies in the inbox can't be read at FLUX_INBOX_PUBLIC_URL without a key ({reason}). "
        "We copy results without it, but the flux server's makers ask for it."
    )


def _remove(key: str, raw_key: str) -> None:
    with suppress(BucketUnavailable):  # the sweep finds it, and nobody is harmed by a few words
        inbox.forget([key])
    with suppress(BucketUnavailable):
        bucket.delete([raw_key])


def _code(act: Callable[[], object]) -> str:
    """FINE, or the store's own word for what it did not do."""
    try:
        act()
    except ClientError as error:
        return str(error.response.get("Error", {}).get("Code", "")) or NO_ANSWER
    except BotoCoreError as error:
        return f"{NO_ANSWER} ({type(error).__name__})"
    return FINE


def _door() -> tuple[str, str]:
    """The store's address behind the inbox's own, and whether the bucket goes into its host or its path."""
    parts = urlsplit(settings.FLUX_INBOX_ENDPOINT_URL)
    host = parts.netloc.removeprefix(f"{settings.FLUX_INBOX_BUCKET}.")
    return f"{parts.scheme}://{host}", "path" if host == parts.netloc else "virtual"


def _style() -> str:
    storage: Any = settings.STORAGES["default"]
    return str(storage["OPTIONS"]["addressing_style"])


def _client(endpoint_url: str | None, style: str) -> "S3Client":
    addressing: Any = {"addressing_style": style}
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=settings.S3_REGION,
        aws_access_key_id=settings.FLUX_INBOX_ACCESS_KEY_ID,
        aws_secret_access_key=settings.FLUX_INBOX_SECRET_ACCESS_KEY,
        config=Config(
            signature_version="s3v4",
            connect_timeout=bucket.CONNECT_TIMEOUT,
            read_timeout=bucket.READ_TIMEOUT,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3=addressing,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
