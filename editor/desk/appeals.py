"""Appeals: once against each decision, by the person whom it is about, at the same desk."""

from django.core import signing
from django.utils import timezone

from editor.models import Action, Cause, Decision, ModerationCase, User
from editor.moderation.cases import open_case

LONGEST = 2000  # characters
LINK_DAYS = 90
_SALT = "retake.appeal"


class NotPossible(Exception):  # noqa: N818  a sentence for the person
    """There can be no appeal; the text says why."""


def why_not(decision: Decision) -> str:
    """Why there can be no appeal against it (any more), in a sentence; empty if there can be one."""
    if decision.cause == Cause.APPEAL:
        return "This was the answer to an appeal. There is no second one."
    if set(decision.actions) <= {Action.FINE}:
        return "There is nothing to appeal against."
    if Decision.objects.filter(replaces=decision).exists():
        return "This decision was changed since. Look at the latest notice."
    if ModerationCase.objects.filter(appeal_of=decision).exists():
        return "You have appealed already."
    return ""


def appeal(person: User, decision: Decision, words: str) -> ModerationCase:
    """Open a case about a decision: somebody looks anew, another moderator if there is one. Raises NotPossible."""
    words = words.strip()
    if not words:
        raise NotPossible("Say why you think that it is wrong.")
    if len(words) > LONGEST:
        raise NotPossible(f"At most {LONGEST:,} characters. Make it shorter.")
    if decision.person_id != person.pk or person.anonymised_at is not None:
        raise NotPossible("This decision is not about you.")
    if reason := why_not(decision):
        raise NotPossible(reason)
    case = decision.case
    details = {"words": words}
    return open_case(
        Cause.APPEAL, person, image=decision.image, job=case.job, key=case.key, appeal_of=decision, details=details
    )


def answer(decision: Decision) -> Decision | None:
    """What follows from a decision about an appeal: the decision that has to be made now, not applied and not saved.

    *Fine*: the earlier one is taken back. Anything else: it stands, and is made again if an earlier answer has taken
    it back. None if nothing changes.
    """
    appealed = decision.case.appeal_of
    if appealed is None:
        return None
    latest = _latest(appealed)
    if Action.FINE in decision.actions:
        actions = [Action.FINE.value]
        if latest.before.get("sensitive"):
            actions.append(Action.SENSITIVE.value)
        if set(latest.actions) <= {Action.FINE, Action.SENSITIVE} and latest.pk != appealed.pk:
            return None  # taken back already
    elif decision.replaces is not None and Action.FINE in decision.replaces.actions:
        actions = list(appealed.actions)
    else:
        return None
    return Decision(
        case=latest.case,
        moderator=decision.moderator,
        replaces=latest,
        cause=latest.cause,
        key=latest.key,
        person=latest.person,
        image=latest.image,
        actions=sorted(actions),
        reason=decision.reason,
        note=f"The answer to an appeal of {timezone.now():%-d %B %Y}.",
    )


def _latest(decision: Decision) -> Decision:
    """The end of the chain of those that replace it."""
    while (
        later := Decision.objects.select_related("case__job", "image").filter(replaces=decision).first()
    ) is not None:
        decision = later
    return decision


def token_for(decision: Decision) -> str:
    """Opens the appeal without an account: for those who can't sign in any more."""
    return signing.dumps(str(decision.pk), salt=_SALT)


def decision_of(token: str) -> Decision | None:
    """None for a link that nobody sent, or that is too old."""
    try:
        pk = signing.loads(token, salt=_SALT, max_age=LINK_DAYS * 86_400)
    except signing.BadSignature:
        return None
    rows = Decision.objects.select_related("case__job", "image", "person").filter(person__anonymised_at=None)
    return rows.filter(pk=pk).first()
