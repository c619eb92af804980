"""The bucket that `update_s3` registers: checked, written into, remembered, and its secret told to nobody."""

from __future__ import annotations

import io
import logging
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from PIL import Image

from editor.flux.contract import Status
from editor.flux.sandbox.storage import place

from ..conftest import drawn
from .conftest import Edit, Inbox, Start, finished, got, posted, wait_until


def test_results_are_written_into_the_registered_bucket(started: Start, edit: Edit, inbox: Inbox) -> None:
    sandbox, client = started()
    answer = posted(sandbox, "update_s3", inbox.registration())
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    links = finished(client, edit(samples=2)).outputs
    assert [link.rpartition("/")[0] for link in links] == [f"https://inbox.example/{inbox.directory}"] * 2
    names = [link.rpartition("/")[2] for link in links]
    assert sorted(inbox.names()) == sorted(names)
    content, kind = inbox.read(names[0])
    assert (Image.open(io.BytesIO(content)).size, kind) == ((256, 256), "image/png")
    assert got(f"{sandbox.origin}/generations/{names[0]}").status_code == 404


@pytest.mark.parametrize("kind", ["flux", "stable_diffusion", None])
def test_another_servers_registration_is_a_success_that_changes_nothing(
    started: Start, edit: Edit, inbox: Inbox, kind: str | None
) -> None:
    sandbox, client = started()
    body = inbox.registration(deploy_type=kind)
    assert posted(sandbox, "update_s3", body).json()["status"] == "success"
    [link] = finished(client, edit()).outputs
    assert link.startswith(sandbox.origin)
    assert got(link).status_code == 200
    assert inbox.names() == []


def test_reset_forgets_the_bucket(started: Start, edit: Edit, inbox: Inbox, tmp_path: Path) -> None:
    sandbox, client = started(directory=tmp_path)
    posted(sandbox, "update_s3", inbox.registration())
    assert posted(sandbox, "reset_s3", {"deploy_type": "stable_diffusion"}).json()["status"] == "success"
    assert sandbox.ledger()["storage"].keys() == {"flux_kontext_dev"}
    assert posted(sandbox, "reset_s3", {"deploy_type": "flux_kontext_dev"}).json()["status"] == "success"
    assert finished(client, edit()).outputs[0].startswith(sandbox.origin)
    assert inbox.secret not in (tmp_path / "storage.json").read_text()


def test_registration_outlives_a_restart_in_a_file_for_its_owner(
    started: Start, edit: Edit, inbox: Inbox, tmp_path: Path
) -> None:
    first, _ = started(directory=tmp_path)
    posted(first, "update_s3", inbox.registration())
    first.stop()
    assert stat.S_IMODE((tmp_path / "storage.json").stat().st_mode) == 0o600
    _, client = started(directory=tmp_path)
    assert finished(client, edit()).outputs[0].startswith("https://inbox.example/")


def test_unreadable_registration_is_as_none(started: Start, edit: Edit, tmp_path: Path) -> None:
    (tmp_path / "storage.json").write_text('{"flux_kontext_dev": {"public_url": 3')
    sandbox, client = started(directory=tmp_path)
    assert finished(client, edit()).outputs[0].startswith(sandbox.origin)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public_url": None}, "public_url"),
        ({"public_url": "inbox.example"}, "public_url"),
        ({"endpoint_url": "https://store"}, "endpoint_url"),
        ({"endpoint_url": "http://127.0.0.1:9000"}, "endpoint_url"),
        ({"endpoint_url": "http://127.0.0.1:9000/a/b"}, "endpoint_url"),
        ({"endpoint_url": "https://me:pass@bucket.store.example"}, "endpoint_url"),
        ({"endpoint_url": "http://[1/bucket"}, "endpoint_url"),
        ({"endpoint_url": "http://127.0.0.1:1/bucket"}, "endpoint_url"),
        ({"region_name": ""}, "region_name"),
        ({"aws_access_key_id": 7}, "aws_access_key_id"),
        ({"aws_secret_access_key": "x" * 201}, "aws_secret_access_key"),
        ({"aws_secret_access_key": "wrong"}, "aws_access_key_id"),
        ({"image_directory": None}, "image_directory"),
        ({"image_directory": "../images"}, "image_directory"),
        ({"image_directory": "a//b"}, "image_directory"),
        ({"deploy_type": "Flux Kontext"}, "deploy_type"),
    ],
)
def test_registration_that_can_not_work_is_refused_by_field(
    started: Start, inbox: Inbox, changes: dict[str, object], field: str
) -> None:
    sandbox, _ = started()
    answer = posted(sandbox, "update_s3", inbox.registration(**changes))
    assert answer.status_code == 400
    assert list(answer.json()["message"]) == [field]
    assert all(isinstance(words, list) for words in answer.json()["message"].values())
    assert sandbox.ledger()["storage"] == {}
    assert inbox.secret not in answer.text


def test_bucket_that_is_not_there_is_said(started: Start, inbox: Inbox) -> None:
    sandbox, _ = started()
    answer = posted(sandbox, "update_s3", inbox.registration(endpoint_url=f"{inbox.endpoint}/no-such-bucket"))
    assert "NoSuchBucket" in answer.json()["message"]["endpoint_url"][0]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://inbox.s3.eu-central-1.amazonaws.com", ("https://s3.eu-central-1.amazonaws.com", "inbox", "virtual")),
        ("https://inbox.store.example:8443/", ("https://store.example:8443", "inbox", "virtual")),
        ("http://127.0.0.1:9000/inbox", ("http://127.0.0.1:9000", "inbox", "path")),
    ],
)
def test_bucket_is_part_of_the_host_or_the_path(address: str, expected: tuple[str, str, str]) -> None:
    assert place(address) == expected


def test_generation_fails_when_the_bucket_is_gone_by_then(started: Start, edit: Edit, inbox: Inbox) -> None:
    sandbox, client = started()
    bucket = f"gone-{inbox.directory[-12:]}"
    inbox.s3.create_bucket(Bucket=bucket)
    posted(sandbox, "update_s3", inbox.registration(endpoint_url=f"{inbox.endpoint}/{bucket}"))
    inbox.s3.delete_object(Bucket=bucket, Key=f"{inbox.directory}/write-test.txt")
    inbox.s3.delete_bucket(Bucket=bucket)
    generation = finished(client, edit())
    assert generation.status is Status.FAILED
    assert generation.message == "Processing failed: the pictures could not be written to the registered bucket."


@pytest.mark.parametrize(
    ("fault", "count", "start"),
    [("bucket-lost", 0, b""), ("link-html", 1, b"<!doctype html>"), ("link-empty", 1, b""), ("not-a-picture", 1, b"{")],
)
def test_what_arrives_in_the_bucket_may_be_bad(
    started: Start, edit: Edit, inbox: Inbox, fault: str, count: int, start: bytes
) -> None:
    sandbox, client = started()
    posted(sandbox, "update_s3", inbox.registration())
    assert finished(client, edit(f"hat #fault:{fault}")).outputs[0].startswith("https://inbox.example/")
    names = inbox.names()
    assert len(names) == count
    assert all(inbox.read(name)[0][: len(start) or None] == start for name in names)


def test_result_may_come_into_the_bucket_after_the_success(started: Start, edit: Edit, inbox: Inbox) -> None:
    sandbox, client = started()
    posted(sandbox, "update_s3", inbox.registration())
    finished(client, edit("hat #fault:link-404-for-a-while"))
    assert inbox.names() == []
    wait_until(inbox.names)


@pytest.mark.parametrize(("fault", "status"), [("bucket-ignored", Status.SUCCESS), ("bucket-full", Status.FAILED)])
def test_bucket_may_be_ignored_or_full(started: Start, edit: Edit, inbox: Inbox, fault: str, status: Status) -> None:
    sandbox, client = started()
    posted(sandbox, "update_s3", inbox.registration())
    generation = finished(client, edit(f"hat #fault:{fault}"))
    assert generation.status is status
    assert all(link.startswith(sandbox.origin) for link in generation.outputs)
    assert inbox.names() == []


def test_uploaded_image_lies_in_the_bucket(started: Start, inbox: Inbox) -> None:
    sandbox, _ = started()
    body = {"base64_image": b64encode(drawn("teal")).decode(), "image_type": "jpeg"}
    refused = posted(sandbox, "upload_image", body)
    assert (refused.status_code, refused.json()["status"]) == (400, "error")
    assert "update_s3" in refused.json()["message"]
    posted(sandbox, "update_s3", inbox.registration())
    link = posted(sandbox, "upload_image", body).json()["image_url"]
    assert link.startswith(f"https://inbox.example/{inbox.directory}/")
    assert inbox.read(link.rpartition("/")[2]) == (drawn("teal"), "image/jpeg")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base64_image": "####"}, "base64_image"),
        ({"base64_image": b64encode(b"no picture").decode()}, "base64_image"),
        ({"base64_image": None}, "base64_image"),
        ({"image_type": "svg"}, "image_type"),
        ({"image_type": None}, "image_type"),
    ],
)
def test_upload_of_something_else_is_refused_by_field(started: Start, changes: dict[str, object], field: str) -> None:
    sandbox, _ = started()
    body = {"base64_image": b64encode(drawn("teal")).decode(), "image_type": "image/jpeg"} | changes
    answer = posted(sandbox, "upload_image", body)
    assert (answer.status_code, list(answer.json()["message"])) == (400, [field])


def test_secret_is_shown_nowhere(
    started: Start, edit: Edit, inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="editor")
    sandbox, client = started(directory=tmp_path)
    answers = [posted(sandbox, "update_s3", inbox.registration(**more)).text for more in ({"public_url": "x"}, {})]
    finished(client, edit())
    told = [got(sandbox.origin + path).text for path in ("/", "/ledger", "/faults")]
    files = [path.read_text() for path in tmp_path.glob("*.jsonl")]
    assert inbox.directory in told[0]
    for text in [*answers, *told, *files, caplog.text, repr(sandbox), repr(sandbox._running.site.storage.ours)]:
        assert inbox.secret not in text
        assert inbox.key_id not in text or inbox.key_id == "tests"
