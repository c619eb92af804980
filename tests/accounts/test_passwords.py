import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from editor.models import User
from tests.people import PASSWORD, client_of, link_in, submit

RESET = "/account/password/reset/"
NEW = "another long password"


def test_link_in_the_mail_sets_a_new_password(client: Client, alice: User) -> None:
    submit(client, RESET, email="alice@example.com")
    form = client.get(link_in(mail.outbox[0]))["Location"]
    assert submit(client, form, password1=NEW)["Location"] == reverse("studio")
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_link_works_once(client: Client, alice: User) -> None:
    submit(client, RESET, email="alice@example.com")
    link = link_in(mail.outbox[0])
    submit(client, client.get(link)["Location"], password1=NEW)
    assert "This link is not good any more" in Client().get(link).content.decode()


def test_known_and_unknown_addresses_are_answered_alike(client: Client, alice: User) -> None:
    answers = []
    for email in ("alice@example.com", "nobody@example.com"):
        response = submit(Client(), RESET, email=email)
        answers.append((response.status_code, response["Location"], len(response.content)))
    assert answers[0] == answers[1]
    assert [message.to for message in mail.outbox] == [["alice@example.com"], ["nobody@example.com"]]


@pytest.mark.parametrize("spelling", ["ａlice@example.com", "ALICE@EXAMPLE.COM."])
def test_mail_goes_to_the_account_and_not_to_the_spelling(client: Client, alice: User, spelling: str) -> None:
    submit(client, RESET, email=spelling)
    assert mail.outbox[0].to == ["alice@example.com"]


@pytest.mark.parametrize("path", ["zzzzzzzzzzzzz-abc-def", "1-x", "zzzzzzzzzzzzzzzzzzzzzzzz-a", "1-set-password"])
def test_made_up_link_is_refused_in_words(client: Client, db: None, path: str) -> None:
    response = client.get(f"/account/password/reset/key/{path}/")
    assert response.status_code == 200
    assert "This link is not good any more" in response.content.decode()


def test_mails_are_limited_per_address(client: Client, alice: User) -> None:
    statuses = [submit(client, RESET, email="alice@example.com").status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]


def test_changing_the_password_signs_out_elsewhere(alice: User, alice_client: Client) -> None:
    elsewhere = client_of(alice)
    submit(alice_client, reverse("account_change_password"), oldpassword=PASSWORD, password1=NEW)
    assert alice_client.get(reverse("account_email")).status_code == 200
    assert elsewhere.get(reverse("account_email")).status_code == 302
    assert mail.outbox[0].subject == "Your password has changed"


def test_changing_the_password_takes_the_old_one(alice: User, alice_client: Client) -> None:
    page = submit(alice_client, reverse("account_change_password"), oldpassword="wrong", password1=NEW)
    assert "That is not your current password" in page.content.decode()


def change_address(client: Client, to: str) -> None:
    """Ask for a new address, and say once more who one is."""
    response = submit(client, reverse("account_email"), email=to, action_add="1")
    if response.status_code == 302 and "reauthenticate" in response["Location"]:
        submit(client, response["Location"], password=PASSWORD)


def test_new_address_counts_once_it_is_proven(alice: User, alice_client: Client) -> None:
    change_address(alice_client, "Alice@New.example")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    alice_client.post(link_in(mail.outbox[0]))
    alice.refresh_from_db()
    assert alice.email == "alice@new.example"
    assert EmailAddress.objects.get(user=alice).email == "alice@new.example"


def test_open_session_alone_can_not_change_the_address(alice: User, alice_client: Client) -> None:
    response = submit(alice_client, reverse("account_email"), email="mallory@example.com", action_add="1")
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not mail.outbox


def test_address_of_another_is_never_taken_over(alice: User, charlie_client: Client, charlie: User) -> None:
    change_address(charlie_client, "ａlice@example.com")
    for message in mail.outbox:
        found = re.search(r"https?://\S+", str(message.body))
        assert found
        charlie_client.post(found[0])
    charlie.refresh_from_db()
    alice.refresh_from_db()
    assert (charlie.email, alice.email) == ("charlie@example.com", "alice@example.com")


def test_address_of_an_unproven_account_does_no_harm(charlie: User, charlie_client: Client) -> None:
    squatter = User.objects.create_user("dora@example.com", PASSWORD)
    EmailAddress.objects.create(user=squatter, email=squatter.email, primary=True)
    change_address(charlie_client, "dora@example.com")
    response = charlie_client.post(link_in(mail.outbox[0]))
    assert response.status_code in (200, 302)
    charlie.refresh_from_db()
    assert charlie.email == "charlie@example.com"
