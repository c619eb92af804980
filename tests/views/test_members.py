"""Roles, leaving, removing, handing over; inviting by mail and by link, and joining."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.models import Membership, Role, User, Workspace, WorkspaceInvitation
from tests.people import client_of, link_in, make_person, submit

pytestmark = pytest.mark.django_db


def in_team(user: User, team: Workspace) -> Membership:
    return Membership.objects.get(user=user, workspace=team)


def invite(team: Workspace, by: User, **fields: Any) -> WorkspaceInvitation:
    values: dict[str, Any] = {"role": Role.EDITOR, "expires_at": timezone.now() + timedelta(days=1)}
    return WorkspaceInvitation.objects.create(workspace=team, invited_by=by, **(values | fields))


def test_last_owner_can_neither_leave_nor_step_down(alice: User, alice_client: Client, team: Workspace) -> None:
    me = in_team(alice, team)
    alice_client.post(reverse("workspace_leave", args=[team.pk]))
    alice_client.post(reverse("member_remove", args=[team.pk, me.pk]))
    page = alice_client.post(reverse("member_role", args=[team.pk, me.pk]), {"role": "viewer"}, follow=True)
    assert "Somebody must own this workspace" in page.content.decode()
    assert in_team(alice, team).role == Role.OWNER


def test_owner_leaves_once_there_is_another(alice: User, bob: User, alice_client: Client, team: Workspace) -> None:
    alice_client.post(reverse("member_role", args=[team.pk, in_team(bob, team).pk]), {"role": "owner"})
    alice_client.post(reverse("workspace_leave", args=[team.pk]))
    assert list(team.memberships.values_list("user", "role")) == [(bob.pk, "owner")]


def test_handing_over_makes_the_other_owner_and_me_admin(
    alice: User, bob: User, alice_client: Client, team: Workspace
) -> None:
    alice_client.post(reverse("workspace_hand_over", args=[team.pk, in_team(bob, team).pk]))
    assert in_team(bob, team).role == Role.OWNER
    assert in_team(alice, team).role == Role.ADMIN


def test_admin_makes_no_owner_and_touches_none(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    team.change_role(in_team(bob, team), Role.ADMIN)
    dora = Membership.objects.create(workspace=team, user=make_person("dora"), role=Role.VIEWER)
    bob_client.post(reverse("member_role", args=[team.pk, dora.pk]), {"role": "owner"})
    dora.refresh_from_db()
    assert dora.role == Role.VIEWER
    owner = in_team(alice, team).pk
    assert bob_client.post(reverse("member_role", args=[team.pk, owner]), {"role": "viewer"}).status_code == 404
    assert bob_client.post(reverse("member_remove", args=[team.pk, owner])).status_code == 404


def test_member_of_another_workspace_is_not_reached_through_mine(
    alice_client: Client, charlie: User, team: Workspace
) -> None:
    theirs = Workspace.objects.found(charlie, "Theirs").memberships.get()
    assert alice_client.post(reverse("member_remove", args=[team.pk, theirs.pk])).status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


def test_mailed_invitation_lets_its_address_in_once(alice_client: Client, charlie: User, team: Workspace) -> None:
    submit(alice_client, reverse("invitation_create", args=[team.pk]), email=charlie.email, role="viewer", days="7")
    client = client_of(charlie)
    address = link_in(mail.outbox[-1]).removeprefix("http://testserver")
    path = address[address.index("/join/") :]
    assert "Join Team?" in client.get(path).content.decode()
    assert client.post(path).headers["Location"] == reverse("studio")
    assert in_team(charlie, team).role == Role.VIEWER
    assert client_of(make_person("dora")).get(path).status_code == 404


def test_mailed_invitation_is_for_its_address_alone(alice: User, charlie: User, team: Workspace) -> None:
    invitation = invite(team, alice, email="somebody@example.com")
    response = client_of(charlie).post(reverse("join", args=[invitation.token]))
    assert response.status_code == 403
    assert "another address" in response.content.decode()
    assert not team.memberships.filter(user=charlie).exists()


def test_link_lets_in_as_many_as_it_says(alice: User, charlie: User, team: Workspace) -> None:
    invitation = invite(team, alice, uses_max=1)
    assert client_of(charlie).post(reverse("join", args=[invitation.token])).status_code == 302
    assert client_of(charlie).post(reverse("join", args=[invitation.token])).status_code == 404  # used up
    assert client_of(make_person("dora")).post(reverse("join", args=[invitation.token])).status_code == 404
    assert team.memberships.count() == 2


def test_member_who_joins_again_uses_nothing_up_and_keeps_their_role(alice: User, bob: User, team: Workspace) -> None:
    invitation = invite(team, alice, role=Role.VIEWER)
    client_of(bob).post(reverse("join", args=[invitation.token]))
    invitation.refresh_from_db()
    assert (invitation.uses, in_team(bob, team).role) == (0, Role.EDITOR)


@pytest.mark.parametrize("end", ["revoked", "expired", "trashed"])
def test_invitation_that_is_over_lets_nobody_in(end: str, alice: User, charlie: User, team: Workspace) -> None:
    invitation = invite(team, alice)
    if end == "revoked":
        client_of(alice).post(reverse("invitation_revoke", args=[team.pk, invitation.pk]))
    elif end == "expired":
        WorkspaceInvitation.objects.update(expires_at=timezone.now())
    else:
        team.trash()
    response = client_of(charlie).post(reverse("join", args=[invitation.token]))
    assert response.status_code == 404
    assert "no longer good" in response.content.decode()
    assert not team.memberships.filter(user=charlie).exists()


def test_signed_out_visitor_is_brought_back_after_signing_in(alice: User, charlie: User, team: Workspace) -> None:
    path = reverse("join", args=[invite(team, alice).token])
    client = Client()
    page = client.get(path).content.decode()
    assert "invites you to Team" in page
    client.force_login(charlie)
    assert client.get(reverse("studio")).headers["Location"] == path
    assert client.get(reverse("studio")).status_code == 200  # once


def test_mailed_invitation_opens_a_closed_sign_up(alice: User, team: Workspace, settings: Settings) -> None:
    settings.SIGNUP = "invite"
    invitation = invite(team, alice, email="new@example.com")
    client = Client()
    page = client.get(reverse("join", args=[invitation.token])).content.decode()
    signup = page.split('class="button" href="')[1].split('"')[0]
    path = signup[signup.index("/account/") :]
    password = "a long enough password"
    response = submit(client, path, email="new@example.com", password1=password, name="New")
    assert response.status_code == 302
    new = User.objects.get(email="new@example.com")
    assert client.get(reverse("studio")).headers["Location"] == reverse("join", args=[invitation.token])
    client.post(reverse("join", args=[invitation.token]))
    assert in_team(new, team).role == Role.EDITOR


def test_link_opens_no_closed_sign_up(alice: User, team: Workspace, settings: Settings) -> None:
    settings.SIGNUP = "invite"
    client = Client()
    client.get(reverse("join", args=[invite(team, alice).token]))
    assert "by invitation" in client.get(reverse("account_signup")).content.decode()


def test_same_address_is_not_invited_twice_at_once(alice_client: Client, team: Workspace) -> None:
    for _ in range(2):
        response = submit(
            alice_client, reverse("invitation_create", args=[team.pk]), email="a@example.com", role="viewer", days="7"
        )
    assert response.status_code == 422
    assert "open invitation for this address" in response.content.decode()
    assert WorkspaceInvitation.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"role": "owner"}, {"role": "king"}, {"days": "9999"}, {"uses_max": "0"}])
@pytest.mark.parametrize("way", [{"email": "a@example.com"}, {"uses_max": "3"}])
def test_bad_invitation_is_refused(
    alice_client: Client, team: Workspace, way: dict[str, str], wrong: dict[str, str]
) -> None:
    if "email" in way and "uses_max" in wrong:
        wrong = {"email": "no address"}
    fields = {"role": "viewer", "days": "7"} | way | wrong
    assert submit(alice_client, reverse("invitation_create", args=[team.pk]), **fields).status_code == 422
    assert not WorkspaceInvitation.objects.exists()


def test_mail_without_an_address_does_not_become_a_link(alice_client: Client, team: Workspace) -> None:
    response = submit(alice_client, reverse("invitation_create", args=[team.pk]), email="", role="admin", days="30")
    assert response.status_code == 422
    page = response.content.decode()
    assert "Type an address" in page
    mail_form = page.split('id="mail-title"')[1].split("</form>")[0]
    assert '<option value="admin" selected>' in mail_form
    assert '<option value="30" selected>' in mail_form
    assert not WorkspaceInvitation.objects.exists()


def test_link_is_for_as_many_as_was_typed_and_mail_asks_for_no_number(alice_client: Client, team: Workspace) -> None:
    address = reverse("invitation_create", args=[team.pk])
    submit(alice_client, address, uses_max="3", role="viewer", days="7")
    assert WorkspaceInvitation.objects.values_list("email", "uses_max").get() == ("", 3)
    page = alice_client.get(reverse("workspace", args=[team.pk])).content.decode()
    assert 'name="uses_max"' not in page.split('id="mail-title"')[1].split("</form>")[0]
    assert 'name="email"' not in page.split('id="link-title"')[1].split("</form>")[0]


def test_link_into_an_archived_workspace_waits(alice: User, bob: User, charlie: User, team: Workspace) -> None:
    path = reverse("join", args=[invite(team, alice).token])
    team.archive()
    for client in (Client(), client_of(charlie)):
        for response in (client.get(path), client.post(path)):
            assert response.status_code == 404
            assert "Team is in the archive" in response.content.decode()
    assert not team.memberships.filter(user=charlie).exists()
    assert client_of(bob).get(path).headers["Location"] == reverse("workspace", args=[team.pk])
    team.reopen()
    assert client_of(charlie).post(path).headers["Location"] == reverse("studio")
    assert team.memberships.filter(user=charlie).exists()


def test_invitation_accepted_as_the_workspace_is_archived_lets_nobody_in(
    alice: User, charlie: User, team: Workspace
) -> None:
    invitation = invite(team, alice)
    team.archive()
    assert not invitation.accept(charlie)
    assert not team.memberships.filter(user=charlie).exists()


def test_open_invitations_of_an_archived_workspace_are_shown_and_revoked(
    alice: User, bob_client: Client, alice_client: Client, team: Workspace
) -> None:
    invitation = invite(team, alice, email="somebody@example.com")
    team.archive()
    address = reverse("workspace", args=[team.pk])
    page = alice_client.get(address).content.decode()
    assert "somebody@example.com" in page
    assert "Invite somebody" not in page
    assert "somebody@example.com" not in bob_client.get(address).content.decode()
    revoke = reverse("invitation_revoke", args=[team.pk, invitation.pk])
    assert f'action="{revoke}"' in page
    alice_client.post(revoke)
    assert "somebody@example.com" not in alice_client.get(address).content.decode()
    team.reopen()
    assert not WorkspaceInvitation.objects.open(timezone.now()).exists()


def test_removing_and_handing_over_say_first_what_will_happen(bob: User, alice_client: Client, team: Workspace) -> None:
    page = alice_client.get(reverse("workspace", args=[team.pk])).content.decode()
    for name, words in (
        ("member_remove", "Bob sees nothing of Team any more"),
        ("workspace_hand_over", "Bob becomes an owner of Team, and you become an admin"),
    ):
        before, after = page.split(f'action="{reverse(name, args=[team.pk, in_team(bob, team).pk])}"')
        summary, form = before.rsplit("<details", 1)[1], after.split("</form>")[0]
        assert "</summary>" in summary  # closed until it is pressed
        assert words in form
        assert form.index(words) < form.index("<button")
        assert "Bob" in form.split("<button")[1]


def test_nobody_is_invited_into_a_personal_workspace(alice_client: Client, own: Workspace) -> None:
    address = reverse("invitation_create", args=[own.pk])
    assert submit(alice_client, address, role="viewer", days="7").status_code == 404


def test_member_is_not_invited_again_and_told_so_by_a_link(
    alice: User, bob: User, alice_client: Client, team: Workspace
) -> None:
    fields = {"email": bob.email, "role": "viewer", "days": "7"}
    response = submit(alice_client, reverse("invitation_create", args=[team.pk]), **fields)
    assert response.status_code == 422
    assert "in the workspace already" in response.content.decode()
    response = client_of(bob).get(reverse("join", args=[invite(team, alice).token]), follow=True)
    assert "You are in Team already." in response.content.decode()
