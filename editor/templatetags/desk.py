"""What the templates of the desk say about cases and decisions."""

from collections.abc import Mapping
from typing import Any

from django import template

from editor.desk.queue import Scope
from editor.models import Action, Cause, Decision, ModerationCase
from editor.views.desk import query_of as scope_query

register = template.Library()

HARD = {Action.REMOVE, Action.RESTRICT, Action.SUSPEND, Action.WARN}
WHY = {
    Cause.REPORT: "Somebody reported it.",
    Cause.RULE: "A rule fits what was asked for.",
    Cause.FLAGGED: "The flux server kept a result back.",
    Cause.OFTEN: "Too much was blocked in a day.",
    Cause.CLASSIFIER: "The classifier thinks that it needs a look.",
    Cause.FINGERPRINT: "It is like a picture that was removed.",
    Cause.TRUST: "Others see it when somebody has looked at it.",
    Cause.DESCENDANT: "It was made from a picture that was removed.",
    Cause.APPEAL: "The person disagrees with a decision.",
}


@register.filter
def case_words(case: ModerationCase) -> str:
    """What a case is about, from its row and those fetched with it."""
    if case.image is not None:
        return case.image.name or "A picture"
    if case.job is not None:
        return f"“{case.job.prompt}”"
    return case.person.get_short_name()


@register.filter
def case_why(case: ModerationCase) -> str:
    return WHY.get(Cause(case.cause), "")


@register.filter
def tone(decision: Decision) -> str:
    if HARD & set(decision.actions):
        return "bad"
    return "ask" if Action.SENSITIVE in decision.actions else "good"


@register.filter
def was_changed(decision: Decision) -> bool:
    """One query, unless the next one was fetched with it."""
    return hasattr(decision, "replaced_by")


@register.filter
def key_of(keys: Mapping[str, str], action: str) -> str:
    return keys[action]


@register.simple_tag
def query_of(scope: Scope | str, **changed: Any) -> str:
    """The query that names a part of the queue, with changes; "?" for all of it, so that a link has an address."""
    here = scope if isinstance(scope, Scope) else Scope()
    here = Scope(changed.pop("cause", here.cause), changed.pop("person", here.person) or None)
    return scope_query(here, **changed) or "?"
