"""Suspending a person: signed out everywhere, nothing of theirs is sent any more, and nothing is lost."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from editor import events
from editor.desk import notices
from editor.jobs import holding
from editor.models import Action, CaseState, Cause, Decision, ModerationCase, User
from editor.moderation import audit
from editor.moderation.cases import URGENCY


class NotAllowed(Exception):  # noqa: N818  a sentence for the moderator
    """It can't be done to this one; the text says why."""


def shut_out(user: User) -> None:
    """End all sessions at their next request and hold what waits; what is with the vendor is collected as ever.

    Called in a transaction that has locked the person's row. Raises NotAllowed for the last administrator.
    """
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise NotAllowed(f"{user.get_full_name()} is the last administrator. Make somebody else one first.")
    if user.anonymised_at is not None:
        raise NotAllowed("This account was deleted by its owner. There is nobody to suspend.")
    rows = User.objects.filter(pk=user.pk, suspended_at=None)
    rows.update(suspended_at=timezone.now(), is_active=False, session_epoch=F("session_epoch") + 1)
    holding.hold_jobs_of(user)
    events.end_streams(user.pk)


def let_in(user: User) -> None:
    """They may sign in again, and what was held for them waits for its turn. Called in a transaction, as `shut_out`."""
    rows = User.objects.filter(pk=user.pk, suspended_at__isnull=False, anonymised_at=None)
    if rows.update(suspended_at=None, is_active=True):
        holding.release_jobs_of(user)


@transaction.atomic
def suspend(actor: User, user: User, reason: str) -> None:
    """From the administration: a case that is opened and decided in one go, so that it is told and can be appealed.

    Raises NotAllowed.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.suspended_at is not None:
        raise NotAllowed(f"{user.get_full_name()} is suspended already.")
    if user.pk == actor.pk:
        raise NotAllowed("You can't suspend yourself.")
    if not reason.strip():
        raise NotAllowed("Give a reason: the person will read it.")
    case = ModerationCase.objects.create(
        cause=Cause.STAFF,
        urgency=URGENCY[Cause.STAFF],
        person=user,
        state=CaseState.DECIDED,
        decided_at=timezone.now(),
    )
    decision = Decision(case=case, moderator=actor, cause=case.cause, person=user)
    decision.actions, decision.reason = [Action.SUSPEND.value], reason.strip()[:200]
    decision.before = {"trust": user.trust}
    shut_out(user)
    decision.save(force_insert=True)
    notices.tell(decision)
    audit.record(actor, "person.suspended", user, decision.reason, decision=str(decision.pk))


@transaction.atomic
def lift(actor: User, user: User) -> None:
    """From the administration: all standing decisions lose their suspension, and the person is told."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    let_in(user)
    for old in standing_suspensions(user):
        rest = [action for action in old.actions if action != Action.SUSPEND]
        decision = Decision(case=old.case, moderator=actor, replaces=old, cause=old.cause, key=old.key, person=user)
        decision.image, decision.actions = old.image, rest or [Action.FINE.value]
        decision.before = old.before
        decision.save(force_insert=True)
        notices.tell(decision)
    audit.record(actor, "person.reinstated", user, user.get_full_name())


def standing_of(user: User) -> list[Decision]:
    """The decisions about a person that nobody has replaced since, the oldest first."""
    rows = Decision.objects.filter(person=user, replaced_by=None).exclude(cause=Cause.APPEAL)
    return list(rows.select_related("case", "image").order_by("created_at"))


def standing_suspensions(user: User) -> list[Decision]:
    return [decision for decision in standing_of(user) if Action.SUSPEND in decision.actions]
