"""What the sandbox accepts as an img2img request: the vendor's rules, refused in the vendor's words."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..contract import MAX_SAMPLES, MAX_SEED, MAX_SIDE, MIN_SIDE, SIDE_STEP
from ..transport import loopback

Wrong = dict[str, list[str]]
"""What is wrong with a request, by the name of the field."""

_YES = (True, "yes", "true", "1", 1)
_DEFAULT_SIDE = 512
_DEFAULT_STRENGTH = 0.7
_MAX_TEXT = 20_000


class RefusedError(Exception):
    """The request is refused with this HTTP code and this answer; `reason` is what the ledger counts."""

    def __init__(self, reason: str, code: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.answer = answer
        self.headers = headers or {}


@dataclass(frozen=True)
class Wanted:
    """A request that obeys the rules, with all numbers read and the seed drawn."""

    prompt: str
    negative_prompt: str
    init_images: tuple[str, ...]
    size: tuple[int, int]
    samples: int
    strength: float
    seed: int
    safety_checker: bool
    base64: bool
    instant_response: bool
    temp: bool
    webhook: str | None
    track_id: str | None


def queue_full(limit: int) -> RefusedError:
    """The vendor's refusal when too much waits."""
    answer = {
        "status": "error",
        "message": f"Rate limit exceeded. Maximum {limit} queued requests allowed.",
        "retry_after": 2,
    }
    return RefusedError("queue-full", 429, answer, {"Retry-After": "2"})


def check_key(body: Mapping[str, Any], expected: str | None) -> None:
    """Raise RefusedError unless the body holds the key; without an expected one, any will do."""
    key = body.get("key")
    if not isinstance(key, str) or not key or (expected is not None and key != expected):
        raise RefusedError("bad-key", 401, {"status": "error", "message": "Invalid API key"})


def check_request(body: Mapping[str, Any]) -> Wanted:
    """Read an img2img body; raise RefusedError with every field that is wrong."""
    wrong: Wrong = {}
    prompt = read_text(body, "prompt", wrong, required=True)
    first = read_address(body, "init_image", wrong, required=True)
    second = read_address(body, "init_image_2", wrong)
    wanted = Wanted(
        prompt=prompt or "",
        negative_prompt=read_text(body, "negative_prompt", wrong) or "",
        init_images=tuple(address for address in (first, second) if address),
        size=(_side(body, "width", wrong), _side(body, "height", wrong)),
        samples=_integer(body, "samples", 1, 1, MAX_SAMPLES, wrong),
        strength=_strength(body, wrong),
        seed=_integer(body, "seed", random.randint(0, MAX_SEED), 0, MAX_SEED, wrong),  # noqa: S311
        safety_checker=_flag(body, "safety_checker", True),
        base64=_flag(body, "base64", False),
        instant_response=_flag(body, "instant_response", False),
        temp=_flag(body, "temp", False),
        webhook=_webhook(body, wrong),
        track_id=read_text(body, "track_id", wrong, most=500),
    )
    if wrong:
        raise RefusedError("field", 400, {"status": "error", "message": wrong})
    return wanted


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def read_text(
    body: Mapping[str, Any], name: str, wrong: Wrong, *, required: bool = False, most: int = _MAX_TEXT
) -> str | None:
    """A field's text of at most `most` characters; None, and an entry in `wrong`, where it is no such thing."""
    value = body.get(name)
    if isinstance(value, str) and len(value) > most:
        wrong[name] = [f"The {_spoken(name)} may not be greater than {most} characters."]
    elif isinstance(value, str) and (value.strip() or not required):
        return value
    elif required and (value is None or (isinstance(value, str) and not value.strip())):
        wrong[name] = [f"The {_spoken(name)} field is required."]
    elif required or value is not None:
        wrong[name] = [f"The {_spoken(name)} must be a string."]
    return None


def read_address(body: Mapping[str, Any], name: str, wrong: Wrong, *, required: bool = False) -> str | None:
    """A field's http(s) address, with the same rules."""
    address = read_text(body, name, wrong, required=required, most=4096)
    if address and not _is_address(address):
        wrong[name] = [f"The {_spoken(name)} must be a valid URL."]
    return address


def _is_address(text: str) -> bool:
    try:
        return text.startswith(("http://", "https://")) and bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _webhook(body: Mapping[str, Any], wrong: Wrong) -> str | None:
    address = read_text(body, "webhook", wrong)
    # The vendor calls https alone; plain http is for a portal on this machine.
    if address and not (_is_address(address) and (address.startswith("https://") or loopback(address))):
        wrong["webhook"] = ["The webhook must be a valid https URL."]
    return address or None


def _side(body: Mapping[str, Any], name: str, wrong: Wrong) -> int:
    side = _integer(body, name, _DEFAULT_SIDE, MIN_SIDE, MAX_SIDE, wrong)
    if name not in wrong and side % SIDE_STEP:
        wrong[name] = [f"The {name} must be a multiple of {SIDE_STEP}."]
    return side


def _integer(body: Mapping[str, Any], name: str, default: int, least: int, most: int, wrong: Wrong) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"\d{1,12}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        wrong[name] = [f"The {name} must be an integer."]
        return default
    if not least <= value <= most:
        wrong[name] = [f"The {name} must be between {least} and {most}."]
        return default
    return value


def _strength(body: Mapping[str, Any], wrong: Wrong) -> float:
    value = body.get("strength", _DEFAULT_STRENGTH)
    try:
        strength = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        strength = math.nan
    if not 0 <= strength <= 1:
        wrong["strength"] = ["The strength must be between 0 and 1."]
        return _DEFAULT_STRENGTH
    return strength


def _flag(body: Mapping[str, Any], name: str, default: bool) -> bool:
    value = body.get(name)
    return default if value is None else (value.lower() if isinstance(value, str) else value) in _YES
