"""What follows when a rule fits a prompt: a case for the desk, and words for the person."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from editor.models import CaseState, Cause, GenerationJob, ModerationCase, RuleAction, User
from editor.moderation.cases import open_case
from editor.moderation.rules import Verdict

NOTED_URGENCY = 20  # nobody waits for it
MOST_PROMPTS = 20  # of one person in one case
LONGEST = 4000  # characters of a prompt in a case
_SHORT = 40


def open_case_of_edit(job: GenerationJob, verdict: Verdict) -> None:
    """Somebody has to look at this edit: at once if it is held, one day if it goes on."""
    noted = verdict.action == RuleAction.NOTE
    urgency = NOTED_URGENCY if noted else None
    told = {"action": verdict.action, "rules": _rules(verdict)}
    open_case(Cause.RULE, job.made_by, job=job, key=verdict.rule.name, urgency=urgency, details=told)


def open_case_of_blocked(person: User, prompt: str, negative_prompt: str, verdict: Verdict) -> None:
    """A prompt from which no edit was made is added to the person's open case; there is one at most.

    Its details: `prompts`, the first of them, and `times`, how many there were in all.
    """
    told = {
        "prompt": prompt[:LONGEST],
        "negative_prompt": negative_prompt[:LONGEST],
        "rules": _rules(verdict),
        "at": timezone.now().isoformat(timespec="seconds"),
    }
    with transaction.atomic():
        case = None
        while case is None:  # a moment ago it may have been decided
            opened = open_case(Cause.RULE, person, key=verdict.rule.name)
            rows = ModerationCase.objects.select_for_update(no_key=True).filter(pk=opened.pk, state=CaseState.OPEN)
            case = rows.first()
        details: dict[str, Any] = {"action": RuleAction.BLOCK, "prompts": [], "times": 0, **case.details}
        details["times"] += 1
        words = [(one["prompt"], one["negative_prompt"]) for one in details["prompts"]]
        if (told["prompt"], told["negative_prompt"]) not in words and len(words) < MOST_PROMPTS:
            details["prompts"].append(told)
        ModerationCase.objects.filter(pk=case.pk).update(details=details)


def _rules(verdict: Verdict) -> list[dict[str, Any]]:
    return [{"name": fit.rule.name, "action": fit.rule.action, "words": list(fit.words)} for fit in verdict.fits]


def words_of_blocked(verdict: Verdict) -> str:
    """What the person reads: the words of the rule, else what to do."""
    if verdict.rule.explanation.strip():
        return verdict.rule.explanation.strip()
    words = verdict.fits[0].words[0].strip()
    what = f"“{words}” is" if words and len(words) <= _SHORT else "Some of these words are"
    return f"{what} not accepted here, so the edit was not made, and nothing was charged. Say it in another way."
