"""The steps of a recipe: one edit each, what is made by one being the source of the next.

Prompts may have placeholders, `{colour}`, which are filled in before anything is asked for; in doubled braces,
`{{colour}}`, the same word is meant as it stands.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from editor.jobs.creation import EditSpec

STEPS_MAX = 8
PLACEHOLDERS_MAX = 12
_NAME = r"[^\W\d][\w -]{0,39}"
PLACEHOLDER = re.compile(rf"\{{\{{(?P<literal>{_NAME})\}}\}}|\{{(?P<name>{_NAME})\}}")
"""A letter, then letters, digits, spaces, hyphens: 40 characters at most. Other braces are text like all text."""


def to_rows(steps: Iterable[EditSpec]) -> list[dict[str, Any]]:
    """As a version of a recipe keeps them: the fields of `EditSpec` by their names."""
    return [asdict(step) for step in steps]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[EditSpec]:
    """Of rows that `to_rows` wrote; whatever comes from outside is checked by a form first."""
    return [EditSpec(**row) for row in rows]


def placeholders(steps: Iterable[EditSpec]) -> list[str]:
    """The names of all that is to be filled in, each once, in the order of reading; big and small letters are one."""
    found: dict[str, str] = {}
    for step in steps:
        for text in step.words:
            for match in PLACEHOLDER.finditer(text):
                if name := match["name"]:
                    found.setdefault(name.casefold(), name)
    return list(found.values())


def fill(steps: Iterable[EditSpec], values: Mapping[str, str]) -> list[EditSpec]:
    """With the values in the place of their names; a name without a value stays as it stands.

    Doubled braces become single ones. A value is never looked through for placeholders of its own.
    """
    known = {name.casefold(): value for name, value in values.items()}

    def one(match: re.Match[str]) -> str:
        if literal := match["literal"]:
            return f"{{{literal}}}"
        return known.get(match["name"].casefold(), match[0])

    def filled(text: str) -> str:
        return PLACEHOLDER.sub(one, text)

    return [replace(step, prompt=filled(step.prompt), negative_prompt=filled(step.negative_prompt)) for step in steps]


def longest_filled(steps: Iterable[EditSpec], rows: Iterable[Mapping[str, str]]) -> list[int]:
    """For each row of values the characters of the longest text that `fill` makes with it.

    Counted, not written: a thousand rows for eight steps are megabytes of words.
    """
    texts = [_counted(text) for step in steps for text in step.words]
    found = []
    for values in rows:
        known = {name.casefold(): len(value) for name, value in values.items()}
        lengths = [plain + sum(known.get(name, own) * times for name, own, times in names) for plain, names in texts]
        found.append(max(lengths, default=0))
    return found


def _counted(text: str) -> tuple[int, list[tuple[str, int, int]]]:
    """Its characters outside of placeholders; and of each name of those in small letters, its own length and times."""
    plain, names = len(text), Counter[tuple[str, int]]()
    for match in PLACEHOLDER.finditer(text):
        if match["literal"]:
            plain -= 2  # doubled braces become single ones
        else:
            plain -= len(match[0])
            names[match["name"].casefold(), len(match[0])] += 1
    return plain, [(name, own, times) for (name, own), times in names.items()]
