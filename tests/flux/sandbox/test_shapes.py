"""Every strange answer by its name: what came over the wire, before any client made sense of it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from editor.flux.sandbox import Sandbox
from editor.flux.sandbox.faults import CATALOGUE, MEANING

from ..conftest import KEY
from .conftest import Body, Start, asked, done, fetched, posted, wait_until


@pytest.mark.parametrize(
    ("fault", "name", "expected"),
    [
        ("eta-wild", "eta", 1e9),
        ("eta-negative", "eta", -1),
        ("eta-as-string", "eta", "12"),
        ("eta-in-words", "eta", "soon"),
        ("eta-null", "eta", None),
        ("status-unknown", "status", "Warming_Up"),
        ("status-queued", "status", "queued"),
        ("status-pending", "status", "pending"),
        ("status-upper", "status", "PROCESSING"),
        ("id-null", "id", None),
        ("meta-as-list", "meta", []),
        ("message-object", "message", {"message": ["Your picture is being made."]}),
        ("message-messege", "messege", "Your picture is being made."),
    ],
)
def test_answer_while_it_works(sandbox: Sandbox, body: Body, fault: str, name: str, expected: object) -> None:
    answer = asked(sandbox, body(f"hat #fault:{fault}", samples=4, width=512))
    assert answer[name] == expected


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("eta-missing", "eta"),
        ("status-missing", "status"),
        ("meta-missing", "meta"),
        ("message-messege", "message"),
        ("processing-without-id", "id"),
    ],
)
def test_field_is_missing_while_it_works(started: Start, body: Body, fault: str, name: str) -> None:
    sandbox, _ = started(seconds=60)
    assert name in asked(sandbox, body())
    assert name not in asked(sandbox, body(f"hat #fault:{fault}"))


def test_eta_that_is_no_number_is_no_json_either(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60)
    text = posted(sandbox, "flux_kontext_dev/img2img", body("hat #fault:eta-nan")).text
    assert '"eta": NaN' in text
    assert math.isnan(json.loads(text)["eta"])


def test_slashes_are_escaped(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60)
    answer = posted(sandbox, "flux_kontext_dev/img2img", body("hat #fault:escaped-slashes"))
    assert "http:\\/\\/127.0.0.1" in answer.text
    assert answer.json()["fetch_result"].startswith(sandbox.base_url)


def test_fetch_result_leads_elsewhere(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60)
    answer = asked(sandbox, body("hat #fault:fetch-elsewhere"))
    assert answer["fetch_result"] == f"http://localhost:{sandbox.port}/elsewhere/fetch/{answer['id'] + 1}"
    with requests.Session() as session:
        session.trust_env = False
        session.post(f"{sandbox.origin}/elsewhere/fetch/7", json={"key": KEY}, timeout=5)
    assert sandbox.ledger()["refused"] == {"elsewhere": 1}


def test_id_may_be_a_string_or_a_word_that_fetch_wants(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60)
    number = asked(sandbox, body("hat #fault:id-as-string"))["id"]
    word = asked(sandbox, body("hat #fault:id-as-word"))["id"]
    assert (number.isdigit(), word.startswith("flx-")) == (True, True)
    assert fetched(sandbox, number).json()["status"] == fetched(sandbox, word).json()["status"] == "processing"
    assert fetched(sandbox, sandbox.ledger()["accepted"][-1]["id"]).status_code == 404


LINK = "http://127.0.0.1"


@pytest.mark.parametrize(
    ("fault", "fits"),
    [
        ("output-as-string", lambda a: a["output"].startswith(LINK)),
        ("output-as-object", lambda a: list(a["output"]) == ["0", "1"]),
        ("output-empty", lambda a: a["output"] == "" and len(a["proxy_links"]) == 2),
        ("proxy-as-string", lambda a: a["output"] == "" and a["proxy_links"].startswith(LINK)),
        ("proxy-as-object", lambda a: a["output"] == "" and list(a["proxy_links"]) == ["0", "1"]),
        ("future-only", lambda a: a["output"] == [] and len(a["future_links"]) == 2 and "proxy_links" not in a),
        ("output-null", lambda a: a["output"] is None),
        ("output-missing", lambda a: "output" not in a),
        ("output-none", lambda a: a["output"] == []),
        ("output-five", lambda a: len(a["output"]) == 5),
        ("output-fewer", lambda a: len(a["output"]) == 1),
        ("output-junk", lambda a: a["output"][:2] == [None, 5] and len(a["output"]) == 6),
        ("success-without-id", lambda a: "id" not in a and len(a["output"]) == 2),
        ("bare-success", lambda a: list(a) == ["status", "id", "output"] and a["status"] == "success"),
        ("id-null", lambda a: a["id"] is None and len(a["output"]) == 2),
        ("status-ready", lambda a: a["status"] == "ready"),
        ("status-upper", lambda a: a["status"] == "SUCCESS"),
        ("blank", lambda a: a["nsfw_content_detected"] is True),
        ("blank-one", lambda a: a["nsfw_content_detected"] is True),
        ("blank-untold", lambda a: a["nsfw_content_detected"] is False),
        ("nsfw-list", lambda a: a["nsfw_content_detected"] == [False, False]),
        ("nsfw-string", lambda a: a["nsfw_content_detected"] == "false"),
        ("failed-later", lambda a: a["status"] == "failed" and a["message"].startswith("Processing failed:")),
        ("failed-as-error", lambda a: a["status"] == "error" and a["message"].startswith("Processing failed:")),
        ("forgotten", lambda a: a == {"status": "error", "message": "Request not found"}),
        ("forgotten-200", lambda a: a == {"status": "error", "message": "Request not found"}),
    ],
)
def test_answer_when_it_is_over(
    sandbox: Sandbox, body: Body, fault: str, fits: Callable[[dict[str, Any]], bool]
) -> None:
    answer = done(sandbox, body(f"hat #fault:{fault}", samples=2))
    assert fits(answer), answer


def test_plain_answer_holds_what_the_contract_says(sandbox: Sandbox, body: Body) -> None:
    answer = done(sandbox, body(samples=2))
    assert answer.keys() == {"status", "id", "output", "nsfw_content_detected", "meta"}
    assert (answer["status"], len(answer["output"]), answer["meta"]["seed"]) == ("success", 2, 7)


def test_links_come_a_second_after_the_success(sandbox: Sandbox, body: Body) -> None:
    assert done(sandbox, body("hat #fault:output-late"))["output"] == []
    number = sandbox.ledger()["accepted"][-1]["id"]
    wait_until(lambda: fetched(sandbox, number).json()["output"])


@pytest.mark.parametrize(
    ("fault", "code", "start"),
    [
        ("fetch-404-for-a-while", 404, '{"status": "error", "message": "Request not found"}'),
        ("fetch-500-for-a-while", 500, "<!doctype html>"),
        ("fetch-html-for-a-while", 200, "<!doctype html>"),
        ("fetch-429-for-a-while", 429, "<!doctype html>"),
        ("fetch-error-for-a-while", 200, '{"status": "error", "message": "Something'),
    ],
)
def test_fetch_fails_twice(sandbox: Sandbox, body: Body, fault: str, code: int, start: str) -> None:
    number = asked(sandbox, body(f"hat #fault:{fault}"))["id"]
    for _ in range(2):
        answer = fetched(sandbox, number)
        assert (answer.status_code, answer.text[: len(start)]) == (code, start)
    assert fetched(sandbox, number).json()["status"] in ("processing", "success")


def test_fetch_breaks_off_twice(sandbox: Sandbox, body: Body) -> None:
    number = asked(sandbox, body("hat #fault:fetch-reset-for-a-while"))["id"]
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            fetched(sandbox, number)
    assert fetched(sandbox, number).status_code == 200


@pytest.mark.parametrize(
    ("fault", "code", "start"),
    [
        ("restarting", 503, b"<!doctype html>"),
        ("rate-date", 429, b"<!doctype html>"),
        ("rate-reset", 429, b"<!doctype html>"),
        ("http-404", 404, b"<!doctype html>"),
        ("http-502", 502, b"<!doctype html>"),
        ("http-504", 504, b"<!doctype html>"),
        ("empty-200", 200, b""),
        ("json-null", 200, b"null"),
        ("json-list", 200, b"[]"),
        ("not-utf8", 200, b'{"status": "\xff'),
    ],
)
def test_door_is_shut_in_many_ways(sandbox: Sandbox, body: Body, fault: str, code: int, start: bytes) -> None:
    before = len(sandbox.ledger()["accepted"])
    answer = posted(sandbox, "flux_kontext_dev/img2img", body(f"hat #fault:{fault}"))
    assert (answer.status_code, answer.content[: len(start) or None]) == (code, start)
    assert len(sandbox.ledger()["accepted"]) == before


def test_waiting_time_is_told_in_every_way(sandbox: Sandbox, body: Body) -> None:
    headers = {
        fault: posted(sandbox, "flux_kontext_dev/img2img", body(f"hat #fault:{fault}")).headers
        for fault in ("restarting", "queue-full", "rate-date", "rate-reset")
    }
    assert headers["restarting"]["Retry-After"] == headers["queue-full"]["Retry-After"] == "2"
    assert headers["rate-date"]["Retry-After"].endswith(" GMT")
    assert time.time() < float(headers["rate-reset"]["X-RateLimit-Reset"]) < time.time() + 10
    assert "Retry-After" not in headers["rate-reset"]


def test_gzip_that_is_none_can_not_be_read(sandbox: Sandbox, body: Body) -> None:
    with pytest.raises(requests.exceptions.ContentDecodingError):
        posted(sandbox, "flux_kontext_dev/img2img", body("hat #fault:bad-gzip"))


def test_every_fault_says_what_it_does() -> None:
    assert all(MEANING[name] and CATALOGUE[name] for name in CATALOGUE)
    assert MEANING["escaped-slashes"] == "every / is written \\/"
