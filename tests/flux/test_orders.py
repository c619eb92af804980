"""The calls that yield no picture: what goes over the wire, what comes of each answer, and that no secret leaks."""

from __future__ import annotations

import html
import json
import logging
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from editor.flux import FluxClient, FluxError, Notice, Verdict

from .conftest import KEY, Answerer, Recorder, canned, drawn, error_of
from .test_requests import registered
from .test_transport import leaky_places

StartRecorder = Callable[[Answerer | None], Recorder]
DONE = {"status": "success", "message": "It is done."}
ORDERS = {
    "/flux_kontext_dev/clear_cache": FluxClient.clear_cache,
    "/flux_kontext_dev/clear_queue": FluxClient.clear_queue,
    "/flux_kontext_dev/restart_server": FluxClient.restart_server,
    "/flux_kontext_dev/update_server": FluxClient.update_server,
    "/update_s3": lambda client: client.update_s3(registered()),
    "/reset_s3": FluxClient.reset_s3,
}
AT_ITS_OWN_PATH = pytest.mark.parametrize(("path", "order"), ORDERS.items(), ids=[path[-13:] for path in ORDERS])
Order = Callable[[FluxClient], Notice]


@AT_ITS_OWN_PATH
def test_order_is_posted_with_the_key_and_its_answer_told(recorder: StartRecorder, path: str, order: Order) -> None:
    server = recorder(canned(200, DONE))
    notice = order(FluxClient(server.origin, KEY))
    assert (notice.message, notice.answer) == ("It is done.", DONE)
    assert [(method, asked) for method, asked, _ in server.requests] == [("POST", path)]
    assert json.loads(server.requests[0][2])["key"] == KEY


def test_registration_and_its_end_name_the_server_that_is_meant(recorder: StartRecorder) -> None:
    server = recorder(canned(200, DONE))
    client = FluxClient(server.origin, KEY)
    client.update_s3(registered())
    client.reset_s3()
    client.reset_s3("flux")
    bodies = [json.loads(body) for _, _, body in server.requests]
    assert bodies[0] == registered().body(KEY)
    assert [body["deploy_type"] for body in bodies] == ["flux_kontext_dev", "flux_kontext_dev", "flux"]


@AT_ITS_OWN_PATH
@pytest.mark.parametrize(
    ("code", "body", "verdict", "reason"),
    [
        (200, {"status": "error", "message": "Invalid API key"}, Verdict.ACCOUNT, "bad-key"),
        (401, b"", Verdict.ACCOUNT, "bad-key"),
        (403, b"<html>", Verdict.ACCOUNT, "plan"),
        (200, {"status": "error", "message": {"public_url": ["It is required."]}}, Verdict.JOB, "field"),
        (422, {"status": "error", "message": {"aws_access_key_id": ["Bad."]}}, Verdict.JOB, "field"),
        (400, {"status": "error", "message": "?"}, Verdict.JOB, "field"),
        (200, {"status": "error", "message": "Out of order"}, Verdict.LATER, "unknown-answer"),
        (200, {"message": "It is done."}, Verdict.LATER, "unknown-answer"),
        (200, b"<html>", Verdict.LATER, "unreadable"),
        (200, b"[]", Verdict.LATER, "unreadable"),
        (404, b"<html>", Verdict.LATER, "not-found"),
        (429, b"", Verdict.LATER, "queue-full"),
        (502, b"<html>", Verdict.LATER, "server-error"),
        (500, {"status": "success"}, Verdict.LATER, "server-error"),
    ],
)
def test_order_that_was_not_carried_out(
    recorder: StartRecorder, path: str, order: Order, code: int, body: object, verdict: Verdict, reason: str
) -> None:
    error = error_of(lambda: order(FluxClient(recorder(canned(code, body)).origin, KEY)))
    assert (error.verdict, error.reason, error.http_status) == (verdict, reason, code)
    assert error.message


@pytest.mark.parametrize("word", ["ok", "Success", "processing", "queued"])
def test_order_that_is_taken_may_still_be_at_work(recorder: StartRecorder, word: str) -> None:
    assert FluxClient(recorder(canned(200, {"status": word})).origin, KEY).restart_server().message == ""


def test_reset_without_a_name_is_refused_before_it_leaves(recorder: StartRecorder) -> None:
    server = recorder(canned(200, DONE))
    assert error_of(lambda: FluxClient(server.origin, KEY).reset_s3("")).verdict is Verdict.JOB
    assert server.requests == []


def test_picture_goes_into_the_registered_bucket_as_it_is(recorder: StartRecorder) -> None:
    server = recorder(canned(200, {"status": "success", "image_url": "https://pictures.example.com/results/1.jpg"}))
    picture = drawn("teal")
    assert FluxClient(server.origin, KEY).upload_image(picture) == "https://pictures.example.com/results/1.jpg"
    body = json.loads(server.requests[0][2])
    assert (server.requests[0][1], body["key"], body["image_type"]) == ("/upload_image", KEY, "jpeg")
    assert b64decode(body["base64_image"]) == picture


@pytest.mark.parametrize(
    ("code", "body", "verdict", "reason"),
    [
        (200, {"image_url": None}, Verdict.LATER, "unknown-answer"),
        (200, {"status": "success", "image_url": "file:///x"}, Verdict.LATER, "unknown-answer"),
        (200, {"status": "error", "message": "No bucket."}, Verdict.LATER, "unknown-answer"),
        (200, {"status": "error", "message": {"base64_image": ["It is broken."]}}, Verdict.JOB, "field"),
        (401, b"", Verdict.ACCOUNT, "bad-key"),
        (500, {"image_url": "https://a/b.jpg"}, Verdict.LATER, "server-error"),
    ],
)
def test_picture_that_was_not_taken(
    recorder: StartRecorder, code: int, body: object, verdict: Verdict, reason: str
) -> None:
    client = FluxClient(recorder(canned(code, body)).origin, KEY)
    error = error_of(lambda: client.upload_image(b"picture"))
    assert (error.verdict, error.reason) == (verdict, reason)


def test_picture_of_no_bytes_never_leaves(recorder: StartRecorder) -> None:
    server = recorder(None)
    client = FluxClient(server.origin, KEY, server.origin)
    for call in (client.upload_image, client.base64_to_url):
        assert error_of(lambda call=call: call(b"")).verdict is Verdict.JOB  # type: ignore[misc]
    assert server.requests == []


STORED = (registered().access_key_id, registered().secret_access_key)
SPELT = [
    spelling(secret)
    for secret in (KEY, *STORED)
    for spelling in (
        str,
        html.escape,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        lambda text: text.replace("/", "\\/"),
    )
]
ECHOES: list[tuple[int, object]] = [
    (200, {"status": "success", "message": " ".join(SPELT), "request": {"body": SPELT, STORED[1]: STORED[0]}}),
    (200, {"status": "success", "messege": {STORED[0]: SPELT}, "aws_secret_access_key": STORED[1]}),
    (400, {"status": "error", "message": {"aws_access_key_id": [f"{SPELT} is bad"]}}),
    (500, {"status": "error", "message": f"denied for {SPELT}", "id": STORED[1]}),
    (200, " ".join(SPELT).encode()),
]


@pytest.mark.parametrize(("code", "body"), ECHOES)
def test_secrets_of_a_registration_leak_nowhere(
    recorder: StartRecorder, caplog: pytest.LogCaptureFixture, code: int, body: object
) -> None:
    caplog.set_level(logging.DEBUG)
    server = recorder(canned(code, body, {"X-Echo": quote(" ".join(SPELT))}))
    client = FluxClient(server.origin, KEY)
    shown = [repr(client), repr(vars(client))]
    try:
        notice = client.update_s3(registered())
        shown += [repr(notice), notice.message, json.dumps(notice.answer)]
    except FluxError as error:
        shown += leaky_places(error)
    assert json.loads(server.requests[0][2])["aws_secret_access_key"] == STORED[1]
    told = "".join(shown) + caplog.text
    assert [spelling for spelling in SPELT if spelling in told] == []


def test_secrets_of_a_registration_leak_nowhere_when_nothing_answers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = error_of(lambda: FluxClient("http://127.0.0.1:9/", KEY).update_s3(registered()))
    assert (error.verdict, error.reason) == (Verdict.LATER, "refused-connection")
    told = "".join(leaky_places(error)) + caplog.text
    assert [spelling for spelling in SPELT if spelling in told] == []


def test_secrets_told_beforehand_are_cut_out_of_every_answer(recorder: StartRecorder) -> None:
    server = recorder(canned(200, {"status": "processing", "message": f"writing with {STORED[1]}", "x": STORED[1]}))
    generation = FluxClient(server.origin, KEY, other_secrets=STORED).fetch("5")
    assert generation.message == "writing with [key]"
    assert STORED[1] not in json.dumps(generation.answer)
