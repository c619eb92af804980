from django.test import Client

from editor.models import Membership, Role, User, Workspace
from tests.people import submit

LIST = "/admin/editor/workspace/"


def test_found_by_name_and_person(admin_client: Client, alice: User, team: Workspace) -> None:
    assert str(team.pk) in admin_client.get(LIST, {"q": "team"}).content.decode()
    page = admin_client.get(LIST, {"q": "alice@example"}).content.decode()
    assert str(Workspace.objects.personal_of(alice).pk) in page
    assert str(team.pk) not in page


def test_somebody_is_taken_in(admin_client: Client, team: Workspace, charlie: User) -> None:
    address = f"{LIST}{team.pk}/change/"
    (owner,) = team.memberships.all()
    form = {
        "name": "The team",
        "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(owner.pk),
        "memberships-0-workspace": str(team.pk),
        "memberships-0-user": str(owner.user_id),
        "memberships-0-role": Role.OWNER,
        "memberships-1-workspace": str(team.pk),
        "memberships-1-user": str(charlie.pk),
        "memberships-1-role": Role.VIEWER,
    }
    assert submit(admin_client, address, **form).status_code == 302
    assert Membership.objects.get(workspace=team, user=charlie).role == Role.VIEWER


def test_workspace_is_not_deleted(admin_client: Client, team: Workspace) -> None:
    assert submit(admin_client, f"{LIST}{team.pk}/delete/", post="yes").status_code == 403
