"""Where the demo looks for the portal that `make run` started."""

from pathlib import Path

import pytest

from project.embedded.secret_file import write_environment
from tests.demo.__main__ import address_on
from tests.demo.browser import JourneyError


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("0.0.0.0:8123", "http://127.0.0.1:8123"),
        ("[::]:8123", "http://127.0.0.1:8123"),
        ("[::1]:8123", "http://[::1]:8123"),
    ],
)
def test_portal_is_found_where_it_listens(tmp_path: Path, bind: str, address: str) -> None:
    write_environment(tmp_path / "env", {"BIND": bind, "PUBLIC_URL": "https://retake.example.com"})
    assert address_on(tmp_path) == address


def test_nothing_was_ever_started(tmp_path: Path) -> None:
    with pytest.raises(JourneyError, match="No portal was ever started"):
        address_on(tmp_path)
