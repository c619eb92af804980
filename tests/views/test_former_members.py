"""Who left a workspace or was removed: no invitation from before lets them back in, and no limit is lost on the way."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.accounts.leaving import delete_account
from editor.jobs.purging import purge_workspaces
from editor.models import FormerMember, Membership, Role, User, Workspace, WorkspaceInvitation
from tests.people import admin, admin_client, client_of
from tests.views.test_members import in_team, invite

__all__ = ["admin", "admin_client"]  # fixtures
pytestmark = pytest.mark.django_db


def join(user: User, invitation: WorkspaceInvitation) -> str:
    """What the page says to whoever presses *Join*."""
    return client_of(user).post(reverse("join", args=[invitation.token]), follow=True).content.decode()


@pytest.mark.parametrize("address", ["", "bob@example.com"])
@pytest.mark.parametrize("removed", [True, False])
def test_invitation_from_before_lets_nobody_back_in(
    address: str, removed: bool, alice_client: Client, alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    old = invite(team, alice, role=Role.ADMIN, email=address)
    if removed:
        alice_client.post(reverse("member_remove", args=[team.pk, in_team(bob, team).pk]))
    else:
        bob_client.post(reverse("workspace_leave", args=[team.pk]))
    page = bob_client.get(reverse("join", args=[old.token]))
    assert page.status_code == 403
    assert "You were in Team before" in page.content.decode()
    assert "Ask an admin there for a new invitation." in join(bob, old)
    old.refresh_from_db()
    assert (old.uses, team.memberships.filter(user=bob).exists()) == (0, False)


@pytest.mark.parametrize("address", ["", "bob@example.com"])
def test_new_invitation_lets_back_in_with_its_role_and_the_old_limit(
    address: str, alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    team.memberships.filter(user=bob).update(pictures_per_month=3)
    bob_client.post(reverse("workspace_leave", args=[team.pk]))
    join(bob, invite(team, alice, role=Role.VIEWER, email=address))
    back = in_team(bob, team)
    assert (back.role, back.pictures_per_month) == (Role.VIEWER, 3)
    assert not FormerMember.objects.exists()
    bob_client.post(reverse("workspace_leave", args=[team.pk]))
    assert FormerMember.objects.get().pictures_per_month == 3


def test_others_come_in_by_the_same_link(alice: User, bob: User, charlie: User, team: Workspace) -> None:
    old = invite(team, alice)
    team.remove(in_team(bob, team))
    join(charlie, old)
    assert in_team(charlie, team).pictures_per_month is None


def test_removing_says_first_that_links_let_nobody_back_in(bob: User, alice_client: Client, team: Workspace) -> None:
    page = alice_client.get(reverse("workspace", args=[team.pk])).content.decode()
    assert "made so far don’t let Bob back in" in page


def test_who_is_removed_is_told_by_mail_and_who_leaves_is_not(
    bob: User, charlie: User, alice_client: Client, team: Workspace
) -> None:
    Workspace.objects.update(name="Cut & Paste")
    alice_client.post(reverse("member_remove", args=[team.pk, in_team(bob, team).pk]))
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [([bob.email], "You are no longer in Cut & Paste")]
    assert "ask an admin there for a new invitation" in str(mail.outbox[0].body)
    Membership.objects.create(workspace=team, user=charlie, role=Role.OWNER)
    alice_client.post(reverse("workspace_leave", args=[team.pk]))
    assert len(mail.outbox) == 1


def test_who_was_removed_by_the_administration_stays_out_too(
    admin_client: Client, alice: User, bob: User, team: Workspace
) -> None:
    old = invite(team, alice)
    rows = list(team.memberships.order_by("pk"))
    form: dict[str, object] = {"name": "Team", "memberships-TOTAL_FORMS": 2, "memberships-INITIAL_FORMS": 2}
    for number, row in enumerate(rows):
        fields = {"id": row.pk, "workspace": team.pk, "user": row.user_id, "role": row.role, "pictures_per_month": ""}
        form |= {f"memberships-{number}-{name}": value for name, value in fields.items()}
    form["memberships-1-DELETE"] = "on"
    admin_client.post(reverse("admin:editor_workspace_change", args=[team.pk]), form)
    assert not team.memberships.filter(user=bob).exists()
    join(bob, old)
    assert not team.memberships.filter(user=bob).exists()


def test_nothing_is_remembered_of_deleted_accounts_and_purged_workspaces(
    alice: User, bob: User, charlie: User, team: Workspace
) -> None:
    for person in (bob, charlie):
        member, _ = Membership.objects.get_or_create(workspace=team, user=person, defaults={"role": Role.EDITOR})
        team.remove(member)
    delete_account(bob)
    assert FormerMember.objects.get().user == charlie
    Workspace.objects.filter(pk=team.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    purge_workspaces()
    assert not FormerMember.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_removed_while_they_join_by_an_old_link_ends_outside(alice: User, bob: User, team: Workspace) -> None:
    old = invite(team, alice, uses_max=50)
    member = in_team(bob, team)
    start = threading.Barrier(3)

    def at_once(*works: Callable[[], object]) -> None:
        try:
            start.wait(10)
            for work in works:
                work()
        finally:
            connections.close_all()

    join_often = [lambda: old.accept(bob)] * 5
    threads = [threading.Thread(target=at_once, args=works) for works in (join_often, join_often)]
    threads.append(threading.Thread(target=at_once, args=[lambda: team.remove(member)]))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not team.memberships.filter(user=bob).exists()
    assert FormerMember.objects.get().user == bob
