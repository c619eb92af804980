"""The ledger of allowances adds up whatever becomes of edits, and says so where it does not."""

import io
import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from editor.jobs import control, ledger
from editor.jobs.creation import EditSpec, create_job
from editor.models import (
    FINAL,
    Allowance,
    AllowanceEntry,
    AttemptState,
    GenerationJob,
    JobState,
    Membership,
    Usage,
    User,
    Workspace,
)
from editor.models.allowances import month_after, month_of
from tests.makers import make_attempt, make_image, make_job, make_user

pytestmark = pytest.mark.django_db

LEASE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _price(settings: Settings) -> None:
    settings.FLUX_PRICE = 0.0125


def new(user: User, samples: int = 1, workspace: Workspace | None = None) -> GenerationJob:
    image = make_image(user, workspace=workspace or Workspace.objects.personal_of(user))
    return create_job(user, [image], EditSpec("blue", samples=samples), uuid4().hex)


def usage(job: GenerationJob) -> Usage:
    return Usage.objects.get(workspace=job.workspace_id, user=job.made_by_id)


def test_held_then_taken(alice: User) -> None:
    job = new(alice, samples=3)
    assert (usage(job).pictures_held, usage(job).money_held) == (3, Decimal("0.0375"))
    finish(job)
    found = usage(job)
    assert (found.pictures_held, found.pictures_taken) == (0, 3)
    assert (found.money_held, found.money_taken) == (Decimal(0), Decimal("0.0375"))
    assert [entry.kind for entry in job.allowance_entries.order_by("pk")] == ["held", "taken"]
    assert ledger.problems() == []


def test_price_is_that_of_the_day_it_was_made(alice: User, settings: Settings) -> None:
    job = new(alice)
    settings.FLUX_PRICE = 9
    finish(job)
    assert usage(job).money_taken == Decimal("0.0125")


def test_month_is_that_in_which_it_was_made(alice: User) -> None:
    job = make_job(alice, created_at=timezone.now() - timedelta(days=40))
    job.fail("vendor")
    assert usage(job).month == month_of(timezone.now() - timedelta(days=40))


def test_year_follows_december() -> None:
    assert month_after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_after(date(2026, 1, 1)) == date(2026, 2, 1)


def test_sent_again_is_held_once(alice: User) -> None:
    job = new(alice)
    job.start_submitting(LEASE, width=320, height=256)
    make_attempt(job, state=AttemptState.UNKNOWN)
    job.become_unconfirmed(timezone.now() + LEASE)
    assert control.send_again(job)
    assert usage(job).pictures_held == 1
    assert job.allowance_entries.count() == 1
    finish(job)
    assert usage(job).pictures_taken == 1


@pytest.mark.django_db(transaction=True)
def test_end_without_its_entry_does_not_happen(alice: User) -> None:
    job = new(alice)
    # As if it had been settled by somebody else: the second entry is refused, and the end with it.
    AllowanceEntry.objects.get(job=job).copy_as(Allowance.TAKEN).save()
    with pytest.raises(Exception, match=r"allowance_settled_once|UNIQUE"):
        job.fail("vendor")
    assert GenerationJob.objects.get().state == JobState.QUEUED


def test_whoever_comes_second_settles_nothing(alice: User) -> None:
    job = new(alice)
    stale = GenerationJob.objects.get(pk=job.pk)
    assert job.cancel(Allowance.RELEASED)
    assert not stale.fail("vendor")
    assert AllowanceEntry.objects.filter(job=job).count() == 2


def finish(job: GenerationJob) -> None:
    job.start_submitting(LEASE, width=320, height=256)
    job.start_collecting(timezone.now() + LEASE)
    assert job.succeed()


STEPS: dict[str, Callable[[GenerationJob], object]] = {
    "start": lambda job: job.start_submitting(LEASE, width=320, height=256),
    "back": lambda job: job.queue_again(timezone.now()),
    "lose": lambda job: job.become_unconfirmed(timezone.now() + LEASE),
    "process": lambda job: job.become_processing(timezone.now(), timezone.now() + LEASE),
    "collect": lambda job: job.start_collecting(timezone.now() + LEASE),
    "again": control.send_again,
    "let go": control.let_go,
    "cancel": control.cancel,
    "succeed": lambda job: job.succeed(),
    "block": lambda job: job.become_blocked(),
    "fail": lambda job: job.fail("vendor"),
}


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_add_up(seed: int, alice: User, settings: Settings) -> None:
    draw = random.Random(seed)
    team = Workspace.objects.found(alice, "Team")
    bob = make_user()
    Membership.objects.create(workspace=team, user=bob, role="editor")
    jobs: list[GenerationJob] = []
    for _ in range(120):
        if not jobs or draw.random() < 0.2:
            settings.FLUX_PRICE = draw.choice([0, 0.01, 0.0333])
            jobs.append(new(draw.choice([alice, bob]), draw.randint(1, 4), team))
        job = GenerationJob.objects.get(pk=draw.choice(jobs).pk)
        STEPS[draw.choice(sorted(STEPS))](job)
    assert ledger.problems() == []
    rows = GenerationJob.objects.all()
    assert {job.state for job in rows} & FINAL
    taken = sum(job.samples for job in rows if job.allowance == Allowance.TAKEN)
    held = sum(job.samples for job in rows if job.allowance == Allowance.HELD)
    sums = Usage.objects.all()
    assert (sum(row.pictures_taken for row in sums), sum(row.pictures_held for row in sums)) == (taken, held)


# Planted errors


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda job: AllowanceEntry.objects.filter(job=job).delete(), "no held entry"),
        (lambda job: AllowanceEntry.objects.filter(job=job, kind="taken").delete(), "nothing was taken or released"),
        (lambda job: AllowanceEntry.objects.filter(job=job, kind="taken").update(kind="released"), "something else"),
        (lambda job: AllowanceEntry.objects.filter(job=job, kind="taken").update(money=1), "other amounts"),
        (lambda job: AllowanceEntry.objects.filter(job=job).update(pictures=4), "than it needs"),
        (lambda job: AllowanceEntry.objects.filter(job=job).update(month="2001-01-01"), "than it needs"),
        (lambda job: Usage.objects.update(pictures_taken=7), "the sums say"),
        (lambda job: Usage.objects.all().delete(), "the sums say"),
        (
            lambda job: GenerationJob.objects.update(state="queued", allowance="held", finished_at=None),
            "was settled already",
        ),
    ],
)
def test_planted_error_is_found(alice: User, plant: Callable[[GenerationJob], object], said: str) -> None:
    job = new(alice)
    finish(job)
    assert ledger.problems() == []
    plant(job)
    assert any(said in problem for problem in ledger.problems())
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("ledger", stdout=out)
    assert said in out.getvalue()


def test_edits_from_before_the_ledger_are_entered(alice: User) -> None:
    waiting = make_job(alice)
    done = make_job(alice, state="canceled", allowance="taken", finished_at=timezone.now(), samples=2)
    make_attempt(done, price=Decimal("0.3"), state=AttemptState.ENDED)
    assert len(ledger.problems()) == 3
    out = io.StringIO()
    call_command("ledger", "--repair", stdout=out)
    assert "The ledger adds up." in out.getvalue()
    found = Usage.objects.get()
    assert (found.pictures_held, found.pictures_taken, found.money_taken) == (1, 2, Decimal("0.3"))
    assert ledger.repair() == 0
    waiting.cancel(Allowance.RELEASED)
    assert ledger.problems() == []


def test_repair_sets_sums_right_and_leaves_entries_alone(alice: User) -> None:
    finish(new(alice))
    entries = list(AllowanceEntry.objects.values())
    Usage.objects.update(pictures_held=5, money_taken=3)
    assert ledger.repair() == 1
    assert ledger.problems() == []
    assert list(AllowanceEntry.objects.values()) == entries


def test_many_of_a_kind_are_not_all_named(alice: User) -> None:
    image = make_image(alice)
    for _ in range(ledger.NAMED + 3):
        make_job(alice, image)
    assert len(ledger.problems()) == ledger.NAMED + 1
