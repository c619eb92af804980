"""Single values of an answer, read leniently: whatever shape they come in, nothing here raises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .scrubbing import NO_SECRETS, Secrets, clean_text

MAX_MESSAGE = 500
"""Characters of the vendor's words that are kept."""

_MAX_LINKS = 16
_MAX_LINK = 4096
_VENDOR_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._:~-]{1,128}")
_MESSAGE_NAMES = ("message", "messege", "error", "detail")


def read_id(value: object, secrets: Secrets = NO_SECRETS) -> str | None:
    """The vendor's id as text, or None if there is none that could be asked for again."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 < value < 2**64 else None
    if isinstance(value, str) and _VENDOR_ID.fullmatch(value.strip()) and value.strip() != "0":
        return None if secrets.cut_from(value) != value else value.strip()
    return None


def links(value: object, secrets: Secrets = NO_SECRETS) -> tuple[str, ...]:
    """The links in a list, an object like {"0": link} or a bare string; only http(s) addresses are kept."""
    if isinstance(value, str):
        candidates: Iterable[object] = (value,)
    elif isinstance(value, Mapping):
        candidates = value.values()
    elif isinstance(value, list | tuple):
        candidates = value
    else:
        return ()
    found = (link.strip() for link in candidates if isinstance(link, str))
    return tuple(secrets.cut_from(link) for link in found if _is_link(link))[:_MAX_LINKS]


def _is_link(text: str) -> bool:
    return (
        text.lower().startswith(("http://", "https://"))
        and len(text) <= _MAX_LINK
        and clean_text(text, _MAX_LINK) == text
        and " " not in text
    )


def message_value(fields: Mapping[Any, Any]) -> object:
    """The vendor's words as they came: a string or an object of lists; None if there are none."""
    return next((fields[name] for name in _MESSAGE_NAMES if fields.get(name)), None)


def message_text(fields: Mapping[Any, Any], secrets: Secrets = NO_SECRETS) -> str:
    """The vendor's words on one line, whether a string, a list, an object of lists, or under a misspelt name."""
    for name in _MESSAGE_NAMES:
        if text := clean_text(_flat(fields.get(name), 3), MAX_MESSAGE, secrets):
            return text
    return ""


def _flat(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth and isinstance(value, Mapping):
        return " ".join(filter(None, (_flat(item, depth - 1) for item in value.values())))
    if depth and isinstance(value, list | tuple):
        return " ".join(filter(None, (_flat(item, depth - 1) for item in value)))
    return ""


def read_number(value: object, most: float) -> float | None:
    """A number, or a string that spells one, clamped to 0..most; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else min(max(number, 0.0), most)


def read_seed(value: object, most: int) -> int | None:
    """A seed, or a string that spells one; None for all else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def read_flag(value: object) -> bool:
    """A boolean, also as a number, a word, or a list of them (then: whether any is true)."""
    if isinstance(value, list | tuple):
        return any(read_flag(item) for item in value)
    if isinstance(value, str):
        return value.strip().lower() in {"true", "yes", "1"}
    return isinstance(value, bool | int) and bool(value)
