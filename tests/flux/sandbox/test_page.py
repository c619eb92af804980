"""The sandbox's page: what it shows, what its buttons do, and that other sites can't press them."""

from __future__ import annotations

import pytest
import requests

from editor.flux.client import FluxClient
from editor.flux.sandbox import Sandbox
from editor.flux.sandbox.faults import CATALOGUE, MEANING

from .conftest import Body, Edit, Inbox, Start, asked, done, fetched, finished, got, posted


def pressed(
    sandbox: Sandbox, path: str, fields: dict[str, str], headers: dict[str, str] | None = None
) -> requests.Response:
    """What a browser without scripts would get for the form."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(sandbox.origin + path, fields, headers=headers, timeout=10)


def test_page_shows_the_ledger_and_escapes_prompts(sandbox: Sandbox, client: FluxClient, edit: Edit) -> None:
    finished(client, edit("<script>alert(1)</script>"))
    page = got(sandbox.origin + "/").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page


def test_page_shows_thumbnails_and_what_waits(started: Start, edit: Edit, body: Body) -> None:
    sandbox, client = started(seconds=0)
    finished(client, edit(samples=2))
    sandbox._running.site.generations.seconds = 60
    asked(sandbox, body("the running one"))
    asked(sandbox, body("the waiting one"))
    page = got(sandbox.origin + "/").text
    prefix = sandbox.ledger()["accepted"][0]["prefix"]
    assert f'src="/thumbnails/{prefix}-1.webp"' in page
    assert got(f"{sandbox.origin}/thumbnails/{prefix}-1.webp").headers["Content-Type"] == "image/webp"
    assert page.index("the waiting one") < page.index("the running one") < page.index("make it a watercolour")
    assert page.count('class="state waiting"') == page.count('class="state running"') == 1


def test_page_shows_the_newest_of_many(started: Start, body: Body) -> None:
    sandbox, _ = started(echo=True, queue_limit=100)
    for number in range(42):
        asked(sandbox, body(f"hat {number} on"))
    page = got(sandbox.origin + "/").text
    assert "The newest 40 of 42." in page
    assert ("hat 1 on" in page, "hat 2 on" in page) == (False, True)


def test_page_offers_every_fault_with_its_meaning(sandbox: Sandbox) -> None:
    page = got(sandbox.origin + "/").text
    missing = [name for name in CATALOGUE if f'name="name" value="{name}"' not in page]
    assert missing == []
    assert MEANING["webhook-ten"] == "ten at once"
    assert MEANING["webhook-ten"] in page


def test_page_needs_nothing_but_itself(sandbox: Sandbox) -> None:
    answer = got(sandbox.origin + "/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert got(sandbox.origin + "/page.css").headers["Content-Type"].startswith("text/css")
    assert got(sandbox.origin + "/page.js").headers["Content-Type"].startswith("text/javascript")


def test_buttons_switch_faults_on_and_off(sandbox: Sandbox) -> None:
    page = pressed(sandbox, "/switch", {"name": "http-500", "endpoint": "fetch", "times": "2", "turn": "on"})
    assert [earlier.status_code for earlier in page.history] == [303]
    assert "2 times" in page.text
    pressed(sandbox, "/switch", {"name": "blank", "times": "", "turn": "on"})
    assert got(sandbox.origin + "/faults").json()["on"] == {"fetch:http-500": 2, "blank": True}
    pressed(sandbox, "/switch", {"name": "http-500", "endpoint": "fetch", "turn": "off"})
    assert got(sandbox.origin + "/faults").json()["on"] == {"blank": True}
    pressed(sandbox, "/switch", {"turn": "all-off"})
    assert got(sandbox.origin + "/faults").json()["on"] == {}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/switch", {"name": "no-such", "turn": "on"}),
        ("/switch", {"name": "blank", "endpoint": "fetch", "turn": "on"}),
        ("/switch", {"name": "blank", "times": "-1", "turn": "on"}),
        ("/switch", {"name": "blank", "times": "1e9", "turn": "on"}),
        ("/switch", {}),
        ("/command", {"name": "shutdown"}),
        ("/command", {}),
    ],
)
def test_nonsense_is_refused_in_words(sandbox: Sandbox, path: str, fields: dict[str, str]) -> None:
    answer = pressed(sandbox, path, fields)
    assert answer.status_code == 400
    assert "<h1>Not done</h1>" in answer.text
    assert got(sandbox.origin + "/faults").json()["on"] == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/switch", "/command", "/faults", "/api/v1/enterprise/reset_s3"])
def test_pages_of_other_sites_change_nothing(sandbox: Sandbox, path: str, headers: dict[str, str]) -> None:
    sandbox.set_faults({"details:http-500": True})
    fields = {"name": "restart_server" if path == "/command" else "blank", "turn": "on"}
    if path == "/faults":
        with requests.Session() as session:
            session.trust_env = False
            answer = session.put(sandbox.origin + path, json={}, headers=headers, timeout=5)
    else:
        answer = pressed(sandbox, path, fields, headers)
    assert answer.status_code == 403
    assert got(sandbox.origin + "/faults").json()["on"] == {"details:http-500": True}
    assert sandbox._running.site.downtime.left() == 0


def test_own_page_may_press_its_buttons(sandbox: Sandbox) -> None:
    for headers in ({"Origin": sandbox.origin}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://front.example"}):
        assert pressed(sandbox, "/switch", {"turn": "all-off"}, headers).status_code == 200


def test_buttons_command_the_server(started: Start, body: Body) -> None:
    sandbox, _ = started(seconds=60, restart_seconds=60)
    number = asked(sandbox, body())["id"]
    page = pressed(sandbox, "/command", {"name": "restart_server"})
    assert "Restarting: 502 and 503" in page.text
    assert fetched(sandbox, number).status_code in (502, 503)


def test_button_forgets_the_bucket(started: Start, inbox: Inbox) -> None:
    sandbox, _ = started()
    posted(sandbox, "update_s3", inbox.registration())
    assert inbox.directory in got(sandbox.origin + "/").text
    pressed(sandbox, "/command", {"name": "reset_s3"})
    assert sandbox.ledger()["storage"] == {}


def test_page_survives_whatever_was_asked_for(sandbox: Sandbox, body: Body) -> None:
    prompt = 'a "hat" \ud800 {{ 7 }} \u202e </p>' + "x" * 4000
    assert done(sandbox, body(prompt))["status"] == "success"
    answer = got(sandbox.origin + "/")
    assert answer.status_code == 200
    assert "&quot;hat&quot;" in answer.text
