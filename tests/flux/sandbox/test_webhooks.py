"""What the sandbox tells the address that it was given, truly and otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from editor.flux.client import FluxClient
from editor.flux.contract import Status
from editor.flux.sandbox import Sandbox

from ..conftest import Answerer, Recorder
from .conftest import Body, Edit, Start, asked, finished, posted, wait_until

StartRecorder = Callable[[Answerer | None], Recorder]


def test_webhook_comes_once_with_the_track_id(client: FluxClient, edit: Edit, recorder: StartRecorder) -> None:
    ear = recorder(None)
    generation = finished(client, edit(webhook=ear.origin + "/hook", track_id="t-1"))
    wait_until(lambda: ear.requests)
    time.sleep(0.2)
    [(method, path, body)] = ear.requests
    told = json.loads(body)
    assert (method, path, told["track_id"], str(told["id"])) == ("POST", "/hook", "t-1", generation.id)
    assert told["output"] == list(generation.outputs)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("webhook-lost", []),
        ("webhook-twice", ["success", "success"]),
        ("webhook-processing", ["processing", "success"]),
        ("webhook-ten", ["success"] * 10),
        ("webhook-out-of-order", ["success", "processing"]),
        ("webhook-failed", ["failed"]),
        ("webhook-unknown", ["Warming_Up"]),
        ("failed-later", ["failed"]),
    ],
)
def test_webhook_faults(
    client: FluxClient, edit: Edit, recorder: StartRecorder, fault: str, statuses: list[str]
) -> None:
    ear = recorder(None)
    finished(client, edit(f"hat #fault:{fault}", webhook=ear.origin + "/hook", track_id="t-1"))
    wait_until(lambda: len(ear.requests) >= len(statuses))
    time.sleep(0.2)
    assert [json.loads(body)["status"] for _, _, body in ear.requests] == statuses


def test_early_webhook_comes_before_the_answer(client: FluxClient, edit: Edit, recorder: StartRecorder) -> None:
    ear = recorder(None)
    client.img2img(edit("hat #fault:webhook-early", webhook=ear.origin + "/hook"))
    assert len(ear.requests) == 1


def test_deaf_webhook_disturbs_nothing(client: FluxClient, edit: Edit) -> None:
    assert finished(client, edit(webhook="http://127.0.0.1:9/hook")).status is Status.SUCCESS


@pytest.mark.parametrize(
    ("fault", "name", "differs"),
    [
        ("webhook-other-id", "id", lambda value, entry: value == entry["id"] + 1),
        ("webhook-other-track", "track_id", lambda value, entry: value not in (None, entry["track_id"])),
        ("webhook-without-id", "id", lambda value, entry: value is None),
        ("webhook-internal", "output", lambda value, entry: value[0].startswith("http://10.0.0.1/")),
        ("id-as-word", "id", lambda value, entry: value == f"flx-{entry['prefix']}"),
        ("id-null", "id", lambda value, entry: value == entry["id"]),
        ("webhook-huge", "message", lambda value, entry: len(value) > 1_000_000),
    ],
)
def test_webhook_lies(
    sandbox: Sandbox,
    body: Body,
    recorder: StartRecorder,
    fault: str,
    name: str,
    differs: Callable[[Any, dict[str, Any]], bool],
) -> None:
    ear = recorder(None)
    asked(sandbox, body(f"hat #fault:{fault}", webhook=ear.origin + "/hook", track_id="t-1"))
    wait_until(lambda: ear.requests)
    assert differs(json.loads(ear.requests[0][2]).get(name), sandbox.ledger()["accepted"][-1])


@pytest.mark.parametrize(
    ("fault", "start"),
    [("webhook-html", b"<!doctype html>"), ("webhook-deep", b'{"status": [[['), ("webhook-doubled", b'{"status": "fa')],
)
def test_webhook_is_no_sane_document(
    sandbox: Sandbox, body: Body, recorder: StartRecorder, fault: str, start: bytes
) -> None:
    ear = recorder(None)
    asked(sandbox, body(f"hat #fault:{fault}", webhook=ear.origin + "/hook"))
    wait_until(lambda: ear.requests)
    assert ear.requests[0][2].startswith(start)


def test_webhook_may_be_a_get(sandbox: Sandbox, body: Body, recorder: StartRecorder) -> None:
    ear = recorder(None)
    asked(sandbox, body("hat #fault:webhook-get", webhook=ear.origin + "/hook", track_id="t-1"))
    wait_until(lambda: ear.requests)
    [(method, path, _)] = ear.requests
    assert (method, parse_qs(urlsplit(path).query)["track_id"]) == ("GET", ["t-1"])


def test_what_a_restart_lost_is_not_told(started: Start, body: Body, recorder: StartRecorder) -> None:
    sandbox, _ = started(seconds=0.5, restart_seconds=0)
    ear = recorder(None)
    asked(sandbox, body(webhook=ear.origin + "/hook"))
    posted(sandbox, "flux_kontext_dev/restart_server")
    time.sleep(0.8)
    assert ear.requests == []
