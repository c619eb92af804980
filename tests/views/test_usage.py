"""Use and cost: who sees what, the plot, the table, CSV; and what is left, said before the click."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.jobs.creation import EditSpec, create_job
from editor.models import Allowance, GenerationJob, JobState, Membership, Role, Usage, User, Workspace
from editor.models.allowances import month_of
from editor.views.usage_report import MONTHS, Report
from tests.makers import make_image
from tests.people import make_person, submit

pytestmark = pytest.mark.django_db


def use(user: User, workspace: Workspace, pictures: int, *, taken: bool = True) -> GenerationJob:
    """An edit as if it had run, with its lines in the ledger."""
    image = make_image(user, workspace=workspace)
    job = create_job(user, [image], EditSpec("blue", samples=pictures), f"token-{image.pk}")
    if taken:
        job.start_submitting(timezone.now() - timezone.now(), width=320, height=256)
        job.start_collecting(timezone.now())
        job.succeed()
    return job


def shown(client: Client, workspace: Workspace) -> str:
    return client.get(reverse("usage", args=[workspace.pk])).content.decode()


def lines(client: Client, workspace: Workspace) -> list[list[str]]:
    text = client.get(reverse("usage_csv", args=[workspace.pk])).content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_members_see_their_own_and_admins_everybodys(
    alice: User, bob: User, alice_client: Client, bob_client: Client, team: Workspace
) -> None:
    use(alice, team, 3)
    use(bob, team, 2)
    assert [row[1:4:2] for row in lines(alice_client, team)[1:]] == [["Alice", "3"], ["Bob", "2"]]
    assert [row[1:4:2] for row in lines(bob_client, team)[1:]] == [["Bob", "2"]]
    assert "Alice</th>" in shown(alice_client, team)
    page = shown(bob_client, team)
    assert "Bob</th>" in page
    assert "Alice" not in page
    assert "Limits of the members" not in page


def test_plot_and_table_hold_the_same_numbers(alice: User, alice_client: Client, team: Workspace) -> None:
    use(alice, team, 4)
    page = shown(alice_client, team)
    assert f"<title>Alice, {timezone.now():%B %Y}: 4</title>" in page
    assert "<td><strong>4</strong></td>" in page
    assert "style=" not in page.split("<main")[1]


def test_columns_stand_on_each_other_and_below_the_top(alice: User, bob: User, team: Workspace) -> None:
    use(alice, team, 4)
    use(bob, team, 3)
    report = Report.of(team.pk, None, timezone.now())
    lower, upper = report.pieces
    assert report.top == 8
    assert lower.words.startswith("Alice")
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.2)
    assert min(piece.y for piece in report.pieces) >= report.lines[-1].y


def test_twelve_months_end_with_this_one_also_across_a_year(team: Workspace) -> None:
    months = Report.of(team.pk, None, datetime(2026, 2, 14, tzinfo=UTC)).months
    assert len(months) == MONTHS
    assert (f"{months[0]:%Y-%m-%d}", f"{months[-1]:%Y-%m-%d}") == ("2025-03-01", "2026-02-01")


def test_many_members_share_the_last_colour(alice: User, team: Workspace) -> None:
    for number in range(9):
        person = make_person(f"person{number}")
        row = {"workspace": team, "user": person, "month": month_of(timezone.now())}
        Usage.objects.create(**row, pictures_taken=number + 1)
    report = Report.of(team.pk, None, timezone.now())
    assert [row.series for row in report.rows] == [1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert sum(int(piece.words.rsplit(" ", 1)[1]) for piece in report.pieces) == 45
    assert report.legend[-1] == (7, "Everybody else")


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_no_name_is_a_formula(name: str, alice: User, alice_client: Client, team: Workspace) -> None:
    use(alice, team, 1)
    User.objects.filter(pk=alice.pk).update(name=name)
    assert lines(alice_client, team)[1][1] == f"'{name}"


def test_cost_is_shown_where_pictures_cost(
    alice: User, alice_client: Client, team: Workspace, settings: Settings
) -> None:
    assert "Cost" not in shown(alice_client, team).split("<main")[1].split("plot-title")[0].replace("Use and cost", "")
    settings.FLUX_PRICE = 0.25
    use(alice, team, 3)
    assert "0.75" in shown(alice_client, team)
    assert Decimal(lines(alice_client, team)[1][5]) == Decimal("0.75")


def test_admin_sets_a_members_limit_and_takes_it_away(
    bob: User, alice_client: Client, bob_client: Client, team: Workspace
) -> None:
    other = Membership.objects.get(user=bob, workspace=team)
    address = reverse("member_limit", args=[team.pk, other.pk])
    assert submit(alice_client, address, pictures_per_month="5").status_code == 302
    other.refresh_from_db()
    assert other.pictures_per_month == 5
    assert (
        "<strong>5</strong> <span>of your 5 pictures left this month"
        in bob_client.get(reverse("edits_left") + f"?workspace={team.pk}").content.decode()
    )
    for bad in ("-1", "x", "1.5"):
        submit(alice_client, address, pictures_per_month=bad)
    other.refresh_from_db()
    assert other.pictures_per_month == 5
    submit(alice_client, address, pictures_per_month="")
    other.refresh_from_db()
    assert other.pictures_per_month is None


def test_admin_limits_no_owner(alice: User, bob: User, bob_client: Client, team: Workspace) -> None:
    Membership.objects.filter(user=bob, workspace=team).update(role=Role.ADMIN)
    owner = Membership.objects.get(user=alice, workspace=team)
    address = reverse("member_limit", args=[team.pk, owner.pk])
    assert submit(bob_client, address, pictures_per_month="0").status_code == 404


def test_studio_says_the_tightest_limit_before_the_click(alice: User, alice_client: Client, team: Workspace) -> None:
    image = make_image(alice, workspace=team)
    Workspace.objects.filter(pk=team.pk).update(pictures_per_month=37)
    page = alice_client.get(reverse("studio_image", args=[image.pk])).content.decode()
    assert "<span data-left>37</span> left" in page
    assert "Team may have 37 pictures made a month; it starts anew on 1 " in page


def test_page_needs_few_queries_and_no_count(
    alice: User, alice_client: Client, team: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        person = make_person(f"person{number}")
        Membership.objects.create(workspace=team, user=person, role=Role.EDITOR)
        Usage.objects.create(workspace=team, user=person, month=month_of(timezone.now()), pictures_taken=3)
    with django_assert_max_num_queries(7) as context:  # session, person, membership, sums, limits, members, switcher
        shown(alice_client, team)
    assert not any("COUNT(" in query["sql"].upper() for query in context.captured_queries)


def test_what_is_set_aside_is_no_use_yet(alice: User, alice_client: Client, team: Workspace) -> None:
    job = use(alice, team, 2, taken=False)
    assert "2 more set aside" in shown(alice_client, team)
    job.cancel(Allowance.RELEASED)
    assert job.state == JobState.CANCELED
    assert "set aside" not in shown(alice_client, team)
