"""What a workspace may spend in a month, and the ledger of what it did: entries are added, never changed.

Each movement is written by `hold_all` and `settle`, in the transaction that makes or ends the edit, so that neither
exists without the other.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from editor.models.chosen import chosen
from editor.models.workspaces import Workspace

if TYPE_CHECKING:
    from editor.models.jobs import GenerationJob


class Allowance(models.TextChoices):
    HELD = "held"  # set aside while the job runs
    TAKEN = "taken"  # spent
    RELEASED = "released"  # given back


def month_of(moment: datetime) -> date:
    """The first day of the month, in UTC, to which an edit of this moment belongs."""
    return moment.astimezone(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def price() -> Decimal:
    """What a picture costs now, in the currency of the bill."""
    return Decimal(str(chosen.FLUX_PRICE))


class AllowanceEntry(models.Model):
    """One movement: pictures and money are held when an edit is made, and taken or released when it ends.

    Each job has one *held* entry and, once it is final, exactly one other of the same amounts.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="allowance_entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey("editor.GenerationJob", on_delete=models.PROTECT, related_name="allowance_entries")
    kind = models.CharField(max_length=10, choices=Allowance.choices)
    month = models.DateField()  # the first day of the month in which the edit was made
    pictures = models.PositiveSmallIntegerField()
    money = models.DecimalField(max_digits=12, decimal_places=4)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "allowance entries"
        indexes = [
            models.Index(fields=["workspace", "month"], name="allowance_by_month"),
            models.Index(fields=["created_at"], name="allowance_taken_at", condition=Q(kind="taken")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job"], condition=Q(kind="held"), name="allowance_held_once"),
            models.UniqueConstraint(fields=["job"], condition=~Q(kind="held"), name="allowance_settled_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pictures} for {self.job_id}"

    @property
    def account(self) -> tuple[UUID, int, date]:
        """Whose sums it moves: workspace, user, month."""
        return self.workspace_id, self.user_id, self.month

    def copy_as(self, kind: Allowance) -> "AllowanceEntry":
        """The same amounts on the same account; not saved."""
        return AllowanceEntry(
            workspace_id=self.workspace_id,
            user_id=self.user_id,
            job_id=self.job_id,
            kind=kind,
            month=self.month,
            pictures=self.pictures,
            money=self.money,
        )


class UsageQuerySet(models.QuerySet["Usage"]):
    def move(self, entry: AllowanceEntry) -> None:
        """Add a movement to the sums of its person and month."""
        changes = {
            Allowance.HELD: {"held": 1},
            Allowance.TAKEN: {"held": -1, "taken": 1},
            Allowance.RELEASED: {"held": -1},
        }[Allowance(entry.kind)]
        values = {
            f"{what}_{where}": F(f"{what}_{where}") + sign * getattr(entry, what)
            for where, sign in changes.items()
            for what in ("pictures", "money")
        }
        account = dict(zip(("workspace_id", "user_id", "month"), entry.account, strict=True))
        if not self.filter(**account).update(**values):
            # Two at once: one of them writes the row, the other waits for it.
            self.bulk_create([Usage(**account)], ignore_conflicts=True)
            self.filter(**account).update(**values)


class Usage(models.Model):
    """The ledger added up per workspace, person and month, so that nothing is summed while somebody waits.

    *held* is what is set aside right now, *taken* what was spent.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="usage")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    pictures_held = models.PositiveIntegerField(default=0)
    pictures_taken = models.PositiveIntegerField(default=0)
    money_held = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    money_taken = models.DecimalField(max_digits=14, decimal_places=4, default=0)

    objects = UsageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "month"], name="usage_once_per_month")]

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.month:%Y-%m}"


def hold_all(jobs: list["GenerationJob"]) -> None:
    """Set aside what new jobs may cost: their pictures, each at today's price. They are of one person and workspace,
    made at the same time: a line each, added to the sums at once.
    """
    each = price()
    with transaction.atomic():
        entries = AllowanceEntry.objects.bulk_create(_entry(job, each * job.samples) for job in jobs)
        Usage.objects.move(_together(entries))


def settle(jobs: list["GenerationJob"], kind: Allowance) -> None:
    """What was held for jobs that end now is taken or released: a line each, added to the sums of a month at once."""
    with transaction.atomic(savepoint=False):
        held = {entry.job_id: entry for entry in AllowanceEntry.objects.filter(job__in=jobs, kind=Allowance.HELD)}
        entries = [(held.get(job.pk) or hold_late(job)).copy_as(kind) for job in jobs]
        AllowanceEntry.objects.bulk_create(entries)
        for account in sorted({entry.account for entry in entries}):  # in one order, so that no two wait for each other
            Usage.objects.move(_together([entry for entry in entries if entry.account == account]))


def hold_late(job: "GenerationJob") -> AllowanceEntry:
    """For a job that is older than the ledger: at the price of its request, if it had one."""
    attempt = job.attempts.order_by("-number").first()
    return _hold(job, attempt.price if attempt is not None else price() * job.samples)


def _hold(job: "GenerationJob", money: Decimal) -> AllowanceEntry:
    with transaction.atomic():
        entry = _entry(job, money)
        entry.save(force_insert=True)
        Usage.objects.move(entry)
    return entry


def _together(entries: list[AllowanceEntry]) -> AllowanceEntry:
    """What they move on their account, as one that is never saved."""
    total = entries[0].copy_as(Allowance(entries[0].kind))
    total.pictures = sum(entry.pictures for entry in entries)
    total.money = sum((entry.money for entry in entries), Decimal(0))
    return total


def _entry(job: "GenerationJob", money: Decimal) -> AllowanceEntry:
    return AllowanceEntry(
        workspace_id=job.workspace_id,
        user_id=job.made_by_id,
        job_id=job.pk,
        kind=Allowance.HELD,
        month=month_of(job.created_at),
        pictures=job.samples,
        money=money,
    )
