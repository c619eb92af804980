"""What tells two edits apart: the parameters that differ, and of their words those that stand in one alone."""

import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import takewhile
from typing import NamedTuple

from editor.images.sizes import MATCH
from editor.models import GenerationJob, Image

_TOKENS = re.compile(r"\s+|\w+(?:['’-]\w+)*|[^\w\s]")
_NAME_MAX = 60  # characters
_PAIRS_MAX = 5_000  # of equal words; texts of people have hundreds, and the time grows with more than their square


class Piece(NamedTuple):
    """A stretch of words; `only_here`: the other side does not have it there."""

    text: str
    only_here: bool


class Difference(NamedTuple):
    """One parameter with its value on either side, in pieces."""

    label: str
    a: list[Piece]
    b: list[Piece]


def differences(a: GenerationJob, b: GenerationJob) -> list[Difference]:
    """The parameters that are not the same, in the order of the dock; pictures are compared by `other_sources`."""
    words = {"Words": (a.prompt, b.prompt), "To avoid": (a.negative_prompt, b.negative_prompt)}
    found = [Difference(label, *compare_words(*both)) for label, both in words.items() if both[0] != both[1]]
    for label, (first, second) in _values(a, b).items():
        if first != second:
            found.append(Difference(label, [Piece(first, True)], [Piece(second, True)]))
    return found


def other_sources(a: GenerationJob, b: GenerationJob) -> tuple[list[Image], list[Image]] | None:
    """The pictures of both, if they are not the same ones in the same order."""
    first, second = a.source_images, b.source_images
    return None if first == second else (first, second)


def compare_words(a: str, b: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, marked word by word."""
    first, second = _TOKENS.findall(a), _TOKENS.findall(b)
    head = _same(zip(first, second, strict=False))
    most = min(len(first), len(second)) - head
    tail = min(most, _same(zip(reversed(first), reversed(second), strict=False)))
    before, behind = first[:head], first[len(first) - tail :]
    ours, theirs = _between(first[head : len(first) - tail], second[head : len(second) - tail])
    same = [Piece("".join(before), False)], [Piece("".join(behind), False)]
    return _joined([*same[0], *ours, *same[1]]), _joined([*same[0], *theirs, *same[1]])


def _same(pairs: Iterable[tuple[str, str]]) -> int:
    """How many of them are equal from the beginning on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _between(first: list[str], second: list[str]) -> tuple[list[Piece], list[Piece]]:
    """What stands between the same beginning and end. Too much that might be the same is all called different."""
    turned = len(first) > len(second)
    # In its second text it passes over words that stand everywhere; without that, 4000 characters could take minutes.
    one, other = (second, first) if turned else (first, second)
    often = Counter(other)
    # From here on they count as standing everywhere, as difflib documents it.
    popular = len(other) // 100 + 1 if len(other) >= 200 else len(other)
    if sum(often[word] for word in one if often[word] <= popular) > _PAIRS_MAX:
        return [Piece("".join(first), True)], [Piece("".join(second), True)]
    matcher = SequenceMatcher(None, one, other)
    ours: list[Piece] = []
    theirs: list[Piece] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        left, right = (slice(j1, j2), slice(i1, i2)) if turned else (slice(i1, i2), slice(j1, j2))
        ours.append(Piece("".join(first[left]), tag != "equal"))
        theirs.append(Piece("".join(second[right]), tag != "equal"))
    return ours, theirs


def name_by(job: GenerationJob, other: GenerationJob) -> str:
    """What this edit is, seen from the other: "strength 0.5", "strength 0.5, seed 123", or the words of its own.

    Of two with the same parameters: nothing. It asks the database nothing.
    """
    names = []
    if job.prompt != other.prompt:
        names.append(_own_words(job.prompt, other.prompt))
    if job.negative_prompt != other.negative_prompt:
        avoided = _own_words(job.negative_prompt, other.negative_prompt) if job.negative_prompt else "nothing"
        names.append(f"avoids {avoided}")
    values = _values(job, other)
    del values["Pictures"]  # how many there are says nothing about one of them
    names += [f"{label.lower()} {ours}" for label, (ours, theirs) in values.items() if ours != theirs]
    return ", ".join(names)


def _own_words(text: str, other: str) -> str:
    ours, theirs = compare_words(text, other)
    own = _quoted(ours)
    return own or f"without {_quoted(theirs)}" if own or _quoted(theirs) else "other spaces"


def _quoted(pieces: list[Piece]) -> str:
    runs = [" ".join(piece.text.split()) for piece in pieces if piece.only_here and piece.text.strip()]
    words = " … ".join(runs)
    if len(words) > _NAME_MAX:
        words = words[: _NAME_MAX - 1].rstrip() + "…"
    return f"“{words}”" if words else ""


def _joined(pieces: list[Piece]) -> list[Piece]:
    """A space between two words that differ differs as well, so that they read as one stretch."""
    found: list[Piece] = []
    for number, piece in enumerate(pieces):
        if not piece.text:
            continue
        between = not piece.text.strip() and 0 < number < len(pieces) - 1
        only_here = piece.only_here or (
            between and pieces[number - 1].only_here and pieces[number + 1].only_here and bool(found)
        )
        if found and found[-1].only_here == only_here:
            found[-1] = Piece(found[-1].text + piece.text, only_here)
        else:
            found.append(Piece(piece.text, only_here))
    return found


def _values(a: GenerationJob, b: GenerationJob) -> dict[str, tuple[str, str]]:
    """What is a number or a choice, of both. Pixels are known late: they count once both are."""
    known = bool(a.width and b.width)
    return {
        "Size": (_size(a, known), _size(b, known)),
        "Pictures": (str(a.samples), str(b.samples)),
        "Strength": (f"{a.strength:g}", f"{b.strength:g}"),
        "Seed": (str(a.seed), str(b.seed)),
    }


def _size(job: GenerationJob, known: bool) -> str:
    shape = "shape of the source" if job.ratio == MATCH else job.ratio.replace(":", " : ")
    return f"{job.width} × {job.height}, {shape}" if known else shape
