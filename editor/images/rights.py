"""What may be done with a picture, and until when: it goes from the pictures of an edit to what is made of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date
from typing import Any, Self
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor.models import Consent, Image, JobSource, Licence

CREDIT_MAX = 400  # characters of a merge's; a person writes 120
_JOINT = "; "
_MORE = " and others"
_BATCH = 200
# From the least to the most strict. Where nothing was said there is no permission either, but nothing forbidden.
_LICENCES = [Licence.OWN, "", Licence.LICENSED, Licence.EDITORIAL, Licence.INTERNAL]
_CONSENTS = [Consent.NOBODY, Consent.GIVEN, "", Consent.UNKNOWN, Consent.REFUSED]


@dataclass(frozen=True)
class Rights:
    """The four columns of a picture. An empty text or None: nothing was said."""

    licence: str = ""
    credit: str = ""
    consent: str = ""
    usable_until: date | None = None

    @classmethod
    def of(cls, image: Image) -> Self:
        return cls(image.licence, image.credit, image.consent, image.usable_until)

    @property
    def columns(self) -> dict[str, Any]:
        return asdict(self)


def inherited(sources: Sequence[Image]) -> Rights:
    """What a picture made of these may be used for: the strictest of each, the earliest day, every credit."""
    days = [image.usable_until for image in sources if image.usable_until is not None]
    return Rights(
        licence=max((image.licence for image in sources), key=_LICENCES.index, default=""),
        credit=joined(image.credit for image in sources),
        consent=max((image.consent for image in sources), key=_CONSENTS.index, default=""),
        usable_until=min(days, default=None),
    )


def joined(said: Iterable[str]) -> str:
    """Each credit once, also one that came by two ways; whole ones up to CREDIT_MAX characters."""
    each = [part for credit in said for part in credit.split(_JOINT) if part]
    parts = list(dict.fromkeys(part.removesuffix(_MORE) for part in each))
    cut = any(part.endswith(_MORE) for part in each)
    while len(_JOINT.join(parts)) > CREDIT_MAX - len(_MORE):
        parts.pop()
        cut = True
    return _JOINT.join(parts) + (_MORE if cut and parts else "")


def today() -> date:
    """In UTC, for everybody alike."""
    return timezone.now().astimezone(UTC).date()


def expired(images: Iterable[Image]) -> Image | None:
    """The first of these that may not be edited any more."""
    now = today()
    return next((image for image in images if image.usable_until is not None and image.usable_until < now), None)


def expired_words(image: Image) -> str:
    until = image.usable_until
    return (
        f"“{image.name or 'This picture'}” could be used until {until:%-d %B %Y}, so it can’t be edited any more. "
        "Choose another picture, or change the date on its page if it is wrong."
    )


def made_from(image: Image) -> list[Image]:
    """All results in its workspace that this picture is in, by however many edits; each after its sources."""
    found: dict[UUID, Image] = {}
    level: Collection[UUID] = [image.pk]
    while level:
        results = Image.objects.filter(workspace=image.workspace_id, job__sources__image__in=level)
        fresh = {each.pk: each for each in results.distinct() if each.pk not in found}
        found |= fresh
        level = list(fresh)
    return sorted(found.values(), key=lambda each: each.created_at)


def write(image: Image, rights: Rights, *, to_results: bool = False) -> int:
    """Set the rights of a picture, and let them travel on to its results if asked. How many of those there were.

    A result then gets what it would inherit today, whatever was written on itself before.
    """
    with transaction.atomic():
        _set(image, rights)
        image.save(update_fields=list(rights.columns))
        results = made_from(image) if to_results else []
        known = {each.pk: each for each in [image, *results]}
        for each, sources in _sources_of(results):
            _set(each, inherited([known.get(source.pk, source) for source in sources]))
        Image.objects.bulk_update(results, list(rights.columns), batch_size=_BATCH)
    return len(results)


def _sources_of(results: Sequence[Image]) -> Iterable[tuple[Image, list[Image]]]:
    of_job: dict[UUID, list[Image]] = {}
    rows = JobSource.objects.filter(job__in={each.job_id for each in results}).select_related("image")
    for row in rows.order_by("job", "position"):
        of_job.setdefault(row.job_id, []).append(row.image)
    for each in results:
        if each.job_id is not None:
            yield each, of_job[each.job_id]


def _set(image: Image, rights: Rights) -> None:
    for column, value in rights.columns.items():
        setattr(image, column, value)
