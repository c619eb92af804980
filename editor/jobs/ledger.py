"""Whether the ledger of allowances adds up with the edits and with its own sums, and mending what may be mended.

Entries are never changed: only missing ones are written, for edits that are older than the ledger, and the sums,
which follow from the entries.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateField, Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Cast, TruncMonth

from editor.models import FINAL, Allowance, AllowanceEntry, GenerationJob, Usage
from editor.models.allowances import hold_late, settle

if TYPE_CHECKING:
    from django.db.models import QuerySet

Account = tuple[UUID, int, date]  # workspace, person, month
NAMED = 20  # rows of each kind that are named


@dataclass
class Sums:
    """What the entries of an account come to."""

    pictures_held: int = 0
    pictures_taken: int = 0
    money_held: Decimal = Decimal(0)
    money_taken: Decimal = Decimal(0)

    def add(self, kind: str, pictures: int, money: Decimal) -> None:
        sign = 1 if kind == Allowance.HELD else -1
        self.pictures_held += sign * pictures
        self.money_held += sign * money
        if kind == Allowance.TAKEN:
            self.pictures_taken += pictures
            self.money_taken += money

    def __str__(self) -> str:
        return (
            f"{self.pictures_held} pictures held, {self.pictures_taken} taken; "
            f"money {self.money_held:.4f} held, {self.money_taken:.4f} taken"
        )


NOTHING = Sums()


def problems() -> list[str]:
    """A sentence for whatever does not add up, all read at one moment; at most NAMED of a kind."""
    with _one_moment():
        return [*_of_jobs(), *_of_entries(), *_of_sums()]


@contextmanager
def _one_moment() -> Iterator[None]:
    """Edits go on meanwhile, and half of one movement is none that is wrong."""
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _held() -> "QuerySet[AllowanceEntry]":
    return AllowanceEntry.objects.filter(job=OuterRef("pk"), kind=Allowance.HELD)


def _settled() -> "QuerySet[AllowanceEntry]":
    return AllowanceEntry.objects.filter(job=OuterRef("pk")).exclude(kind=Allowance.HELD)


def _of_jobs() -> Iterator[str]:
    jobs = GenerationJob.objects.order_by("created_at")
    final = Q(state__in=FINAL)
    yield from _named(jobs.filter(~Exists(_held())), "Edit %s has no held entry.")
    yield from _named(jobs.filter(final, ~Exists(_settled())), "Edit %s has ended, and nothing was taken or released.")
    yield from _named(jobs.filter(~final).filter(Exists(_settled())), "Edit %s goes on, and was settled already.")
    other = _settled().exclude(kind=OuterRef("allowance"))
    yield from _named(jobs.filter(final, Exists(other)), "Edit %s is settled as something else than it says.")


def _of_entries() -> Iterator[str]:
    entries = AllowanceEntry.objects.order_by("pk")
    held = entries.filter(kind=Allowance.HELD)
    made = Cast(TruncMonth("job__created_at"), DateField())
    job_says = Q(pictures=F("job__samples"), user=F("job__made_by"), month=F("made"))
    yield from _named(
        held.annotate(made=made).exclude(job_says), "Edit %s holds something else than it needs.", "job_id"
    )
    same = AllowanceEntry.objects.filter(
        kind=Allowance.HELD,
        **{name: OuterRef(name) for name in ("job", "workspace", "user", "month", "pictures", "money")},
    )
    settled = entries.exclude(kind=Allowance.HELD).filter(~Exists(same))
    yield from _named(settled, "Edit %s is settled with other amounts than it held.", "job_id")


def _of_sums() -> Iterator[str]:
    sums = _sums(AllowanceEntry.objects.all())
    found = {(row.workspace_id, row.user_id, row.month): row for row in Usage.objects.all()}
    for account in sorted(sums.keys() | found.keys(), key=str):
        should, row = sums.get(account, NOTHING), found.get(account)
        said = _said(row) if row is not None else NOTHING
        workspace, person, month = account
        where = f"Workspace {workspace}, person {person}, {month:%Y-%m}"
        if said != should:
            yield f"{where}: the sums say {said}, and the entries {should}."
        if any(value < 0 for value in vars(should).values()):
            yield f"{where}: more was given back than held."


def _sums(entries: "QuerySet[AllowanceEntry]") -> dict[Account, Sums]:
    grouped = entries.order_by().values_list("workspace_id", "user_id", "month", "kind")
    sums: dict[Account, Sums] = defaultdict(Sums)
    for workspace, person, month, kind, pictures, money in grouped.annotate(Sum("pictures"), Sum("money")):
        sums[workspace, person, month].add(kind, pictures, money)
    return sums


def _said(row: Usage) -> Sums:
    return Sums(row.pictures_held, row.pictures_taken, row.money_held, row.money_taken)


def _named(rows: "QuerySet[Any]", sentence: str, name: str = "pk") -> Iterator[str]:
    for count, value in enumerate(rows.values_list(name, flat=True).iterator(), start=1):
        if count > NAMED:
            yield f"There are more than {NAMED} of these."
            return
        yield sentence % value


def repair() -> int:
    """Write the entries that are missing and set the sums right; returns how many entries and sums were written."""
    written = 0
    for pk in list(_lacking().values_list("pk", flat=True)):
        written += _write_missing(pk)
    accounts = {(row.workspace_id, row.user_id, row.month) for row in Usage.objects.all()}
    accounts |= set(AllowanceEntry.objects.order_by().values_list("workspace_id", "user_id", "month").distinct())
    return written + sum(_set_right(account) for account in sorted(accounts, key=str))


def _lacking() -> "QuerySet[GenerationJob]":
    unsettled = Q(state__in=FINAL) & ~Exists(_settled())
    return GenerationJob.objects.filter(~Exists(_held()) | unsettled).order_by("created_at")


@transaction.atomic
def _write_missing(pk: UUID) -> int:
    # Locked, so that it does not end meanwhile and write its own.
    job = GenerationJob.objects.select_for_update(no_key=True).get(pk=pk)
    kinds = set(AllowanceEntry.objects.filter(job=job).values_list("kind", flat=True))
    written = 0
    if Allowance.HELD not in kinds:
        hold_late(job)
        written += 1
    if job.is_final and not kinds - {Allowance.HELD}:
        settle([job], Allowance(job.allowance))
        written += 1
    return written


@transaction.atomic
def _set_right(account: Account) -> int:
    workspace, person, month = account
    which: dict[str, Any] = {"workspace_id": workspace, "user_id": person, "month": month}
    Usage.objects.bulk_create([Usage(**which)], ignore_conflicts=True)
    # Whoever writes an entry adds to this row afterwards, so that under its lock no sum is half done.
    row = Usage.objects.select_for_update(no_key=True).get(**which)
    should = _sums(AllowanceEntry.objects.filter(**which)).get(account, NOTHING)
    if _said(row) == should:
        return 0
    Usage.objects.filter(pk=row.pk).update(**vars(should))
    return 1
