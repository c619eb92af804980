"""The portal's own processes: what `make run` starts, and how it can tell that each works."""

import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

import redis

from project.embedded.process import Program

ROOT = Path(__file__).resolve().parent.parent.parent
SANDBOX_SECONDS, SANDBOX_SLOTS, SANDBOX_QUEUE_LIMIT = 4, 3, 5


def command(env: Mapping[str, str], name: str, *options: str) -> Program:
    """`manage.py NAME OPTIONS`, run to its end."""
    return Program(name=name, args=_manage(name, *options), env=env, cwd=ROOT)


def web(env: Mapping[str, str], host: str, port: int) -> Program:
    """The web server. Event streams end when it is asked to; a request that hangs is cut after 5 seconds."""
    address = ["--host", host, "--port", str(port)]
    # No header says who somebody is: TRUSTED_PROXIES decides about that, and PUBLIC_URL about https.
    options = ["--timeout-graceful-shutdown", "5", "--no-access-log", "--no-proxy-headers", "--log-level", "warning"]
    return Program(
        name="web",
        args=[sys.executable, "-m", "uvicorn", "project.asgi:application", *address, *options],
        env={"MALLOC_ARENA_MAX": "2", **env},  # or the memory of many uploads at once stays with their threads
        cwd=ROOT,
        answers=lambda: gets_answer(host, port, "/healthz/"),
    )


def worker(env: Mapping[str, str], queue: str) -> Program:
    """The worker of one queue. It answers when it stands in Redis as one that listens there."""
    return Program(
        name=queue,
        args=_manage("rqworker", queue),
        env=env,
        cwd=ROOT,
        answers=lambda: listens(env["REDIS_URL"], queue),
    )


def clock(env: Mapping[str, str]) -> Program:
    """The clock, which has no door to knock at and says when it goes."""
    return Program(name="clock", args=_manage("clock"), env=env, cwd=ROOT, says="The clock ticks")


def sandbox(env: Mapping[str, str], host: str, port: int, key: str, directory: Path) -> Program:
    """The stand-in for the flux server."""
    limits = {"seconds": SANDBOX_SECONDS, "slots": SANDBOX_SLOTS, "queue-limit": SANDBOX_QUEUE_LIMIT}
    options = {"bind": f"{host}:{port}", **limits, "key": key, "dir": directory}
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return Program(
        name="sandbox",
        args=_manage("fluxsandbox", *arguments),
        env=env,
        cwd=ROOT,
        answers=lambda: gets_answer(host, port, "/ledger"),
        grace=3.0,
    )


def gets_answer(host: str, port: int, path: str) -> bool:
    """Whether GET is answered with 200."""
    # A server bound to all addresses is asked at loopback, and 127.0.0.1 is a name that the portal always goes by.
    connection = http.client.HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(redis_url: str, queue: str) -> bool:
    """Whether RQ's register names a worker of this queue."""
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=2) as connection:
            return bool(connection.scard(f"rq:workers:{queue}"))
    except redis.RedisError:
        return False


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]
