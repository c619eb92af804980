import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from editor.models import Invitation, User
from tests.people import PASSWORD, link_in, submit

LIST = "/admin/editor/invitation/"


def test_adding_one_sends_a_link_that_signs_up(
    admin_client: Client,
    client: Client,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.SIGNUP = "invite"
    with django_capture_on_commit_callbacks(execute=True):
        submit(admin_client, f"{LIST}add/", email="Dora@Example.com")
    client.get(link_in(mail.outbox[0]))
    submit(client, "/account/signup/", email="dora@example.com", password1=PASSWORD)
    assert User.objects.filter(email="dora@example.com").exists()


def test_mail_can_be_sent_again(admin_client: Client, admin: User) -> None:
    invitation = Invitation.objects.create(email="dora@example.com", invited_by=admin)
    submit(admin_client, LIST, action="send_again", _selected_action=str(invitation.pk))
    assert mail.outbox[0].to == ["dora@example.com"]
    assert mail.outbox[0].subject == "Admin invites you to Retake"


def test_withdrawn_invitation_opens_nothing(
    admin_client: Client, admin: User, client: Client, settings: Settings
) -> None:
    settings.SIGNUP = "invite"
    invitation = Invitation.objects.create(email="dora@example.com", invited_by=admin)
    submit(admin_client, LIST, action="send_again", _selected_action=str(invitation.pk))
    submit(admin_client, f"{LIST}{invitation.pk}/delete/", post="yes")
    assert "Sign-up is by invitation" in client.get(link_in(mail.outbox[0])).content.decode()


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com.", "аlice@example.com", "x"])
def test_address_with_an_account_or_of_no_use_is_refused(admin_client: Client, alice: User, email: str) -> None:
    assert submit(admin_client, f"{LIST}add/", email=email).status_code == 200
    assert not Invitation.objects.exists()
