"""From a request to its pictures: painted, echoed, or blank where the safety checker says so."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from . import faults, painting
from .ledger import Entry
from .rules import Wanted

_PAINTERS = 2
_BLANKING = {"blank", "blank-untold"}
_NSFW = re.compile(r"\b(?:nsfw|nude|naked)\b", re.IGNORECASE)


class Maker:
    """Makes the pictures of a generation, two at a time at most. With `echo` each is the first source as it came."""

    def __init__(self, *, echo: bool) -> None:
        self._echo = echo
        self._places = threading.BoundedSemaphore(_PAINTERS)

    def pictures(self, entry: Entry, wanted: Wanted, sources: Sequence[bytes]) -> list[bytes]:
        """All samples; none if a source is broken behind its header. A blocked one is noted in the entry."""
        prompt = faults.unmarked(wanted.prompt)
        if wanted.safety_checker and (not _BLANKING.isdisjoint(entry.faults) or _NSFW.search(prompt)):
            entry.nsfw = True
            return [painting.blank(wanted.size)] * wanted.samples
        if self._echo:
            return [bytes(sources[0])] * wanted.samples
        with self._places:
            try:
                pictures = [_painted(wanted, prompt, sources, number) for number in range(wanted.samples)]
            except ValueError:
                return []
        if wanted.safety_checker and "blank-one" in entry.faults:
            entry.nsfw = True
            pictures[0] = painting.blank(wanted.size)
        if wanted.safety_checker and "flagged" in entry.faults:
            entry.nsfw = True
        return pictures


def _painted(wanted: Wanted, prompt: str, sources: Sequence[bytes], number: int) -> bytes:
    return painting.paint(
        sources,
        prompt=prompt,
        negative_prompt=wanted.negative_prompt,
        size=wanted.size,
        strength=wanted.strength,
        seed=wanted.seed + number,
    )
