"""What follows from a decision: for the picture, for the edit, for the person."""

from typing import Any, cast

from django.db.models import Q
from django.utils import timezone

from editor import rings
from editor.desk import appeals, suspension
from editor.desk.suspension import NotAllowed, standing_of
from editor.images import veils
from editor.images.quarantine import descendants_of
from editor.jobs import control, holding
from editor.library.perceptual import phash_of
from editor.models import (
    Action,
    CaseState,
    Cause,
    Decision,
    Fingerprint,
    GenerationJob,
    HeldFor,
    Image,
    JobState,
    ModerationCase,
    Trust,
    User,
)
from editor.moderation import fingerprints
from editor.moderation.cases import open_case
from editor.moderation.first_looks import Reason, of_likeness, of_sources
from editor.review import rounds

__all__ = ["NotAllowed", "apply", "put_back", "remove"]

KEEP_BACK = {Cause.FINGERPRINT, Cause.TRUST, Cause.DESCENDANT}  # their pictures wait for a look
ABOUT_PEOPLE = {Action.WARN, Action.RESTRICT, Action.SUSPEND}


def apply(decision: Decision, replaces: Decision | None = None) -> dict[str, Any]:
    """Do what was decided, and undo what an earlier decision did and this one does not. Called in its transaction.

    Returns how things were before, as far as taking it back needs to know. Raises NotAllowed.
    """
    was = replaces.before if replaces is not None else {}
    if decision.cause == Cause.APPEAL and decision.case.appeal_of is not None:
        return {"closed": _answer(decision)}
    before = {name: value for name, value in was.items() if name != "closed"}
    if decision.image is not None:
        before |= _picture(decision, decision.image, was)
    if decision.case.job is not None and decision.image is None:
        before["held"] = decision.case.job.held_for if decision.case.job.state == JobState.HELD else ""
        before["closed"] = _edit(decision, decision.case.job)
    return before | _person(decision, decision.person, was)


def _answer(decision: Decision) -> list[str]:
    """What was decided about the appeal changes the decision that it is against, or leaves it as it is.

    Returns the ids of cases that have no cause any more.
    """
    changed = appeals.answer(decision)
    if changed is None:
        return []
    changed.before = apply(changed, changed.replaces)
    changed.save(force_insert=True)
    return list(changed.before.get("closed", []))


def _picture(decision: Decision, image: Image, was: dict[str, Any]) -> dict[str, Any]:
    image = _locked(image)
    before: dict[str, Any] = {
        "sensitive": was.get("sensitive", image.sensitive),
        "inherited": was.get("inherited", image.sensitive_inherited),
        "trashed": was.get("trashed", _trashed(image)),
        "withheld": image.withheld_at is not None,
    }
    if Action.REMOVE in decision.actions:
        remove(image)
        return before
    if image.removed_at is not None and _stands_removed(decision, image):
        return before
    if image.removed_at is not None:
        before["closed"] = put_back(image, trashed=bool(before["trashed"]))
    Image.objects.filter(pk=image.pk).update(withheld_at=None)
    was_marked = before["sensitive"] and not before["inherited"]
    if Action.SENSITIVE in decision.actions or (was_marked and Action.FINE not in decision.actions):
        veils.mark(image)
    else:
        veils.unmark(image, inherits=Action.FINE not in decision.actions)
    return before


def _locked(image: Image) -> Image:
    """With those that have its bytes, in one order: what is decided about two of them veils both."""
    same = Q(pk=image.pk) | (Q(master_sha256=image.master_sha256) & ~Q(master_sha256=""))
    rows = Image.objects.select_for_update(no_key=True, of=("self",)).filter(same).order_by("pk")
    return next(row for row in rows if row.pk == image.pk)


def _stands_removed(decision: Decision, image: Image) -> bool:
    """Whether another decision removed it, which a colleague who looks at it for another cause does not take back."""
    if decision.replaces is None or Action.REMOVE not in decision.replaces.actions:
        return True
    others = Decision.objects.filter(image=image, replaced_by=None).exclude(cause=Cause.APPEAL)
    others = others.exclude(pk=decision.replaces.pk)
    return any(Action.REMOVE in actions for actions in others.values_list("actions", flat=True))


def _trashed(image: Image) -> bool:
    return image.trashed_at is not None and image.removed_at is None


def remove(image: Image) -> None:
    """It vanishes at once from everything that shows pictures; a worker moves its bytes apart."""
    now = timezone.now()
    Image.objects.filter(pk=image.pk, removed_at=None).update(removed_at=now, trashed_at=image.trashed_at or now)
    image.refresh_from_db()
    fingerprints.remember(image)
    rounds.unlock_removed(image)
    for version in descendants_of(image):
        open_case(Cause.DESCENDANT, version.made_by, image=version, key=str(image.pk), details={"of": str(image.pk)})
    rings.ring_image(image.pk)


def put_back(image: Image, *, trashed: bool) -> list[str]:
    """A changed mind: it is there again, unless it lay in its owner's trash before. Raises NotAllowed if it is gone.

    Returns the ids of the cases that were open only because it was removed, and are closed now.
    """
    if image.purged_at is not None:
        raise NotAllowed("Its bytes were purged when the time in quarantine was over. It can't be put back.")
    Image.objects.filter(pk=image.pk).update(
        removed_at=None,
        trashed_at=timezone.now() if trashed else None,
        withheld_at=None,
        # Perhaps a part of its bytes was moved by now: so the clock knows that all are to be moved back.
        quarantined_at=image.quarantined_at or timezone.now(),
    )
    image.refresh_from_db()
    known = [str(pk) for pk in Fingerprint.objects.filter(image=image).values_list("pk", flat=True)]
    fingerprints.forget(image)
    rings.ring_image(image.pk)
    return _close_without_cause(Q(cause=Cause.FINGERPRINT, key__in=known) | Q(cause=Cause.DESCENDANT, key=image.pk))


def _close_without_cause(where: Q) -> list[str]:
    """Nobody has to decide about these any more, unless another removed picture is a cause, too.

    Their pictures are seen by others again, unless another case keeps them back.
    """
    rows = ModerationCase.objects.filter(where, state=CaseState.OPEN, image__isnull=False)
    closed = []
    for case in rows.select_for_update(no_key=True, of=("self",)).select_related("image__root", "image__job"):
        image = cast(Image, case.image)
        if other := _other_cause(Cause(case.cause), image):
            ModerationCase.objects.filter(pk=case.pk).update(key=other.key, details=other.details)
            continue
        ModerationCase.objects.filter(pk=case.pk).update(
            state=CaseState.DECIDED, decided_at=timezone.now(), claimed_by=None, claimed_until=None
        )
        kept = ModerationCase.objects.filter(image=image, cause__in=KEEP_BACK, state=CaseState.OPEN)
        if image.withheld_at is not None and not kept.exists():
            Image.objects.filter(pk=image.pk).update(withheld_at=None)
            rings.ring_image(image.pk)
        closed.append(str(case.pk))
    return closed


def _other_cause(cause: Cause, image: Image) -> Reason | None:
    if cause == Cause.FINGERPRINT:
        facts = {"raw_sha256": image.raw_sha256, "master_sha256": image.master_sha256}
        found = of_likeness(**facts, looks=phash_of(image))
    else:
        near = [*(image.job.source_images if image.job else []), *([image.root] if image.root else [])]
        found = of_sources([each for each in near if each.removed_at is not None])
    return found[0] if found else None


def _edit(decision: Decision, job: GenerationJob) -> list[str]:
    """A held one goes on or is refused; of one that is done, the results are removed or marked.

    Returns the ids of cases that have no cause any more.
    """
    closed: list[str] = []
    if job.state == JobState.HELD and job.held_for == HeldFor.RULE:
        refused = {Action.REMOVE, Action.SUSPEND} & set(decision.actions)
        (holding.refuse_job if refused else holding.release_job)(job)
        return closed
    if Action.REMOVE in decision.actions and not job.is_final:
        _stop(job)
    marked = decision.replaces is not None and Action.SENSITIVE in decision.replaces.actions
    taken_off = marked or Action.FINE in decision.actions
    for image in job.results.select_for_update(no_key=True):
        if Action.REMOVE in decision.actions:
            remove(image)
            continue
        if image.removed_at is not None:
            if _stands_removed(decision, image):
                continue
            closed += put_back(image, trashed=False)
        Image.objects.filter(pk=image.pk).update(withheld_at=None)
        if Action.SENSITIVE in decision.actions:
            veils.mark(image)
        elif taken_off:
            veils.unmark(image, inherits=Action.FINE not in decision.actions)
    return closed


def _stop(job: GenerationJob) -> None:
    """One that waits is refused and costs nothing; of one that the flux server has, the result is thrown away."""
    job.refresh_from_db()
    if not (job.state == JobState.QUEUED and job.fail(holding.REFUSED)):
        control.cancel(job)


def _person(decision: Decision, person: User, was: dict[str, Any]) -> dict[str, Any]:
    chosen = set(decision.actions)
    person = User.objects.get(pk=person.pk)  # locked by whoever decides
    if chosen & ABOUT_PEOPLE and (person.is_staff or person.is_superuser) and not decision.moderator.is_superuser:
        raise NotAllowed(f"{person.get_full_name()} is staff. A superuser has to decide that.")
    if Action.SUSPEND in chosen and person.pk == decision.moderator_id:
        raise NotAllowed("You can't suspend yourself.")
    gone = set(decision.replaces.actions) - chosen if decision.replaces is not None else set()
    asked = standing_of(person) if gone & {Action.SUSPEND, Action.RESTRICT} else []
    others = [set(each.actions) for each in asked if each.pk != decision.replaces_id]
    if Action.SUSPEND in chosen:
        suspension.shut_out(person)
    elif Action.SUSPEND in gone and not any(Action.SUSPEND in actions for actions in others):
        suspension.let_in(person)
    if decision.cause == Cause.OFTEN and Action.FINE in chosen:
        User.objects.filter(pk=person.pk).update(edits_paused_until=None)
    before = {"trust": was.get("trust", person.trust)}
    if Action.RESTRICT in chosen:
        _trust(person, Trust.RESTRICTED)
    elif Action.RESTRICT in gone and not any(Action.RESTRICT in actions for actions in others):
        _trust(person, _trust_before_all(person))
    return before


def _trust(person: User, trust: str) -> None:
    User.objects.filter(pk=person.pk).update(trust=trust)


def _trust_before_all(person: User) -> str:
    """What a person was trusted before the first of the restrictions that are over now."""
    earlier = Decision.objects.filter(person=person).order_by("-created_at").values_list("actions", "before")
    known = (before.get("trust") for actions, before in earlier if Action.RESTRICT in actions)
    return next((trust for trust in known if trust and trust != Trust.RESTRICTED), Trust.NORMAL)
