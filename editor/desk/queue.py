"""Whose case is next. A case is claimed before it is shown, so that two people never decide the same one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from editor.models import CaseState, Cause, ModerationCase, User

if TYPE_CHECKING:
    from editor.models.moderation import CaseQuerySet

CLAIM = timedelta(minutes=10)
"""How long a case is kept for whoever looks at it; each look renews it."""

MODERATORS_MOST = 500
ABOUT_YOU = "This one is about you; a colleague decides."


class Scope(NamedTuple):
    """Part of the queue: one cause, one person, or both; empty for all of it."""

    cause: str = ""
    person: int | None = None

    @property
    def conditions(self) -> Q:
        found = Q()
        if self.cause:
            found &= Q(cause=self.cause)
        if self.person is not None:
            found &= Q(person=self.person)
        return found


def _ways() -> tuple[Q, ...]:
    right = Permission.objects.filter(codename="moderate", content_type__app_label="editor").values("pk")
    return Q(is_superuser=True), Q(groups__permissions__in=right), Q(user_permissions__in=right)


def moderators() -> list[User]:
    """All who may decide, by name. Each way to the right by itself: one question for all would read everybody."""
    found = {user.pk: user for way in _ways() for user in User.objects.filter(way, is_active=True)[:MODERATORS_MOST]}
    return sorted(found.values(), key=lambda user: (user.get_full_name().casefold(), user.pk))


def others_than(moderator: User) -> bool:
    """Whether somebody else may decide, too."""
    others = User.objects.filter(is_active=True).exclude(pk=moderator.pk)
    return any(others.filter(way).exists() for way in _ways())


def unclaimed_by_others(moderator: User, now: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=now) | Q(claimed_by=moderator)


def free_for(moderator: User, now: datetime | None = None, *, others: bool | None = None) -> "CaseQuerySet":
    """What this moderator may take, the most urgent first.

    Not what a colleague has claimed, nothing about themselves, and no appeal against their own decision, as long as
    there is somebody else to whom it may go (`others`: whether there is, where that is known).
    """
    rows = ModerationCase.objects.waiting().filter(unclaimed_by_others(moderator, now or timezone.now()))
    if others_than(moderator) if others is None else others:
        own = Q(cause=Cause.APPEAL, appeal_of__moderator=moderator)
        rows = rows.exclude(person=moderator).exclude(own)
    return rows


def is_closed_to(moderator: User, case: ModerationCase) -> bool:
    """Whether it is about themselves: then they see neither who reported them nor what was removed.

    Not if nobody else is there to decide.
    """
    return case.person_id == moderator.pk and others_than(moderator)


def why_not(moderator: User, case: ModerationCase) -> str:
    """Why this moderator should not decide about a case, open or decided, in a sentence; empty if they may."""
    about_me = case.person_id == moderator.pk
    against_me = case.appeal_of is not None and case.appeal_of.moderator_id == moderator.pk
    if not (about_me or against_me) or not others_than(moderator):
        return ""
    if about_me:
        return ABOUT_YOU
    return "This appeal is against a decision of yours. A colleague decides about it."


def next_case(moderator: User, scope: Scope | None = None, skipped: Iterable[UUID] = ()) -> ModerationCase | None:
    """Claim and give the next case: one that this moderator has claimed before, else the most urgent free one.

    What they skipped comes when nothing else is left. None if nothing is left at all.
    """
    rows = free_for(moderator).filter((scope or Scope()).conditions)
    skipped = list(skipped)
    with transaction.atomic():
        found = _mine_or_free(moderator, rows.exclude(pk__in=skipped) if skipped else rows)
        if found is None and skipped:
            found = _mine_or_free(moderator, rows)
        return found if found is not None and claim(moderator, found.pk) else None


def _mine_or_free(moderator: User, rows: "CaseQuerySet") -> ModerationCase | None:
    mine = rows.filter(claimed_by=moderator, claimed_until__gt=timezone.now()).first()
    if mine is not None:
        return mine
    if connection.features.has_select_for_update_skip_locked:  # two who ask at once get different ones
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows.first()


def claim(moderator: User, case_id: UUID, *, others: bool | None = None) -> bool:
    """Take a case, or keep it for longer. False if a colleague has it, or it is decided, or not for this person."""
    now = timezone.now()
    rows = free_for(moderator, now, others=others).order_by().filter(pk=case_id)
    # Said twice: the conditions outside are looked at anew when a colleague was quicker and this waited for the row.
    return bool(
        ModerationCase.objects.filter(pk__in=rows.values("pk"), state=CaseState.OPEN)
        .filter(unclaimed_by_others(moderator, now))
        .update(claimed_by=moderator, claimed_until=now + CLAIM)
    )


def let_go(moderator: User, case_id: UUID) -> None:
    """Back into the queue, for colleagues too."""
    rows = ModerationCase.objects.filter(pk=case_id, claimed_by=moderator, state=CaseState.OPEN)
    rows.update(claimed_by=None, claimed_until=None)
