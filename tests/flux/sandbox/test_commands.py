"""clear_cache, clear_queue, restart_server, update_server: what they answer, and what they cost."""

from __future__ import annotations

import pytest

from .conftest import Body, Start, asked, fetched, got, posted, wait_until


def test_clear_cache_is_harmless(started: Start, body: Body) -> None:
    sandbox, client = started(seconds=60)
    number = asked(sandbox, body())["id"]
    answer = posted(sandbox, "flux_kontext_dev/clear_cache").json()
    assert (answer["status"], bool(answer["message"])) == ("success", True)
    assert fetched(sandbox, number).json()["status"] == "processing"
    assert client.system_details().model_count == 1


@pytest.mark.parametrize("command", ["clear_queue", "restart_server", "update_server"])
def test_others_bring_a_proxys_pages_for_a_while(started: Start, body: Body, command: str) -> None:
    sandbox, _ = started(restart_seconds=2.0)
    answer = posted(sandbox, f"flux_kontext_dev/{command}").json()
    assert (answer["status"], bool(answer["message"])) == ("success", True)
    tried = [
        posted(sandbox, path, body())
        for path in ("flux_kontext_dev/img2img", "flux_kontext_dev/fetch/1", "flux_kontext_dev/system_details")
    ]
    assert {one.status_code for one in tried} == {502, 503}
    assert all(one.text.startswith("<!doctype html>") for one in tried)
    assert sandbox.ledger()["accepted"] == []
    assert posted(sandbox, "/../../../v6/base64_to_url").status_code != 502
    wait_until(lambda: posted(sandbox, "flux_kontext_dev/system_details").status_code == 200)
    assert asked(sandbox, body())["status"] == "processing"


@pytest.mark.parametrize(
    ("command", "code", "status"), [("clear_queue", 404, "error"), ("restart_server", 200, "failed")]
)
def test_what_ran_or_waited_is_lost(started: Start, body: Body, command: str, code: int, status: str) -> None:
    sandbox, _ = started(seconds=60, restart_seconds=0)
    numbers = [asked(sandbox, body(prompt))["id"] for prompt in ("one", "two", "three #fault:never")]
    posted(sandbox, f"flux_kontext_dev/{command}")
    for number in numbers:
        answer = fetched(sandbox, number)
        assert (answer.status_code, answer.json()["status"]) == (code, status)
    assert sandbox.ledger()["queued"] == 0
    assert sandbox._running.site.generations.wait() == 0


def test_finished_results_survive_a_restart(started: Start, body: Body) -> None:
    sandbox, _ = started(restart_seconds=60)
    number = asked(sandbox, body())["id"]
    wait_until(lambda: fetched(sandbox, number).json()["status"] == "success")
    link = fetched(sandbox, number).json()["output"][0]
    posted(sandbox, "flux_kontext_dev/restart_server")
    assert got(link).status_code == 200


def test_commands_want_the_key(started: Start) -> None:
    sandbox, _ = started(key="right")
    for path in ("flux_kontext_dev/clear_queue", "update_s3", "reset_s3", "upload_image"):
        assert posted(sandbox, path).status_code == 401
    assert sandbox._running.site.downtime.left() == 0


@pytest.mark.parametrize(
    ("fault", "path"),
    [("command", "flux_kontext_dev/clear_cache"), ("s3", "reset_s3"), ("image", "upload_image")],
)
def test_faults_stand_before_them_too(started: Start, fault: str, path: str) -> None:
    sandbox, _ = started()
    sandbox.set_faults({f"{fault}:http-502": 1})
    assert posted(sandbox, path).status_code == 502
    assert posted(sandbox, path).status_code != 502


def test_restart_underneath_loses_what_was_just_accepted(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60, restart_seconds=0.3)
    answer = asked(sandbox, body("hat #fault:restart-underneath"))
    assert answer["status"] == "processing"
    assert fetched(sandbox, answer["id"]).status_code in (502, 503)
    wait_until(lambda: fetched(sandbox, answer["id"]).status_code == 200)
    assert fetched(sandbox, answer["id"]).json()["message"] == "Processing failed: the server was restarted."
