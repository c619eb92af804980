"""Workspaces: making, choosing, renaming, archiving, trashing; and that work goes where the page said."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import OWNED_MAX, GenerationJob, Image, Membership, Role, User, Workspace
from tests.makers import make_image, make_job
from tests.people import PASSWORD, client_of, submit

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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Sales/Marketing 2026", "Sales/Marketing 2026"),
        ("C:\\Spring", "C:\\Spring"),
        ("two\r\nlines", "two lines"),
        ("tab\tbed", "tab bed"),
    ],
)
def test_name_is_kept_as_it_was_typed(typed: str, kept: str, alice_client: Client) -> None:
    submit(alice_client, reverse("workspaces"), name=typed)
    assert Workspace.objects.get(personal_for=None).name == kept


def test_long_name_is_counted_whole(alice_client: Client) -> None:
    page = submit(alice_client, reverse("workspaces"), name="x" * 300).content.decode()
    assert "At most 80 characters, please; these are 300." in page


def test_nobody_founds_workspaces_without_end(alice: User, alice_client: Client, own: Workspace) -> None:
    for number in range(OWNED_MAX):
        Workspace.objects.found(alice, f"Team {number}")
    page = submit(alice_client, reverse("workspaces"), name="One more")
    assert page.status_code == 422
    assert "You own 50 workspaces already. Hand one over or delete one first." in page.content.decode()
    assert not Workspace.objects.filter(name="One more").exists()


def test_picture_put_back_from_the_trash_page_leads_back_there(alice: User, alice_client: Client) -> None:
    image = make_image(alice, name="owl.jpg", trashed_at=timezone.now())
    assert f'name="next" value="{reverse("trash")}"' in alice_client.get(reverse("trash")).content.decode()
    address = reverse("image_restore", args=[image.pk])
    page = alice_client.post(address, {"next": reverse("trash")}, follow=True)
    assert page.redirect_chain == [(reverse("trash"), 302)]
    assert "owl.jpg is back in Personal." in page.content.decode()


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


def test_viewer_is_not_told_what_is_left_nor_offered_to_edit(
    alice: User, bob: User, bob_client: Client, team: Workspace
) -> None:
    history = reverse("workspace_history", args=[team.pk])
    addresses = [
        reverse("studio_image", args=[make_image(alice, workspace=team).pk]),
        f"{reverse('edits_left')}?workspace={team.pk}",
    ]
    for address in addresses:
        assert 'id="edits-left"' in bob_client.get(address).content.decode(), address
    assert "Make the first one" in bob_client.get(history).content.decode()
    Membership.objects.filter(user=bob, workspace=team).update(role=Role.VIEWER)
    for address in addresses:
        assert 'id="edits-left"' not in bob_client.get(address).content.decode(), address
    assert "Make the first one" not in bob_client.get(history).content.decode()


def test_edit_is_not_offered_with_nothing_left(alice: User, alice_client: Client, team: Workspace) -> None:
    def button() -> str:
        page = alice_client.get(reverse("studio_image", args=[make_image(alice, workspace=team).pk])).content.decode()
        return page.split('<button class="run"')[1].split(">")[0]

    assert " disabled" not in button()
    Workspace.objects.filter(pk=team.pk).update(pictures_per_month=0)
    assert " disabled" in button()
    assert "Team may have 0 pictures made a month, and none are left until" in button()


def test_expired_picture_is_the_reason_that_the_button_gives(
    alice: User, alice_client: Client, team: Workspace
) -> None:
    old = make_image(alice, workspace=team, usable_until=timezone.now().date() - timedelta(days=2))
    page = alice_client.get(reverse("studio_image", args=[old.pk])).content.decode()
    button = page.split('<button class="run"')[1].split(">")[0]
    assert " disabled" in button
    assert "may not be used any more" in button
    assert "24 hours" not in button


def test_one_picture_is_one_picture(alice: User, alice_client: Client, team: Workspace) -> None:
    team.memberships.update(pictures_per_month=1)
    page = alice_client.get(reverse("workspace", args=[team.pk])).content.decode()
    assert "of your 1 picture left this month" in page
    assert "You may have 1 picture made a month" in page


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
    assert alice_client.post(reverse("workspace_rename", args=[team.pk]), {"name": "Other"}).status_code == 409
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
    toast = page.split("data-toast>")[1]
    assert f'href="{reverse("workspaces")}">Show the trash' in toast
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


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"sensitive": True}, "is marked as sensitive"), ({"withheld_at": timezone.now()}, "waits for a look")],
)
def test_no_picture_that_is_hidden_stands_for_a_workspace(
    alice: User, alice_client: Client, team: Workspace, fields: dict[str, Any], words: str
) -> None:
    image = make_image(alice, workspace=team, **fields)
    address = reverse("workspace_cover", args=[team.pk])
    assert address in alice_client.get(reverse("picture", args=[make_image(alice, workspace=team).pk])).content.decode()
    assert address not in alice_client.get(reverse("picture", args=[image.pk])).content.decode()
    page = alice_client.post(address, {"picture": image.pk}, follow=True)
    assert words in page.content.decode()
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


# The workspace that was chosen last -----------------------------------------------------------------------------------


def shown_in(client: Client) -> str:
    page = client.get(reverse("studio")).content.decode()
    return page.split('aria-label="Workspace: ')[1].split(". Change it")[0]


def test_chosen_workspace_survives_signing_out(bob: User, bob_client: Client, team: Workspace) -> None:
    bob_client.get(reverse("workspace", args=[team.pk]))
    bob_client.post(reverse("account_logout"))
    submit(bob_client, reverse("account_login"), login=bob.email, password=PASSWORD)
    assert shown_in(bob_client) == "Team"
    assert shown_in(client_of(bob)) == "Team"  # on another browser, too


def test_each_browser_stays_where_it_is(bob: User, bob_client: Client, team: Workspace) -> None:
    own, other = Workspace.objects.personal_of(bob), client_of(bob)
    bob_client.post(reverse("workspace_open", args=[team.pk]))
    other.post(reverse("workspace_open", args=[own.pk]))
    assert [shown_in(bob_client), shown_in(other), shown_in(client_of(bob))] == ["Team", "Personal", "Personal"]


@pytest.mark.parametrize("end", ["archived", "trashed", "left", "gone"])
def test_new_sign_in_begins_at_home_once_the_last_workspace_is_closed(
    end: str, bob: User, bob_client: Client, team: Workspace
) -> None:
    bob_client.post(reverse("workspace_open", args=[team.pk]))
    assert shown_in(client_of(bob)) == "Team"
    if end == "archived":
        team.archive()
    elif end == "trashed":
        team.trash()
    elif end == "left":
        team.remove(Membership.objects.get(user=bob, workspace=team))
    else:
        team.delete()
    assert shown_in(client_of(bob)) == "Personal"
    assert User.objects.filter(pk=bob.pk).exists()


def test_remembering_asks_nothing_more_of_ordinary_pages(bob: User, team: Workspace) -> None:
    def queries_of(path: str) -> int:
        client = client_of(bob)  # one whose session knows of no workspace
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    pages = [reverse(name) for name in ("library", "history", "studio", "workspaces")]
    User.objects.update(last_workspace=None)
    before = [queries_of(path) for path in pages]
    User.objects.update(last_workspace=team)
    assert [queries_of(path) for path in pages] == before
    assert max(before[:2]) <= 5


def test_going_on_in_the_same_workspace_writes_nothing(bob_client: Client, team: Workspace) -> None:
    address = reverse("workspace", args=[team.pk])
    bob_client.get(address)
    with CaptureQueriesContext(connection) as captured:
        bob_client.get(address)
    assert not [query["sql"] for query in captured if query["sql"].startswith(("UPDATE", "INSERT"))]


def test_page_of_a_workspace_leads_into_its_rooms(bob: User, bob_client: Client, team: Workspace) -> None:
    page = bob_client.get(reverse("workspace", args=[team.pk])).content.decode()
    assert f'href="{reverse("workspace_library", args=[team.pk])}"' in page
    assert f'href="{reverse("workspace_history", args=[team.pk])}"' in page
    client_of(bob).get(reverse("workspace", args=[Workspace.objects.personal_of(bob).pk]))  # another tab went elsewhere
    room = page.split("<main")[1].split('action="')[1].split('"')[0]
    assert bob_client.post(room).headers["Location"] == reverse("studio")
    assert shown_in(bob_client) == "Team"
