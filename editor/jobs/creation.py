"""Making an edit: the row that says "queued", or "held" if a rule wants somebody to look at its words first.

What it promises holds from the commit on.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.utils import timezone

from editor import events, rings
from editor.flux.contract import MAX_SEED
from editor.images.rights import expired, expired_words
from editor.jobs import allowances
from editor.library.edits import index_edits
from editor.models import GenerationJob, HeldFor, Image, JobSource, JobState, RuleAction, User, Workspace
from editor.models.allowances import hold_all
from editor.models.chosen import chosen
from editor.moderation import prompts
from editor.moderation.rules import Verdict, look_at_prompts

RUNG_AT_ONCE = 8  # edits made together
LOOKED_AT_SOON = 8  # different prompts; the rules may take a while for a thousand
MOMENT = timedelta(microseconds=1)


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

    @property
    def words(self) -> tuple[str, str]:
        """What the rules on prompts look at."""
        return self.prompt, self.negative_prompt


@dataclass(frozen=True)
class Order:
    """One edit that is asked for: its sources lie in one workspace, and its token is its own.

    `fields` are those of its row that it shares with no other.
    """

    sources: list[Image]
    spec: EditSpec
    form_token: str
    rerun_of: GenerationJob | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def draw_seed() -> int:
    """Always drawn and sent by us, so that every edit can be run again exactly."""
    return secrets.randbelow(MAX_SEED + 1)


def create_job(
    user: User, sources: list[Image], spec: EditSpec, form_token: str, rerun_of: GenerationJob | None = None
) -> GenerationJob:
    """Make one edit in the workspace of its first source. The same form token again: the job that it made.

    Where a rule on prompts fits, it is not made, or held, or noted. Raises NotAllowed.
    """
    return create_jobs(user, [Order(sources, spec, form_token, rerun_of)])[0]


def create_jobs(user: User, orders: list[Order], shared: Callable[[], dict[str, Any]] = dict) -> list[GenerationJob]:
    """Make all of these edits, in the workspace of the first source, or none. The same tokens again: what they made.

    `shared` gives the fields that all of them have; it is called once everything is allowed, in the transaction that
    writes them. One blocked prompt stops them all. Raises NotAllowed.
    """
    asked = dict.fromkeys(order.spec.words for order in orders)  # most often the same
    if len(asked) > LOOKED_AT_SOON:
        _check_before_looking(user, orders)
    verdicts = look_at_prompts(asked)
    for words, verdict in verdicts.items():
        if verdict.action == RuleAction.BLOCK:
            return _made_before(user, orders) or _block(user, words, verdict)
    sources = list({image.pk: image for order in orders for image in order.sources}.values())
    try:
        with transaction.atomic():
            # One at a time per person and then per workspace, so that two windows can't spend the same rest. Without
            # `no_key` whoever writes a line of the ledger would wait for it, and it for them.
            person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            workspace = Workspace.objects.select_for_update(no_key=True).get(pk=sources[0].workspace_id)
            if made := _made_before(user, orders):
                return made
            _check_place(sources, workspace)
            _check_rights(sources)
            _check_open(workspace, person)
            _check_pause(person)
            _check_waiting(person, workspace, len(orders))
            _check_allowance(user, workspace, orders)
            jobs = _write(user, orders, verdicts, shared())
            hold_all(jobs)
            for job, order in zip(jobs, orders, strict=True):
                if verdicts[order.spec.words].fits:
                    prompts.open_case_of_edit(job, verdicts[order.spec.words])
            _ring(jobs)
            return jobs
    except IntegrityError:
        if made := _made_before(user, orders):
            return made
        raise


def _check_before_looking(user: User, orders: list[Order]) -> None:
    """What would be refused for its number anyway costs no long look at its words; asked again under the locks."""
    if _made_before(user, orders):
        return
    workspace = Workspace.objects.get(pk=orders[0].sources[0].workspace_id)
    _check_waiting(user, workspace, len(orders))
    _check_allowance(user, workspace, orders)


def _ring(jobs: list[GenerationJob]) -> None:
    """For the first few; each look at an edit rings for the next ones."""
    waiting = [job.pk for job in jobs if job.state == JobState.QUEUED]
    for job_id in waiting[:RUNG_AT_ONCE]:
        rings.ring_job(job_id)


def _made_before(user: User, orders: list[Order]) -> list[GenerationJob]:
    """What these forms made, in the order in which it was asked for."""
    place = {order.form_token: number for number, order in enumerate(orders)}
    rows = GenerationJob.objects.filter(made_by=user, form_token__in=place)
    return sorted(rows, key=lambda job: place[job.form_token])


def _block(user: User, words: tuple[str, str], verdict: Verdict) -> NoReturn:
    prompts.open_case_of_blocked(user, *words, verdict)
    raise NotAllowed(prompts.words_of_blocked(verdict))


def _check_place(sources: list[Image], workspace: Workspace) -> None:
    """All in one workspace, or its members would see a picture that is not theirs. Locked, so that none moves away."""
    ids = [image.pk for image in sources]
    places = Image.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("workspace")
    if any(place != workspace.pk for (place,) in places):
        all_of_them, others = ("Both", "the other one") if len(sources) == 2 else ("All", "the others")
        raise NotAllowed(
            f"{all_of_them} pictures must be in {workspace.name}, so that everybody there sees what was made of what. "
            f"Copy {others} there first, on {'its page' if len(sources) == 2 else 'their pages'} in the library."
        )


def _check_rights(sources: list[Image]) -> None:
    if (image := expired(sources)) is not None:
        raise NotAllowed(expired_words(image))


def _check_open(workspace: Workspace, person: User) -> None:
    """It may have been closed, or the account shut or deleted, since the page was asked for."""
    if not person.is_active:
        raise NotAllowed(
            f"Your account was {_shut(person)} when this edit was to be made. It was not sent, and nothing was charged."
        )
    if not workspace.is_open:
        where = "put into the trash" if workspace.trashed_at is not None else "archived"
        raise NotAllowed(f"Nothing changes in {workspace.name} any more: it was {where}. An owner can take it out.")


def _shut(person: User) -> str:
    if person.anonymised_at is not None:
        return "deleted"
    return "suspended" if person.suspended_at is not None else "switched off"


def _check_pause(person: User) -> None:
    until = person.edits_paused_until
    if until is not None and until > timezone.now():
        raise NotAllowed(
            "The safety check kept back too many of your edits within a day, so you can't make new ones until "
            f"{until.day} {until:%B}, {until:%H:%M} (UTC). Nothing was charged. Your pictures are all there, and from "
            "then on you can go on."
        )


def _check_waiting(person: User, workspace: Workspace, more: int) -> None:
    """Where both rows are locked, nobody else adds to either number now."""
    waiting = GenerationJob.objects.waiting().order_by()
    most = chosen.WAITING_PER_USER
    there = waiting.filter(made_by=person)[:most].count()
    if there + more > most:
        raise NotAllowed(
            f"You have {_edits(there)} waiting already, and nobody may have more{_than(most, there, more)}. "
            "Nothing was charged. Wait until some are done, or cancel some in your history."
        )
    most = chosen.WAITING_PER_WORKSPACE
    there = waiting.filter(workspace=workspace)[:most].count()
    if there + more > most:
        raise NotAllowed(
            f"{workspace.name} has {_edits(there)} waiting already, and no workspace may have more"
            f"{_than(most, there, more)}. Nothing was charged. Wait until some are done."
        )


def _edits(number: int) -> str:
    return "no edits" if number == 0 else "one edit" if number == 1 else f"{number} edits"


def _than(most: int, there: int, more: int) -> str:
    return "" if there == most else f" than {most}; you asked for {more} more"


def _check_allowance(user: User, workspace: Workspace, orders: list[Order]) -> None:
    rest = allowances.rest_of(user, workspace.pk)
    needed = sum(order.spec.samples for order in orders)
    if needed > rest.pictures:
        what = f"That would be {needed} pictures, and none of them was made. " if len(orders) > 1 else ""
        raise NotAllowed(what + rest.refusal)


def _write(
    user: User, orders: list[Order], verdicts: dict[tuple[str, str], Verdict], fields: dict[str, Any]
) -> list[GenerationJob]:
    """Their moments of creation differ, so that lists keep the order in which they were asked for."""
    now = timezone.now()
    jobs = []
    for number, order in enumerate(orders):
        spec = order.spec
        held = verdicts[spec.words].action == RuleAction.HOLD
        state = {"state": JobState.HELD, "held_for": HeldFor.RULE} if held else {"due_at": now}
        job = GenerationJob(
            workspace_id=order.sources[0].workspace_id,
            made_by=user,
            form_token=order.form_token,
            rerun_of=order.rerun_of,
            prompt=spec.prompt,
            negative_prompt=spec.negative_prompt,
            ratio=spec.ratio,
            samples=spec.samples,
            strength=spec.strength,
            seed=draw_seed() if spec.seed is None else spec.seed,
            created_at=now + number * MOMENT,
            **state,
            **fields,
            **order.fields,
        )
        jobs.append(job)
    GenerationJob.objects.bulk_create(jobs)
    JobSource.objects.bulk_create(
        JobSource(job_id=job.pk, image_id=image.pk, position=position)
        for job, order in zip(jobs, orders, strict=True)
        for position, image in enumerate(order.sources)
    )
    index_edits(*jobs)
    for workspace_id in {job.workspace_id for job in jobs}:
        events.edits_begun(workspace_id)
    return jobs
