"""What can go wrong with the flux server, told by what it means for the request: was it accepted, may it be repeated?

Only whole, known messages are recognised. The vendor's words may quote the prompt, so a word found somewhere inside a
message proves nothing: a person may well ask for a sign that says "Invalid API key".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    """What a failed call means for its caller."""

    NOT_SENT = "not-sent"
    """Nothing reached the server: not accepted, may be sent again."""
    JOB = "job"
    """Refused because of this very request: not accepted, can never work."""
    ACCOUNT = "account"
    """Refused because of the key, the credit or the plan: not accepted, and others would fare no better."""
    QUEUE_FULL = "queue-full"
    """Refused because too much waits already: not accepted, may be sent again after `retry_after`."""
    UNKNOWN = "unknown"
    """No usable answer: may be running, and charged. Never to be repeated by itself."""
    LATER = "later"
    """A call that costs nothing did not work: ask again later."""


class FluxError(Exception):
    """The one exception that leaves `editor.flux`.

    `message` holds the vendor's words or ours, is safe to store and never holds the key; `reason` is a short code;
    `retry_after` is in seconds; `http_status` is None where no answer arrived.
    """

    def __init__(
        self,
        verdict: Verdict,
        reason: str,
        message: str = "",
        *,
        retry_after: float | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(verdict, reason, message)
        self.verdict = verdict
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.http_status = http_status

    def __str__(self) -> str:
        code = f", HTTP {self.http_status}" if self.http_status else ""
        return f"{self.verdict}: {self.reason}{code}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions travel between processes; the default recipe forgets the keyword arguments.
        return _rebuilt, (self.verdict, self.reason, self.message, self.retry_after, self.http_status)


def _rebuilt(
    verdict: Verdict, reason: str, message: str, retry_after: float | None, http_status: int | None
) -> FluxError:
    return FluxError(verdict, reason, message, retry_after=retry_after, http_status=http_status)


Refusal = tuple[Verdict, str]

_FIELDS = {
    "key": (Verdict.ACCOUNT, "bad-key"),
    "prompt": (Verdict.JOB, "prompt"),
    "negative_prompt": (Verdict.JOB, "prompt"),
    "init_image": (Verdict.JOB, "image"),
    "init_image_2": (Verdict.JOB, "image"),
} | dict.fromkeys(
    (
        *("width", "height", "samples", "strength", "seed", "safety_checker", "base64", "instant_response", "temp"),
        *("webhook", "track_id", "base64_string", "base64_image", "image_type"),
        *("deploy_type", "public_url", "region_name", "endpoint_url", "image_directory"),
        *("aws_access_key_id", "aws_secret_access_key"),
    ),
    (Verdict.JOB, "field"),
)
_FIELD_NAMES = "|".join(name.replace("_", "[ _]") for name in sorted(_FIELDS, key=len, reverse=True))
_POLITE = r"[.!]?(?: please [a-z ,]{1,60}[.!]?)?"

_WHOLE_MESSAGES: tuple[tuple[re.Pattern[str], Refusal], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), refusal)
    for pattern, refusal in (
        (r"rate limit exceeded\. maximum \d{1,6} queued requests allowed\.?", (Verdict.QUEUE_FULL, "queue-full")),
        (rf"(?:invalid|missing|wrong) api[ _]?key{_POLITE}", (Verdict.ACCOUNT, "bad-key")),
        (rf"(?:insufficient|not enough) credits?{_POLITE}", (Verdict.ACCOUNT, "no-credit")),
        (
            r"(?:(?:your|api|daily|monthly|plan) ){0,3}limit exceeded,? (?:please )?upgrade"
            r"(?: (?:your|the|plan|subscription|account|to|continue)){0,5}[.!]?",
            (Verdict.ACCOUNT, "no-credit"),
        ),
        (
            r"(?:your|the|this) (?:current )?(?:plan|subscription) (?:does not (?:include|allow|support)|has expired)"
            r"[a-z0-9 ,_-]{0,60}[.!]?",
            (Verdict.ACCOUNT, "plan"),
        ),
        (
            r"(?:failed|unable|could not|cannot|can't) (?:to )?(?:download|fetch|load|open|read|access|process|decode) "
            r"(?:the )?(?:init|input|source)[ _]image(?:[ _]2)?(?:(?: from|:) \S{1,2000})?[.!]?",
            (Verdict.JOB, "image"),
        ),
        (
            r"(?:the )?(?:init|input)[ _]image(?:[ _]2)? is (?:not a valid|an invalid) (?:image|url)[.!]?",
            (Verdict.JOB, "image"),
        ),
        (
            r"(?:the |your )?prompt (?:contains|includes) (?:nsfw|prohibited|forbidden|banned|inappropriate|unsafe)"
            r" (?:words?|content|terms?)[.!]?",
            (Verdict.JOB, "prompt"),
        ),
    )
)
_FIELD_MESSAGE = re.compile(
    rf"the ({_FIELD_NAMES}) (?:field )?(?:is required|must [a-z0-9 ,.-]{{1,80}}|may not be [a-z0-9 ]{{1,60}}"
    r"|format is invalid|is invalid)\.?",
    re.IGNORECASE,
)
_FORGOTTEN = re.compile(r"(?:the )?(?:request|generation|image|id)(?: id)? (?:was )?not found\.?", re.IGNORECASE)
_FAILED_WHILE_RUNNING = re.compile(r"(?:image )?(?:processing|generation) failed\b", re.IGNORECASE)


def refusal(message: object, text: str) -> Refusal | None:
    """What a known refusal means; None for all other messages.

    `message` is the vendor's value as it came (a string or an object of lists), `text` the same as one line.
    """
    if isinstance(message, Mapping):
        return _field_refusal([str(name).lower() for name in message])
    whole = " ".join(text.split())
    for pattern, meaning in _WHOLE_MESSAGES:
        if pattern.fullmatch(whole):
            return meaning
    if found := _FIELD_MESSAGE.fullmatch(whole):
        return _FIELDS[found[1].lower().replace(" ", "_")]
    return None


def _field_refusal(names: list[str]) -> Refusal | None:
    """An object of lists names the fields at fault; one that names anything else is not about the request."""
    if not names or any(name not in _FIELDS for name in names):
        return None
    return next((_FIELDS[name] for name in names if _FIELDS[name][0] is Verdict.ACCOUNT), _FIELDS[names[0]])


def forgotten(text: str) -> bool:
    """Whether the whole message says that the server knows no such generation (any longer)."""
    return _FORGOTTEN.fullmatch(text) is not None


def failed_while_running(text: str) -> bool:
    """Whether the message begins as those of a generation that was accepted and then failed."""
    return _FAILED_WHILE_RUNNING.match(text) is not None
