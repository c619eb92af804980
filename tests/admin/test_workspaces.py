from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from editor.jobs.allowances import rest_of
from editor.models import AllowanceEntry, Membership, Role, User, Workspace
from tests.makers import make_job
from tests.people import submit

LIST = "/admin/editor/workspace/"
LEDGER = "/admin/editor/allowanceentry/"


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


def test_limits_are_set_here(admin_client: Client, alice: User, team: Workspace) -> None:
    (owner,) = team.memberships.all()
    form = {
        "name": "Team",
        "pictures_per_month": "500",
        "money_per_month": "12.50",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(owner.pk),
        "memberships-0-workspace": str(team.pk),
        "memberships-0-user": str(owner.user_id),
        "memberships-0-role": Role.OWNER,
        "memberships-0-pictures_per_month": "20",
    }
    assert submit(admin_client, f"{LIST}{team.pk}/change/", **form).status_code == 302
    team.refresh_from_db()
    assert (team.pictures_per_month, team.money_per_month) == (500, Decimal("12.50"))
    assert rest_of(alice, team.pk).pictures == 20


def test_list_says_what_is_archived_and_trashed(admin_client: Client, alice: User, team: Workspace) -> None:
    team.archive()
    assert "archived" in admin_client.get(LIST, {"q": "Team"}).content.decode()
    team.trash()
    page = admin_client.get(LIST, {"trashed_at__isempty": "0"}).content.decode()
    assert "in the trash" in page
    assert str(team.pk) in page
    assert str(Workspace.objects.personal_of(alice).pk) not in page


def test_ledger_is_looked_at_and_never_changed(
    admin_client: Client, alice: User, team: Workspace, django_assert_max_num_queries: Any
) -> None:
    make_job(alice).fail("vendor")
    held, released = AllowanceEntry.objects.order_by("pk")
    with django_assert_max_num_queries(3) as taken:  # session, person, page
        page = admin_client.get(LEDGER).content.decode()
    assert not any("COUNT(" in query["sql"].upper() for query in taken.captured_queries)
    assert page.index(f"/allowanceentry/{released.pk}/") < page.index(f"/allowanceentry/{held.pk}/")
    assert admin_client.get(f"{LEDGER}{held.pk}/change/").status_code == 200
    assert submit(admin_client, f"{LEDGER}{held.pk}/change/", pictures="9").status_code == 403
    assert submit(admin_client, f"{LEDGER}{held.pk}/delete/", post="yes").status_code == 403
    assert admin_client.get(f"{LEDGER}add/").status_code == 403


@pytest.mark.parametrize("term", ["alice@example.com", "job", "workspace"])
def test_movements_are_found_by_person_edit_and_workspace(
    term: str, admin_client: Client, alice: User, charlie: User
) -> None:
    job, other = make_job(alice), make_job(charlie)
    for each in (job, other):
        each.fail("vendor")
    words = {"job": str(job.pk), "workspace": str(job.workspace_id)}.get(term, term)
    page = admin_client.get(LEDGER, {"q": words}).content.decode()
    assert str(job.pk) in page
    assert str(other.pk) not in page
