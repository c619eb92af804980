"""The flux server's requests and answers as typed data. No input or output happens here.

The vendor documents no img2img answer, and its sibling servers disagree with each other, so reading is lenient: every
shape that was ever seen becomes a `Generation`, and nothing that arrives can raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from . import validation
from .reading import links, message_text, read_flag, read_id, read_number, read_seed
from .scrubbing import NO_SECRETS, Secrets, UnreadableError, clean_text, parse_json, storable

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
MAX_STEPS = 1000
"""Of `num_inference_steps`; the vendor names no limit, this one is ours."""
MAX_GUIDANCE = 100.0
"""The vendor names no limit, this one is ours."""
MAX_PROMPT = 4000
"""Characters; the vendor names no limit, this one is ours."""
MAX_WEBHOOK_BODY = 64 * 1024
"""Bytes of a webhook call that are looked at."""
MAX_ETA = 3600.0
"""Seconds; the vendor's estimates are often absurd and are clamped to this."""

_MAX_GENERATION_TIME = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """One img2img request. Making one that the vendor refuses for certain raises FluxError JOB, naming each field.

    - `init_image`, `init_image_2`: http(s) addresses that the server itself can GET; JPEG is the safest format. The
      second one only to merge two pictures.
    - `width`, `height`: pixels of the result, 256 to 1024, multiples of 8. It is stretched to them, so they should have
      the input's shape.
    - `samples`: how many pictures, 1 to 4.
    - `strength`: 0 to 1; 1 keeps nothing of the input.
    - `seed`: 0 to 2³² - 1; the same one gives the same picture. With None the server draws one that it may never tell.
    - `safety_checker`: replace pictures that are not safe for work by blank ones; `Generation.nsfw` tells.
    - `base64`: have links to text instead of to pictures (their names end in .base64).
    - `instant_response`: be answered at once, without a result, instead of being held for a while.
    - `temp`: keep results only for a short time (otherwise they are deleted after 24 hours).
    - `webhook`: an https address that gets one POST when it is done, with `track_id` in it.
    - `num_inference_steps`, `guidance`: known to a sibling of this server, perhaps ignored by this one.

    The addresses may be signed and the webhook's holds a secret, the prompts belong to a person: none is in the repr.
    """

    prompt: str = field(repr=False)
    init_image: str = field(repr=False)
    width: int
    height: int
    seed: int | None
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
    num_inference_steps: int | None = None
    guidance: float | None = None

    def __post_init__(self) -> None:
        validation.refuse(
            prompt=validation.text(self.prompt),
            negative_prompt=validation.text(self.negative_prompt, needed=False),
            init_image=validation.picture(self.init_image),
            init_image_2=validation.picture(self.init_image_2) if self.init_image_2 else None,
            width=validation.whole(self.width, MIN_SIDE, MAX_SIDE, SIDE_STEP),
            height=validation.whole(self.height, MIN_SIDE, MAX_SIDE, SIDE_STEP),
            samples=validation.whole(self.samples, 1, MAX_SAMPLES),
            strength=validation.between(self.strength, 0, 1),
            seed=None if self.seed is None else validation.whole(self.seed, 0, MAX_SEED),
            safety_checker=validation.flag(self.safety_checker),
            base64=validation.flag(self.base64),
            instant_response=validation.flag(self.instant_response),
            temp=validation.flag(self.temp),
            webhook=validation.address(self.webhook, encrypted=True) if self.webhook else None,
            track_id=None if self.track_id is None else validation.text(self.track_id, needed=False),
            num_inference_steps=None
            if self.num_inference_steps is None
            else validation.whole(self.num_inference_steps, 1, MAX_STEPS),
            guidance=None if self.guidance is None else validation.between(self.guidance, 0, MAX_GUIDANCE),
        )

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
            "webhook": self.webhook or None,
            "track_id": self.track_id,
        }
        optional = {
            "negative_prompt": self.negative_prompt or None,
            "init_image_2": self.init_image_2 or None,
            "num_inference_steps": self.num_inference_steps,
            "guidance": self.guidance,
        }
        return body | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class StorageRegistration:
    """The body of update_s3: a bucket of ours into which the vendor shall write its results.

    Making one that can't be registered raises FluxError JOB, naming each field.

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

    def __post_init__(self) -> None:
        validation.refuse(
            endpoint_url=validation.address(self.endpoint_url),
            region_name=validation.text(self.region_name),
            public_url=validation.address(self.public_url),
            access_key_id=validation.text(self.access_key_id),
            secret_access_key=validation.text(self.secret_access_key),
            image_directory=validation.folder(self.image_directory),
            deploy_type=validation.text(self.deploy_type),
        )

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

    def __repr__(self) -> str:
        # Whoever has a link sees the picture, and the message may quote the prompt: neither belongs into a log.
        known = {"eta": self.eta, "seed": self.seed, "nsfw": self.nsfw or None}
        told = "".join(f", {name}={value}" for name, value in known.items() if value is not None)
        return f"Generation({self.status}, id={self.id}, {len(self.outputs)} outputs{told})"


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


def parse_generation(answer: object, secrets: Secrets | str = NO_SECRETS) -> Generation:
    """Read any answer about a generation; never raises. `secrets` are cut out of everything that is kept."""
    secrets = Secrets.of(secrets)
    fields: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {}
    meta = fields.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    return Generation(
        status=Status.from_vendor(fields.get("status")),
        id=read_id(fields.get("id"), secrets),
        outputs=links(fields.get("output"), secrets) or links(fields.get("proxy_links"), secrets),
        future_links=links(fields.get("future_links"), secrets),
        eta=read_number(fields.get("eta"), MAX_ETA),
        message=message_text(fields, secrets),
        nsfw=read_flag(fields.get("nsfw_content_detected")),
        seed=read_seed(meta.get("seed") if meta.get("seed") is not None else fields.get("seed"), MAX_SEED),
        generation_time=read_number(fields.get("generationTime", fields.get("generation_time")), _MAX_GENERATION_TIME),
        answer=storable(fields, secrets),
    )


def parse_webhook(body: bytes, secrets: Secrets | str = NO_SECRETS) -> WebhookEvent:
    """Read the body of a webhook call; raise ValueError unless it is a sane JSON object of at most 64 KB.

    Nobody knows who sent it: `secrets` are cut out of everything that is kept, in case that it was the vendor.
    """
    secrets = Secrets.of(secrets)
    if len(body) > MAX_WEBHOOK_BODY:
        raise UnreadableError("larger than 64 KB")
    document = parse_json(body, unique_names=True)
    if not isinstance(document, dict):
        raise UnreadableError("not a JSON object")
    track_id = document.get("track_id")
    return WebhookEvent(
        vendor_id=read_id(document.get("id"), secrets),
        status=Status.from_vendor(document.get("status")),
        track_id=clean_text(track_id, 200, secrets) or None if isinstance(track_id, str) else None,
        answer=storable(document, secrets),
    )


def parse_system_details(answer: object, secrets: Secrets | str = NO_SECRETS) -> SystemDetails:
    """Read the answer of system_details; never raises."""
    secrets = Secrets.of(secrets)
    fields: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {}
    count = read_number(fields.get("model_count"), 1e6)
    return SystemDetails(
        model_count=None if count is None else int(count),
        queue_time=read_number(fields.get("queue_time"), MAX_ETA),
        answer=storable(fields, secrets),
    )


def parse_notice(answer: object, secrets: Secrets | str = NO_SECRETS) -> Notice:
    """Read the answer to an order; never raises."""
    secrets = Secrets.of(secrets)
    fields: Mapping[Any, Any] = answer if isinstance(answer, Mapping) else {}
    return Notice(message=message_text(fields, secrets), answer=storable(fields, secrets))
