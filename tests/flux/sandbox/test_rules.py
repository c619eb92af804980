"""The vendor's rules for a request, in the vendor's words."""

from __future__ import annotations

from typing import Any

import pytest

from editor.flux.sandbox.rules import RefusedError, check_key, check_request

GOOD: dict[str, Any] = {"key": "k", "prompt": "a hat", "init_image": "http://127.0.0.1/a.jpg"}


def test_defaults_are_the_vendors() -> None:
    wanted = check_request(GOOD)
    assert (wanted.size, wanted.samples, wanted.strength, wanted.base64) == ((512, 512), 1, 0.7, False)
    assert (wanted.instant_response, wanted.safety_checker) == (False, True)


def test_missing_seed_is_drawn() -> None:
    assert len({check_request(GOOD | {"seed": None}).seed for _ in range(5)}) > 1


def test_numeric_strings_and_spoken_booleans_are_read() -> None:
    body = {"width": "1024", "samples": "4", "strength": "0.25", "seed": "9", "base64": "yes", "safety_checker": "no"}
    wanted = check_request(GOOD | body)
    assert (wanted.size, wanted.samples, wanted.strength, wanted.seed) == ((1024, 512), 4, 0.25, 9)
    assert (wanted.base64, wanted.safety_checker) == (True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", None),
        ("prompt", ""),
        ("prompt", 3),
        ("init_image", None),
        ("init_image", "file:///etc/passwd"),
        ("init_image_2", "x"),
        ("width", 255),
        ("width", 1032),
        ("width", 500),
        ("width", 500.5),
        ("height", "tall"),
        ("samples", 0),
        ("samples", 5),
        ("samples", True),
        ("strength", 1.1),
        ("strength", -0.1),
        ("strength", float("nan")),
        ("strength", "much"),
        ("seed", -1),
        ("seed", 2**32),
        ("webhook", "http://example.com/hook"),
        ("webhook", "ftp://127.0.0.1/"),
        ("track_id", 3),
    ],
)
def test_wrong_field_is_named(name: str, value: object) -> None:
    with pytest.raises(RefusedError) as caught:
        check_request(GOOD | {name: value})
    assert (caught.value.code, list(caught.value.answer["message"])) == (400, [name])


@pytest.mark.parametrize("address", ["https://example.com/hook", "http://127.0.0.1:8000/hook", "http://localhost/hook"])
def test_webhook_is_https_or_on_this_machine(address: str) -> None:
    assert check_request(GOOD | {"webhook": address}).webhook == address


@pytest.mark.parametrize(("key", "expected"), [(None, None), ("", None), (3, None), ("wrong", "right")])
def test_missing_or_wrong_key_is_refused(key: object, expected: str | None) -> None:
    with pytest.raises(RefusedError) as caught:
        check_key({"key": key}, expected)
    assert (caught.value.code, caught.value.answer["message"]) == (401, "Invalid API key")


def test_any_key_is_good_unless_one_is_set() -> None:
    check_key({"key": "anything"}, None)
    check_key({"key": "right"}, "right")
