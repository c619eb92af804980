"""Whole known messages decide; a word inside a text never does."""

from __future__ import annotations

import pickle

import pytest

from editor.flux.errors import FluxError, Verdict, failed_while_running, forgotten, refusal


@pytest.mark.parametrize(
    ("message", "verdict", "reason"),
    [
        ("Invalid API key", Verdict.ACCOUNT, "bad-key"),
        ("invalid api key.", Verdict.ACCOUNT, "bad-key"),
        ("Insufficient credits", Verdict.ACCOUNT, "no-credit"),
        ("Insufficient credits. Please top up your account.", Verdict.ACCOUNT, "no-credit"),
        ("limit exceeded, upgrade", Verdict.ACCOUNT, "no-credit"),
        ("Your monthly limit exceeded, upgrade your plan.", Verdict.ACCOUNT, "no-credit"),
        ("Rate limit exceeded. Maximum 5 queued requests allowed.", Verdict.QUEUE_FULL, "queue-full"),
        ("Rate limit exceeded. Maximum 15 queued requests allowed.", Verdict.QUEUE_FULL, "queue-full"),
        ("The init image field is required.", Verdict.JOB, "image"),
        ("The width must be at least 256.", Verdict.JOB, "field"),
        ("The prompt field is required.", Verdict.JOB, "prompt"),
        ("Failed to fetch init image: https://a.b/c?sig=1", Verdict.JOB, "image"),
        ({"init_image": ["The init image field is required."]}, Verdict.JOB, "image"),
        ({"width": ["Too wide."], "seed": ["Bad."]}, Verdict.JOB, "field"),
        ({"width": ["Too wide."], "key": ["Missing."]}, Verdict.ACCOUNT, "bad-key"),
    ],
)
def test_known_message_is_recognised(message: object, verdict: Verdict, reason: str) -> None:
    assert refusal(message, message if isinstance(message, str) else "") == (verdict, reason)


@pytest.mark.parametrize(
    "message",
    [
        'A sign that says "Invalid API key"',
        "Invalid API key, written in neon: this prompt could not be drawn",
        "Could not paint: Rate limit exceeded. Maximum 5 queued requests allowed.",
        "Processing failed: Insufficient credits",
        "Rate limit exceeded. Maximum 5 queued requests allowed. And then some.",
        "Something about the prompt field is required reading",
        "",
        {"server": ["Out of memory"]},
        {"width": ["Bad."], "server": ["Out of memory"]},
        {},
    ],
)
def test_anything_else_is_not(message: object) -> None:
    assert refusal(message, message if isinstance(message, str) else "") is None


def test_only_the_beginning_tells_a_failure_while_running() -> None:
    assert failed_while_running("Processing failed: Invalid API key")
    assert not failed_while_running("They say that processing failed")


def test_only_the_whole_message_tells_that_it_is_forgotten() -> None:
    assert forgotten("Request not found")
    assert not forgotten("A picture named Request not found, please")


def test_error_survives_pickling() -> None:
    error = FluxError(Verdict.QUEUE_FULL, "queue-full", "full", retry_after=2.5, http_status=429)
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == "queue-full: queue-full, HTTP 429: full"
