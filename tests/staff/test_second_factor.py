"""A second factor for everybody, with real codes; with STAFF_SECOND_FACTOR, staff gets nowhere without one."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.accounts.leaving import delete_account
from editor.models import AuditEntry, User
from tests.people import PASSWORD, make_person, submit

LOGIN = "/account/login/"
ACTIVATE = "/account/second-factor/totp/activate/"


def code_of(secret: str) -> str:
    """What an app that knows the secret shows now."""
    return str(format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1])))


def sign_in(client: Client, user: User, **fields: str) -> str:
    return str(submit(client, LOGIN, login=user.email, password=PASSWORD, **fields)["Location"])


def set_up(client: Client) -> str:
    """As a person does it in a browser; returns the secret."""
    submit(client, client.get(ACTIVATE)["Location"], password=PASSWORD)
    page = client.get(ACTIVATE).content.decode()
    found = re.search(r'id="secret"[^>]*value="(\w+)"', page)
    assert found, page
    assert submit(client, ACTIVATE, code=code_of(found[1])).status_code == 302
    # A code is good once: the next one in this test stands for one some time later.
    cache.clear()
    return found[1]


def test_code_of_the_app_is_asked_for_from_then_on(client: Client, alice: User) -> None:
    sign_in(client, alice)
    secret = set_up(client)
    other = Client()
    assert sign_in(other, alice) == reverse("mfa_authenticate")
    assert "_auth_user_id" not in other.session
    assert "does not fit" in submit(other, reverse("mfa_authenticate"), code="000000").content.decode()
    assert submit(other, reverse("mfa_authenticate"), code=code_of(secret))["Location"] == reverse("studio")
    assert other.session["_auth_user_id"] == str(alice.pk)


def test_recovery_code_lets_in_once(client: Client, alice: User) -> None:
    sign_in(client, alice)
    set_up(client)
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = re.findall(r"<li>(\w+)</li>", page)
    assert len(codes) == 10
    assert client.get(reverse("mfa_download_recovery_codes")).content.decode().split() == codes
    for let_in in (True, False):
        other = Client()
        sign_in(other, alice)
        assert (submit(other, reverse("mfa_authenticate"), code=codes[0]).status_code == 302) is let_in


def test_database_does_not_tell_the_secret(client: Client, alice: User) -> None:
    sign_in(client, alice)
    secret = set_up(client)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_setting_it_up_needs_the_password_again(alice_client: Client) -> None:
    assert alice_client.get(ACTIVATE)["Location"].startswith("/account/reauthenticate/")


def test_turned_off_the_password_is_enough(client: Client, alice: User) -> None:
    sign_in(client, alice)
    set_up(client)
    assert "Turn it off" in client.get(reverse("mfa_index")).content.decode()
    submit(client, reverse("mfa_deactivate_totp"))
    assert sign_in(Client(), alice) == reverse("studio")
    assert not Authenticator.objects.exists()


def test_account_that_is_deleted_leaves_no_secret(client: Client, alice: User) -> None:
    sign_in(client, alice)
    set_up(client)
    delete_account(alice)
    assert not Authenticator.objects.exists()


@pytest.fixture
def demanded(settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True


def test_staff_without_one_is_led_to_set_one_up(demanded: None, admin_client: Client) -> None:
    for address in ("/admin/", "/admin/editor/user/", "/desk/", "/operate/"):
        response = admin_client.get(address, follow=True)
        assert response.redirect_chain == [(reverse("mfa_index"), 302)]
    assert "Staff of this portal signs in with a second factor" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_staff_that_has_set_one_up_goes_on_at_once(demanded: None, client: Client, admin: User) -> None:
    sign_in(client, admin)
    set_up(client)
    assert client.get("/admin/").status_code == 200


def test_session_from_before_types_a_code_first(demanded: None, client: Client, admin: User) -> None:
    before = Client()
    sign_in(before, admin)
    sign_in(client, admin)
    secret = set_up(client)
    asked = before.get("/admin/editor/user/")
    assert asked["Location"] == "/account/second-factor/reauthenticate/?next=%2Fadmin%2Feditor%2Fuser%2F"
    assert submit(before, asked["Location"], code=code_of(secret))["Location"] == "/admin/editor/user/"
    assert before.get("/admin/editor/user/").status_code == 200


def test_nobody_else_is_asked(demanded: None, alice_client: Client) -> None:
    assert alice_client.get("/").status_code == 200
    assert alice_client.get("/admin/", follow=True).status_code == 403


def test_nobody_is_asked_without_the_setting(admin_client: Client) -> None:
    assert admin_client.get("/admin/").status_code == 200


def test_sign_in_of_staff_is_in_the_log_and_says_how(client: Client, admin: User) -> None:
    sign_in(client, make_person("dora"))
    assert not AuditEntry.objects.exists()
    sign_in(client := Client(), admin)
    secret = set_up(client)
    other = Client()
    sign_in(other, admin)
    assert AuditEntry.objects.count() == 1
    submit(other, reverse("mfa_authenticate"), code=code_of(secret))
    last = AuditEntry.objects.last()
    assert last is not None
    assert (last.actor, last.action, last.details) == (admin, "staff.signed_in", {"ways": ["mfa", "password"]})
