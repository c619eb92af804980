"""Removed pictures are known again when they come back: by their bytes, and by what they look like."""

from dataclasses import dataclass

from django.db.models import Q

from editor.library.perceptual import ALIKE, Parts, difference, phash_columns, phash_of, sharing_a_part
from editor.models import Fingerprint, Image

CANDIDATES = 500  # fingerprints that are compared for one picture


@dataclass(frozen=True)
class Match:
    """`distance`: in how many of 64 bits they look different; of the same bytes None."""

    fingerprint: Fingerprint
    distance: int | None

    @property
    def is_exact(self) -> bool:
        return self.distance is None


def remember(image: Image) -> Fingerprint:
    """Of a picture that was just removed. Once is enough; again does no harm."""
    facts = {
        "raw_sha256": image.raw_sha256,
        "master_sha256": image.master_sha256,
        **phash_columns(phash_of(image)),
    }
    row, _ = Fingerprint.objects.update_or_create(image=image, defaults=facts)
    return row


def forget(image: Image) -> None:
    """The decision was changed: it may come again."""
    Fingerprint.objects.filter(image=image).delete()


def match(*, raw_sha256: str = "", master_sha256: str = "", looks: Parts | None = None) -> Match | None:
    """The removed picture that has the same bytes, else the one that looks most like it. Two queries at most."""
    same = Q()
    if raw_sha256:
        same |= Q(raw_sha256=raw_sha256)
    if master_sha256:
        same |= Q(master_sha256=master_sha256)
    if same and (found := Fingerprint.objects.filter(same).first()) is not None:
        return Match(found, None)
    return _nearest(looks) if looks is not None else None


def _nearest(looks: Parts) -> Match | None:
    near = []
    for row in Fingerprint.objects.filter(sharing_a_part([looks]))[:CANDIDATES]:
        theirs = phash_of(row)
        if theirs is not None and (distance := difference(looks, theirs)) <= ALIKE:
            near.append(Match(row, distance))
    return min(near, key=lambda found: found.distance or 0, default=None)
