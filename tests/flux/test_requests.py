"""What the vendor would refuse for certain is refused when the request is made, in words, and costs nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editor.flux import DEPLOY_TYPE, EditRequest, FluxError, StorageRegistration, Verdict

from .conftest import error_of

ANYTHING: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.binary()
)
Make = Callable[..., EditRequest]


def made(**changes: Any) -> EditRequest:
    fields: dict[str, Any] = {
        "prompt": "a hat",
        "init_image": "https://a/b.jpg",
        "width": 512,
        "height": 256,
        "seed": 3,
    }
    return EditRequest(**(fields | changes))


def registered(**changes: Any) -> StorageRegistration:
    fields: dict[str, Any] = {
        "endpoint_url": "https://inbox.s3.eu-central-1.example.com",
        "region_name": "eu-central-1",
        "public_url": "https://pictures.example.com",
        "access_key_id": "AKIA/INBOX",
        "secret_access_key": "wJalr/XUtn+FEMI&K7",
        "image_directory": "results",
    }
    return StorageRegistration(**(fields | changes))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("prompt", "", "prompt is empty."),
        ("prompt", " \n", "prompt is empty."),
        ("prompt", None, "prompt must be text."),
        ("prompt", "\ud800", "prompt holds characters that can't be sent."),
        ("negative_prompt", "a\udfff", "negative_prompt holds characters that can't be sent."),
        ("init_image", "", "init_image is empty."),
        ("init_image", "file:///etc/passwd", "init_image must be an http or https address."),
        ("init_image", "https://", "init_image must be an http or https address."),
        ("init_image", "https://a/b c", "init_image must be an http or https address."),
        ("init_image", "https://a:99999/b", "init_image must be an http or https address."),
        ("init_image", "https://[::1", "init_image must be an http or https address."),
        ("init_image_2", "x", "init_image_2 must be an http or https address."),
        ("width", 248, "width must be a multiple of 8 from 256 to 1024."),
        ("width", 1032, "width must be a multiple of 8 from 256 to 1024."),
        ("width", 500, "width must be a multiple of 8 from 256 to 1024."),
        ("width", 512.0, "width must be a multiple of 8 from 256 to 1024."),
        ("height", "512", "height must be a multiple of 8 from 256 to 1024."),
        ("height", 10**400, "height must be a multiple of 8 from 256 to 1024."),
        ("samples", 0, "samples must be a whole number from 1 to 4."),
        ("samples", 5, "samples must be a whole number from 1 to 4."),
        ("samples", True, "samples must be a whole number from 1 to 4."),
        ("strength", math.nan, "strength must be a number from 0 to 1."),
        ("strength", math.inf, "strength must be a number from 0 to 1."),
        ("strength", -0.1, "strength must be a number from 0 to 1."),
        ("strength", 1.1, "strength must be a number from 0 to 1."),
        ("strength", "0.5", "strength must be a number from 0 to 1."),
        ("seed", -1, "seed must be a whole number from 0 to 4294967295."),
        ("seed", 2**32, "seed must be a whole number from 0 to 4294967295."),
        ("safety_checker", "yes", "safety_checker must be True or False."),
        ("base64", None, "base64 must be True or False."),
        ("webhook", "http://example.com/hook", "webhook must be an https address."),
        ("webhook", "ftp://example.com/hook", "webhook must be an http or https address."),
        ("track_id", 7, "track_id must be text."),
        ("guidance", math.nan, "guidance must be a number from 0 to 100."),
    ],
)
def test_hopeless_request_is_refused_in_words(name: str, value: object, words: str) -> None:
    error = error_of(lambda: made(**{name: value}))
    assert (error.verdict, error.message) == (Verdict.JOB, words)
    assert error.reason == ("prompt" if "prompt" in name else "field")


def test_all_that_is_wrong_is_said_at_once() -> None:
    error = error_of(lambda: made(prompt="", width=500, samples=9))
    assert error.reason == "field"
    assert error.message == (
        "prompt is empty; width must be a multiple of 8 from 256 to 1024; samples must be a whole number from 1 to 4."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 256, "height": 1024},
        {"samples": 4, "strength": 0, "seed": 0},
        {"strength": 1, "seed": 2**32 - 1},
        {"webhook": "https://example.com/hook?t=1"},
        {"webhook": "http://127.0.0.1:8000/hook"},
        {"webhook": ""},
        {"prompt": "ein Hut 👒 \x00 مرحبا"},
        {"init_image": "http://a.example//double/slash.png?X-Sig=%2F"},
        {"init_image": "data:image/jpeg;base64,/9j/4AAQ"},
    ],
)
def test_request_within_the_limits_is_made_and_is_json(changes: dict[str, Any]) -> None:
    assert json.loads(json.dumps(made(**changes).body("k"), allow_nan=False))["key"] == "k"


def test_seed_may_be_left_to_the_server() -> None:
    assert made(seed=None).body("k")["seed"] is None


def test_what_only_a_sibling_documents_is_sent_only_when_asked_for() -> None:
    assert not {"num_inference_steps", "guidance"} & made().body("k").keys()
    body = made(num_inference_steps=28, guidance=2.5).body("k")
    assert (body["num_inference_steps"], body["guidance"]) == (28, 2.5)


NAMES = (
    *("prompt", "init_image", "init_image_2", "negative_prompt", "width", "height", "samples", "strength", "seed"),
    *("safety_checker", "base64", "instant_response", "temp", "webhook", "track_id", "num_inference_steps", "guidance"),
)


@given(changes=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_request_is_either_refused_or_can_be_sent(changes: dict[str, Any]) -> None:
    try:
        body = made(**changes).body("k")
    except FluxError as error:
        told, body = error, None
    if body is None:
        assert told.verdict is Verdict.JOB
        assert any(name in told.message for name in changes)
    json.dumps(body, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("endpoint_url", "inbox.s3.example.com", "endpoint_url must be an http or https address."),
        ("public_url", "", "public_url is empty."),
        ("region_name", " ", "region_name is empty."),
        ("access_key_id", "", "access_key_id is empty."),
        ("secret_access_key", None, "secret_access_key must be text."),
        ("deploy_type", "", "deploy_type is empty."),
        *(
            ("image_directory", bad, "image_directory must be a folder's name of letters, digits, '-', '_' and '.', "
             "without a slash at either end.")
            for bad in ("", "/", "a/", "/a", "a//b", "..", "a/../b", "a b", "a?b", None)
        ),
    ],
)  # fmt: skip
def test_hopeless_registration_is_refused_in_words(name: str, value: object, words: str) -> None:
    error = error_of(lambda: registered(**{name: value}))
    assert (error.verdict, error.reason, error.message) == (Verdict.JOB, "field", words)


def test_registration_names_what_the_vendor_names() -> None:
    assert registered(image_directory="results/2026").body("k") == {
        "key": "k",
        "deploy_type": DEPLOY_TYPE,
        "public_url": "https://pictures.example.com",
        "region_name": "eu-central-1",
        "endpoint_url": "https://inbox.s3.eu-central-1.example.com",
        "aws_access_key_id": "AKIA/INBOX",
        "aws_secret_access_key": "wJalr/XUtn+FEMI&K7",
        "image_directory": "results/2026",
    }


def test_neither_half_of_the_access_key_is_shown() -> None:
    shown = repr(registered())
    assert "eu-central-1" in shown
    assert "AKIA" not in shown
    assert "wJalr" not in shown


def test_refusal_quotes_no_value() -> None:
    told = str(error_of(lambda: registered(secret_access_key="s\ud800ecret", access_key_id="", endpoint_url="s3cr3t")))
    assert "ecret." not in told
    assert "s3cr3t" not in told
