"""Workspaces: making, choosing, renaming, archiving, trashing; and that work goes where the page said."""

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import GenerationJob, Image, Membership, Role, User, Workspace
from tests.makers import make_image, make_job
from tests.people import submit

pytestmark = pytest.mark.django_db


def test_new_workspace_is_its_makers_and_chosen(alice: User, alice_client: Client) -> None:
    response = submit(alice_client, reverse("workspaces"), name="Spring  catalogue")
    made = Workspace.objects.get(name="Spring catalogue")
    assert response.headers["Location"] == reverse("workspace", args=[made.pk])
    assert made.memberships.get().role == Role.OWNER
    assert 'aria-label="Workspace: Spring catalogue. ' in alice_client.get(reverse("studio")).content.decode()


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


def test_archived_workspace_keeps_its_name(alice_client: Client, team: Workspace) -> None:
    team.archive()
    assert alice_client.post(reverse("workspace_rename", args=[team.pk]), {"name": "Other"}).status_code == 404
    assert Workspace.objects.get(pk=team.pk).name == "Team"


@pytest.mark.parametrize("name", ["workspace", "workspace_history"])
def test_whoever_opens_a_workspace_goes_on_in_it(name: str, alice_client: Client, team: Workspace) -> None:
    alice_client.get(reverse(name, args=[team.pk]))
    alice_client.post(reverse("sample_use", args=["cat"]))
    assert Image.objects.get().workspace == team


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


def test_history_of_a_workspace_is_everybodys(
    alice: User, bob: User, alice_client: Client, team: Workspace, own: Workspace
) -> None:
    theirs = make_job(bob, make_image(bob, workspace=team), prompt="theirs")
    mine = make_job(alice, make_image(alice, workspace=team), prompt="mine")
    elsewhere = make_job(alice, make_image(alice, workspace=own), prompt="elsewhere")
    page = alice_client.get(reverse("workspace_history", args=[team.pk])).content.decode()
    assert str(theirs.pk) in page
    assert str(mine.pk) in page
    assert str(elsewhere.pk) not in page
    assert "Bob" in page
    page = alice_client.get(reverse("history")).content.decode()
    assert str(theirs.pk) not in page
    assert str(elsewhere.pk) in page


def test_older_edits_of_a_workspace_are_reached(alice: User, alice_client: Client, team: Workspace) -> None:
    image = make_image(alice, workspace=team)
    jobs = [make_job(alice, image) for _ in range(25)]
    page = alice_client.get(reverse("workspace_history", args=[team.pk])).content.decode()
    assert str(jobs[0].pk) not in page
    older = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert str(jobs[0].pk) in alice_client.get(reverse("workspace_history", args=[team.pk]) + older).content.decode()


def test_workspace_gets_one_of_its_own_pictures(alice: User, alice_client: Client, team: Workspace) -> None:
    image, foreign = make_image(alice, workspace=team), make_image(alice)
    address = reverse("workspace_cover", args=[team.pk])
    assert alice_client.post(address, {"picture": foreign.pk}).status_code == 404
    assert alice_client.post(address, {"picture": image.pk}).status_code == 302
    assert f"/images/{image.pk}/320.webp" in alice_client.get(reverse("workspaces")).content.decode()
    image.trash()
    assert f"/images/{image.pk}/" not in alice_client.get(reverse("workspaces")).content.decode()
    alice_client.post(address, {"picture": ""})
    assert Workspace.objects.get(pk=team.pk).cover is None


def test_pictures_of_two_workspaces_are_not_merged(
    alice: User, alice_client: Client, team: Workspace, own: Workspace
) -> None:
    """Or the team would see the name and a glimpse of a picture that is only mine."""
    first, second = make_image(alice, workspace=team), make_image(alice, workspace=own)
    words = {"source": first.pk, "second": second.pk, "prompt": "both", "form_token": "t"}
    response = alice_client.post(reverse("edit_create"), words)
    assert response.status_code == 422
    assert "Both pictures must be in Team" in response.content.decode()
    assert not GenerationJob.objects.exists()
