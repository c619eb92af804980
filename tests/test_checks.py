"""What `manage.py check` explains: how pictures get to the flux server and back."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from editor import checks

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = "https://retake.example.com"


def explained(monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, str]:
    """The sentences by id, as `manage.py WORDS` would say them."""
    monkeypatch.setattr(sys, "argv", ["manage.py", *words])
    return {str(message.id): str(message.msg) for message in checks.ways_of_pictures(None)}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"FLUX_IS_SANDBOX": True, "FLUX_SEES_US_AT": "http://127.0.0.1:8000"}, "because both are on this machine."),
        ({"FLUX_SEES_US_AT": PUBLIC, "PUBLIC_URL": PUBLIC}, f"fetches them from {PUBLIC}, by signed links, because"),
        ({"FLUX_SEES_US_AT": "", "S3_PUBLIC": True}, "from the bucket, by signed links, because PUBLIC_URL is this"),
        ({"FLUX_SEES_US_AT": "", "S3_PUBLIC": False}, "uploaded to FLUX_UPLOAD_URL first"),
    ],
)
def test_way_of_sources_is_explained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], sentence: str
) -> None:
    for name, value in ({"FLUX_IS_SANDBOX": False} | changes).items():
        setattr(settings, name, value)
    assert sentence in explained(monkeypatch, "check")["retake.I001"]


def test_way_of_results_is_explained(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "FLUX_INBOX_BUCKET is not set" in explained(monkeypatch, "check")["retake.I002"]
    settings.FLUX_INBOX, settings.FLUX_INBOX_BUCKET = True, "retake-inbox"
    assert "taken from the bucket retake-inbox" in explained(monkeypatch, "check")["retake.I002"]


@pytest.mark.parametrize("words", [("clock",), ("rqworker", "edits"), ("check", "--fail-level", "WARNING")])
def test_nobody_else_hears_it(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert explained(monkeypatch, *words) == {}


def test_mistakes_come_before_explanations(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SETTINGS_PROBLEMS = ["any"]
    assert explained(monkeypatch, "check") == {}


def test_check_says_it_and_is_content() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], env=os.environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "?: (retake.I001) Sources: " in done.stderr
    assert "?: (retake.I002) Results: " in done.stderr
