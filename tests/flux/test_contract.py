"""Every shape that an answer was seen in becomes the same typed data, and no shape raises."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editor.flux.contract import (
    EditRequest,
    Generation,
    Status,
    parse_generation,
    parse_system_details,
    parse_webhook,
)
from editor.flux.scrubbing import MAX_ANSWER, Secrets

LINK = "https://pub-1.r2.dev//generations/a-0"

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = (
    "status id output proxy_links future_links eta message messege meta seed track_id nsfw_content_detected "
    "generationTime model_count queue_time"
)
ANSWERS = st.dictionaries(st.sampled_from(NAMES.split()), ANYTHING)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", Status.SUCCESS),
        ("SUCCESS", Status.SUCCESS),
        ("ready", Status.SUCCESS),
        (" Failed ", Status.FAILED),
        ("error", Status.FAILED),
        ("processing", Status.PROCESSING),
        ("queued", Status.PROCESSING),
        ("pending", Status.PROCESSING),
        ("warming_up", Status.PROCESSING),
        ("", Status.PROCESSING),
        (None, Status.PROCESSING),
        (3, Status.PROCESSING),
        (["success"], Status.PROCESSING),
    ],
)
def test_status_words_of_any_case_are_read_and_unknown_ones_mean_processing(word: object, status: Status) -> None:
    assert parse_generation({"status": word}).status is status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (168200001, "168200001"),
        ("168200001", "168200001"),
        (168200001.0, "168200001"),
        ("a-b_c", "a-b_c"),
        (None, None),
        (True, None),
        (0, None),
        (-5, None),
        ("", None),
        ("..", None),
        ("../system_details", None),
        ("a b", None),
        (float("nan"), None),
        ([1], None),
        (10**400, None),
    ],
)
def test_id_is_text_or_none(value: object, expected: str | None) -> None:
    assert parse_generation({"id": value}).id == expected


@pytest.mark.parametrize(
    ("output", "count"),
    [
        ([LINK], 1),
        ([LINK] * 5, 5),
        (LINK, 1),
        ({"0": LINK, "1": LINK}, 2),
        ("", 0),
        (None, 0),
        ([], 0),
        ([None, 3, {"url": LINK}], 0),
        (["javascript:alert(1)", "file:///etc/passwd", "https://a b"], 0),
        ([LINK] * 500, 16),
    ],
)
def test_output_of_any_shape_becomes_links(output: object, count: int) -> None:
    assert parse_generation({"status": "success", "output": output}).outputs == (LINK,) * count


@pytest.mark.parametrize("output", ["", None, [], {}])
def test_proxy_links_stand_in_for_an_empty_output(output: object) -> None:
    assert parse_generation({"status": "success", "output": output, "proxy_links": [LINK]}).outputs == (LINK,)


def test_promised_links_are_not_outputs() -> None:
    generation = parse_generation({"status": "processing", "id": 1, "output": [], "future_links": [LINK]})
    assert (generation.outputs, generation.future_links) == ((), (LINK,))


@pytest.mark.parametrize(
    ("eta", "expected"),
    [
        (12.6, 12.6),
        (-1, 0),
        ("12", 12),
        (1e9, 3600),
        (float("inf"), 3600),
        (float("nan"), None),
        (None, None),
        (True, None),
        ("soon", None),
        ([], None),
        (10**400, None),
    ],
)
def test_eta_is_clamped(eta: object, expected: float | None) -> None:
    assert parse_generation({"eta": eta}).eta == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message": "no"}, "no"),
        ({"messege": "no"}, "no"),
        ({"message": {"init_image": ["It is required."], "width": ["Too small."]}}, "It is required. Too small."),
        ({"message": ["a", "b"]}, "a b"),
        ({"message": None}, ""),
        ({"message": "line\r\none\x00\u202ftwo"}, "line one \u202ftwo"),
        ({"message": "\ud800"}, ""),
        ({"message": "x" * 9000}, "x" * 500),
    ],
)
def test_message_of_any_shape_becomes_one_line(fields: dict[str, Any], expected: str) -> None:
    assert parse_generation(fields).message == expected


@pytest.mark.parametrize("meta", [[], None, "x", {"seed": None}, {"seed": -1}, {"seed": 2**32}, {"seed": True}])
def test_meta_without_a_usable_seed_gives_none(meta: object) -> None:
    assert parse_generation({"meta": meta}).seed is None


def test_documented_success_is_read_completely() -> None:
    text = (
        r'{"status":"success","id":168200001,"generationTime":7.42,"output":["https:\/\/a.b\/0.png"],'
        r'"nsfw_content_detected":true,"warning":"","meta":{"seed":3851150001,"width":512}}'
    )
    generation = parse_generation(json.loads(text))
    assert (generation.id, generation.outputs) == ("168200001", ("https://a.b/0.png",))
    assert (generation.nsfw, generation.seed, generation.generation_time) == (True, 3851150001, 7.42)


DOCUMENTED: list[tuple[str, Generation]] = [
    (
        r'{"status": "processing", "id": 168200001, "eta": 12.6, "message": "Wait.", "tip": "…", "output": [],'
        r' "fetch_result": "https:\/\/else.where\/fetch\/7", "future_links": ["https:\/\/a.b\/\/0.png"],'
        r' "meta": {"seed": 21}}',
        Generation(
            status=Status.PROCESSING,
            id="168200001",
            future_links=("https://a.b//0.png",),
            eta=12.6,
            message="Wait.",
            seed=21,
        ),
    ),
    (
        '{"status": "processing", "message": "try again later.", "output": "", "tip": "…"}',
        Generation(status=Status.PROCESSING, message="try again later."),
    ),
    (
        '{"status": "success", "id": 168200001, "output": ["https://a.b/0.png"]}',
        Generation(status=Status.SUCCESS, id="168200001", outputs=("https://a.b/0.png",)),
    ),
    (
        '{"status": "success", "id": null, "output": ["https://a.b/0.base64", "https://a.b/1.avif"], "meta": []}',
        Generation(status=Status.SUCCESS, outputs=("https://a.b/0.base64", "https://a.b/1.avif")),
    ),
    (
        '{"status": "failed", "id": 168200001, "message": "Processing failed: x"}',
        Generation(status=Status.FAILED, id="168200001", message="Processing failed: x"),
    ),
    (
        '{"status": "error", "message": {"init_image": ["The init image field is required."]}}',
        Generation(status=Status.FAILED, message="The init image field is required."),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "generation"), DOCUMENTED)
def test_documented_answer_is_read_completely(text: str, generation: Generation) -> None:
    assert replace(parse_generation(json.loads(text)), answer={}) == generation


@pytest.mark.parametrize(
    ("flag", "expected"),
    [(True, True), ("yes", True), (1, True), ([False, True], True), (False, False), ("no", False), ([], False)],
)
def test_one_flag_tells_of_blanked_pictures(flag: object, expected: bool) -> None:
    assert parse_generation({"nsfw_content_detected": flag}).nsfw is expected


def test_log_of_a_generation_shows_nobodys_picture_or_prompt() -> None:
    answer = {"status": "success", "id": 5, "output": [LINK, LINK], "message": "a hat for Ann", "meta": {"seed": 7}}
    assert repr(parse_generation(answer)) == "Generation(success, id=5, 2 outputs, seed=7)"
    answer = {"status": "processing", "id": 5, "eta": 3, "future_links": [LINK]}
    assert repr(parse_generation(answer)) == "Generation(processing, id=5, 0 outputs, eta=3.0)"


@given(ANSWERS | ANYTHING)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_no_answer_raises_and_all_that_is_kept_can_be_stored(answer: Any) -> None:
    for kept in (
        parse_generation(answer, Secrets("secret")).answer,
        parse_system_details(answer, Secrets("secret")).answer,
    ):
        text = json.dumps(kept, allow_nan=False)
        assert len(text) <= MAX_ANSWER
        assert "\\u0000" not in text
        text.encode()


def test_key_is_cut_out_of_everything() -> None:
    answer = {
        "key": "k/1", "message": "key k/1 is bad", "output": ["https://a.b/?key=k%2F1"], "id": "x",
        "meta": {"api_key": "k/1", "request": ["k/1"], "k/1": 1},
    }  # fmt: skip
    generation = parse_generation(answer, Secrets("k/1"))
    assert "k/1" not in repr(generation) + json.dumps(generation.answer) + "".join(generation.outputs)
    assert "k%2F1" not in "".join(generation.outputs)


def test_huge_answer_is_kept_short_but_read_completely() -> None:
    answer = {"status": "success", "id": 5, "output": [LINK], "meta": {str(n): "x" * 3000 for n in range(500)}}
    generation = parse_generation(answer)
    assert generation.outputs == (LINK,)
    assert len(json.dumps(generation.answer)) <= MAX_ANSWER
    assert generation.answer["id"] == 5


def test_body_names_what_the_vendor_names_and_leaves_out_what_is_empty() -> None:
    body = EditRequest(prompt="p", init_image="https://a/b", width=512, height=256, seed=3, track_id="t").body("k")
    assert (body["key"], body["width"], body["height"], body["seed"], body["track_id"]) == ("k", 512, 256, 3, "t")
    assert (body["instant_response"], body["safety_checker"], body["strength"]) == (True, True, 0.7)
    assert not {"init_image_2", "negative_prompt"} & body.keys()


def test_request_shows_no_secret() -> None:
    request = EditRequest(
        prompt="my face", init_image="https://a/?sig=1", width=512, height=512, seed=1, webhook="https://us/hook/tok"
    )
    assert not any(secret in repr(request) for secret in ("sig=1", "tok", "my face"))


def test_webhook_is_read() -> None:
    event = parse_webhook(b'{"status":"SUCCESS","id":7,"track_id":"t-1","output":["https://a/b"],"meta":{}}')
    assert (event.vendor_id, event.status, event.track_id) == ("7", Status.SUCCESS, "t-1")
    assert event.answer["output"] == ["https://a/b"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"id":1,"id":2}',
        b'{"a":' * 50 + b"1" + b"}" * 50,
        b"[" * 60_000,
        b'{"a":"' + b"x" * 70_000 + b'"}',
        b'{"id":' + b"9" * 5000 + b"}",
    ],
)
def test_insane_webhook_bounces(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_webhook(body)
