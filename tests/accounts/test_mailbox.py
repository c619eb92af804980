import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.models import User
from project.embedded import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path / "var"
    settings.EMAIL_BACKEND = "project.embedded.mailbox.Backend"
    return tmp_path / "var"


def send(to: str = "dora@example.com", subject: str = "Hello", body: str = "Open http://testserver/x/ now") -> None:
    mailbox.Backend().send_messages([EmailMessage(subject, body, to=[to])])


def page(client: Client, *args: str) -> str:
    return client.get(reverse("mailbox_message" if args else "mailbox", args=args)).content.decode()


def test_empty_mailbox_says_what_will_be_in_it(client: Client) -> None:
    assert "Nothing yet. Make an account" in page(client)


def test_mail_is_listed_and_its_links_can_be_followed(client: Client, var_dir: Path) -> None:
    send()
    (file,) = (var_dir / "mailbox").glob("*.json")
    assert "Hello" in page(client)
    assert '<a href="http://testserver/x/"' in page(client, file.stem)


def test_mail_is_escaped(client: Client, var_dir: Path) -> None:
    send(subject="<script>1</script>", body="<img src=x onerror=1>")
    (file,) = (var_dir / "mailbox").glob("*.json")
    assert "<script>1" not in page(client)
    assert "<img src=x" not in page(client, file.stem)


def test_mail_to_staff_is_in_the_log_alone(
    client: Client, admin: User, var_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        send("Admin@Example.com", body="the link that resets the password")
    assert "the link that resets the password" in caplog.text
    assert not list((var_dir / "mailbox").glob("*"))


def test_mail_to_an_address_that_staff_is_about_to_take_is_in_the_log_alone(admin: User, var_dir: Path) -> None:
    EmailAddress.objects.create(user=admin, email="new@example.com")
    send("new@example.com")
    assert not list((var_dir / "mailbox").glob("*"))


def test_mail_is_gone_once_its_reader_is_staff(client: Client, charlie: User, var_dir: Path) -> None:
    send("charlie@example.com")
    (file,) = (var_dir / "mailbox").glob("*.json")
    User.objects.update(is_staff=True)
    assert "Hello" not in page(client)
    assert client.get(reverse("mailbox_message", args=[file.stem])).status_code == 404


@pytest.mark.parametrize("mail_id", ["x", "..", "%2e%2e%2fdb", "00000000000000000001-00000000", "1" * 20 + "-ABCDEF00"])
def test_made_up_id_is_not_found(client: Client, mail_id: str) -> None:
    assert client.get(f"/mailbox/{mail_id}/").status_code == 404


def test_nobody_else_on_the_machine_reads_it(var_dir: Path) -> None:
    send()
    box = var_dir / "mailbox"
    (file,) = box.glob("*.json")
    assert stat.S_IMODE(box.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_last_hundred_are_kept(var_dir: Path) -> None:
    for number in range(103):
        send(subject=str(number))
    assert len(list((var_dir / "mailbox").iterdir())) == 100


def test_a_mail_can_not_pretend_to_be_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        send(body="hello\nERROR everything is on fire\r\nINFO fine")
    assert all(line.startswith(("INFO", "  | ")) for line in caplog.text.splitlines())


@pytest.mark.parametrize("outside", [{"EMBEDDED": "0"}, {"EMAIL_URL": "smtp://localhost:1"}])
def test_there_is_no_such_page_elsewhere(outside: dict[str, str]) -> None:
    code = "import django; django.setup(); from django.urls import resolve; resolve('/mailbox/')"
    environ = {**os.environ, **outside, "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60)
    assert "Resolver404" in done.stderr
