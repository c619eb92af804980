"""What every test gets: no way out of this machine, and nothing left of the test before it."""

import contextlib
import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management.color import Style
from django.db import transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from editor.flux.sandbox import Sandbox
from project.embedded import s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]

Made = TypeVar("Made")
sql_flush = DatabaseOperations.sql_flush  # Django's own
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


class OutsideConnectionError(RuntimeError):
    """A test wanted to reach another machine."""


def need_loopback(host: object) -> None:
    """Raises OutsideConnectionError for anything but this machine; a name would have to be asked for outside."""
    try:
        inside = host in (None, "", "localhost") or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise OutsideConnectionError(f"A test tried to reach {host!r}: only loopback is open.")


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of `socket` that takes its address last, and now refuses one outside before anything leaves."""

    def guard(self: socket.socket, *arguments: Any) -> Any:
        # A datagram's parts, flags and so on come before it, and `sendmsg` may do without an address.
        if self.family != socket.AF_UNIX and isinstance(arguments[-1], tuple):
            need_loopback(arguments[-1][0])
        return method(self, *arguments)

    return guard


def asked_inside(ask: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `socket` that asks for a name, and now knows none but this machine's own."""

    def guard(host: Any, *arguments: Any) -> Any:
        if host != socket.gethostname():
            need_loopback(host)
        return ask(host, *arguments)

    return guard


@pytest.fixture(scope="session", autouse=True)
def _closed_sockets() -> Iterator[None]:
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if not is_address(host):
            need_loopback(host)
        return ask(host, *arguments, **options)

    with contextlib.ExitStack() as patches:
        patches.enter_context(patch.object(socket, "getaddrinfo", getaddrinfo))
        for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
            patches.enter_context(patch.object(socket, name, asked_inside(getattr(socket, name))))
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            patches.enter_context(patch.object(socket.socket, name, guarded(getattr(socket.socket, name))))
        yield


def is_address(host: object) -> bool:
    """Whether it is an IP address, which nobody has to be asked about."""
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> Iterator[None]:
    # The manifest is a matter of `collectstatic`, which the tests do without.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**django_settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with patch.object(DatabaseOperations, "sql_flush", delete_rows):
        yield


def delete_rows(operations: DatabaseOperations, style: Style, tables: list[str], **options: Any) -> list[str]:
    """What empties PostgreSQL between tests: TRUNCATE makes each file of each table anew, and a test fills but a few.

    Nothing is left that a key could point to, so keys and the guard of the audit log may look away.
    """
    if not tables or options.get("reset_sequences"):
        return sql_flush(operations, style, tables, **options)
    names = [operations.quote_name(table) for table in tables]
    with operations.connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in names))
        filled = [name for name, found in zip(names, cursor.fetchone(), strict=True) if found]
    return ["SET LOCAL session_replication_role = 'replica'", *(f"DELETE FROM {name}" for name in filled)]


@pytest.fixture(scope="module")
def made_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[Callable[[], Made]], Made]]:
    """Makes rows that stay for a whole module: `made_once(make)`, from a fixture of the module's.

    Each test (`db`, never transactional ones) rolls back to them. Python objects have no rollback: hand each test a
    `deepcopy`. Whoever closes a response that streams closes the connection too, and with it these rows: read it.
    """
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    around = transaction.atomic()

    def make_once(make: Callable[[], Made]) -> Made:
        with django_db_blocker.unblock(), quick:
            return make()

    with django_db_blocker.unblock():
        around.__enter__()
    yield make_once
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    yield
    empty_redis()


def empty_redis() -> None:
    """Forget the rings of a test, if it rang."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as connection:
        if connection.dbsize():
            connection.flushdb()


@pytest.fixture(autouse=True)
def _nothing_chosen() -> None:
    """No row speaks until a test writes one, so that no page asks in the middle of a test that counts queries."""
    from editor.models.chosen import chosen

    chosen.suppose({})


@dataclass(frozen=True)
class Bucket:
    """The bucket of the tests, as S3 itself shows it."""

    client: "S3Client"
    name: str

    def keys(self) -> list[str]:
        """All keys in it, in order."""
        return [thing["Key"] for thing in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture(scope="session")
def _s3_client() -> "S3Client":
    keys = os.environ["S3_ACCESS_KEY_ID"], os.environ["S3_SECRET_ACCESS_KEY"]
    return s3.make_client(os.environ["S3_ENDPOINT_URL"], os.environ["S3_REGION"], *keys)


@pytest.fixture
def bucket(_s3_client: "S3Client") -> Bucket:
    """The bucket, empty. Other tests leave theirs behind: keys follow from random ids, so nobody stumbles over them."""
    name = os.environ["S3_BUCKET"]
    s3.empty_bucket(_s3_client, name)
    return Bucket(_s3_client, name)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """A flux server of one's own on loopback, which needs no time and fetches sources by signed links."""
    with Sandbox(seconds=0.0, slots=4, key=settings.FLUX_API_KEY) as server:
        settings.FLUX_BASE_URL = server.base_url
        settings.FLUX_UPLOAD_URL = server.upload_url
        settings.FLUX_SEES_US_AT = ""  # nobody listens there, so it calls no webhook
        settings.S3_PUBLIC = True
        yield server


def find_chromium() -> str | None:
    """The machine's own Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and not find_chromium():
        reason = "no Chromium was found on the PATH (apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium, which may resolve no name but localhost."""
    arguments = ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses root otherwise; it sees our own pages only
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": arguments}
