"""A store with an inbox: an S3 server of its own whose keys may do different things, as at a real store."""

import dataclasses
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_django import Settings

from project.embedded import s3
from project.embedded.ports import PortBook
from project.embedded.process import Child, Keeper

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]

PICTURES = "pictures"
INBOX = "inbox"
PORTAL = "portal-key"
THEIRS = "their-key"
READS_ONLY = "reads-only-key"
SEES_PICTURES = "sees-pictures-key"
WRITES_PICTURES = "writes-pictures-key"
SHUT_OUT = "shut-out-key"
NO_ACL = "no-acl-key"
_WITHOUT_ACL = [f"{action}:{INBOX}" for action in ("Read", "List", "Write")]
_AT_INBOX = [*_WITHOUT_ACL, f"WriteAcp:{INBOX}/*"]
_RIGHTS = {
    PORTAL: ["Admin", "Read", "Write", "List", "Tagging"],
    THEIRS: _AT_INBOX,
    NO_ACL: _WITHOUT_ACL,
    READS_ONLY: [f"Read:{INBOX}", f"List:{INBOX}"],
    SEES_PICTURES: [*_AT_INBOX, f"Read:{PICTURES}"],
    WRITES_PICTURES: [*_AT_INBOX, f"Write:{PICTURES}"],
    SHUT_OUT: [f"{action}:{PICTURES}" for action in ("Read", "List", "Write")],
}


def secret_of(key: str) -> str:
    return f"secret-of-{key}"


@dataclass
class Store:
    """An S3 server with the buckets PICTURES and INBOX; the latter anyone may read."""

    child: Child
    endpoint_url: str

    def client(self, key: str = PORTAL) -> "S3Client":
        return s3.make_client(self.endpoint_url, s3.REGION, key, secret_of(key))

    def put(self, key: str, data: bytes = b"bytes", bucket: str = INBOX) -> str:
        """Write as the flux server does; returns the link that it would give."""
        self.client(THEIRS if bucket == INBOX else PORTAL).put_object(Bucket=bucket, Key=key, Body=data)
        return f"{self.endpoint_url}/{bucket}/{key}"

    def keys(self, bucket: str = INBOX) -> list[str]:
        return [thing["Key"] for thing in self.client().list_objects_v2(Bucket=bucket).get("Contents", [])]

    def empty(self) -> None:
        for name in (PICTURES, INBOX):
            s3.empty_bucket(self.client(), name)

    def use(self, settings: Settings, ours: str = PORTAL, theirs: str = THEIRS, *, down: bool = False) -> None:
        """Let the portal's settings name this store, with these keys; `down`, it can't be reached."""
        values: dict[str, Any] = {
            "S3_ENDPOINT_URL": self.endpoint_url,
            "S3_BUCKET": PICTURES,
            "FLUX_INBOX": True,
            "FLUX_INBOX_BUCKET": INBOX,
            "FLUX_INBOX_DIRECTORY": "results",
            "FLUX_INBOX_PUBLIC_URL": f"{self.endpoint_url}/{INBOX}",
            "FLUX_INBOX_ENDPOINT_URL": f"{self.endpoint_url}/{INBOX}",
            "FLUX_INBOX_ACCESS_KEY_ID": theirs,
            "FLUX_INBOX_SECRET_ACCESS_KEY": secret_of(theirs),
        }
        for name, value in values.items():
            setattr(settings, name, value)
        storages = deepcopy(settings.STORAGES)
        keys = {"access_key": ours, "secret_key": secret_of(ours)}
        where = "http://127.0.0.1:1" if down else self.endpoint_url
        storages["default"]["OPTIONS"] |= {"bucket_name": PICTURES, "endpoint_url": where, **keys}
        settings.STORAGES = storages


@contextmanager
def running() -> Iterator[Store]:
    """A store, there until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="retake-inbox-", ignore_cleanup_errors=True) as scratch:
        rights: list[dict[str, Any]] = [{"name": "anonymous", "actions": [f"Read:{INBOX}"]}]
        for key, actions in _RIGHTS.items():
            credentials = [{"accessKey": key, "secretKey": secret_of(key)}]
            rights.append({"name": key, "credentials": credentials, "actions": actions})
        config = Path(scratch) / "identities.json"
        config.write_text(json.dumps({"identities": rights}))
        part = s3.prepare(Path(scratch) / "s3", PortBook(Path(scratch) / "ports.json"), PORTAL, secret_of(PORTAL))
        program = dataclasses.replace(part.program, args=[*part.program.args, f"-s3.config={config}"])
        keeper = Keeper()
        child = Child(program, keeper, lambda line: None)
        try:
            child.start()
            child.wait_until_ready(60)
            for name in (PICTURES, INBOX):
                s3.make_bucket(part.client(), name)
            rules: Any = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}  # who wrote may say who reads
            part.client().put_bucket_ownership_controls(Bucket=INBOX, OwnershipControls=rules)
            yield Store(child, part.endpoint_url)
        finally:
            child.stop(grace=0)
            keeper.close()
