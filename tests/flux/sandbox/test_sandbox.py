"""The sandbox as a server: queue, ledger, results, webhooks, restarts."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from editor.flux.client import FluxClient
from editor.flux.contract import Status
from editor.flux.errors import FluxError, Verdict
from editor.flux.sandbox import Sandbox

from ..conftest import KEY, Answerer, Recorder, drawn
from .conftest import Edit, finished, got, wait_until

StartRecorder = Callable[[Answerer | None], Recorder]


def test_edit_is_accepted_worked_off_and_served_as_png(client: FluxClient, edit: Edit) -> None:
    generation = finished(client, edit(width=320, height=256))
    answer = got(generation.outputs[0])
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (320, 256)


def test_same_seed_gives_the_same_bytes_and_another_does_not(client: FluxClient, edit: Edit) -> None:
    first, again, other = (got(finished(client, edit(seed=seed)).outputs[0]).content for seed in (11, 11, 12))
    assert first == again != other


def test_samples_differ_from_each_other(client: FluxClient, edit: Edit) -> None:
    pictures = {got(link).content for link in finished(client, edit(samples=4)).outputs}
    assert len(pictures) == 4


def test_two_inputs_are_merged(client: FluxClient, edit: Edit, pictures: Recorder) -> None:
    red, green = pictures.origin + "/red.jpg", pictures.origin + "/green.jpg"
    made = [
        got(finished(client, request).outputs[0]).content
        for request in (edit(), edit(init_image=green), edit(init_image_2=green))
    ]
    assert len(set(made)) == 3
    assert pictures.requests[-2:] == [("GET", "/red.jpg", b""), ("GET", "/green.jpg", b"")]
    assert red


@pytest.mark.parametrize("path", ["/missing.jpg", "/broken.jpg"])
def test_input_that_is_no_picture_is_refused(client: FluxClient, edit: Edit, pictures: Recorder, path: str) -> None:
    with pytest.raises(FluxError) as caught:
        client.img2img(edit(init_image=pictures.origin + path))
    assert (caught.value.verdict, caught.value.reason) == (Verdict.JOB, "image")


def test_ledger_tells_what_was_accepted_and_counts_what_was_not(
    sandbox: Sandbox, client: FluxClient, edit: Edit
) -> None:
    finished(client, edit("a hat", track_id="t-77", seed=99, samples=2))
    ledger = got(sandbox.origin + "/ledger").json()
    entry = ledger["accepted"][-1]
    assert (entry["track_id"], entry["prompt"], entry["seed"], entry["samples"]) == ("t-77", "a hat", 99, 2)
    assert entry["accepted"] <= entry["finished"]
    with pytest.raises(FluxError):
        client.img2img(edit("a hat #fault:field-error"))
    assert sandbox.ledger()["refused"]["field-error"] == ledger["refused"].get("field-error", 0) + 1


def test_queue_takes_no_more_than_its_limit(started: Callable[..., Any], edit: Edit) -> None:
    sandbox, client = started(seconds=30, queue_limit=2)
    client.img2img(edit())
    client.img2img(edit())
    with pytest.raises(FluxError) as caught:
        client.img2img(edit())
    assert (caught.value.verdict, caught.value.retry_after) == (Verdict.QUEUE_FULL, 2)
    assert caught.value.message == "Rate limit exceeded. Maximum 2 queued requests allowed."
    assert len(sandbox.ledger()["accepted"]) == 2


def test_twenty_at_once_never_exceed_the_limit(started: Callable[..., Any], edit: Edit) -> None:
    sandbox, client = started(seconds=30, queue_limit=5, echo=True)
    verdicts: list[str] = []

    def submit() -> None:
        try:
            verdicts.append(client.img2img(edit()).status)
        except FluxError as error:
            verdicts.append(error.verdict)

    threads = [threading.Thread(target=submit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (verdicts.count("processing"), verdicts.count("queue-full")) == (5, 15)
    assert len(sandbox.ledger()["accepted"]) == 5


def test_one_slot_works_one_after_the_other(started: Callable[..., Any], edit: Edit) -> None:
    sandbox, client = started(seconds=0.3, slots=1, echo=True)
    for _ in range(3):
        client.img2img(edit())
    wait_until(lambda: sandbox.ledger()["queued"] == 0)
    times = [entry["finished"] for entry in sandbox.ledger()["accepted"]]
    assert times[1] - times[0] > 0.2
    assert times[2] - times[1] > 0.2


def test_slots_work_side_by_side(started: Callable[..., Any], edit: Edit) -> None:
    sandbox, client = started(seconds=1, slots=5, echo=True)
    for _ in range(5):
        client.img2img(edit())
    wait_until(lambda: sandbox.ledger()["queued"] == 0)
    times = [entry["finished"] for entry in sandbox.ledger()["accepted"]]
    assert max(times) - min(times) < 0.9


def test_echo_returns_the_input_as_it_came(started: Callable[..., Any], edit: Edit) -> None:
    _, client = started(echo=True)
    assert got(finished(client, edit()).outputs[0]).content == drawn("firebrick")


def test_request_that_is_not_instant_is_held_until_it_is_done(started: Callable[..., Any], edit: Edit) -> None:
    _, client = started(seconds=0.3)
    assert client.img2img(edit(instant_response=False)).status is Status.SUCCESS


def test_blocked_picture_is_blank_and_a_success(client: FluxClient, edit: Edit) -> None:
    generation = finished(client, edit("hat #fault:blank"))
    picture = Image.open(io.BytesIO(got(generation.outputs[0]).content)).convert("RGB")
    assert (generation.status, generation.nsfw) == (Status.SUCCESS, True)
    assert picture.getcolors() == [(256 * 256, (0, 0, 0))]


def test_failed_generation_says_so_at_once_or_later(client: FluxClient, edit: Edit) -> None:
    at_once = client.img2img(edit("hat #fault:failed-at-once"))
    later = finished(client, edit("hat #fault:failed-later"))
    assert (at_once.status, later.status) == (Status.FAILED, Status.FAILED)
    assert at_once.message == later.message == "Processing failed: the pictures could not be made."


def test_unknown_marker_is_refused_by_name(client: FluxClient, edit: Edit) -> None:
    with pytest.raises(FluxError, match="no-such"):
        client.img2img(edit("hat #fault:no-such"))


def test_faults_are_switched_over_http(sandbox: Sandbox, client: FluxClient) -> None:
    with requests.Session() as session:
        session.trust_env = False
        assert session.put(sandbox.origin + "/faults", json={"details:bad-key": 1}, timeout=5).status_code == 200
        with pytest.raises(FluxError):
            client.system_details()
        assert client.system_details().model_count == 1
        assert session.put(sandbox.origin + "/faults", json={"nonsense": 1}, timeout=5).status_code == 400


def test_restart_remembers_what_was_accepted(started: Callable[..., Any], edit: Edit, tmp_path: Path) -> None:
    first, client = started(directory=tmp_path, seconds=0.01)
    done = finished(client, edit())
    picture = got(done.outputs[0]).content
    first.stop()
    slow, client = started(directory=tmp_path, seconds=60)
    open_one = client.img2img(edit())
    slow.stop()
    second, client = started(directory=tmp_path)
    again = client.fetch(done.id or "")
    assert got(again.outputs[0]).content == picture
    assert client.fetch(open_one.id or "").status is Status.FAILED
    assert int(client.img2img(edit()).id or 0) > int(open_one.id or 0)
    assert [entry["id"] for entry in second.ledger()["accepted"]][:2] == [int(done.id or 0), int(open_one.id or 0)]


def test_half_written_ledger_line_is_skipped(started: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text('{"id": 5, "pre', encoding="utf-8")
    sandbox, _ = started(directory=tmp_path)
    assert sandbox.ledger()["accepted"] == []


@pytest.mark.parametrize(
    "path", ["/generations/../ledger.jsonl", "/generations/%2e%2e/ledger.jsonl", "/uploads/x", "/x"]
)
def test_other_paths_are_not_found(sandbox: Sandbox, path: str) -> None:
    assert got(sandbox.origin + path).status_code == 404


def test_only_the_set_key_is_good(started: Callable[..., Any]) -> None:
    sandbox, _ = started(key="right")
    assert FluxClient(sandbox.base_url, "right").system_details().model_count == 1
    with pytest.raises(FluxError) as caught:
        FluxClient(sandbox.base_url, "wrong").system_details()
    assert caught.value.verdict is Verdict.ACCOUNT


def test_stop_is_quick_and_leaves_nothing(edit: Edit) -> None:
    sandbox = Sandbox(seconds=60).start()
    client = FluxClient(sandbox.base_url, KEY, read_timeout=5)
    directory = Path(sandbox.directory)
    client.img2img(edit())
    client.system_details()
    started_at = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - started_at < 1
    assert not directory.exists()
    with pytest.raises(FluxError) as caught:
        client.system_details()
    assert caught.value.verdict is Verdict.LATER
