"""Deciding: one case or many at once, and deciding otherwise later.

A decision, what follows from it, what the person is told and the line in the audit log are one transaction.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor.desk import consequences, notices, queue
from editor.models import Action, CaseState, Cause, Decision, HeldFor, JobState, ModerationCase, User
from editor.moderation import audit

AT_ONCE = 200
"""How many cases may be decided by one click."""

CONTRADICTIONS = [{Action.FINE, Action.REMOVE}, {Action.SENSITIVE, Action.REMOVE}, {Action.RESTRICT, Action.SUSPEND}]
NEED_REASON = {Action.REMOVE, Action.WARN, Action.RESTRICT, Action.SUSPEND}


HELD_LABELS = {Action.FINE: "Release", Action.REMOVE: "Refuse"}
WITHOUT_PICTURE = [Action.FINE, Action.WARN, Action.RESTRICT, Action.SUSPEND]


class NotDecided(Exception):  # noqa: N818  a sentence for the moderator
    """Nothing was decided; the text says why and what to do."""


class NotOffered(NotDecided):
    """What was chosen can't be done to what the case is about."""


def offered(case: ModerationCase) -> list[Action]:
    """What may be decided about a case: about a person alone, or before there are pictures, nothing that marks them."""
    if case.cause == Cause.APPEAL or case.image_id is not None:
        return list(Action)
    if case.job is None:
        return list(WITHOUT_PICTURE)
    if case.job.state == JobState.SUCCEEDED:
        return list(Action)
    return [action for action in Action if action != Action.SENSITIVE]


def label_of(action: Action, case: ModerationCase) -> str:
    """What an action is called where somebody chooses it: a held edit is let go on, or refused."""
    return HELD_LABELS.get(action, str(action.label)) if _is_held(case) else str(action.label)


def _is_held(case: ModerationCase) -> bool:
    job = case.job
    held = job is not None and (job.state, job.held_for) == (JobState.HELD, HeldFor.RULE)
    return held and case.image_id is None and case.cause != Cause.APPEAL


class Outcome(NamedTuple):
    """`unfit`: how many still wait, because what was chosen can't be done to what they are about."""

    made: list[Decision]
    unfit: int


def decide(
    moderator: User, case_ids: Iterable[UUID], actions: Iterable[str], *, reason: str = "", note: str = ""
) -> list[Decision]:
    """The decisions of `decide_all`."""
    return decide_all(moderator, case_ids, actions, reason=reason, note=note).made


def decide_all(
    moderator: User, case_ids: Iterable[UUID], actions: Iterable[str], *, reason: str = "", note: str = ""
) -> Outcome:
    """Decide these cases alike, each on its own. `reason` is told to the people, `note` is for colleagues.

    Of many, those that are not free any more, or to which this can't be done, are left out. Raises NotDecided if the
    actions don't go together, or if none is left.
    """
    chosen = _checked(actions, reason)
    ids = list(dict.fromkeys(case_ids))
    if not ids:
        raise NotDecided("Choose something to decide about.")
    if len(ids) > AT_ONCE:
        raise NotDecided(f"At most {AT_ONCE} at once. Choose fewer.")
    made, problem, unfit = [], "", 0
    others = queue.others_than(moderator)
    for pk in ids:
        try:
            decision = _decide_one(moderator, pk, chosen, reason, note, others=others)
        except NotOffered as refused:
            problem, unfit = str(refused), unfit + 1
            continue
        if decision is not None:
            made.append(decision)
    if not made:
        raise NotDecided(
            problem or "Somebody else decides about this already, or has done so. Go on with the next one."
        )
    return Outcome(made, unfit)


def _decide_one(
    moderator: User, case_id: UUID, actions: list[str], reason: str, note: str, *, others: bool
) -> Decision | None:
    with transaction.atomic():
        # The person first, as wherever an edit is made: nobody waits for the other in a circle.
        _lock_person(cases=case_id)
        if not queue.claim(moderator, case_id, others=others):  # the update locks the row
            return None
        case = ModerationCase.objects.select_related("person", "image", "job", "appeal_of").get(pk=case_id)
        _must_be_offered(case, actions)
        decision = _write(moderator, case, actions, reason, note)
        rows = ModerationCase.objects.filter(pk=case.pk, state=CaseState.OPEN)
        rows.update(state=CaseState.DECIDED, decided_at=timezone.now(), claimed_by=None, claimed_until=None)
        _record(moderator, "case.decided", decision)
        return decision


def change(moderator: User, decision_id: UUID, actions: Iterable[str], *, reason: str = "", note: str = "") -> Decision:
    """Decide otherwise about a case that was decided: the earlier decision stays in the record, what it did is undone.

    Raises NotDecided.
    """
    chosen = _checked(actions, reason)
    with transaction.atomic():
        _lock_person(decisions=decision_id)
        earlier = Decision.objects.select_for_update(of=("self",)).select_related(
            "case__person", "case__image", "case__job", "case__appeal_of", "person", "image"
        )
        old = earlier.filter(pk=decision_id).first()
        if old is None or Decision.objects.filter(replaces=old).exists():
            raise NotDecided("This decision was changed already. Look at the latest one.")
        if problem := queue.why_not(moderator, old.case):
            raise NotDecided(problem)
        if old.actions == chosen:
            raise NotDecided("That is what was decided already.")
        _must_be_offered(old.case, chosen)
        decision = _write(moderator, old.case, chosen, reason, note, replaces=old)
        _record(moderator, "case.changed", decision)
        return decision


def _lock_person(**where: UUID) -> None:
    list(User.objects.select_for_update(no_key=True, of=("self",)).filter(**where).values_list("pk"))


def _checked(actions: Iterable[str], reason: str) -> list[str]:
    known = set(Action.values)
    chosen = sorted(set(actions))
    if not chosen or set(chosen) - known:
        raise NotDecided("Choose what to do.")
    for both in CONTRADICTIONS:
        if both <= set(chosen):
            first, second = sorted(str(Action(each).label) for each in both)
            raise NotDecided(f"“{first}” and “{second}” don't go together. Choose one of them.")
    if NEED_REASON & set(chosen) and not reason.strip():
        raise NotDecided("Give a reason: the person will read it.")
    return chosen


def _must_be_offered(case: ModerationCase, actions: list[str]) -> None:
    if set(actions) <= set(offered(case)):
        return
    if case.job is None:
        raise NotOffered(
            "This is about a person: there is no picture to remove or to mark. Choose fine, warn, restrict or suspend."
        )
    if _is_held(case):
        raise NotOffered("This edit waits, and has no pictures that could be marked. Release it, or refuse it.")
    raise NotOffered("No pictures came of this edit so far: there is nothing to mark.")


def _write(
    moderator: User,
    case: ModerationCase,
    actions: list[str],
    reason: str,
    note: str,
    replaces: Decision | None = None,
) -> Decision:
    decision = Decision(
        case=case,
        moderator=moderator,
        replaces=replaces,
        cause=case.cause,
        key=case.key,
        person=case.person,
        image=case.image,
        actions=actions,
        reason=reason.strip()[:200],
        note=note.strip()[:2000],
    )
    try:
        decision.before = consequences.apply(decision, replaces)
    except consequences.NotAllowed as problem:
        raise NotDecided(str(problem)) from problem
    decision.save(force_insert=True)
    notices.tell(decision)
    return decision


def _record(moderator: User, action: str, decision: Decision) -> None:
    audit.record(
        moderator,
        action,
        decision.image or decision.case.job or decision.person,
        f"{decision.case}: {decision}"[:300],
        decision=str(decision.pk),
        case=str(decision.case_id),
        person=decision.person_id,
        actions=decision.actions,
        reason=decision.reason,
    )
    for case in ModerationCase.objects.filter(pk__in=decision.before.get("closed", [])):
        words = f"{case}: what it came from is there again"
        audit.record(moderator, "case.closed", case, words[:300], decision=str(decision.pk), person=case.person_id)
