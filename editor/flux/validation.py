"""What a request may hold, checked before it leaves: what the vendor refuses for certain is not even asked for.

Each check says what a field must be, or None if it is that. No value is ever quoted: it may be somebody's secret.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .errors import FluxError, Verdict
from .transport import loopback

_ABOUT_THE_PROMPT = {"prompt", "negative_prompt"}
_NOT_IN_ADDRESSES = re.compile(r"[\x00-\x20\x7f\\]")
_INLINE_PICTURE = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/=_-]+", re.IGNORECASE)
_FOLDER = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}(?:/(?!\.)[A-Za-z0-9._-]{1,128}){0,9}")


def refuse(**problems: str | None) -> None:
    """Raise FluxError JOB that names every field with a problem; do nothing if none has one."""
    wrong = {name: problem for name, problem in problems.items() if problem}
    if wrong:
        reason = "prompt" if wrong.keys() <= _ABOUT_THE_PROMPT else "field"
        raise FluxError(Verdict.JOB, reason, "; ".join(f"{name} {problem}" for name, problem in wrong.items()) + ".")


def text(value: object, *, needed: bool = True) -> str | None:
    """Text that can be sent; with something in it, if it is `needed`."""
    if not isinstance(value, str):
        return "must be text"
    if needed and not value.strip():
        return "is empty"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds characters that can't be sent"
    return None


def address(value: object, *, encrypted: bool = False) -> str | None:
    """An http or https address with a host; `encrypted` leaves only https, and http on this machine."""
    if problem := text(value):
        return problem
    address = str(value)
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or _NOT_IN_ADDRESSES.search(address):
        return "must be an http or https address"
    if encrypted and parts.scheme != "https" and not loopback(address):
        return "must be an https address"
    return None


def picture(value: object) -> str | None:
    """An address, or a picture written out as `data:image/…;base64,…`; nobody knows whether the vendor takes those."""
    return None if isinstance(value, str) and _INLINE_PICTURE.fullmatch(value) else address(value)


def folder(value: object) -> str | None:
    """The name of a folder, or names with slashes between them; without a slash at either end."""
    if isinstance(value, str) and _FOLDER.fullmatch(value):
        return None
    return "must be a folder's name of letters, digits, '-', '_' and '.', without a slash at either end"


def whole(value: object, least: int, most: int, step: int = 1) -> str | None:
    """An integer within limits, a multiple of `step`."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most and value % step == 0:
        return None
    return f"must be {'a whole number' if step == 1 else f'a multiple of {step}'} from {least} to {most}"


def between(value: object, least: float, most: float) -> str | None:
    """A number within limits; NaN is within none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
        return None
    return f"must be a number from {least:g} to {most:g}"


def flag(value: object) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else "must be True or False"
