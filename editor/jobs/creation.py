"""Making an edit: the row that says "queued", or "held" if a rule wants somebody to look at its words first.

What it promises holds from the commit on.
"""

import secrets
from dataclasses import dataclass
from typing import NoReturn

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor import rings
from editor.flux.contract import MAX_SEED
from editor.images.rights import expired, expired_words
from editor.jobs import allowances
from editor.models import GenerationJob, HeldFor, Image, JobSource, JobState, RuleAction, User, Workspace
from editor.models.allowances import hold
from editor.moderation import prompts
from editor.moderation.rules import Verdict, look_at_prompt


class NotAllowed(Exception):  # noqa: N818  a sentence for the person
    """The edit was not made; the text says why and what to do."""


@dataclass(frozen=True)
class EditSpec:
    """What a person asks for. `ratio` is a key of `images.sizes`, `strength` from 0 to 1, `seed` None to draw one."""

    prompt: str
    negative_prompt: str = ""
    ratio: str = "match"
    samples: int = 1
    strength: float = 0.7
    seed: int | None = None


def draw_seed() -> int:
    """Always drawn and sent by us, so that every edit can be run again exactly."""
    return secrets.randbelow(MAX_SEED + 1)


def create_job(
    user: User, sources: list[Image], spec: EditSpec, form_token: str, rerun_of: GenerationJob | None = None
) -> GenerationJob:
    """Make one edit in the workspace of its first source. The same form token again: the job that it made.

    Where a rule on prompts fits, it is not made, or held, or noted. Raises NotAllowed.
    """
    verdict = look_at_prompt(spec.prompt, spec.negative_prompt)
    if verdict.action == RuleAction.BLOCK:
        return _made_before(user, form_token) or _block(user, spec, verdict)
    try:
        with transaction.atomic():
            # One at a time per person and then per workspace, so that two windows can't spend the same rest. Without
            # `no_key` whoever writes a line of the ledger would wait for it, and it for them.
            person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            workspace = Workspace.objects.select_for_update(no_key=True).get(pk=sources[0].workspace_id)
            if made := _made_before(user, form_token):
                return made
            _check_place(sources, workspace)
            _check_rights(sources)
            _check_open(workspace, person.is_active)
            _check_pause(person)
            _check_waiting(person, workspace)
            _check_allowance(user, workspace, spec.samples)
            job = _write(user, sources, spec, form_token, rerun_of, held=verdict.action == RuleAction.HOLD)
            hold(job)
            if verdict.fits:
                prompts.open_case_of_edit(job, verdict)
            if job.state == JobState.QUEUED:
                rings.ring_job(job.pk)
            return job
    except IntegrityError:
        return GenerationJob.objects.get(made_by=user, form_token=form_token)


def _made_before(user: User, form_token: str) -> GenerationJob | None:
    return GenerationJob.objects.filter(made_by=user, form_token=form_token).first()


def _block(user: User, spec: EditSpec, verdict: Verdict) -> NoReturn:
    prompts.open_case_of_blocked(user, spec.prompt, spec.negative_prompt, verdict)
    raise NotAllowed(prompts.words_of_blocked(verdict))


def _check_place(sources: list[Image], workspace: Workspace) -> None:
    """All in one workspace, or its members would see a picture that is not theirs. Locked, so that none moves away."""
    ids = [image.pk for image in sources]
    places = Image.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("workspace")
    if any(place != workspace.pk for (place,) in places):
        raise NotAllowed(
            f"Both pictures must be in {workspace.name}, so that everybody there sees what was made of what. "
            "Copy the other one there first, on its page in the library."
        )


def _check_rights(sources: list[Image]) -> None:
    if (image := expired(sources)) is not None:
        raise NotAllowed(expired_words(image))


def _check_open(workspace: Workspace, active: bool) -> None:
    """It may have been closed, or the account deleted, since the page was asked for."""
    if not (active and workspace.is_open):
        raise NotAllowed(f"Nothing changes in {workspace.name} any more: it was archived or put into the trash.")


def _check_pause(person: User) -> None:
    until = person.edits_paused_until
    if until is not None and until > timezone.now():
        raise NotAllowed(
            "The safety check kept back too many of your edits within a day, so you can't make new ones until "
            f"{until.day} {until:%B}, {until:%H:%M} (UTC). Nothing was charged. Your pictures are all there, and from "
            "then on you can go on."
        )


def _check_waiting(person: User, workspace: Workspace) -> None:
    """Both rows are locked, so nobody else adds to either number now."""
    waiting = GenerationJob.objects.waiting().order_by()
    most = settings.WAITING_PER_USER
    if waiting.filter(made_by=person)[:most].count() >= most:
        raise NotAllowed(
            f"You have {_edits(most)} waiting already, and nobody may have more. Nothing was charged. "
            "Wait until some are done, or cancel some in your history."
        )
    most = settings.WAITING_PER_WORKSPACE
    if waiting.filter(workspace=workspace)[:most].count() >= most:
        raise NotAllowed(
            f"{workspace.name} has {_edits(most)} waiting already, and no workspace may have more. "
            "Nothing was charged. Wait until some are done."
        )


def _edits(number: int) -> str:
    return "one edit" if number == 1 else f"{number} edits"


def _check_allowance(user: User, workspace: Workspace, samples: int) -> None:
    rest = allowances.rest_of(user, workspace.pk)
    if samples > rest.pictures:
        raise NotAllowed(rest.refusal)


def _write(
    user: User, sources: list[Image], spec: EditSpec, form_token: str, rerun_of: GenerationJob | None, *, held: bool
) -> GenerationJob:
    state = {"state": JobState.HELD, "held_for": HeldFor.RULE} if held else {"due_at": timezone.now()}
    job = GenerationJob.objects.create(
        workspace_id=sources[0].workspace_id,
        made_by=user,
        form_token=form_token,
        rerun_of=rerun_of,
        prompt=spec.prompt,
        negative_prompt=spec.negative_prompt,
        ratio=spec.ratio,
        samples=spec.samples,
        strength=spec.strength,
        seed=draw_seed() if spec.seed is None else spec.seed,
        **state,
    )
    JobSource.objects.bulk_create(
        JobSource(job=job, image=image, position=position) for position, image in enumerate(sources)
    )
    return job
