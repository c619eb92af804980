import re
import stat
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from editor.models import User, Workspace
from tests.people import submit


@pytest.fixture(autouse=True)
def file(settings: Settings, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "first-administrator.txt"


def firststart() -> str:
    out = StringIO()
    call_command("firststart", stdout=out)
    return out.getvalue()


def test_administrator_signs_in_with_the_printed_password(client: Client, db: None, file: Path) -> None:
    found = re.search(r"is (\S+) with the password (\S+)", firststart())
    assert found
    assert found[1] == "admin@retake.example"
    assert found[2] in file.read_text()
    answer = submit(client, "/account/login/", login=found[1], password=found[2], next="/admin/")
    assert answer["Location"] == "/admin/"


def test_administrator_is_complete(db: None, file: Path) -> None:
    firststart()
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert EmailAddress.objects.get(user=user).verified
    assert Workspace.objects.get().personal_for == user


def test_only_its_owner_reads_the_file(db: None, file: Path) -> None:
    firststart()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_later_starts_say_only_where_it_stands(db: None, file: Path) -> None:
    firststart()
    before = file.read_text()
    again = firststart()
    assert str(file) in again
    assert "with the password" not in again
    assert file.read_text() == before
    file.unlink()
    assert firststart() == ""


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        ("https://retake.example.com", "admin@retake.example.com"),
        ("http://127.0.0.1:8000", "admin@retake.example"),
        ("http://[::1]:8000", "admin@retake.example"),
        ("http://localhost:8000", "admin@retake.example"),
    ],
)
def test_address_follows_from_the_portals_own(db: None, settings: Settings, public_url: str, address: str) -> None:
    settings.PUBLIC_URL = public_url
    firststart()
    assert User.objects.get().email == address


def test_address_may_be_named(db: None, settings: Settings) -> None:
    settings.FIRST_ADMIN_EMAIL = "Boss@Example.com"
    firststart()
    assert User.objects.get().email == "boss@example.com"


def test_ordinary_account_is_not_raised_by_its_address(alice: User, settings: Settings) -> None:
    settings.FIRST_ADMIN_EMAIL = "alice@example.com"
    with pytest.raises(CommandError, match="is an ordinary account already"):
        firststart()
    alice.refresh_from_db()
    assert not alice.is_superuser


def test_nonsense_in_the_environment_is_named(db: None, settings: Settings) -> None:
    settings.FIRST_ADMIN_EMAIL = "boss"
    with pytest.raises(CommandError, match="FIRST_ADMIN_EMAIL"):
        firststart()


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_the_same_moment_make_one(file: Path) -> None:
    said: list[str] = []

    def go() -> None:
        said.append(firststart())
        connection.close()

    threads = [Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.objects.count() == 1
    (password,) = re.findall(r"with the password (\S+)", "".join(said))
    assert User.objects.get().check_password(password)
    assert password in file.read_text()
