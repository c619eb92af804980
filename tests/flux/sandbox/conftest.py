"""Sandboxes of one's own, the tests' S3, and how to ask and wait."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from editor.flux.client import FluxClient
from editor.flux.contract import EditRequest, Generation, Status
from editor.flux.sandbox import Sandbox
from project.embedded.s3 import make_client

from ..conftest import KEY, Recorder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Edit = Callable[..., EditRequest]
Body = Callable[..., dict[str, Any]]
Start = Callable[..., tuple[Sandbox, FluxClient]]


def finished(client: FluxClient, request: EditRequest, within: float = 20) -> Generation:
    """Submit and poll until it is over."""
    generation = client.img2img(request)
    deadline = time.monotonic() + within
    while generation.status is Status.PROCESSING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        generation = client.fetch(generation.id or "")
    return generation


def got(link: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(link, timeout=10)


def wait_until(condition: Callable[[], object], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts sandboxes of one's own, each with a client."""
    running: list[tuple[Sandbox, FluxClient]] = []

    def start(**options: Any) -> tuple[Sandbox, FluxClient]:
        sandbox = Sandbox(**({"seconds": 0} | options)).start()
        running.append((sandbox, FluxClient(sandbox.base_url, KEY, sandbox.upload_url, read_timeout=20)))
        return running[-1]

    yield start
    for sandbox, client in running:
        client.close()
        sandbox.stop()


class Inbox:
    """A directory of its own in the tests' bucket, and the key to it."""

    def __init__(self) -> None:
        names = ("S3_ENDPOINT_URL", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        self.endpoint, self.region, self.key_id, self.secret = (os.environ[name] for name in names)
        self.bucket = os.environ["S3_BUCKET"]
        self.directory = f"inbox-{uuid.uuid4().hex}"
        self.s3: S3Client = make_client(self.endpoint, self.region, self.key_id, self.secret)

    def registration(self, **changes: Any) -> dict[str, Any]:
        """The body of `update_s3`, without the key."""
        body = {
            "deploy_type": "flux_kontext_dev",
            "public_url": "https://inbox.example",
            "region_name": self.region,
            "endpoint_url": f"{self.endpoint}/{self.bucket}",
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "image_directory": self.directory,
        }
        return body | changes

    def names(self) -> list[str]:
        """What lies in the directory, but for what the check of the registration left."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self.directory + "/").get("Contents", [])
        names = [thing["Key"].removeprefix(self.directory + "/") for thing in found]
        return [name for name in names if name != "write-test.txt"]

    def read(self, name: str) -> tuple[bytes, str]:
        """Bytes and content type of one file."""
        thing = self.s3.get_object(Bucket=self.bucket, Key=f"{self.directory}/{name}")
        return thing["Body"].read(), thing["ContentType"]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A place in the tests' S3 that ends with the test."""
    place = Inbox()
    yield place
    for name in [*place.names(), "write-test.txt"]:
        place.s3.delete_object(Bucket=place.bucket, Key=f"{place.directory}/{name}")


def posted(sandbox: Sandbox, path: str, body: dict[str, Any] | None = None) -> requests.Response:
    """POST to an endpoint below `/api/v1/enterprise/`, with the key."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(sandbox.base_url + path, json={"key": KEY} | (body or {}), timeout=20)


@pytest.fixture
def body(pictures: Recorder) -> Callable[..., dict[str, Any]]:
    """Makes bodies of img2img as they go over the wire: small, instant, with a fixed seed unless told otherwise."""

    def made(prompt: str = "make it warm", **changes: Any) -> dict[str, Any]:
        fields = {"init_image": pictures.origin + "/red.jpg", "width": 256, "height": 256, "seed": 7}
        return {"prompt": prompt, "instant_response": True} | fields | changes

    return made


def asked(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to img2img as it came."""
    answer: dict[str, Any] = posted(sandbox, "flux_kontext_dev/img2img", body).json()
    return answer


def fetched(sandbox: Sandbox, number: object) -> requests.Response:
    """The answer to asking again."""
    return posted(sandbox, f"flux_kontext_dev/fetch/{number}")


def done(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """Submit, wait until the ledger says that it is over, and ask."""
    asked(sandbox, body)
    entry = sandbox.ledger()["accepted"][-1]
    wait_until(lambda: sandbox.ledger()["accepted"][-1]["status"] != "processing")
    answer: dict[str, Any] = fetched(sandbox, entry["id"]).json()
    return answer
