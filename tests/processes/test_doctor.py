"""The doctor at a portal of real processes, well and unwell."""

import json
import subprocess
import sys
from typing import Any

import requests

from editor.models import Image, JobState
from project.embedded.programs import ROOT
from tests.portal import Portal, wait_until
from tests.processes.conftest import ask, wait_for

WITHOUT_MAIL = {("settings", "warning")}  # this portal has no mail server
# What other tests of this folder leave behind in the shared database and bucket is none of this one's business.
HERE = ("settings", "database", "redis", "bucket", "flux server", "webhook", "clock", "workers", "stuck")


def doctor(portal: Portal, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status of `manage.py doctor`, and what it found."""
    only = [word for name in HERE for word in ("--only", name)]
    command = [sys.executable, "manage.py", "doctor", "--json", *only, *words]
    done = subprocess.run(
        command, env=portal.environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout)["findings"]


def wrong(findings: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(finding["check"], finding["level"]) for finding in findings if finding["level"] != "ok"}


def test_portal_that_is_well_gets_a_line_for_everything(portal: Portal, picture: Image) -> None:
    wait_for(ask(picture), JobState.SUCCEEDED)
    status, findings = doctor(portal)
    assert (status, wrong(findings)) == (1, WITHOUT_MAIL)
    assert {finding["check"] for finding in findings} == set(HERE)


def test_web_process_says_that_it_is_not_ready_while_redis_is_down(portal: Portal) -> None:
    def ready() -> dict[str, Any]:
        answer = requests.get(f"{portal.url}/readyz/", timeout=10)
        return {"status": answer.status_code, **answer.json()}

    well = {"ready": True, "database": "ok", "redis": "ok", "bucket": "ok"}
    wait_until(lambda: ready() == {"status": 200, **well}, 10, "Ready")
    portal.kill("redis")
    wait_until(lambda: ready() == {"status": 503, **well, "ready": False, "redis": "not reached"}, 10, "Not ready")
    assert requests.get(f"{portal.url}/healthz/", timeout=10).text == "ok"
    portal.start("redis")
    wait_until(lambda: ready()["status"] == 200, 10, "Ready again")


def test_dead_processes_are_named(portal: Portal) -> None:
    for name in ("web", "clock", "redis"):
        portal.kill(name)
    found = {("webhook", "problem"), ("clock", "problem"), ("redis", "problem"), ("workers", "warning")}

    def seen() -> bool:  # the clock's mark grows old within two seconds here
        status, findings = doctor(portal)
        return status == 2 and wrong(findings) == found | WITHOUT_MAIL

    wait_until(seen, 30, "The doctor's findings")
