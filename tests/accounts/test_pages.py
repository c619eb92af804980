"""Every page about an account that a person can reach: ours in look and words."""

import pytest
from allauth.account import urls as allauth_urls
from django.test import Client
from django.urls import NoReverseMatch, reverse

from editor.models import User

STRANGERS = {
    "account_login": "Sign in",
    "account_signup": "Make an account",
    "account_inactive": "This account is switched off",
    "account_email_verification_sent": "Look into your mail",
    "account_reset_password": "Forgot your password?",
    "account_reset_password_done": "Look into your mail",
    "account_reset_password_from_key_done": "Your password is changed",
}
MEMBERS = {
    "account_logout": "Sign out?",
    "account_email": "Your address",
    "account_change_password": "Change the password",
    "account_reauthenticate": "Is it still you?",
}


@pytest.mark.parametrize(("name", "heading"), STRANGERS.items())
def test_page_for_strangers_speaks_our_words(client: Client, db: None, name: str, heading: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert f"<h1>{heading}</h1>" in response.content.decode()


@pytest.mark.parametrize(("name", "heading"), MEMBERS.items())
def test_page_for_members_speaks_our_words(alice_client: Client, name: str, heading: str) -> None:
    response = alice_client.get(reverse(name))
    assert response.status_code == 200
    assert f"<h1>{heading}</h1>" in response.content.decode()


def test_no_page_of_allauth_is_forgotten() -> None:
    with_a_link = {"account_confirm_email", "account_reset_password_from_key"}  # told in test_signup, test_passwords
    without_words = {"account_set_password", "account_confirm_login_code"}  # told below
    known = {*STRANGERS, *MEMBERS, *with_a_link, *without_words}
    assert {pattern.name for pattern in allauth_urls.urlpatterns} == known


def test_sign_in_by_code_is_not_offered(client: Client, db: None) -> None:
    assert client.get(reverse("account_confirm_login_code"))["Location"] == reverse("account_login")
    with pytest.raises(NoReverseMatch):
        reverse("account_request_login_code")


def test_made_up_confirmation_is_refused_in_words(client: Client, db: None) -> None:
    page = client.get(reverse("account_confirm_email", args=["MQ:1x:made-up"])).content.decode()
    assert "This link is not good any more" in page


def test_person_without_password_chooses_one(alice: User, alice_client: Client) -> None:
    alice.set_unusable_password()
    alice.save()
    alice_client.force_login(alice)
    response = alice_client.get(reverse("account_change_password"), follow=True)
    assert "<h1>Choose a password</h1>" in response.content.decode()
