from smtplib import SMTPServerDisconnected
from unittest.mock import patch

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from editor.models import User
from tests.people import PASSWORD, link_in, submit


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://retake.example.com"
    settings.ALLOWED_HOSTS = ["*"]


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/account/signup/", {"email": "dora@example.com", "password1": PASSWORD}),
        ("/account/signup/", {"email": "alice@example.com", "password1": PASSWORD}),
        ("/account/password/reset/", {"email": "alice@example.com"}),
        ("/account/password/reset/", {"email": "nobody@example.com"}),
    ],
)
def test_links_follow_from_public_url_and_never_from_the_host(
    client: Client, alice: User, address: str, fields: dict[str, str]
) -> None:
    client.defaults["HTTP_HOST"] = "evil.example"
    submit(client, address, **fields)
    assert link_in(mail.outbox[0]).startswith("https://retake.example.com/account/")
    assert "evil" not in str(mail.outbox[0].message())


def test_name_of_a_person_is_in_no_mail_to_an_unproven_address(client: Client, db: None) -> None:
    submit(client, "/account/signup/", email="dora@example.com", password1=PASSWORD, name="Win at casino.example")
    assert "casino" not in str(mail.outbox[0].message())


def test_failing_mail_server_is_said_in_words(client: Client, db: None) -> None:
    with patch("django.core.mail.EmailMessage.send", side_effect=SMTPServerDisconnected("gone")):
        response = submit(client, "/account/password/reset/", email="alice@example.com")
    assert response.status_code == 302
    assert "so no mail was sent" in client.get(response["Location"]).content.decode()
