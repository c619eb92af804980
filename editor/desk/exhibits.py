"""What lies beside a case: why it is here, the pictures and the words, the person's record and what was decided before.

Every list is bounded; nothing is counted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from editor.models import (
    CaseState,
    Cause,
    Decision,
    GenerationJob,
    Image,
    ModerationCase,
    Report,
    ReportReason,
    User,
)

REPORTS_SHOWN = 20
DECISIONS_SHOWN = 5
CASES_SHOWN = 5
CHAIN_SHOWN = 50
LOOKS_SHOWN = 8  # pictures of one kind


@dataclass(frozen=True)
class Look:
    """A picture of the case, and what it is in it."""

    role: str
    image: Image

    @property
    def can_be_shown(self) -> bool:
        return self.image.is_ready and self.image.purged_at is None and bool(self.image.rendition_widths)


class Asked(NamedTuple):
    """A prompt from which no edit was made, and what the rules found in it, as pairs of a name and words."""

    prompt: str
    negative_prompt: str
    found: list[tuple[str, str]]


@dataclass(frozen=True)
class Record:
    """What is known of a person."""

    person: User
    decisions: list[Decision]
    cases: list[ModerationCase]
    more_cases: bool = False

    @property
    def waiting(self) -> list[tuple[Cause, int]]:
        """How many of each cause are among the cases, the most urgent cause first."""
        return list(Counter(Cause(case.cause) for case in self.cases).items())


@dataclass
class Exhibit:
    """A case with everything that a moderator wants to see beside it."""

    case: ModerationCase
    job: GenerationJob | None = None
    looks: list[Look] = field(default_factory=list)

    @cached_property
    def reports(self) -> list[Report]:
        about = self.case.appeal_of.case if self.case.appeal_of else self.case
        rows = Report.objects.filter(case=about).select_related("reporter").order_by("created_at")
        return list(rows[:REPORTS_SHOWN])

    @cached_property
    def why(self) -> list[tuple[str, str]]:
        return [pair for pair in reasons(self.case) if not (self.reports and pair[0] == REPORTED)]

    @cached_property
    def prompts(self) -> list[Asked]:
        return prompts_of(self.case)

    @cached_property
    def like(self) -> list[Decision]:
        """The latest about the same thing: the same rule, the same reason, the same picture that it resembles."""
        rows = Decision.objects.filter(cause=self.case.cause, key=self.case.key).exclude(case=self.case)
        return list(rows.select_related("moderator", "person", "replaced_by").order_by("-created_at")[:DECISIONS_SHOWN])

    @cached_property
    def record(self) -> Record:
        return record_of(self.case.person, without=self.case)

    @cached_property
    def chain(self) -> list[Decision]:
        """What was decided about this case so far, the first first."""
        rows = self.case.decisions.select_related("moderator", "replaced_by").order_by("created_at")
        return list(rows[:CHAIN_SHOWN])


BESIDE = [
    *("person", "job", "workspace", "claimed_by", "image__job", "image__root"),
    *("appeal_of__moderator", "appeal_of__case", "appeal_of__replaced_by"),
]


def exhibit(case_id: UUID) -> Exhibit | None:
    """None if there is no such case."""
    case = ModerationCase.objects.select_related(*BESIDE).filter(pk=case_id).first()
    if case is None:
        return None
    pk = case.job_id or (case.image.job_id if case.image else None)
    job = GenerationJob.objects.with_pictures().filter(pk=pk).first() if pk else None
    return Exhibit(case, job, list(_looks(case, job)))


def picture_of(case_id: UUID, image_id: UUID) -> tuple[ModerationCase, Image] | None:
    """A picture, if it is one of those that lie beside the case."""
    found = exhibit(case_id)
    if found is None:
        return None
    return next(((found.case, look.image) for look in found.looks if look.image.pk == image_id), None)


def _looks(case: ModerationCase, job: GenerationJob | None) -> Iterator[Look]:
    """Each picture once: sources, what it is about, other results, where that comes from, what it is like."""
    seen: set[UUID] = set()

    def looks(role: str, images: list[Image]) -> Iterator[Look]:
        for image in images[:LOOKS_SHOWN]:
            if image.pk not in seen:
                seen.add(image.pk)
                yield Look(role, image)

    subject = [case.image] if case.image else []
    sources = job.source_images if job is not None else []
    yield from looks("Source", [image for image in sources if image not in subject])
    yield from looks("Result" if case.image and case.image.job_id else "Upload", subject)
    yield from looks("Another result" if subject else "Result", list(job.results.all()) if job is not None else [])
    root = case.image.root if case.image else None
    yield from looks("First upload", [root] if root else [])
    yield from looks("Removed earlier", list(Image.objects.filter(pk__in=_named_in(case.details))))


def _named_in(details: dict[str, Any]) -> list[UUID]:
    """The removed picture that this one comes from, or is like."""
    try:
        return [UUID(str(details["of"]))]
    except (KeyError, ValueError):
        return []


def record_of(person: User, without: ModerationCase | None = None, shown: int = DECISIONS_SHOWN) -> Record:
    decisions = Decision.objects.filter(person=person).select_related("moderator", "replaced_by")
    cases: QuerySet[ModerationCase] = ModerationCase.objects.filter(person=person, state=CaseState.OPEN)
    if without is not None:
        decisions, cases = decisions.exclude(case=without), cases.exclude(pk=without.pk)
    open_ones = list(cases.select_related("image", "job").order_by("-urgency", "opened_at", "id")[: shown + 1])
    return Record(person, list(decisions.order_by("-created_at")[:shown]), open_ones[:shown], len(open_ones) > shown)


REPORTED = "Reported because"
NAMES = {
    "score": "Score of the classifier",
    "label": "It may be",
    "distance": "Bits that differ",
    "matched": "Found",
    "times": "How often",
    "blocked": "Blocked today",
    "trust": "Trust",
}
"""What the details of a case are called."""


def reasons(case: ModerationCase) -> Iterator[tuple[str, str]]:
    """Why a case is at the desk, as pairs of a name and words."""
    if case.cause == Cause.REPORT and case.key:
        yield REPORTED, reason_words(case.key)
    yield from _found(case.details)
    for name, label in NAMES.items():
        value = case.details.get(name)
        if value not in (None, "", [], {}):
            yield label, _said(value)


def _found(details: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in _rows(details.get("rules")):
        words = ", ".join(f"“{word}”" for word in rule.get("words", []))
        yield f"Rule “{rule.get('name', '')}”, {rule.get('action', '')}", words


def prompts_of(case: ModerationCase) -> list[Asked]:
    """Prompts from which no edit was made."""
    rows = _rows(case.details.get("prompts"))
    return [Asked(str(row.get("prompt", "")), str(row.get("negative_prompt", "")), list(_found(row))) for row in rows]


def reason_words(key: str) -> str:
    return str(ReportReason(key).label) if key in ReportReason.values else key


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)][:20] if isinstance(value, list) else []


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value[:20])
    return f"{value:.2f}" if isinstance(value, float) else str(value)
