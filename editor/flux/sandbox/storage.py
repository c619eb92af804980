"""The buckets that `update_s3` registers: one for each kind of server, kept in a file that only its owner can read.

The vendor runs several kinds of server, and a registration is for the one that `deploy_type` names. Whoever forgets it
registers for another server, is told "success", and sees no result in the bucket: the sandbox does the same.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..transport import loopback
from .rules import RefusedError, Wrong, read_address, read_text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]  # stubs of its own package

logger = logging.getLogger(__name__)

OURS = "flux_kontext_dev"
"""The `deploy_type` whose bucket gets the sandbox's results."""

_DEFAULT = "stable_diffusion"
_MAX_KINDS = 20
_KIND = re.compile(r"[a-z0-9_-]{1,60}")
_DIRECTORY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/?){1,10}")
_CODE = re.compile(r"[A-Za-z0-9]{1,60}")
_CHECK = "write-test.txt"


class BucketError(Exception):
    """The bucket did not do as it was asked; `code` is S3's short word for it, `field` the setting to look at."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A registered bucket; `endpoint_url` names it in its host, or as its path (`http://host:port/bucket`)."""

    public_url: str
    region_name: str
    endpoint_url: str
    aws_access_key_id: str = field(repr=False)
    aws_secret_access_key: str = field(repr=False)
    image_directory: str

    @property
    def public(self) -> str:
        """The address of the directory; a slash and a name behind it make a link."""
        return f"{self.public_url.rstrip('/')}/{self.image_directory.strip('/')}"

    def check(self) -> None:
        """List, write and read, as the vendor does before it believes; raises BucketError.

        What was written stays: the key that is registered need not be allowed to delete.
        """
        self._do("list", lambda: self._client.list_objects_v2(Bucket=self._name, MaxKeys=1))
        self.write(_CHECK, b"ok", "text/plain")
        self._do("read", lambda: self._client.get_object(Bucket=self._name, Key=self._key(_CHECK))["Body"].read())

    def write(self, name: str, content: bytes, kind: str) -> None:
        """Put a file into the directory; raises BucketError."""
        self._do(
            "write",
            lambda: self._client.put_object(
                Bucket=self._name, Key=self._key(name), Body=content, ContentType=kind, ContentLength=len(content)
            ),
        )

    def _key(self, name: str) -> str:
        return f"{self.image_directory.strip('/')}/{name}"

    def _do(self, what: str, call: Any) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            call()
        except ClientError as error:
            # S3's longer words may quote what was sent.
            found = _CODE.fullmatch(str(error.response.get("Error", {}).get("Code", "")))
            code = found[0] if found else "an unknown error"
            where = "endpoint_url" if code in ("NoSuchBucket", "404") else "aws_access_key_id"
            raise BucketError(f"The key may not {what} in the bucket: {code}.", where) from None
        except (BotoCoreError, OSError, ValueError) as error:
            raise BucketError(f"The bucket could not be reached: {type(error).__name__}.", "endpoint_url") from None

    @property
    def _name(self) -> str:
        return place(self.endpoint_url)[1]

    @cached_property
    def _client(self) -> S3Client:
        # Half a second to import, and most sandboxes never have a bucket.
        from boto3.session import Session
        from botocore.config import Config

        endpoint, _, style = place(self.endpoint_url)
        return Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=self.region_name,
            aws_access_key_id=self.aws_access_key_id,
            aws_secret_access_key=self.aws_secret_access_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=3,
                read_timeout=10,
                retries={"total_max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": style},
                proxies={} if loopback(endpoint) else None,
                # Many stores that call themselves compatible know no newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


def place(endpoint_url: str) -> tuple[str, str, Literal["path", "virtual"]]:
    """The server, the bucket and how it is addressed; raises ValueError where the address names no bucket."""
    parts = urlsplit(endpoint_url)
    if parts.scheme not in ("http", "https") or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("not the address of a bucket")
    port = f":{parts.port}" if parts.port else ""
    host, path = parts.hostname or "", parts.path.strip("/")
    if path:
        if "/" in path or not host:
            raise ValueError("not the address of a bucket")
        return f"{parts.scheme}://{parts.netloc}", path, "path"
    bucket, _, rest = host.partition(".")
    if not bucket or not rest or _is_ip(host):
        raise ValueError("no bucket in the host")
    return f"{parts.scheme}://{rest}{port}", bucket, "virtual"


def read_registration(body: Mapping[str, Any]) -> tuple[str, Bucket]:
    """The `deploy_type` and the bucket of an `update_s3` body; raises RefusedError with every field that is wrong."""
    wrong: Wrong = {}
    bucket = Bucket(
        public_url=read_address(body, "public_url", wrong, required=True) or "",
        region_name=read_text(body, "region_name", wrong, required=True, most=60) or "",
        endpoint_url=read_address(body, "endpoint_url", wrong, required=True) or "",
        aws_access_key_id=read_text(body, "aws_access_key_id", wrong, required=True, most=200) or "",
        aws_secret_access_key=read_text(body, "aws_secret_access_key", wrong, required=True, most=200) or "",
        image_directory=read_text(body, "image_directory", wrong, required=True, most=500) or "",
    )
    if "endpoint_url" not in wrong:
        try:
            place(bucket.endpoint_url)
        except ValueError:
            wrong["endpoint_url"] = ["The endpoint url must name the bucket in its host."]
    if "image_directory" not in wrong and not _DIRECTORY.fullmatch(bucket.image_directory.strip("/")):
        wrong["image_directory"] = ["The image directory format is invalid."]
    kind = read_kind(body, wrong)
    if wrong:
        raise RefusedError("storage", 400, {"status": "error", "message": wrong})
    return kind, bucket


def read_kind(body: Mapping[str, Any], wrong: Wrong) -> str:
    """The `deploy_type`; without one, the kind of another server."""
    kind = read_text(body, "deploy_type", wrong) or _DEFAULT
    if not _KIND.fullmatch(kind):
        wrong["deploy_type"] = ["The deploy type format is invalid."]
    return kind


class Storage:
    """The registrations, by `deploy_type`; may be used by many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._buckets = self._load()

    @property
    def ours(self) -> Bucket | None:
        """The bucket that results go into, if one is registered for this kind of server."""
        return self._buckets.get(OURS)

    def register(self, body: Mapping[str, Any]) -> None:
        """What `update_s3` does; raises RefusedError, changing nothing, for wrong fields or a bucket that won't do."""
        kind, bucket = read_registration(body)
        if kind not in self._buckets and len(self._buckets) >= _MAX_KINDS:
            raise RefusedError("storage", 400, {"status": "error", "message": "Too many deploy types."})
        try:
            bucket.check()
        except BucketError as error:
            answer = {"status": "error", "message": {error.field: [error.code]}}
            raise RefusedError("storage", 400, answer) from None
        with self._lock:
            self._buckets = self._buckets | {kind: bucket}
            self._save()

    def forget(self, body: Mapping[str, Any]) -> None:
        """What `reset_s3` does; raises RefusedError for a `deploy_type` that can't be one."""
        wrong: Wrong = {}
        kind = read_kind(body, wrong)
        if wrong:
            raise RefusedError("storage", 400, {"status": "error", "message": wrong})
        self._drop(kind)

    def forget_ours(self) -> None:
        """Forget the bucket that results go into."""
        self._drop(OURS)

    def shown(self) -> dict[str, dict[str, str]]:
        """The registrations by `deploy_type`, without their keys."""
        public = ("public_url", "region_name", "endpoint_url", "image_directory")
        return {kind: {name: getattr(bucket, name) for name in public} for kind, bucket in self._buckets.items()}

    def _drop(self, kind: str) -> None:
        with self._lock:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if name != kind}
            self._save()

    def _save(self) -> None:
        half = self._path.with_suffix(".new")
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({kind: asdict(bucket) for kind, bucket in self._buckets.items()}, file)
        half.replace(self._path)

    def _load(self) -> dict[str, Bucket]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            return {kind: Bucket(**fields) for kind, fields in known.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError):
            logger.warning("The registered buckets in %s could not be read: the sandbox starts without.", self._path)
            return {}


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
