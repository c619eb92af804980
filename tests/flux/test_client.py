"""What each answer means: accepted, refused, or nobody knows. And the key stays where it belongs."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial

import pytest

from editor.flux.client import FluxClient
from editor.flux.contract import EditRequest, Status
from editor.flux.errors import Verdict
from editor.flux.sandbox import Sandbox

from .conftest import KEY, Answerer, Recorder, canned, drawn, error_of

Edit = Callable[..., EditRequest]
StartRecorder = Callable[[Answerer | None], Recorder]


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [
        ("bad-key", Verdict.ACCOUNT, "bad-key"),
        ("bad-key-200", Verdict.ACCOUNT, "bad-key"),
        ("messege", Verdict.ACCOUNT, "bad-key"),
        ("no-credit", Verdict.ACCOUNT, "no-credit"),
        ("no-credit-200", Verdict.ACCOUNT, "no-credit"),
        ("plan", Verdict.ACCOUNT, "plan"),
        ("field-error", Verdict.JOB, "field"),
        ("field-error-200", Verdict.JOB, "field"),
        ("bad-image", Verdict.JOB, "image"),
        ("bad-prompt", Verdict.JOB, "prompt"),
        ("queue-full", Verdict.QUEUE_FULL, "queue-full"),
        ("queue-full-200", Verdict.QUEUE_FULL, "queue-full"),
        ("quoting", Verdict.UNKNOWN, "unknown-answer"),
        ("refuse-before", Verdict.UNKNOWN, "server-error"),
        ("http-500", Verdict.UNKNOWN, "server-error"),
        ("html-200", Verdict.UNKNOWN, "unreadable"),
        ("deep-json", Verdict.UNKNOWN, "unreadable"),
        ("reset", Verdict.UNKNOWN, "connection-lost"),
        ("redirect", Verdict.UNKNOWN, "redirect"),
    ],
)
def test_fault_at_the_door_is_told_apart_and_nothing_is_accepted(
    sandbox: Sandbox, client: FluxClient, edit: Edit, fault: str, verdict: Verdict, reason: str
) -> None:
    before = len(sandbox.ledger()["accepted"])
    error = error_of(lambda: client.img2img(edit(f"a sign #fault:{fault}")))
    assert (error.verdict, error.reason) == (verdict, reason)
    assert len(sandbox.ledger()["accepted"]) == before
    assert sandbox.ledger()["refused"][fault] >= 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("accept-then-500", "server-error"),
        ("accept-then-html", "unreadable"),
        ("accept-then-reset", "connection-lost"),
        ("cut-json", "unreadable"),
        ("cut-short", "unreadable"),
        ("processing-without-id", "no-id"),
        ("gzip-bomb", "too-large"),
    ],
)
def test_lost_answer_to_an_accepted_request_is_unknown(
    sandbox: Sandbox, client: FluxClient, edit: Edit, fault: str, reason: str
) -> None:
    before = len(sandbox.ledger()["accepted"])
    error = error_of(lambda: client.img2img(edit(f"a sign #fault:{fault}")))
    assert (error.verdict, error.reason) == (Verdict.UNKNOWN, reason)
    assert len(sandbox.ledger()["accepted"]) == before + 1


def test_silence_after_accepting_is_unknown(sandbox: Sandbox, edit: Edit) -> None:
    hasty = FluxClient(sandbox.base_url, KEY, read_timeout=0.3)
    error = error_of(lambda: hasty.img2img(edit("a sign #fault:accept-then-hang")))
    assert (error.verdict, error.reason, error.http_status) == (Verdict.UNKNOWN, "timeout", None)


def test_answer_in_drips_ends_at_the_total_timeout(sandbox: Sandbox, edit: Edit) -> None:
    hasty = FluxClient(sandbox.base_url, KEY, read_timeout=5, total_timeout=1.5)
    started = time.monotonic()
    error = error_of(lambda: hasty.img2img(edit("a sign #fault:slow-drip")))
    assert (error.verdict, error.reason) == (Verdict.UNKNOWN, "timeout")
    assert time.monotonic() - started < 4


def test_refused_connection_was_not_sent(edit: Edit) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = error_of(lambda: FluxClient(f"http://127.0.0.1:{port}/api/v1/enterprise/", KEY).img2img(edit()))
    assert (error.verdict, error.reason) == (Verdict.NOT_SENT, "refused-connection")


def test_server_without_tls_was_not_sent_anything(sandbox: Sandbox, edit: Edit) -> None:
    secure = FluxClient(sandbox.base_url.replace("http:", "https:"), KEY, read_timeout=2)
    assert error_of(lambda: secure.img2img(edit())).verdict is Verdict.NOT_SENT


@pytest.mark.parametrize(
    ("code", "body", "verdict"),
    [
        (400, b"<html>", Verdict.JOB),
        (401, b"", Verdict.ACCOUNT),
        (402, {"status": "error", "message": "?"}, Verdict.ACCOUNT),
        (403, b"<html>", Verdict.ACCOUNT),
        (429, b"<html>", Verdict.QUEUE_FULL),
        (
            500,
            {"status": "error", "message": "Rate limit exceeded. Maximum 5 queued requests allowed."},
            Verdict.QUEUE_FULL,
        ),
        (500, {"status": "error", "message": {"width": ["bad"]}}, Verdict.UNKNOWN),
        (400, {"status": "error", "message": "Invalid API key"}, Verdict.ACCOUNT),
        (200, {"status": "error", "message": "Out of memory"}, Verdict.UNKNOWN),
        (200, {"status": "error", "id": 5, "message": "Out of memory"}, Verdict.UNKNOWN),
        (200, {"status": "failed", "message": "Processing failed: x"}, Verdict.UNKNOWN),
        (200, {"status": "failed", "id": 5, "message": "Invalid API key"}, Verdict.ACCOUNT),
        (200, {"status": "success"}, Verdict.UNKNOWN),
        (200, {}, Verdict.UNKNOWN),
        (200, [], Verdict.UNKNOWN),
        (200, b"", Verdict.UNKNOWN),
        (404, {"message": "no route"}, Verdict.UNKNOWN),
        (504, b"<html>", Verdict.UNKNOWN),
    ],
)
def test_answer_that_accepts_nothing(
    recorder: StartRecorder, edit: Edit, code: int, body: object, verdict: Verdict
) -> None:
    client = FluxClient(recorder(canned(code, body)).origin, KEY)
    assert error_of(lambda: client.img2img(edit())).verdict is verdict


@pytest.mark.parametrize(
    ("code", "body", "status"),
    [
        (200, {"status": "processing", "id": 5}, Status.PROCESSING),
        (200, {"status": "warming", "id": "5"}, Status.PROCESSING),
        (500, {"status": "processing", "id": 5}, Status.PROCESSING),
        (200, {"status": "success", "id": None, "output": ["https://a/b.png"]}, Status.SUCCESS),
        (200, {"status": "success", "id": 5, "output": ""}, Status.SUCCESS),
        (200, {"status": "failed", "id": 5, "message": "Processing failed: x"}, Status.FAILED),
        (200, {"status": "error", "id": 5, "message": "Processing failed: x"}, Status.FAILED),
        (400, {"status": "failed", "id": 5, "message": "Processing failed: x"}, Status.FAILED),
    ],
)
def test_answer_that_accepts(recorder: StartRecorder, edit: Edit, code: int, body: object, status: Status) -> None:
    assert FluxClient(recorder(canned(code, body)).origin, KEY).img2img(edit()).status is status


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"retry_after": 30}, {}, 30),
        ({"retry_after": "7"}, {"Retry-After": "9"}, 7),
        ({}, {"Retry-After": "9"}, 9),
        ({}, {"X-RateLimit-Reset": "12"}, 12),
        ({}, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry_after": 1e9}, {}, 3600),
        ({"retry_after": -4}, {}, 0),
        ({"retry_after": "soon"}, {}, None),
        ({}, {}, None),
    ],
)
def test_time_to_wait_is_read_and_clamped(
    recorder: StartRecorder, edit: Edit, body: dict[str, object], headers: dict[str, str], seconds: float | None
) -> None:
    client = FluxClient(recorder(canned(429, body, headers)).origin, KEY)
    assert error_of(lambda: client.img2img(edit())).retry_after == seconds


@pytest.mark.parametrize("fault", ["bad-key", "no-credit", "queue-full", "http-500", "html-200", "reset", "redirect"])
def test_any_trouble_with_fetch_means_later(sandbox: Sandbox, client: FluxClient, edit: Edit, fault: str) -> None:
    generation = client.img2img(edit())
    assert generation.id
    sandbox.set_faults({f"fetch:{fault}": 1})
    assert error_of(lambda: client.fetch(generation.id or "")).verdict is Verdict.LATER
    assert client.fetch(generation.id).id == generation.id


def test_forgotten_generation_says_so(client: FluxClient) -> None:
    for unknown in ("12345", "..", "", "a/b"):
        error = error_of(partial(client.fetch, unknown))
        assert (error.verdict, error.reason) == (Verdict.LATER, "forgotten")


def test_fetch_keeps_the_id_that_was_asked_for(recorder: StartRecorder) -> None:
    server = recorder(
        canned(200, {"status": "success", "id": 9, "output": ["https://a/b"], "fetch_result": "http://x/"})
    )
    assert FluxClient(server.origin, KEY).fetch("5").id == "5"
    assert [path for _, path, _ in server.requests] == ["/flux_kontext_dev/fetch/5"]


def test_system_details_tells_the_account_from_the_weather(sandbox: Sandbox, client: FluxClient) -> None:
    assert client.system_details().model_count == 1
    for fault, verdict in (("bad-key", Verdict.ACCOUNT), ("plan", Verdict.ACCOUNT), ("http-500", Verdict.LATER)):
        sandbox.set_faults({f"details:{fault}": 1})
        assert error_of(client.system_details).verdict is verdict


def test_upload_is_lent_and_can_be_edited(client: FluxClient, edit: Edit) -> None:
    address = client.base64_to_url(drawn("teal"))
    assert client.img2img(edit(init_image=address)).id


def test_upload_too_large_or_unreadable_never_works(client: FluxClient, sandbox: Sandbox) -> None:
    assert error_of(lambda: client.base64_to_url(b"x" * 4_000_000)).verdict is Verdict.JOB
    assert error_of(lambda: client.base64_to_url(b"no picture")).verdict is Verdict.JOB
    sandbox.set_faults({"upload:http-500": 1})
    assert error_of(lambda: client.base64_to_url(drawn("teal"))).verdict is Verdict.LATER
