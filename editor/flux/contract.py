"""The flux server's requests and answers as typed data. No input or output happens here.

The vendor documents no img2img answer, and its sibling servers disagree with each other, so reading is lenient: every
shape that was ever seen becomes a `Generation`, and nothing that arrives can raise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .scrubbing import UnreadableError, clean_text, parse_json, storable, without_secret

DEPLOY_TYPE = "flux_kontext_dev"
"""What `update_s3` and `reset_s3` call this server; left out, they would mean another one."""
MIN_SIDE = 256
"""Pixels; the least width and height of a result."""
MAX_SIDE = 1024
"""Pixels; the greatest width and height of a result."""
SIDE_STEP = 8
"""Pixels; width and height are multiples of it."""
MAX_SAMPLES = 4
MAX_SEED = 2**32 - 1
MAX_PROMPT = 4000
"""Characters; the vendor names no limit, this one is ours."""
MAX_WEBHOOK_BODY = 64 * 1024
"""Bytes of a webhook call that are looked at."""
MAX_ETA = 3600.0
"""Seconds; the vendor's estimates are often absurd and are clamped to this."""
MAX_MESSAGE = 500
"""Characters of the vendor's words that are kept."""

_MAX_LINKS = 16
_MAX_LINK = 4096
_MAX_GENERATION_TIME = 24 * 3600.0
_VENDOR_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._:~-]{1,128}")
_MESSAGE_NAMES = ("message", "messege", "error", "detail")


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """One img2img request: `width` and `height` in pixels, `strength` from 0 to 1 (1 keeps nothing of the input).

    The addresses may be signed and the webhook's holds a secret, the prompt belongs to a person: none is in the repr.
    """

    prompt: str = field(repr=False)
    init_image: str = field(repr=False)
    width: int
    height: int
    seed: int
    samples: int = 1
    strength: float = 0.7
    init_image_2: str | None = field(default=None, repr=False)
    negative_prompt: str = field(default="", repr=False)
    safety_checker: bool = True
    base64: bool = False
    instant_response: bool = True
    temp: bool = False
    webhook: str | None = field(default=None, repr=False)
    track_id: str | None = None

    def body(self, key: str) -> dict[str, Any]:
        """The JSON body; it holds the key, so it is made at the last moment and kept nowhere."""
        body: dict[str, Any] = {
            "key": key,
            "prompt": self.prompt,
            "init_image": self.init_image,
            "width": self.width,
            "height": self.height,
            "samples": self.samples,
            "strength": self.strength,
            "seed": self.seed,
            "safety_checker": self.safety_checker,
            "base64": self.base64,
            "instant_response": self.instant_response,
            "temp": self.temp,
            "webhook": self.webhook,
            "track_id": self.track_id,
        }
        if self.negative_prompt:
            body["negative_prompt"] = self.negative_prompt
        if self.init_image_2:
            body["init_image_2"] = self.init_image_2
        return body


@dataclass(frozen=True, kw_only=True)
class StorageRegistration:
    """The body of update_s3: a bucket of ours into which the vendor shall write its results.

    The bucket is part of `endpoint_url`'s host (a sandbox also takes http://host:port/bucket). A result then lies at
    `<public_url>/<image_directory>/<name>`, for anyone to read. The vendor keeps the access key: give it one of its
    own, which may list, read and write this bucket and nothing else. Neither half of it is in the repr.
    """

    endpoint_url: str
    region_name: str
    public_url: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    image_directory: str
    deploy_type: str = DEPLOY_TYPE

    def body(self, key: str) -> dict[str, Any]:
        """The JSON body; it holds three secrets, so it is made at the last moment and kept nowhere."""
        return {
            "key": key,
            "deploy_type": self.deploy_type,
            "public_url": self.public_url,
            "region_name": self.region_name,
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "image_directory": self.image_directory,
        }


class Status(StrEnum):
    """What the vendor's open set of words comes down to; a word that nobody knows means "still processing"."""

    SUCCESS = "success"
    PROCESSING = "processing"
    FAILED = "failed"

    @classmethod
    def from_vendor(cls, word: object) -> Status:
        """Read the vendor's word, in any case; anything unknown, or no word at all, is PROCESSING."""
        return _WORDS.get(word.strip().lower(), cls.PROCESSING) if isinstance(word, str) else cls.PROCESSING


_WORDS = {
    "success": Status.SUCCESS,
    "ready": Status.SUCCESS,
    "failed": Status.FAILED,
    "error": Status.FAILED,
    "processing": Status.PROCESSING,
    "queued": Status.PROCESSING,
    "pending": Status.PROCESSING,
}


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One generation as the vendor tells it.

    `outputs` are links to finished pictures; `future_links` are promises and may answer 404 for ever. `eta` and
    `generation_time` are in seconds. `nsfw` says that at least one output was replaced by a blank picture. `answer` is
    the vendor's answer, scrubbed and capped, for the record.
    """

    status: Status
    id: str | None = None
    outputs: tuple[str, ...] = ()
    future_links: tuple[str, ...] = ()
    eta: float | None = None
    message: str = ""
    nsfw: bool = False
    seed: int | None = None
    generation_time: float | None = None
    answer: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """What a webhook call claims. Nothing signs it: a hint to ask `fetch`, never evidence."""

    vendor_id: str | None
    status: Status
    track_id: str | None
    answer: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class SystemDetails:
    """The server's own account of itself; `queue_time` in seconds."""

    model_count: int | None
    queue_time: float | None
    answer: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The answer to an order that yields no picture: the vendor's words, and its answer, scrubbed, for the record."""

    message: str
    answer: dict[str, Any] = field(default_factory=dict, repr=False)


def parse_generation(answer: object, key: str = "") -> Generation:
    """Read any answer about a generation; never raises. `key` is cut out of everything that is kept."""
    fields: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {}
    meta = fields.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    return Generation(
        status=Status.from_vendor(fields.get("status")),
        id=_without(read_id(fields.get("id")), key),
        outputs=links(fields.get("output"), key) or links(fields.get("proxy_links"), key),
        future_links=links(fields.get("future_links"), key),
        eta=_number(fields.get("eta"), MAX_ETA),
        message=message_text(fields, key),
        nsfw=_flag(fields.get("nsfw_content_detected")),
        seed=_seed(meta.get("seed")) if meta.get("seed") is not None else _seed(fields.get("seed")),
        generation_time=_number(fields.get("generationTime", fields.get("generation_time")), _MAX_GENERATION_TIME),
        answer=storable(fields, key),
    )


def parse_webhook(body: bytes) -> WebhookEvent:
    """Read the body of a webhook call; raise ValueError unless it is a sane JSON object of at most 64 KB."""
    if len(body) > MAX_WEBHOOK_BODY:
        raise UnreadableError("larger than 64 KB")
    document = parse_json(body, unique_names=True)
    if not isinstance(document, dict):
        raise UnreadableError("not a JSON object")
    track_id = document.get("track_id")
    return WebhookEvent(
        vendor_id=read_id(document.get("id")),
        status=Status.from_vendor(document.get("status")),
        track_id=clean_text(track_id, 200) or None if isinstance(track_id, str) else None,
        answer=storable(document),
    )


def parse_system_details(answer: object, key: str = "") -> SystemDetails:
    """Read the answer of system_details; never raises."""
    fields: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {}
    count = _number(fields.get("model_count"), 1e6)
    return SystemDetails(
        model_count=None if count is None else int(count),
        queue_time=_number(fields.get("queue_time"), MAX_ETA),
        answer=storable(fields, key),
    )


def read_id(value: object) -> str | None:
    """The vendor's id as text, or None if there is none that could be asked for again."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 < value < 2**64 else None
    if isinstance(value, str) and _VENDOR_ID.fullmatch(value.strip()) and value.strip() != "0":
        return value.strip()
    return None


def links(value: object, key: str = "") -> tuple[str, ...]:
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
    return tuple(without_secret(link, key) for link in found if _is_link(link))[:_MAX_LINKS]


def _is_link(text: str) -> bool:
    return (
        text.lower().startswith(("http://", "https://"))
        and len(text) <= _MAX_LINK
        and clean_text(text, _MAX_LINK) == text
        and " " not in text
    )


def message_text(fields: Mapping[Any, Any], key: str = "") -> str:
    """The vendor's words on one line, whether a string, a list, an object of lists, or under a misspelt name."""
    for name in _MESSAGE_NAMES:
        if text := clean_text(_flat(fields.get(name), 3), MAX_MESSAGE, key):
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


def _without(text: str | None, key: str) -> str | None:
    return None if text is None or (key and key in text) else text


def _number(value: object, most: float) -> float | None:
    """A number, or a string that spells one, clamped to 0..most."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else min(max(number, 0.0), most)


def _seed(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED else None


def _flag(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(_flag(item) for item in value)
    if isinstance(value, str):
        return value.strip().lower() in {"true", "yes", "1"}
    return isinstance(value, bool | int) and bool(value)
