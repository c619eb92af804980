"""What an answer of the flux server means for whoever asked. No input or output happens here.

Two kinds of calls are judged by different measures, because one of them costs money:

- img2img, the paid one: `accepted` says whether the request was taken. If not, `paid_error` says whether that is
  *certain* (NOT_SENT, JOB, ACCOUNT, QUEUE_FULL); all that is not is UNKNOWN, and must not be repeated by itself.
- all others cost nothing: `usable` says whether there is anything to read. If not, `free_error` says LATER, unless the
  caller heeds a more certain verdict.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from .contract import Generation, Status
from .errors import FluxError, Refusal, Verdict, failed_while_running, forgotten, refusal
from .reading import message_text, message_value
from .scrubbing import Secrets, UnreadableError, clean_text, parse_json
from .transport import Lost, Reply

_MAX_RETRY_AFTER = 3600.0
_WORKING_OR_DONE = frozenset({"success", "ready", "processing", "queued", "pending"})
_CODES: dict[int, Refusal] = {
    400: (Verdict.JOB, "field"),
    401: (Verdict.ACCOUNT, "bad-key"),
    402: (Verdict.ACCOUNT, "no-credit"),
    403: (Verdict.ACCOUNT, "plan"),
    429: (Verdict.QUEUE_FULL, "queue-full"),
}
_OURS = {
    "address": "The address of the flux server can't be used.",
    "connect-timeout": "No connection to the flux server in time.",
    "connection-lost": "The connection to the flux server broke off.",
    "forgotten": "The flux server knows no such generation.",
    "no-id": "The flux server took the request but did not say under which id.",
    "not-found": "The flux server knows no such address.",
    "redirect": "The flux server answered with a redirect, which is not followed.",
    "refused-connection": "No connection to the flux server.",
    "server-error": "The flux server had an error of its own.",
    "timeout": "The flux server did not answer in time.",
    "tls": "No trustworthy connection to the flux server.",
    "too-large": "The flux server's answer was too large.",
    "unknown-answer": "The flux server gave an answer that is not understood.",
    "unreadable": "The flux server's answer could not be read.",
}


@dataclass(frozen=True)
class Answer:
    """A reply, read as far as possible; `fields` is empty and `readable` False if it was no JSON object."""

    code: int
    headers: Mapping[str, str] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    readable: bool
    message: str
    refusal: Refusal | None

    @property
    def word(self) -> str:
        """The vendor's status word, in lower case; empty if there is none."""
        word = self.fields.get("status")
        return word.strip().lower() if isinstance(word, str) else ""

    @property
    def refused(self) -> bool:
        """Whether the status word says so, whatever the code is."""
        return Status.from_vendor(self.word) is Status.FAILED


def read_answer(reply: Reply, secrets: Secrets) -> Answer:
    """Read a reply; never raises. No JSON at all is an answer, too: the HTTP code may still decide."""
    try:
        document = parse_json(reply.body)
    except UnreadableError:
        document = None
    fields: Mapping[str, Any] = document if isinstance(document, dict) else {}
    text = message_text(fields, secrets)
    known = refusal(message_value(fields), text)
    return Answer(reply.status, reply.headers, fields, isinstance(document, dict), text, known)


def accepted(answer: Answer, generation: Generation) -> bool:
    """Whether this answer to img2img says that the request was taken, and how to go on from there."""
    if 300 <= answer.code < 400:
        return False
    if answer.refused:
        if generation.id is None or answer.refusal:
            return False
        return answer.word == "failed" or failed_while_running(generation.message)
    if not 200 <= answer.code < 300 and answer.word not in _WORKING_OR_DONE:
        return False
    return generation.id is not None or (generation.status is Status.SUCCESS and bool(generation.outputs))


def paid_error(answer: Answer, generation: Generation) -> FluxError:
    """What an answer that accepts nothing means for img2img; all that is not known for certain is UNKNOWN."""
    return _error(*_paid_verdict(answer, generation), answer)


def paid_loss(lost: Lost) -> FluxError:
    """What it means for img2img that no whole answer came."""
    if not lost.sent:
        return FluxError(Verdict.NOT_SENT, lost.reason, _OURS[lost.reason])
    # The code alone refuses, also when the body behind it got lost.
    verdict, reason = _CODES.get(lost.status or 0, (Verdict.UNKNOWN, lost.reason))
    return FluxError(verdict, reason, _OURS[lost.reason], http_status=lost.status)


def usable(answer: Answer) -> bool:
    """Whether an answer to a free call holds something to read: JSON, with a code that doesn't refuse by itself."""
    if not answer.readable or (answer.code in _CODES and answer.word != "failed"):
        return False
    return 200 <= answer.code < 300 or (400 <= answer.code < 500 and answer.refused)


def done(answer: Answer) -> bool:
    """Whether a usable answer to an order says that it was carried out, or soon will be."""
    return answer.word == "ok" or answer.word in _WORKING_OR_DONE


def fetched(answer: Answer) -> bool:
    """Whether a usable answer to fetch tells about the generation, rather than about the question."""
    failed = answer.word == "failed" or failed_while_running(answer.message)
    return not answer.refused or (failed and not answer.refusal)


def free_error(answer: Answer, heeded: Collection[Verdict] = ()) -> FluxError:
    """What a useless answer to a free call means: one of the `heeded` verdicts if it is certain, LATER otherwise."""
    return _error(*_free_verdict(answer, heeded), answer)


def fetch_error(answer: Answer) -> FluxError:
    """What a useless answer to fetch means: LATER in any case, but a generation may be gone for good."""
    verdict, reason = _free_verdict(answer, ())
    gone = reason == "not-found" or (reason == "unknown-answer" and answer.refused and forgotten(answer.message))
    return _error(verdict, "forgotten" if gone else reason, answer)


def free_loss(lost: Lost) -> FluxError:
    """What it means for a free call that no whole answer came."""
    return FluxError(Verdict.LATER, lost.reason, _OURS[lost.reason], http_status=lost.status)


def _error(verdict: Verdict, reason: str, answer: Answer) -> FluxError:
    return FluxError(
        verdict,
        reason,
        answer.message or _OURS.get(reason, "The flux server refused the request."),
        retry_after=_retry_after(answer),
        http_status=answer.code,
    )


def _paid_verdict(answer: Answer, generation: Generation) -> Refusal:
    if 300 <= answer.code < 400:
        return Verdict.UNKNOWN, "redirect"
    # The account's and the queue's messages count under any code; a 5xx about a field is no clear refusal.
    unclear = answer.code >= 500 and answer.refusal is not None and answer.refusal[0] is Verdict.JOB
    if answer.refusal and not unclear and (answer.refused or answer.code >= 400):
        return answer.refusal
    if answer.code in _CODES:
        return _CODES[answer.code]
    if answer.code >= 500:
        return Verdict.UNKNOWN, "server-error"
    if not answer.readable:
        return Verdict.UNKNOWN, "unreadable"
    if answer.refused or generation.id is not None or not 200 <= answer.code < 300:
        return Verdict.UNKNOWN, "unknown-answer"
    return Verdict.UNKNOWN, "no-id"


def _free_verdict(answer: Answer, heeded: Collection[Verdict]) -> Refusal:
    said = answer.refusal if answer.refused or answer.code >= 400 else None
    known = said or _CODES.get(answer.code)
    if known and (answer.code < 500 or known[0] is not Verdict.JOB):
        return known if known[0] in heeded else (Verdict.LATER, known[1])
    if 300 <= answer.code < 400:
        return Verdict.LATER, "redirect"
    if answer.code == 404:
        return Verdict.LATER, "not-found"
    if answer.code >= 500:
        return Verdict.LATER, "server-error"
    return Verdict.LATER, "unknown-answer" if answer.readable else "unreadable"


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait by the body's or the headers' word, clamped to an hour; None if neither says."""
    for value in (answer.fields.get("retry_after"), answer.headers.get("retry-after")):
        if (seconds := _seconds(value)) is not None:
            return seconds
    reset = _seconds(answer.headers.get("x-ratelimit-reset"), most=1e11)
    if reset is None:
        return None
    # Some count seconds, some give the moment.
    return min(max(reset - time.time(), 0.0) if reset > 1e8 else reset, _MAX_RETRY_AFTER)


def _seconds(value: object, most: float = _MAX_RETRY_AFTER) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = _seconds_until(clean_text(str(value)[:100]))
    return None if seconds != seconds else min(max(seconds, 0.0), most)


def _seconds_until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return float("nan")
