import re
from threading import Barrier, Thread
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.accounts.mails import send_invitation
from editor.models import Invitation, Role, User, Workspace
from tests.people import PASSWORD, link_in, submit

SIGNUP = "/account/signup/"
pytestmark = pytest.mark.django_db


def sign_up(client: Client, email: str = "dora@example.com", **fields: str) -> str:
    """Returns where the form leads."""
    response = submit(client, SIGNUP, email=email, password1=PASSWORD, **fields)
    return response.get("Location", "") or response.content.decode()


def test_link_in_the_mail_signs_in(client: Client) -> None:
    assert sign_up(client) == reverse("account_email_verification_sent")
    link = link_in(mail.outbox[0])
    assert "Is this your address?" in client.get(link).content.decode()
    assert client.post(link)["Location"] == reverse("studio")
    assert "_auth_user_id" in client.session


def test_sign_up_makes_a_personal_workspace(client: Client) -> None:
    sign_up(client, name="  Dora \r\n Maar ")
    user = User.objects.get()
    assert user.name == "Dora Maar"
    workspace = Workspace.objects.get(personal_for=user)
    assert workspace.memberships.get().role == Role.OWNER


def test_nobody_is_in_before_the_link_is_followed(client: Client) -> None:
    sign_up(client)
    answer = submit(client, reverse("account_login"), login="dora@example.com", password=PASSWORD)
    assert answer["Location"] == reverse("account_email_verification_sent")
    assert "_auth_user_id" not in client.session


def test_known_and_unknown_addresses_are_answered_alike(alice: User) -> None:
    answers = []
    for email in ("alice@example.com", "dora@example.com"):
        client = Client()
        first = submit(client, SIGNUP, email=email, password1=PASSWORD)
        page = client.get(first["Location"]).content.decode().replace(email, "")
        answers.append((first.status_code, first["Location"], re.sub(r'value="\w{64}"', "", page)))
    assert answers[0] == answers[1]
    assert [message.subject for message in mail.outbox] == ["You have an account already", "Confirm your address"]


def test_known_and_unknown_addresses_cost_the_same_hashing(alice: User) -> None:
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    counts = []
    for email in ("alice@example.com", "dora@example.com"):
        with patch(hasher, autospec=True, return_value="md5$salt$hash") as hashing:
            submit(Client(), SIGNUP, email=email, password1=PASSWORD)
        counts.append(hashing.call_count)
    assert counts == [1, 1]


@pytest.mark.parametrize(
    "spelling", ["ALICE@Example.COM", "alice@example.com.", "ａlice@example.com", "alice＠example．com"]
)
def test_other_spelling_makes_no_second_account(client: Client, alice: User, spelling: str) -> None:
    assert sign_up(client, spelling) == reverse("account_email_verification_sent")
    assert User.objects.get() == alice
    assert mail.outbox[0].to == ["alice@example.com"]


@pytest.mark.parametrize("look_alike", ["аlice@example.com", "alıce@example.com", "alice\u200b@example.com"])
def test_look_alike_is_refused_in_words(client: Client, alice: User, look_alike: str) -> None:
    assert "plain letters" in sign_up(client, look_alike)
    assert User.objects.get() == alice


def test_foreign_letters_in_a_domain_are_kept_apart(client: Client, alice: User) -> None:
    sign_up(client, "alice@exаmple.com")  # a Cyrillic a
    assert User.objects.exclude(pk=alice.pk).get().email == "alice@xn--exmple-4nf.com"


def test_address_longer_than_its_column_is_refused(client: Client) -> None:
    sign_up(client, "d" * 60 + "@" + ".".join(["e" * 60] * 4) + ".com")
    assert not User.objects.exists()


@pytest.mark.parametrize("length", [201, 100_000, 1_000_000])
def test_endless_password_bounces_before_it_is_hashed(client: Client, length: int) -> None:
    with patch("django.contrib.auth.base_user.make_password") as hashing:
        response = submit(client, SIGNUP, email="dora@example.com", password1="x" * length)
    assert response.status_code == (400 if length > 200_000 else 200)
    assert not hashing.called
    assert not User.objects.exists()


def test_short_password_is_refused_in_words(client: Client) -> None:
    response = submit(client, SIGNUP, email="dora@example.com", password1="short")
    assert "at least 10 characters" in response.content.decode()


def test_only_the_named_domains_sign_up(client: Client, settings: Settings) -> None:
    settings.SIGNUP = "domain:a.com, B.com"
    assert "For addresses at a.com or b.com." in client.get(SIGNUP).content.decode()
    assert "You can&#x27;t sign up with this address" in sign_up(client, "dora@evil-a.com")
    assert sign_up(client, "dora@b.com") == reverse("account_email_verification_sent")
    assert User.objects.get().email == "dora@b.com"


def test_closed_sign_up_says_so(client: Client, settings: Settings) -> None:
    settings.SIGNUP = "invite"
    assert "Sign-up is by invitation" in client.get(SIGNUP).content.decode()
    assert "Sign-up is by invitation" in sign_up(client)
    assert "Make an account" not in client.get(reverse("account_login")).content.decode()
    assert not User.objects.exists()


def test_invitation_lets_its_address_in_once(client: Client, admin: User, settings: Settings) -> None:
    settings.SIGNUP = "invite"
    invitation = Invitation.objects.create(email="dora@example.com", invited_by=admin)
    send_invitation(invitation)
    link = link_in(mail.outbox[0])
    assert 'value="dora@example.com"' in client.get(link).content.decode()
    # The link came by mail, so the address is proven; another one in the form is not listened to.
    assert sign_up(client, "mallory@example.com") == reverse("studio")
    assert EmailAddress.objects.get(email="dora@example.com").verified
    invitation.refresh_from_db()
    assert invitation.accepted_at
    assert "Sign-up is by invitation" in Client().get(link).content.decode()


@pytest.mark.parametrize("token", ["x", "WzEsImRvcmFAZXhhbXBsZS5jb20iXQ:1:x", "\0", "é"])
def test_made_up_invitation_opens_nothing(client: Client, settings: Settings, token: str) -> None:
    settings.SIGNUP = "invite"
    assert "Sign-up is by invitation" in client.get(SIGNUP, {"invitation": token}).content.decode()


def test_sign_ups_are_limited_by_rate(client: Client) -> None:
    answers = [submit(client, SIGNUP, email="x", password1="x").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


@pytest.mark.django_db(transaction=True)
def test_two_sign_ups_at_the_same_moment_make_one_account() -> None:
    barrier, answers = Barrier(2), []

    def go() -> None:
        client = Client()
        client.get(SIGNUP)
        barrier.wait()
        answers.append(submit(client, SIGNUP, email="dora@example.com", password1=PASSWORD).status_code)
        connection.close()

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302, 302]
    assert User.objects.count() == 1
