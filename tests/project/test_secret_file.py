"""The secrets of a VAR_DIR."""

import stat
from pathlib import Path

import pytest

from project.embedded import secret_file
from project.embedded.process import StartError


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    secret_file.load(tmp_path / "secrets.json")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_file_that_was_opened_to_others_is_closed_again(tmp_path: Path) -> None:
    secret_file.load(tmp_path / "secrets.json")
    (tmp_path / "secrets.json").chmod(0o644)
    secret_file.load(tmp_path / "secrets.json")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_they_are_drawn_once(tmp_path: Path) -> None:
    assert secret_file.load(tmp_path / "secrets.json") == secret_file.load(tmp_path / "secrets.json")


def test_they_differ_from_place_to_place(tmp_path: Path) -> None:
    assert secret_file.load(tmp_path / "a.json").secret_key != secret_file.load(tmp_path / "b.json").secret_key


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"secret_key": "x"}')
    with pytest.raises(StartError, match=r"secrets\.json is damaged"):
        secret_file.load(tmp_path / "secrets.json")
