"""`make run`: the whole portal on one machine, from nothing; Ctrl-C ends it.

What the environment names is used, what it does not name is embedded, and everything lives in VAR_DIR.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from project.embedded import programs, redis, s3, secret_file
from project.embedded.choices import ChoiceError, Embedded, choose, is_given
from project.embedded.lock import Lock
from project.embedded.log import Log
from project.embedded.ports import HOST, Claims, NoFreePortError, PortBook, is_free, successive
from project.embedded.process import Keeper, Program, StartError
from project.embedded.secret_file import Secrets
from project.embedded.supervisor import Stopped, Supervisor

WEB_PORT, SANDBOX_PORT = 8000, 8100
BUCKET = "retake"


@dataclass
class Portal:
    """One start of the portal. `environ` is what its processes get, and grows while the parts come up."""

    var: Path
    embedded: Embedded
    environ: dict[str, str]
    supervisor: Supervisor
    log: Log
    lock: Lock
    claims: Claims

    def start(self) -> None:
        """Start everything in the order of need and wait until it answers; raises StartError or Stopped."""
        secrets = secret_file.load(self.var / "secrets.json")
        book = PortBook(self.var / "ports.json", self.claims)
        self.environ.update(EMBEDDED="1", VAR_DIR=str(self.var), PYTHONUNBUFFERED="1")
        self.environ.setdefault("DEBUG", "0")
        self.environ.setdefault("SECRET_KEY", secrets.secret_key)
        if self.embedded.database:
            self.environ["DATABASE_URL"] = f"sqlite:///{quote(str(self.var / 'db.sqlite3'))}"
        host, port = choose_address(self.environ, book)
        self.environ["BIND"] = f"{host}:{port}"
        self.environ.setdefault("PUBLIC_URL", f"http://{HOST}:{port}")
        self.lock.note(self.environ["PUBLIC_URL"])
        self.start_parts(book, secrets)
        if self.embedded.sandbox:
            # A part, since the workers may still ask it something while they stop.
            self.supervisor.start(self.choose_sandbox(book, secrets.sandbox_key), is_part=True)
        secret_file.write_environment(self.var / "env", self.environ)
        self.prepare()
        self.start_processes(host.strip("[]"), port)

    def start_parts(self, book: PortBook, secrets: Secrets) -> None:
        """Start Redis and S3 where they are embedded, and name them in the environment."""
        storage = None
        if self.embedded.redis:
            part = redis.prepare(self.var / "redis", book, secrets.redis_password)
            self.supervisor.start(part.program, is_part=True)
            self.environ["REDIS_URL"] = part.url
        if self.embedded.s3:
            storage = s3.prepare(self.var / "s3", book, secrets.s3_access_key_id, secrets.s3_secret_access_key)
            self.supervisor.start(storage.program, is_part=True)
            self.environ.update(
                S3_ENDPOINT_URL=storage.endpoint_url,
                S3_REGION=s3.REGION,
                S3_BUCKET=BUCKET,
                S3_ACCESS_KEY_ID=storage.access_key_id,
                S3_SECRET_ACCESS_KEY=storage.secret_access_key,
            )
        self.supervisor.wait_until_ready()
        if storage:
            s3.make_bucket(storage.client(), BUCKET)

    def prepare(self) -> None:
        """Bring the database and the static files up to date, and make the administrator of a first start."""
        for name, *options in (
            ("migrate", "--noinput", "--verbosity=0"),
            ("collectstatic", "--noinput", "--verbosity=0"),
            ("firststart",),
        ):
            self.supervisor.run_once(programs.command(self.environ, name, *options))

    def start_processes(self, host: str, port: int) -> None:
        """Start our own processes and wait until all answer."""
        self.supervisor.start(programs.web(self.environ, host, port))
        for queue in ("edits", "pictures"):
            self.supervisor.start(programs.worker(self.environ, queue))
        self.supervisor.start(programs.clock(self.environ))
        self.supervisor.wait_until_ready()

    def choose_sandbox(self, book: PortBook, key: str) -> Program:
        """Choose the sandbox's address and make it the portal's flux server."""
        port = book.take("sandbox", successive(SANDBOX_PORT))
        origin = f"http://{HOST}:{port}"
        self.environ.update(
            FLUX_API_KEY=key,
            FLUX_BASE_URL=f"{origin}/api/v1/enterprise/",
            FLUX_UPLOAD_URL=f"{origin}/api/v6/base64_to_url",
        )
        return programs.sandbox(self.environ, HOST, port, key, self.var / "sandbox")

    def greet(self) -> None:
        """Say where everything is."""
        url = self.environ["PUBLIC_URL"].rstrip("/")
        lines = ["", f"Retake is ready:  {url}/", f"  sign in       {url}/account/login/"]
        first = self.var / "first-administrator.txt"
        if first.exists():
            lines.append(f"  administrator {first} holds the address and the password")
        if not is_given(self.environ, "EMAIL_URL"):
            lines.append(f"  mailbox       {url}/mailbox/ shows what the portal would have mailed")
        if self.embedded.sandbox:
            lines.append("  flux server   the embedded sandbox; set FLUX_API_KEY to use the real one")
        for line in [*lines, f"  data          {self.var}", "  stop          Ctrl-C", ""]:
            self.log.say("retake", line)


def choose_address(environ: Mapping[str, str], book: PortBook) -> tuple[str, int]:
    """The host and port to listen on: those of BIND or nothing; without it a free port of loopback.

    Raises StartError.
    """
    if not is_given(environ, "BIND"):
        return HOST, book.take("web", successive(WEB_PORT))
    host, _, port = environ["BIND"].strip().rpartition(":")
    if not host or not port.isdigit():
        raise StartError(f"BIND is {environ['BIND']!r}: it should look like 127.0.0.1:8000.")
    if not is_free(int(port), host.strip("[]")):
        raise StartError(f"BIND is {environ['BIND']}, but that port is taken (or not ours to take).")
    return host, int(port)


def listen_for_signals(supervisor: Supervisor, log: Log) -> None:
    """The first signal stops in order, the second kills."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if supervisor.stopping.is_set():
            supervisor.kill()
            return
        supervisor.stopping.set()
        log.say("retake", "Stopping; once more to kill everything at once.")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


def run(environ: Mapping[str, str], log: Log) -> None:
    """Run the portal until a signal; raises StartError, NoFreePortError or ChoiceError if it does not come up."""
    embedded = choose(environ)
    var = Path(environ.get("VAR_DIR") or programs.ROOT / "var").resolve()
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = Lock(var / "lock")
    lock.acquire()
    keeper = Keeper(hold=[lock.descriptor])
    supervisor = Supervisor(keeper, log)
    listen_for_signals(supervisor, log)
    claims = Claims()
    portal = Portal(var, embedded, dict(environ), supervisor, log, lock, claims)
    try:
        log.say("retake", "Starting; the first start takes a little longer.")
        portal.start()
        portal.greet()
        supervisor.watch()
    except Stopped:
        pass  # asked for while starting: what has started ends below
    finally:
        supervisor.stop()
        keeper.close()
        claims.let_go()
    log.say("retake", f"Stopped. Everything is kept in {var}.")


def main() -> int:
    """Returns the exit status."""
    os.umask(0o077)  # what lies in VAR_DIR is its owner's alone
    log = Log()
    try:
        run(os.environ, log)
    except (StartError, NoFreePortError, ChoiceError) as error:
        log.say("retake", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
