"""What a downloaded file is called: a pattern of words and placeholders, harmless on every file system."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePath

PATTERN_MAX = 120
DEFAULT = "{name}"
PLACEHOLDERS = {
    "name": "its name",
    "collection": "a collection that it lies in",
    "date": "the day on which it was made",
    "number": "1, 2, 3 … within a ZIP",
    "width": "pixels of the file",
    "height": "pixels of the file",
    "seed": "of the edit that made it",
    "prompt": "how its words begin",
}
_LONGEST = 120  # bytes without the ending: some encrypted disks take no more than 143
_VALUE = 60  # characters of one value
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".gif", ".tif", ".tiff", ".bmp"}
_BRACED = re.compile(r"\{([^{}]*)\}")
_AGAIN = re.compile(r"([ \-_,])\1+")
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def problem_of(pattern: str) -> str:
    """Why it is no pattern, in a sentence; empty if it is one."""
    if len(pattern) > PATTERN_MAX:
        return f"At most {PATTERN_MAX} characters, please."
    for word in _BRACED.findall(pattern):
        if word.strip().lower() not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            return f"There is no {{{word[:30]}}}. These are there: {known}."
    if not harmless(_BRACED.sub("x", pattern)):
        return "Write at least one letter, digit or placeholder."
    return ""


def stem_of(pattern: str, values: Mapping[str, object]) -> str:
    """The name without its ending; `values` by placeholder, what is missing or None is left out."""

    def filled(match: re.Match[str]) -> str:
        value = values.get(match[1].strip().lower())
        return "" if value is None else str(value)[:_VALUE]

    return harmless(_BRACED.sub(filled, pattern)) or "picture"


def name_without_ending(name: str) -> str:
    """Of what a picture is called by people: ``owl`` of ``owl.jpg``, but all of ``Dr. Owl``."""
    ending = PurePath(name).suffix
    return name.removesuffix(ending) if ending.lower() in _PICTURES else name


def beginning(words: str, most: int = 40) -> str:
    """The first words, whole ones."""
    line = " ".join(words.split())
    return line if len(line) <= most else line[: most + 1].rpartition(" ")[0] or line[:most]


def harmless(text: str) -> str:
    """Letters, digits, spaces and few signs; never a path, a hidden file, or what Windows keeps for itself."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text))
    kept = "".join(_kept(c) for c in plain)
    stem = _cut(_AGAIN.sub(r"\1", " ".join(kept.split())))
    return f"{stem} picture" if stem.casefold() in RESERVED else stem


def _kept(char: str) -> str:
    if char in " -_()+,=" or unicodedata.category(char)[0] in "LNM":
        return char
    return "-" if char in "/\\.:|;" else " " if char.isspace() else ""


def _cut(stem: str) -> str:
    short = stem.encode()[:_LONGEST].decode(errors="ignore")
    return short.strip(" -_,=+")
