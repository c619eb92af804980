"""The figures of the hours against a plain count of the rows."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from editor.jobs import figures
from editor.models import (
    Allowance,
    AllowanceEntry,
    Cause,
    Figure,
    GenerationJob,
    Image,
    JobState,
    Mark,
    Measure,
    User,
)
from editor.models.figures import HOUR, SAMPLED, hour_of
from editor.moderation.cases import open_case
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 10, 40, tzinfo=UTC)
ENDS = [JobState.SUCCEEDED, JobState.BLOCKED, JobState.FAILED, JobState.CANCELED]
STEPS = ("created_at", "submitted_at", "processing_at", "collecting_at", "finished_at")
Counted = dict[tuple[datetime, str, str], Decimal]


@pytest.fixture
def maker() -> User:
    user = make_user()
    User.objects.filter(pk=user.pk).update(date_joined=NOW - 30 * HOUR)
    return user


@pytest.fixture
def image(maker: User) -> Image:
    return make_image(maker, created_at=NOW - 29 * HOUR, ready_at=NOW - 29 * HOUR, byte_size=5_000)


def edit(image: Image, finished_at: datetime, state: str = "succeeded", code: str = "", money: float = 0.5) -> None:
    """One that ended then, after steps of chance, with its line in the ledger."""
    lengths = [timedelta(seconds=random.uniform(0, 40)) for _ in STEPS[1:]]
    times = {name: finished_at - sum(lengths[place:], timedelta()) for place, name in enumerate(STEPS)}
    taken = state == JobState.SUCCEEDED
    job = make_job(
        image.made_by, image, **times, state=state, failure_code=code, due_at=None,
        allowance=Allowance.TAKEN if taken else Allowance.RELEASED,
    )  # fmt: skip
    AllowanceEntry.objects.create(
        job=job, workspace=job.workspace, user=job.made_by, kind=job.allowance, month=NOW.date().replace(day=1),
        pictures=1, money=money, created_at=finished_at,
    )  # fmt: skip


def some(image: Image, since: datetime, hours: float, number: int = 60) -> None:
    """Edits, uploads, people and pictures that went, here and there within these hours."""
    for each in range(number):
        moment = since + timedelta(hours=random.uniform(0, hours))
        state = ENDS[each % 4]
        code = ("timed_out", "vendor")[each % 3 // 2] if state == JobState.FAILED else ""
        edit(image, moment, state, code, each / 10)
        if each % 5 == 0:
            make_image(image.made_by, created_at=moment, ready_at=moment, byte_size=1_000 + each)
            make_image(image.made_by, created_at=moment, ready_at=moment, purged_at=moment, byte_size=77)
        if each % 20 == 0:
            make_user(date_joined=moment)


def plainly() -> Counted:
    """All rows one by one."""
    found: Counted = defaultdict(Decimal)
    lengths: dict[tuple[datetime, str], list[float]] = {}
    for job in GenerationJob.objects.all():
        assert job.finished_at
        hour = hour_of(job.finished_at)
        found[hour, "ended", job.state] += 1
        if job.state == JobState.FAILED:
            found[hour, "failed", job.failure_code] += 1
        if job.state == JobState.SUCCEEDED:
            for step, (begun, over) in figures.STEPS.items():
                took = (getattr(job, over) - getattr(job, begun)).total_seconds()
                lengths.setdefault((hour, step), []).append(took)
    for entry in AllowanceEntry.objects.filter(kind=Allowance.TAKEN):
        found[hour_of(entry.created_at), "money", ""] += entry.money
        found[hour_of(entry.created_at), "pictures", ""] += entry.pictures
    for image in Image.objects.all():
        assert image.ready_at
        assert image.byte_size
        found[hour_of(image.created_at), "uploads", ""] += 1
        found[hour_of(image.ready_at), "stored", "uploaded"] += image.byte_size
        if image.purged_at:
            found[hour_of(image.purged_at), "purged", "uploaded"] += image.byte_size
    for user in User.objects.all():
        found[hour_of(user.date_joined), "people", ""] += 1
    for (hour, step), seconds in lengths.items():
        ordered = sorted(seconds)
        found[hour, "p50", step] = round(Decimal(ordered[(len(ordered) - 1) // 2]), 4)
        found[hour, "p95", step] = round(Decimal(ordered[int(0.95 * (len(ordered) - 1))]), 4)
    return {key: value for key, value in found.items() if value}


def kept() -> Counted:
    rows = Figure.objects.exclude(measure__in=SAMPLED)
    return {(row.hour, row.measure, row.label): row.value for row in rows}


def turn(now: datetime) -> int:
    """A clock's, whoever had the last one."""
    Mark.objects.filter(pk=figures.TURN).delete()
    return figures.keep(now)


def until_whole(now: datetime) -> None:
    for _ in range(100):
        turn(now)
        known = figures.Stretch.known()
        if known is not None and known.whole and known.last == hour_of(now):
            return
    raise AssertionError("It never ends.")


@pytest.fixture(autouse=True)
def little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_HOURS", 7)
    monkeypatch.setattr(figures, "MOST_SECONDS", 60)
    random.seed(8)


def test_hours_say_what_the_rows_say(image: Image) -> None:
    some(image, NOW - 29 * HOUR, 29)
    until_whole(NOW)
    assert kept() == plainly()
    assert len(kept()) > 200


def test_go_is_bounded_and_the_present_comes_first(image: Image) -> None:
    some(image, NOW - 29 * HOUR, 29, 12)
    assert turn(NOW) == 7
    assert set(Figure.objects.values_list("hour", flat=True)) <= {hour_of(NOW) - each * HOUR for each in range(7)}
    known = figures.Stretch.known()
    assert known == figures.Stretch(hour_of(NOW) - 6 * HOUR, hour_of(NOW), whole=False)


def test_what_comes_late_is_counted_and_nothing_twice(image: Image) -> None:
    some(image, NOW - 29 * HOUR, 29)
    until_whole(NOW)
    some(image, NOW - 2 * HOUR, 2)
    GenerationJob.objects.filter(finished_at__gte=NOW - HOUR, state=JobState.CANCELED).update(state=JobState.BLOCKED)
    for minutes in (1, 2, 30):  # the last one is in the next hour
        turn(NOW + timedelta(minutes=minutes))
    assert kept() == plainly()


def test_what_comes_later_than_that_is_counted_on_demand(image: Image) -> None:
    some(image, NOW - 29 * HOUR, 29, 12)
    until_whole(NOW)
    some(image, NOW - 20 * HOUR, 10, 12)
    turn(NOW + HOUR)
    assert kept() != plainly()
    assert len(list(figures.recount(NOW - 21 * HOUR, NOW + HOUR))) == 23
    assert kept() == plainly()


def test_command_counts_anew(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    edit(image, now)
    Figure.objects.create(hour=hour_of(now), measure=Measure.MONEY, value=99)
    call_command("figures", "--since", f"{now:%Y-%m-%d}")
    assert capsys.readouterr().out.startswith("Counted ")
    assert Figure.objects.get(measure=Measure.MONEY).value == Decimal("0.5")


def test_gap_after_a_standstill_is_filled(image: Image) -> None:
    some(image, NOW - 29 * HOUR, 29)
    until_whole(NOW)
    later = NOW + 40 * HOUR
    some(image, NOW, 40)
    assert turn(later) == 7
    until_whole(later)
    assert kept() == plainly()


def test_two_clocks_take_turns(image: Image) -> None:
    assert figures.keep(timezone.now()) > 0
    assert figures.keep(timezone.now()) == 0


def test_clocks_that_count_the_same_hour_count_it_once(image: Image) -> None:
    edit(image, NOW)
    for _ in range(3):
        figures.count(hour_of(NOW))
    assert Figure.objects.get(measure=Measure.ENDED).value == 1


def test_figures_that_became_nothing_go(image: Image) -> None:
    edit(image, NOW, "failed", "timed_out")
    figures.count(hour_of(NOW))
    GenerationJob.objects.update(failure_code="vendor")
    figures.count(hour_of(NOW))
    assert list(Figure.objects.filter(measure=Measure.FAILED).values_list("label", flat=True)) == ["vendor"]


def test_queues_are_remembered_at_their_longest(image: Image, maker: User) -> None:
    waiting = [make_job(maker, image) for _ in range(3)]
    open_case(Cause.REPORT, maker, image=image)
    turn(NOW)
    for job in waiting[1:]:
        job.cancel(Allowance.RELEASED)
    turn(NOW + timedelta(minutes=1))
    turn(NOW + HOUR)
    seen = Figure.objects.filter(measure__in=SAMPLED).order_by("measure", "hour")
    assert [(row.measure, int(row.value)) for row in seen] == [
        ("cases", 1), ("cases", 1), ("waiting", 3), ("waiting", 1),
    ]  # fmt: skip


def test_empty_portal_has_no_figures() -> None:
    until_whole(NOW)
    assert not kept()


def test_hour_is_read_with_as_many_queries_however_many_edits(
    image: Image, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    some(image, NOW, 0.1)
    with django_assert_max_num_queries(8):
        assert len(list(figures.figures_of(hour_of(NOW)))) > 10
