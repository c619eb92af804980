"""Making an edit: the row that says "queued". What it promises holds from the commit on."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor import rings
from editor.flux.contract import MAX_SEED
from editor.models import GenerationJob, Image, JobSource, User

DAY = timedelta(days=1)


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


def daily_limit(user: User) -> int:
    return settings.EDITS_PER_DAY if user.edits_per_day is None else user.edits_per_day


def left_today(user: User) -> int:
    """Pictures this person may still have made within a day."""
    return max(0, daily_limit(user) - GenerationJob.objects.pictures_spent(user, timezone.now() - DAY))


def create_job(
    user: User, sources: list[Image], spec: EditSpec, form_token: str, rerun_of: GenerationJob | None = None
) -> GenerationJob:
    """Make one edit in the workspace of its first source. The same form token again: the job that it made.

    Raises NotAllowed.
    """
    try:
        with transaction.atomic():
            # One at a time per person, so that two windows can't spend the same rest of a day.
            User.objects.select_for_update().get(pk=user.pk)
            if made := GenerationJob.objects.filter(made_by=user, form_token=form_token).first():
                return made
            _check_allowance(user, spec.samples)
            job = _write(user, sources, spec, form_token, rerun_of)
            rings.ring_job(job.pk)
            return job
    except IntegrityError:
        return GenerationJob.objects.get(made_by=user, form_token=form_token)


def _check_allowance(user: User, samples: int) -> None:
    left = left_today(user)
    if samples > left:
        have = "none are" if left == 0 else "one is" if left == 1 else f"{left} are"
        raise NotAllowed(
            f"You may have {daily_limit(user)} pictures made in 24 hours, and {have} left. "
            "Try again later, or ask an administrator for more."
        )


def _write(
    user: User, sources: list[Image], spec: EditSpec, form_token: str, rerun_of: GenerationJob | None
) -> GenerationJob:
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
        due_at=timezone.now(),
    )
    JobSource.objects.bulk_create(
        JobSource(job=job, image=image, position=position) for position, image in enumerate(sources)
    )
    return job
