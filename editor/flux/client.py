"""The flux server, seen from us: four calls, one exception.

`img2img` is the paid one. Its answer decides between "accepted", "not accepted" and "nobody knows", and the last must
never be repeated by itself; all other calls cost nothing. Nothing in here retries.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from .contract import (
    DEPLOY_TYPE,
    EditRequest,
    Generation,
    Notice,
    Status,
    StorageRegistration,
    SystemDetails,
    links,
    message_text,
    parse_generation,
    parse_system_details,
    read_id,
)
from .errors import FluxError, Refusal, Verdict, failed_while_running, forgotten, refusal
from .scrubbing import UnreadableError, clean_text, parse_json, storable
from .transport import Body, Lost, Reply, Transport, loopback

__all__ = ["MAX_UPLOAD", "FluxClient", "loopback"]

MAX_UPLOAD = 5_000_000
"""Bytes of base64 text that the upload address takes; three quarters of it is the picture."""

_MAX_RETRY_AFTER = 3600.0
_TOTAL_SLACK = 30.0
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
    "no-id": "The flux server took the request but did not say under which id.",
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
class _Answer:
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
        return Status.from_vendor(self.word) is Status.FAILED


class FluxClient:
    """The vendor's endpoints under `base_url`, which ends with `/api/v1/enterprise/`; timeouts in seconds.

    The key goes into the bodies of requests to `base_url` and `upload_url` and nowhere else. One client may be used by
    many threads, and survives a fork. `total_timeout` ends an answer that comes in drips; by default it lies a little
    above the sum of the others.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        upload_url: str | None = None,
        connect_timeout: float = 5,
        read_timeout: float = 120,
        total_timeout: float | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.upload_url = upload_url
        self._key = _Key(api_key)
        self._transport = Transport(
            connect_timeout, read_timeout, total_timeout or connect_timeout + read_timeout + _TOTAL_SLACK
        )

    def __repr__(self) -> str:
        return f"FluxClient({self.base_url!r})"

    def close(self) -> None:
        """Close idle connections; the client stays usable."""
        self._transport.close()

    def img2img(self, request: EditRequest) -> Generation:
        """Ask for an edit. Whatever returns was accepted: it has an id, or it is a success with outputs.

        Raises FluxError with NOT_SENT, JOB, ACCOUNT or QUEUE_FULL when it was not accepted and UNKNOWN when it may
        have been. Status.FAILED with an id means: accepted, and failed there.
        """
        try:
            body: Body | None = Body(request.body(self._key.value))
        except (ValueError, TypeError):
            body = None
        if body is None:
            raise FluxError(Verdict.JOB, "field", "The request holds a value that JSON can't carry.")
        reply = self._transport.post(self.base_url + "flux_kontext_dev/img2img", body, once=True)
        if isinstance(reply, Lost):
            raise self._img2img_lost(reply)
        answer = self._read(reply)
        generation = parse_generation(answer.fields, self._key.value)
        if _accepted(answer, generation):
            return generation
        verdict, reason = _img2img_verdict(answer, generation)
        raise self._error(verdict, reason, answer)

    def fetch(self, vendor_id: str) -> Generation:
        """Ask how a generation is doing. Costs nothing: every FluxError says LATER, its reason why.

        The answer's own id and links to other places to ask are ignored: the id stays the one that was asked for.
        """
        if read_id(vendor_id) is None:
            raise FluxError(Verdict.LATER, "forgotten", "The flux server gives out no such ids.")
        url = self.base_url + "flux_kontext_dev/fetch/" + quote(vendor_id, safe="")
        answer = self._free(url, {})
        failed = answer.word == "failed" or failed_while_running(answer.message)
        if answer.refused and (answer.refusal or not failed):
            raise self._error(*_free_verdict(answer, set()), answer)
        return replace(parse_generation(answer.fields, self._key.value), id=vendor_id)

    def system_details(self) -> SystemDetails:
        """Ask whether the server is up and the key is good. Raises FluxError: ACCOUNT, or LATER for all else."""
        answer = self._free(self.base_url + "flux_kontext_dev/system_details", {}, Verdict.ACCOUNT)
        if answer.word not in {"ok", "success"}:
            raise self._error(*_free_verdict(answer, {Verdict.ACCOUNT}), answer)
        return parse_system_details(answer.fields, self._key.value)

    def base64_to_url(self, jpeg_bytes: bytes) -> str:
        """Lend a JPEG to the vendor's file store for 24 hours; returns its public address.

        Raises FluxError: JOB if this picture will never be taken, ACCOUNT, or LATER.
        """
        if self.upload_url is None:
            raise FluxError(Verdict.JOB, "no-upload-address", "No address for uploads is configured.")
        text = "data:image/jpeg;base64," + b64encode(jpeg_bytes).decode()
        if len(text) > MAX_UPLOAD:
            raise FluxError(Verdict.JOB, "image", "The picture is too large for the flux server's file store.")
        answer = self._free(self.upload_url, {"base64_string": text}, Verdict.ACCOUNT, Verdict.JOB)
        found = links(answer.fields.get("output"), self._key.value)
        if answer.refused or not found:
            raise self._error(*_free_verdict(answer, {Verdict.ACCOUNT, Verdict.JOB}), answer)
        return found[0]

    def clear_cache(self) -> Notice:
        """Empty the server's cache. Expect minutes of server errors. Raises FluxError: ACCOUNT, JOB or LATER."""
        return self._order("flux_kontext_dev/clear_cache", {})

    def clear_queue(self) -> Notice:
        """Throw away all that waits, and restart. Expect minutes of server errors. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/clear_queue", {})

    def restart_server(self) -> Notice:
        """Restart the server. Expect minutes of server errors. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/restart_server", {})

    def update_server(self) -> Notice:
        """Let the vendor update the server. Expect minutes of server errors. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/update_server", {})

    def update_s3(self, registration: StorageRegistration) -> Notice:
        """Have results written into a bucket of ours. Raises FluxError: ACCOUNT, JOB (a field is wrong) or LATER."""
        return self._order("update_s3", registration.body(""))

    def reset_s3(self, deploy_type: str = DEPLOY_TYPE) -> Notice:
        """Have results written into the vendor's own bucket again. Raises like `update_s3`."""
        return self._order("reset_s3", {"deploy_type": deploy_type})

    def upload_image(self, picture: bytes, image_type: str = "jpeg") -> str:
        """Put a picture into the registered bucket; returns its public address.

        Raises FluxError: JOB if this picture will never be taken, ACCOUNT, or LATER.
        """
        heeded = (Verdict.ACCOUNT, Verdict.JOB)
        body = {"base64_image": b64encode(picture).decode(), "image_type": image_type}
        answer = self._free(self.base_url + "upload_image", body, *heeded)
        found = links(answer.fields.get("image_url"), self._key.value)
        if answer.refused or not found:
            raise self._error(*_free_verdict(answer, set(heeded)), answer)
        return found[0]

    def _order(self, path: str, body: dict[str, Any]) -> Notice:
        heeded = (Verdict.ACCOUNT, Verdict.JOB)
        answer = self._free(self.base_url + path, body, *heeded)
        if answer.refused:
            raise self._error(*_free_verdict(answer, set(heeded)), answer)
        return Notice(message=answer.message, answer=storable(answer.fields, self._key.value))

    def _free(self, url: str, body: dict[str, Any], *heeded: Verdict) -> _Answer:
        """A call that costs nothing: a JSON answer with a 2xx or 4xx code that is no refusal by code alone."""
        reply = self._transport.post(url, Body(body | {"key": self._key.value}))
        if isinstance(reply, Lost):
            raise FluxError(Verdict.LATER, reply.reason, _OURS[reply.reason], http_status=reply.status)
        answer = self._read(reply)
        usable = answer.readable and (200 <= answer.code < 300 or (400 <= answer.code < 500 and answer.refused))
        known_code = answer.code in _CODES and answer.word != "failed"
        if not usable or known_code:
            raise self._error(*_free_verdict(answer, set(heeded)), answer)
        return answer

    def _img2img_lost(self, lost: Lost) -> FluxError:
        if not lost.sent:
            return FluxError(Verdict.NOT_SENT, lost.reason, _OURS[lost.reason])
        # The code alone refuses, also when the body behind it got lost.
        verdict, reason = _CODES.get(lost.status or 0, (Verdict.UNKNOWN, lost.reason))
        return FluxError(verdict, reason, _OURS[lost.reason], http_status=lost.status)

    def _read(self, reply: Reply) -> _Answer:
        try:
            document = parse_json(reply.body)
        except UnreadableError:
            document = None  # no JSON at all is an answer, too: the HTTP code may still decide
        fields: Mapping[str, Any] = document if isinstance(document, dict) else {}
        text = message_text(fields, self._key.value)
        message = fields.get("message") or fields.get("messege")
        known = refusal(message, text)
        return _Answer(reply.status, reply.headers, fields, isinstance(document, dict), text, known)

    def _error(self, verdict: Verdict, reason: str, answer: _Answer) -> FluxError:
        return FluxError(
            verdict,
            reason,
            answer.message or _OURS.get(reason, "The flux server refused the request."),
            retry_after=_retry_after(answer),
            http_status=answer.code,
        )


class _Key:
    """Keeps the key out of every listing of variables."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "[key]"


def _accepted(answer: _Answer, generation: Generation) -> bool:
    if 300 <= answer.code < 400:
        return False
    if answer.refused:
        if generation.id is None or answer.refusal:
            return False
        return answer.word == "failed" or failed_while_running(generation.message)
    if not 200 <= answer.code < 300 and answer.word not in {"success", "ready", "processing", "queued", "pending"}:
        return False
    return generation.id is not None or (generation.status is Status.SUCCESS and bool(generation.outputs))


def _img2img_verdict(answer: _Answer, generation: Generation) -> Refusal:
    """What an answer that accepts nothing means for a paid request; all that is not known for certain is UNKNOWN."""
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


def _free_verdict(answer: _Answer, heeded: set[Verdict]) -> Refusal:
    """What a useless answer to a free call means: one of the `heeded` verdicts if it is certain, LATER otherwise."""
    said = answer.refusal if answer.refused or answer.code >= 400 else None
    known = said or _CODES.get(answer.code)
    if known and (answer.code < 500 or known[0] is not Verdict.JOB):
        return known if known[0] in heeded else (Verdict.LATER, known[1])
    if 300 <= answer.code < 400:
        return Verdict.LATER, "redirect"
    if answer.code == 404 or (answer.refused and forgotten(answer.message)):
        return Verdict.LATER, "forgotten"
    if answer.code >= 500:
        return Verdict.LATER, "server-error"
    return Verdict.LATER, "unknown-answer" if answer.readable else "unreadable"


def _retry_after(answer: _Answer) -> float | None:
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
