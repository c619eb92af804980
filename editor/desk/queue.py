"""Whose case is next. A case is claimed before it is shown, so that two people never decide the same one."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from editor.models import CaseState, Cause, ModerationCase, User

if TYPE_CHECKING:
    from editor.models.moderation import CaseQuerySet

CLAIM = timedelta(minutes=10)
"""How long a case is kept for whoever looks at it; each look and each key renews it."""


def moderators() -> "set[int]":
    """The ids of all who may decide."""
    may = Q(is_superuser=True) | Q(groups__permissions__codename="moderate") | Q(user_permissions__codename="moderate")
    return set(User.objects.filter(may, is_active=True).values_list("pk", flat=True))


def free_for(moderator: User, now: "timezone.datetime | None" = None) -> "CaseQuerySet":
    """What this moderator may take, the most urgent first.

    Not what a colleague has claimed, nothing about themselves, and no appeal against their own decision, as long as
    there is somebody else to whom it may go.
    """
    now = now or timezone.now()
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=now) | Q(claimed_by=moderator)
    rows = ModerationCase.objects.waiting().filter(unclaimed)
    if moderators() - {moderator.pk}:
        own = Q(cause=Cause.APPEAL, appeal_of__moderator=moderator)
        rows = rows.exclude(person=moderator).exclude(own)
    return rows


def next_case(moderator: User, among: "CaseQuerySet | None" = None) -> ModerationCase | None:
    """Claim and give the next case: one that this moderator has claimed before, else the most urgent free one.

    `among` narrows it down to a group. None if nothing is left.
    """
    rows = free_for(moderator)
    if among is not None:
        rows = rows.filter(pk__in=among.values("pk"))
    with transaction.atomic():
        mine = ModerationCase.objects.filter(
            claimed_by=moderator, state=CaseState.OPEN, claimed_until__gt=timezone.now()
        )
        if among is not None:
            mine = mine.filter(pk__in=among.values("pk"))
        found = mine.order_by("-urgency", "opened_at", "id").first()
        if found is None:
            if connection.features.has_select_for_update_skip_locked:  # two who ask at once get different ones
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            found = rows.first()
        return found if found is not None and claim(moderator, found.pk) else None


def claim(moderator: User, case_id: UUID) -> bool:
    """Take a case, or keep it for longer. False if a colleague has it, or it is decided, or not for this person."""
    now = timezone.now()
    rows = free_for(moderator, now).order_by().filter(pk=case_id)
    return bool(
        ModerationCase.objects.filter(pk__in=rows.values("pk"), state=CaseState.OPEN)
        .filter(Q(claimed_until=None) | Q(claimed_until__lte=now) | Q(claimed_by=moderator))
        .update(claimed_by=moderator, claimed_until=now + CLAIM)
    )


def let_go(moderator: User, case_id: UUID) -> None:
    """Back into the queue, for colleagues too."""
    rows = ModerationCase.objects.filter(pk=case_id, claimed_by=moderator, state=CaseState.OPEN)
    rows.update(claimed_by=None, claimed_until=None)
