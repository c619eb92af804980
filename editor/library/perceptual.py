"""Comparing what pictures look like by their perceptual hashes: 64 bits, kept in four columns of 16."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Protocol

from django.db.models import Q

Parts = tuple[int, int, int, int]

ALIKE = 8
"""Bits of 64 in which two pictures that look alike may differ.

Measured on 69 photographs and parts of them: scaled, saved again, brighter, darker, sharper or in grey, 0 to 6 of them
differ, with a hundredth cut off each side up to 8; between different photographs 18 (14 where they overlapped).
"""

PARTS = ("phash_a", "phash_b", "phash_c", "phash_d")


class Hashed(Protocol):
    """A row with the four columns."""

    phash_a: int | None
    phash_b: int | None
    phash_c: int | None
    phash_d: int | None


def phash_of(row: Hashed) -> Parts | None:
    a, b, c, d = row.phash_a, row.phash_b, row.phash_c, row.phash_d
    if a is None or b is None or c is None or d is None:
        return None
    return a, b, c, d


def phash_columns(parts: Parts | None) -> dict[str, int | None]:
    return dict(zip(PARTS, parts or (None,) * len(PARTS), strict=True))


def difference(one: Parts, other: Parts) -> int:
    """In how many of 64 bits."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def sharing_a_part(hashes: Iterable[Parts]) -> Q:
    """Rows that may be alike: all that differ from one of these in up to three bits, most that differ in ALIKE."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for parts in hashes:
        for name, part in zip(PARTS, parts, strict=True):
            wanted[name].add(part)
    return reduce(or_, (Q(**{f"{name}__in": found}) for name, found in wanted.items()))
