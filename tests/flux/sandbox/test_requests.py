"""The fields of a request that decide about the result: blank ones, kept ones, and text for bytes."""

from __future__ import annotations

import io
from base64 import b64decode

import pytest
from PIL import Image

from editor.flux.sandbox import Sandbox

from .conftest import Body, Start, asked, done, fetched, got, wait_until

BLACK = [(256 * 256, (0, 0, 0))]


def colours(link: str) -> object:
    return Image.open(io.BytesIO(got(link).content)).convert("RGB").getcolors(256 * 256)


@pytest.mark.parametrize(
    ("checker", "blank"), [(True, True), ("yes", True), (False, False), ("no", False), (None, True)]
)
def test_nsfw_prompt_gives_a_blank_success_unless_the_checker_is_off(
    sandbox: Sandbox, body: Body, checker: object, blank: bool
) -> None:
    answer = done(sandbox, body("a nude, warm", safety_checker=checker))
    assert (answer["status"], answer["nsfw_content_detected"]) == ("success", blank)
    assert (colours(answer["output"][0]) == BLACK) is blank


def test_only_the_first_picture_is_blank(sandbox: Sandbox, body: Body) -> None:
    first, second = done(sandbox, body("hat #fault:blank-one", samples=2))["output"]
    assert colours(first) == BLACK != colours(second)


def test_negative_prompt_and_strength_change_the_picture(sandbox: Sandbox, body: Body) -> None:
    changes: tuple[dict[str, object], ...] = ({}, {"negative_prompt": "warm"}, {"strength": "0.1"}, {"strength": 1})
    pictures = {got(done(sandbox, body("warm, cold", **more))["output"][0]).content for more in changes}
    assert len(pictures) == 4


def test_base64_is_text_behind_a_link(sandbox: Sandbox, body: Body) -> None:
    [link] = done(sandbox, body(base64="yes"))["output"]
    answer = got(link)
    assert (link.rpartition(".")[2], answer.headers["Content-Type"]) == ("base64", "text/plain")
    assert b64decode(answer.text, validate=True).startswith(b"\x89PNG")


def test_temp_result_is_kept_for_a_short_time_only(started: Start, body: Body) -> None:
    sandbox, _ = started(temp_seconds=0.5)
    kept, temp = (done(sandbox, body(temp=temp)) for temp in (False, "yes"))
    assert got(temp["output"][0]).status_code == 200
    wait_until(lambda: fetched(sandbox, temp["id"]).status_code == 404)
    assert got(temp["output"][0]).status_code == 404
    assert got(kept["output"][0]).status_code == 200
    assert [entry["gone"] for entry in sandbox.ledger()["accepted"]] == [False, True]


def test_results_are_deleted_after_their_hours(started: Start, body: Body, tmp_path: object) -> None:
    sandbox, _ = started(keep_hours=0.8 / 3600, directory=tmp_path)
    answer = done(sandbox, body(samples=2))
    assert len(list(sandbox.directory.glob("*/*.*"))) == 4
    wait_until(lambda: got(answer["output"][0]).status_code == 404)
    assert fetched(sandbox, answer["id"]).json() == {"status": "error", "message": "Request not found"}
    assert list(sandbox.directory.glob("*/*.*")) == []
    sandbox.stop()
    again, _ = started(directory=tmp_path)
    assert fetched(again, answer["id"]).status_code == 404
    assert again.ledger()["accepted"][0]["gone"] is True


def test_what_an_earlier_process_made_is_deleted_in_time(started: Start, body: Body, tmp_path: object) -> None:
    first, _ = started(directory=tmp_path)
    number = done(first, body())["id"]
    first.stop()
    second, _ = started(directory=tmp_path, keep_hours=0)
    assert fetched(second, number).status_code == 404


def test_request_that_waits_is_told_when_its_turn_comes(started: Start, body: Body) -> None:
    sandbox, client = started(seconds=30)
    assert client.system_details().queue_time == 0
    etas = [asked(sandbox, body())["eta"] for _ in range(2)]
    assert 28 < etas[0] <= 30
    assert 58 < etas[1] <= 60
    assert 58 < (client.system_details().queue_time or 0) <= 60
