"""What may still be made: the tightest of four limits, and nobody spends the same rest twice."""

import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.jobs import control, ledger
from editor.jobs.allowances import rest_of
from editor.jobs.creation import EditSpec, NotAllowed, create_job
from editor.models import Allowance, GenerationJob, Image, Membership, Usage, User, Workspace
from editor.models.allowances import month_after, month_of
from tests.makers import make_image, make_user


@pytest.fixture
def team(alice: User) -> Workspace:
    return Workspace.objects.found(alice, "Team")


@pytest.fixture
def image(alice: User, team: Workspace) -> Image:
    return make_image(alice, workspace=team)


def joined(team: Workspace, **fields: object) -> User:
    user = make_user()
    Membership.objects.create(workspace=team, user=user, role="editor", **fields)
    return user


def edit(user: User, image: Image, samples: int = 1) -> GenerationJob:
    return create_job(user, [image], EditSpec("blue", samples=samples), uuid4().hex)


def limit(team: Workspace, **fields: object) -> None:
    Workspace.objects.filter(pk=team.pk).update(**fields)


@pytest.mark.django_db
class TestLimits:
    def test_day_alone_is_the_limit_where_no_other_is_set(self, alice: User, team: Workspace) -> None:
        rest = rest_of(alice, team.pk)
        assert (rest.pictures, rest.words) == (200, "of 200 pictures left today")

    def test_all_members_share_the_workspaces(self, alice: User, team: Workspace, image: Image) -> None:
        limit(team, pictures_per_month=5)
        edit(alice, image, 3)
        bob = joined(team)
        assert rest_of(bob, team.pk).pictures == 2
        day = month_after(month_of(timezone.now()))
        words = f"Team may have 5 pictures made a month, and 2 are left until {day.day} {day:%B}"
        with pytest.raises(NotAllowed, match=f"{words}.*an administrator of the portal"):
            edit(bob, image, 3)
        assert GenerationJob.objects.count() == 1
        edit(bob, image, 2)
        with pytest.raises(NotAllowed, match="none are left"):
            edit(alice, image)

    def test_member_has_a_share_of_their_own(self, alice: User, team: Workspace, image: Image) -> None:
        limit(team, pictures_per_month=50)
        bob = joined(team, pictures_per_month=2)
        edit(alice, image, 4)
        edit(bob, image)
        assert rest_of(bob, team.pk).words == "of your 2 pictures left this month"
        with pytest.raises(
            NotAllowed, match=r"2 pictures made a month in Team, and one is left.*admin of the workspace"
        ):
            edit(bob, image, 2)
        assert rest_of(alice, team.pk).pictures == 45

    def test_money_is_told_in_pictures(self, alice: User, team: Workspace, image: Image, settings: Settings) -> None:
        settings.FLUX_PRICE = 0.3
        limit(team, money_per_month=Decimal("1.00"))
        assert rest_of(alice, team.pk).pictures == 3
        edit(alice, image, 2)
        words = r"Team may spend 1\.00 a month, and 0\.40 is left, enough for one picture"
        with pytest.raises(NotAllowed, match=words):
            edit(alice, image, 2)

    def test_without_a_price_money_limits_nothing(self, alice: User, team: Workspace) -> None:
        limit(team, money_per_month=Decimal(1))
        assert rest_of(alice, team.pk).pictures == 200

    def test_tightest_is_said(self, alice: User, team: Workspace, settings: Settings) -> None:
        settings.EDITS_PER_DAY = 4
        limit(team, pictures_per_month=9)
        assert rest_of(alice, team.pk).words == "of 4 pictures left today"
        limit(team, pictures_per_month=3)
        assert "this month" in rest_of(alice, team.pk).words

    def test_released_may_be_used_again(self, alice: User, team: Workspace, image: Image) -> None:
        limit(team, pictures_per_month=1)
        edit(alice, image).cancel(Allowance.RELEASED)
        assert edit(alice, image).pk

    def test_last_month_is_over(self, alice: User, team: Workspace) -> None:
        limit(team, pictures_per_month=3)
        month = month_of(timezone.now())
        before = month.replace(year=month.year - 1)
        Usage.objects.create(workspace=team, user=alice, month=before, pictures_taken=3)
        assert rest_of(alice, team.pk).pictures == 3

    def test_other_workspaces_do_not_count(self, alice: User, team: Workspace) -> None:
        limit(team, pictures_per_month=3)
        edit(alice, make_image(alice), 2)
        assert rest_of(alice, team.pk).pictures == 3

    def test_all_is_one_query(
        self, alice: User, team: Workspace, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        limit(team, pictures_per_month=3, money_per_month=1)
        with django_assert_num_queries(1):
            rest_of(alice, team.pk)

    @pytest.mark.parametrize("close", [Workspace.archive, Workspace.trash])
    def test_nothing_begins_where_the_door_just_closed(
        self, close: Callable[[Workspace], bool], alice: User, team: Workspace, image: Image
    ) -> None:
        assert close(team)
        with pytest.raises(NotAllowed, match="Nothing changes in Team any more"):
            edit(alice, image)


@pytest.mark.django_db(transaction=True)
def test_members_in_many_windows_spend_a_rest_once(alice: User, team: Workspace, image: Image) -> None:
    """On PostgreSQL rows are locked, on SQLite the whole file; either way nobody waits for somebody who waits."""
    limit(team, pictures_per_month=7)
    people = [alice, *(joined(team) for _ in range(3))]
    refused: list[NotAllowed] = []

    def window(user: User) -> None:
        for _ in range(4):
            try:
                edit(user, image)
            except NotAllowed as refusal:
                refused.append(refusal)

    assert together([partial(window, user) for user in people * 2]) == []
    assert GenerationJob.objects.count() == 7
    assert len(refused) == 8 * 4 - 7
    assert sum(row.pictures_held for row in Usage.objects.all()) == 7
    assert ledger.problems() == []


@pytest.mark.django_db(transaction=True)
def test_edits_begin_and_end_at_once_without_waiting_for_each_other(alice: User, team: Workspace, image: Image) -> None:
    limit(team, pictures_per_month=1000)
    bob = joined(team)

    def begin_and_end(user: User) -> None:
        for _ in range(6):
            assert control.cancel(edit(user, image))

    assert together([partial(begin_and_end, user) for user in [alice, bob] * 3]) == []
    assert {(row.pictures_held, row.pictures_taken) for row in Usage.objects.all()} == {(0, 0)}
    assert ledger.problems() == []


def together(works: Sequence[Callable[[], object]]) -> list[BaseException]:
    """All at the same moment, each on a connection of its own; what went wrong."""
    wrong: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            start.wait(10)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET deadlock_timeout = '100ms'")
            work()
        except BaseException as error:
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return wrong
