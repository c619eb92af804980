"""Workspaces: making, choosing, renaming, archiving, trashing; and that work goes where the page said."""

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import GenerationJob, Image, Membership, Role, User, Workspace
from tests.makers import make_image
from tests.people import submit

pytestmark = pytest.mark.django_db


def test_new_workspace_is_its_makers_and_chosen(alice: User, alice_client: Client) -> None:
    response = submit(alice_client, reverse("workspaces"), name="Spring  catalogue")
    made = Workspace.objects.get(name="Spring catalogue")
    assert response.headers["Location"] == reverse("workspace", args=[made.pk])
    assert made.memberships.get().role == Role.OWNER
    assert "Spring catalogue" in alice_client.get(reverse("studio")).content.decode()


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "x" * 81])
def test_bad_name_is_said_and_makes_nothing(alice_client: Client, name: str) -> None:
    response = submit(alice_client, reverse("workspaces"), name=name)
    assert response.status_code == 422
    assert Workspace.objects.filter(personal_for=None).count() == 0


def test_upload_goes_where_the_page_said_and_not_where_another_tab_went(
    alice: User, alice_client: Client, own: Workspace, team: Workspace
) -> None:
    alice_client.post(reverse("workspace_open", args=[team.pk]))
    alice_client.post(reverse("sample_use", args=["cat"]))
    assert Image.objects.get().workspace == team
    alice_client.post(reverse("sample_use", args=["cat"]), {"workspace": own.pk})
    assert Image.objects.filter(workspace=own).count() == 1


def test_chosen_workspace_falls_back_to_the_own_after_leaving(bob: User, bob_client: Client, team: Workspace) -> None:
    bob_client.post(reverse("workspace_open", args=[team.pk]))
    bob_client.post(reverse("workspace_leave", args=[team.pk]))
    bob_client.post(reverse("sample_use", args=["cat"]))
    assert Image.objects.get().workspace == Workspace.objects.personal_of(bob)


def test_edit_of_a_team_picture_belongs_to_the_team(alice: User, bob_client: Client, team: Workspace) -> None:
    image = make_image(alice, workspace=team)
    bob_client.post(reverse("edit_create"), {"source": image.pk, "prompt": "blue", "form_token": "t"})
    assert GenerationJob.objects.get().workspace == team


def test_viewer_sees_no_way_to_edit(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    Membership.objects.filter(user=bob, workspace=team).update(role=Role.VIEWER)
    page = bob_client.get(reverse("studio_image", args=[make_image(alice, workspace=team).pk])).content.decode()
    assert "you may look, not edit" in page
    assert 'id="edit-form"' not in page
    assert "/trash/" not in page.replace('href="/trash/"', "")


def test_recent_pictures_are_those_of_the_workspace(alice: User, alice_client: Client, team: Workspace) -> None:
    mine, theirs = make_image(alice), make_image(alice, workspace=team)
    page = alice_client.get(reverse("studio")).content.decode()
    assert str(mine.pk) in page
    assert str(theirs.pk) not in page


def test_personal_workspace_is_neither_archived_nor_trashed(alice_client: Client, own: Workspace) -> None:
    for name in ("workspace_archive", "workspace_trash", "workspace_leave"):
        alice_client.post(reverse(name, args=[own.pk]))
    own.refresh_from_db()
    assert own.is_open
    assert own.memberships.count() == 1


def test_archive_and_back(alice_client: Client, team: Workspace) -> None:
    alice_client.post(reverse("workspace_archive", args=[team.pk]))
    assert not Workspace.objects.get(pk=team.pk).is_open
    alice_client.post(reverse("workspace_archive", args=[team.pk]), {"reopen": "1"})
    assert Workspace.objects.get(pk=team.pk).is_open


def test_trashed_workspace_offers_the_way_back(alice_client: Client, team: Workspace) -> None:
    alice_client.post(reverse("workspace_trash", args=[team.pk]))
    page = alice_client.get(reverse("workspaces")).content.decode()
    assert f"Put back: {team.name}" in page
    alice_client.post(reverse("workspace_restore", args=[team.pk]))
    assert Workspace.objects.get(pk=team.pk).is_open


def test_switching_leads_back_to_a_page_of_ours_only(alice_client: Client, team: Workspace) -> None:
    address = reverse("workspace_open", args=[team.pk])
    assert alice_client.post(address, {"next": "//evil.example/"}).headers["Location"] == reverse("studio")
    assert alice_client.post(address, {"next": "/history/"}).headers["Location"] == "/history/"
