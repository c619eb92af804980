"""What people are told about a decision, in plain words: what was done, why, and what follows."""

from typing import NamedTuple

from editor.models import Action, Cause, Decision, JobState, User

PUNISHES = {Action.SUSPEND, Action.REMOVE, Action.RESTRICT, Action.WARN, Action.SENSITIVE}


class Told(NamedTuple):
    headline: str
    words: str  # paragraphs with an empty line between them


def to_its_owner(decision: Decision) -> Told | None:
    """None if nothing happened that the person would notice."""
    if decision.cause == Cause.APPEAL:
        return _answer(decision)
    said = [_SENTENCES[action](decision) for action in _ORDER if action in decision.actions]
    taken_back = _taken_back(decision)
    if not said and not taken_back and not _was_waiting(decision):
        return None
    if not said:
        said = [_fine(decision)]
    headline = ("A decision was changed: " + _lower(said[0].headline)) if decision.replaces_id else said[0].headline
    parts = [*taken_back, *(each.words for each in said)]
    if decision.reason:
        parts.append(f"The reason: {decision.reason}")
    return Told(headline[:200], "\n\n".join(dict.fromkeys(parts)))


def to_reporters(decision: Decision) -> str:
    """The outcome in one sentence, without a name."""
    if Action.REMOVE in decision.actions:
        return "It broke the rules and was removed."
    if Action.SENSITIVE in decision.actions:
        return "It stays, and is blurred from now on until somebody asks to see it."
    if {Action.SUSPEND, Action.RESTRICT} & set(decision.actions):
        return "It stays, and we have taken steps."
    if Action.WARN in decision.actions:
        return "It stays, but we have spoken to whoever put it there."
    return "It does not break the rules, so it stays."


def what(decision: Decision) -> str:
    """What it is about, as its owner knows it."""
    if decision.image is not None:
        return f"your picture “{decision.image.name}”" if decision.image.name else "a picture of yours"
    if decision.case.job is not None:
        return f"your edit “{_short(decision.case.job.prompt)}”"
    return "your account"


def _suspended(decision: Decision) -> Told:
    words = (
        "Your account is suspended: you can't sign in. Edits that were waiting are held, not lost and not charged; "
        "your pictures are kept."
    )
    return Told("Your account is suspended", words)


def _removed(decision: Decision) -> Told:
    job = decision.case.job
    if decision.image is None and job is not None:
        if job.state == JobState.FAILED:
            return Told(
                "An edit of yours was refused", f"We looked at {what(decision)} and did not send it. It costs nothing."
            )
        words = f"The pictures that came of {what(decision)} were removed. Nobody can see or download them any more."
        return Told("Pictures of yours were removed", words)
    if decision.image is None:
        return Told("This is against the rules", "What you asked for is against the rules here.")
    words = f"We removed {what(decision)}. Nobody can see, download or edit it any more, and it is not in the trash."
    return Told("A picture of yours was removed", words)


def _restricted(decision: Decision) -> Told:
    words = (
        "From now on your pictures are looked at before others may see them. You still see them yourself. "
        "It stays so until a moderator looks at it again and ends it; an appeal asks for that."
    )
    return Told("Your account is restricted", words)


def _warned(decision: Decision) -> Told:
    words = (
        f"This is a warning about {what(decision)}. If it happens again, your account may be restricted or suspended."
    )
    return Told("A warning", words)


def _marked(decision: Decision) -> Told:
    words = (
        f"We marked {what(decision)} as sensitive: it is blurred until somebody asks to see it. Nothing else changes."
    )
    return Told("A picture of yours was marked sensitive", words)


def _fine(decision: Decision) -> Told:
    if decision.image is None and decision.case.job is not None:
        if _is_suspended(decision):
            words = f"We looked at {what(decision)}. It is fine. It stays held as long as your account is suspended."
        else:
            words = f"We looked at {what(decision)}. It is fine, and goes on as usual."
        return Told("Your edit is fine", words)
    if decision.image is not None:
        words = f"We looked at {what(decision)}. It is fine: those who share its workspace can see it."
        return Told("Your picture is fine", words)
    return Told("All is fine", "We looked at your account. All is fine.")


_ORDER = [Action.SUSPEND, Action.REMOVE, Action.RESTRICT, Action.WARN, Action.SENSITIVE]
_SENTENCES = {
    Action.SUSPEND: _suspended,
    Action.REMOVE: _removed,
    Action.RESTRICT: _restricted,
    Action.WARN: _warned,
    Action.SENSITIVE: _marked,
}


def _taken_back(decision: Decision) -> list[str]:
    """What an earlier decision did and this one does not."""
    if decision.replaces is None:
        return []
    gone = set(decision.replaces.actions) - set(decision.actions)
    sentences = {
        Action.SUSPEND: _let_in(decision),
        Action.REMOVE: _back(decision),
        Action.RESTRICT: "Your account is no longer restricted.",
        Action.WARN: "The warning is taken back.",
        Action.SENSITIVE: f"{_upper(what(decision))} is no longer marked as sensitive.",
    }
    return [sentences[action] for action in _ORDER if action in gone]


def _let_in(decision: Decision) -> str:
    if _is_suspended(decision):
        return "This suspension is over. Your account stays suspended for another reason, which you were told."
    return "Your account is no longer suspended: you can sign in again, and what was held goes on."


def _is_suspended(decision: Decision) -> bool:
    """As it is now: the decision has followed already, but not in the rows that it came with."""
    return User.objects.filter(pk=decision.person_id, suspended_at__isnull=False).exists()


def _back(decision: Decision) -> str:
    job = decision.case.job
    if decision.image is None and job is None:
        return "What you asked for is not against the rules."
    if decision.image is None and job is not None:
        if job.state == JobState.FAILED:
            return f"We were wrong to refuse {what(decision)}. Run it again whenever you like."
        return f"The pictures that came of {what(decision)} are there again."
    where = " in the trash, where it was" if decision.before.get("trashed") else ""
    return f"{_upper(what(decision))} is there again{where}."


def _was_waiting(decision: Decision) -> bool:
    """Whether something had been kept back until somebody looked."""
    return bool(decision.before.get("withheld") or decision.before.get("held"))


def _answer(decision: Decision) -> Told:
    appealed = decision.case.appeal_of
    if Action.FINE in decision.actions:
        back = (
            _taken_back(Decision(case=appealed.case, image=appealed.image, replaces=appealed, actions=["fine"]))
            if appealed
            else []
        )
        parts = ["Somebody looked at your appeal, and you are right. The decision is taken back.", *back]
        headline = "Your appeal was accepted"
    else:
        parts = [f"Somebody looked at your appeal about {what(decision)}. The decision stands."]
        headline = "Your appeal was not accepted"
    if decision.reason:
        parts.append(f"The reason: {decision.reason}")
    return Told(headline, "\n\n".join(parts))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
