"""What somebody may still have made in a workspace: the tightest of all limits, with the words for it.

Four limits stand side by side: a person's of a day, a member's of a month, a workspace's of a month, and the money
that a workspace may spend in a month. `rest_of` reads all of them by one query.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from editor.models import Allowance, GenerationJob, Membership, Usage, User, Workspace
from editor.models.allowances import month_after, month_of, price
from editor.models.chosen import chosen

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rest:
    """What is left of one limit. `words` follows the number: "of 200 pictures left today"."""

    pictures: int
    words: str
    why: str  # a sentence: which limit, until when, and whom to ask
    refusal: str  # what is said instead of making an edit


def daily_limit(user: User) -> int:
    return chosen.EDITS_PER_DAY if user.edits_per_day is None else user.edits_per_day


def rest_of(user: User, workspace_id: UUID) -> Rest:
    """The tightest limit for this person in this workspace now; of two equal ones the one that lasts longer."""
    now = timezone.now()
    me = _with_sums(user, workspace_id, now).first()
    if me is None:  # no member any more: nothing is left that a page could offer
        return _of_day(user, GenerationJob.objects.pictures_spent(user, now - DAY))
    rests = [*_of_month(me.workspace, me, month_after(month_of(now))), _of_day(user, me.today or 0)]  # type: ignore[attr-defined]
    return min(rests, key=lambda rest: rest.pictures)


def _with_sums(user: User, workspace_id: UUID, now: datetime) -> "QuerySet[Membership]":
    """The membership, with its workspace and all that counts: `today`, `mine`, `everybodys`, `money`."""
    spent = GenerationJob.objects.filter(made_by=OuterRef("user"), created_at__gte=now - DAY)
    today = spent.exclude(allowance=Allowance.RELEASED).order_by().values("made_by")
    month = Usage.objects.filter(workspace=OuterRef("workspace"), month=month_of(now)).order_by().values("workspace")
    pictures = Sum(F("pictures_held") + F("pictures_taken"))
    return (
        Membership.objects.filter(user=user, workspace=workspace_id)
        .select_related("workspace")
        .annotate(
            today=Subquery(today.annotate(total=Sum("samples")).values("total")),
            mine=Subquery(month.filter(user=OuterRef("user")).annotate(total=pictures).values("total")),
            everybodys=Subquery(month.annotate(total=pictures).values("total")),
            money=Subquery(month.annotate(total=Sum(F("money_held") + F("money_taken"))).values("total")),
        )
    )


def _of_day(user: User, spent: int) -> Rest:
    most = daily_limit(user)
    left = max(0, most - spent)
    return Rest(
        left,
        f"of {_pictures(most)} left today",
        f"You may have {_pictures(most)} made in 24 hours. An administrator of the portal can give you more.",
        f"You may have {_pictures(most)} made in 24 hours, and {_are(left)} left. "
        "Try again later, or ask an administrator for more.",
    )


def _of_month(workspace: Workspace, me: Membership, until: date) -> list[Rest]:
    """Those limits of the month that are set."""
    day = f"{until.day} {until:%B}"
    name = workspace.name
    sums = me.__dict__
    found = []
    if me.pictures_per_month is not None:
        most = me.pictures_per_month
        left = max(0, most - (sums["mine"] or 0))
        limit, ask = f"You may have {_pictures(most)} made a month in {name}", "an admin of the workspace"
        found.append(_monthly(left, f"of your {_pictures(most)} left this month", limit, _are(left), day, ask))
    ask = "an administrator of the portal"
    most_of_all, money_of_all = workspace.pictures_allowed, workspace.money_allowed
    if most_of_all is not None:
        most = most_of_all
        left = max(0, most - (sums["everybodys"] or 0))
        limit = f"{name} may have {_pictures(most)} made a month"
        found.append(_monthly(left, f"of {_pictures(most)} left this month", limit, _are(left), day, ask))
    if money_of_all is not None and (each := price()):
        money = max(Decimal(0), money_of_all - (sums["money"] or 0))
        left = int(money // each)
        limit = f"{name} may spend {money_of_all:.2f} a month"
        have = f"{money:.2f} is left, enough for {'one picture' if left == 1 else f'{left} pictures'}"
        found.append(_monthly(left, "pictures left for this month’s money", limit, have, day, ask))
    return found


def _monthly(left: int, words: str, limit: str, have: str, day: str, ask: str) -> Rest:
    have = have if "left" in have else f"{have} left"
    return Rest(
        left,
        words,
        f"{limit}; it starts anew on {day}. {ask[0].upper()}{ask[1:]} can give more.",
        f"{limit}, and {have} until {day}. Wait until then, or ask {ask} for more.",
    )


def _pictures(number: int) -> str:
    return "1 picture" if number == 1 else f"{number} pictures"


def _are(left: int) -> str:
    return "none are" if left == 0 else "one is" if left == 1 else f"{left} are"
