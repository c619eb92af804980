"""What an edit was derived from and what it led to, for its page and for those that compare it."""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, UUIDField, When

from editor.jobs.differences import name_by
from editor.models import Allowance, AllowanceEntry, GenerationJob, Image, ImageState, JobSource

if TYPE_CHECKING:
    from editor.models import User
    from editor.models.jobs import JobQuerySet

SHOWN = 48


class Relative(NamedTuple):
    """An edit with `cover_id` and `cover_thumbhash`."""

    edit: GenerationJob
    name: str = ""  # what differs; without it, its words will do


class Kin(NamedTuple):
    """Of one edit, newest first."""

    cost: str  # or what it would have cost; empty: nothing
    maker: str
    made_from: list[Relative]  # those that made its sources
    repeats: list[Relative]  # what it is a rerun or a variation of
    beside: list[Relative]  # the variations that it is one of, itself among them, in the order of the asking
    reruns: list[Relative]
    variations: list[list[Relative]]  # of it, each list made at once
    led_to: list[Relative]  # its results are sources of these
    cut: bool

    @property
    def is_alone(self) -> bool:
        return not any((self.made_from, self.repeats, self.beside, self.reruns, self.variations, self.led_to))


def kin_of(job: GenerationJob, user: "User") -> Kin:
    """In one query, as far as the person may see it. `job` was fetched with its pictures and visible to them."""
    sources = {image.job_id for image in job.source_images if image.job_id}
    parents = {*sources, *([job.rerun_of_id] if job.rerun_of_id else [])}
    held = AllowanceEntry.objects.filter(job=OuterRef("pk"), kind=Allowance.HELD)
    rows = _with_covers(GenerationJob.objects.visible_to(user).filter(pk__in=_ids_around(job, parents)), user)
    rows = rows.annotate(money=Subquery(held.values("money")[:1])).select_related("made_by")
    first = Case(When(pk__in=[job.pk, *parents], then=0), default=1)
    found = list(rows.order_by(first, "-created_at", "-id")[: SHOWN + 1])
    by_id = {each.pk: each for each in found[:SHOWN]}
    me, base = by_id[job.pk], by_id.get(job.rerun_of_id) if job.rerun_of_id else None
    others = [each for each in by_id.values() if each is not me and each.pk not in parents]
    again = [each for each in others if each.rerun_of_id == job.pk]
    beside = [each for each in by_id.values() if each.variation_set and each.variation_set == job.variation_set]
    beside.sort(key=lambda each: (each.created_at, each.pk))
    return Kin(
        cost=in_words(me.money or Decimal(0)),  # type: ignore[attr-defined]
        maker=me.made_by.get_short_name(),
        made_from=[Relative(by_id[pk]) for pk in sources if pk in by_id],
        repeats=[Relative(base)] if base is not None else [],
        beside=named(beside, base),
        reruns=[
            Relative(each, name_by(each, job) or "exactly the same") for each in again if each.variation_set is None
        ],
        variations=[named(each, job) for each in _by_set(again)],
        led_to=[Relative(each) for each in others if each not in again and each not in beside],
        cut=len(found) > SHOWN,
    )


def named(variations: list[GenerationJob], base: GenerationJob | None) -> list[Relative]:
    """Each called by what it has that the edit which they vary has not; by a number if that one is out of sight."""
    names = [name_by(each, base) if base is not None else "" for each in variations]
    return [Relative(each, names[at] or f"variation {at + 1}") for at, each in enumerate(variations)]


def in_words(money: Decimal) -> str:
    """In the currency of the bill, as short as it can be said; nothing for nothing."""
    return f"{money.normalize():f}" if money else ""


def _ids_around(job: GenerationJob, parents: set[UUID]) -> "QuerySet[GenerationJob, Any]":
    """A union, because an index leads to each part and none to all of them."""
    ids = GenerationJob.objects.order_by().values("pk")
    results = [image.pk for image in job.results.all()]
    parts = [ids.filter(rerun_of=job.pk), JobSource.objects.order_by().filter(image__in=results).values("job_id")]
    if job.variation_set is not None:
        parts.append(ids.filter(variation_set=job.variation_set))
    return ids.filter(pk__in=[job.pk, *parents]).union(*parts)


def _by_set(jobs: list[GenerationJob]) -> list[list[GenerationJob]]:
    sets: dict[UUID, list[GenerationJob]] = defaultdict(list)
    for each in reversed(jobs):
        if each.variation_set is not None:
            sets[each.variation_set].append(each)
    return list(reversed(sets.values()))


def edits_beside(job: GenerationJob, user: "User", most: int) -> list[GenerationJob]:
    """The latest other edits of the pictures that this one was made from, and of the same uploads."""
    roots = {image.root_id or image.pk for image in job.source_images}
    family = Image.objects.filter(Q(pk__in=roots) | Q(root__in=roots)).values("pk")
    ids = JobSource.objects.filter(image__in=family).values("job")
    rows = GenerationJob.objects.visible_to(user).filter(pk__in=ids).exclude(pk=job.pk)
    return list(_with_covers(rows, user).order_by("-created_at", "-id")[:most])


def _with_covers(jobs: "JobQuerySet", user: "User") -> "JobQuerySet":
    """Each with its first result that can lie open: `cover_id`, `cover_thumbhash`."""
    results = Image.objects.shown_to(user).filter(job=OuterRef("pk"), state=ImageState.READY, sensitive=False)
    first = results.order_by("position")
    return jobs.annotate(
        cover_id=Subquery(first.values("id")[:1], output_field=UUIDField()),
        cover_thumbhash=Subquery(first.values("thumbhash")[:1]),
    )
