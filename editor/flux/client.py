"""The flux server, seen from us: eleven calls, one exception.

`img2img` is the paid one. Its answer decides between "accepted", "not accepted" and "nobody knows", and the last must
never be repeated by itself. All other calls cost nothing. What an answer means stands in `judging`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from . import validation
from .contract import (
    DEPLOY_TYPE,
    EditRequest,
    Generation,
    Notice,
    StorageRegistration,
    SystemDetails,
    parse_generation,
    parse_notice,
    parse_system_details,
)
from .errors import FluxError, Verdict
from .judging import (
    Answer,
    accepted,
    done,
    fetch_error,
    fetched,
    free_error,
    free_loss,
    paid_error,
    paid_loss,
    read_answer,
    usable,
)
from .reading import links, read_id
from .scrubbing import Secrets
from .transport import Body, Lost, Transport, loopback

__all__ = ["MAX_UPLOAD", "FluxClient", "loopback"]

MAX_UPLOAD = 5_000_000
"""Bytes of base64 text that the upload address takes; three quarters of it is the picture."""

_TOTAL_SLACK = 30.0
_JPEG = "data:image/jpeg;base64,"
_FOR_GOOD = (Verdict.ACCOUNT, Verdict.JOB)


class FluxClient:
    """The vendor's endpoints under `base_url`, which ends with `/api/v1/enterprise/`; timeouts in seconds.

    The key goes into the bodies of requests to `base_url` and `upload_url` and nowhere else: no other host, no
    redirect, no log, no error, no stored answer. `other_secrets` are cut out of all that is kept, too.

    One client may be used by many threads, keeps its connections, and survives a fork. `total_timeout` ends an answer
    that comes in drips; by default it lies a little above the sum of the others.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        upload_url: str | None = None,
        connect_timeout: float = 5,
        read_timeout: float = 120,
        total_timeout: float | None = None,
        other_secrets: Iterable[str] = (),
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.upload_url = upload_url
        self._key = _Key(api_key)
        self._secrets = Secrets(api_key, *other_secrets)
        self._transport = Transport(
            connect_timeout, read_timeout, total_timeout or connect_timeout + read_timeout + _TOTAL_SLACK
        )

    def __repr__(self) -> str:
        without_password = re.sub("//[^/]*@", "//", self.base_url)
        return f"FluxClient({without_password!r})"

    def close(self) -> None:
        """Close idle connections; the client stays usable."""
        self._transport.close()

    def img2img(self, request: EditRequest) -> Generation:
        """Ask for an edit. Whatever returns was accepted: it has an id, or it is a success with outputs.

        Raises FluxError with NOT_SENT, JOB, ACCOUNT or QUEUE_FULL when it was not accepted and UNKNOWN when it may
        have been. Status.FAILED with an id means: accepted, and failed there.
        """
        body = Body(request.body(self._key.value))
        reply = self._transport.post(self.base_url + "flux_kontext_dev/img2img", body, once=True)
        if isinstance(reply, Lost):
            raise paid_loss(reply)
        answer = read_answer(reply, self._secrets)
        generation = parse_generation(answer.fields, self._secrets)
        if not accepted(answer, generation):
            raise paid_error(answer, generation)
        return generation

    def fetch(self, vendor_id: str) -> Generation:
        """Ask how a generation is doing. Costs nothing: every FluxError says LATER, its reason why.

        The answer's own id and links to other places to ask are ignored: the id stays the one that was asked for.
        """
        if read_id(vendor_id) is None:
            raise FluxError(Verdict.LATER, "forgotten", "The flux server gives out no such ids.")
        answer = self._ask("flux_kontext_dev/fetch/" + quote(vendor_id, safe=""))
        if not usable(answer) or not fetched(answer):
            raise fetch_error(answer)
        return replace(parse_generation(answer.fields, self._secrets), id=vendor_id)

    def system_details(self) -> SystemDetails:
        """Ask whether the server is up and the key is good. Raises FluxError: ACCOUNT, or LATER for all else."""
        answer = self._ask("flux_kontext_dev/system_details")
        if not usable(answer) or answer.word not in {"ok", "success"}:
            raise free_error(answer, {Verdict.ACCOUNT})
        return parse_system_details(answer.fields, self._secrets)

    def clear_cache(self) -> Notice:
        """Empty the server's cache. Expect minutes of server errors afterwards.

        Raises FluxError: ACCOUNT, JOB if the server will never do it, or LATER, after which it may have been done.
        """
        return self._order("flux_kontext_dev/clear_cache", once=True)

    def clear_queue(self) -> Notice:
        """Throw away all that waits there, paid or not, and restart the server. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/clear_queue", once=True)

    def restart_server(self) -> Notice:
        """Restart the server. Expect minutes of server errors afterwards. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/restart_server", once=True)

    def update_server(self) -> Notice:
        """Bring the server up to date. Expect minutes of server errors afterwards. Raises like `clear_cache`."""
        return self._order("flux_kontext_dev/update_server", once=True)

    def update_s3(self, registration: StorageRegistration) -> Notice:
        """Have results written into a bucket of ours from now on.

        Raises FluxError: ACCOUNT, JOB if a field is refused, or LATER, after which it may be registered or not.
        """
        secrets = self._secrets.also(registration.access_key_id, registration.secret_access_key)
        return self._order("update_s3", Body(registration.body(self._key.value)), secrets)

    def reset_s3(self, deploy_type: str = DEPLOY_TYPE) -> Notice:
        """Have results written into the vendor's own bucket again. Raises like `update_s3`."""
        validation.refuse(deploy_type=validation.text(deploy_type))
        return self._order("reset_s3", self._body(deploy_type=deploy_type))

    def upload_image(self, picture: bytes, image_type: str = "jpeg") -> str:
        """Put a picture into the registered bucket; returns its public address. Lossless: the bytes go as they are.

        Raises FluxError: JOB if this picture will never be taken, ACCOUNT, or LATER.
        """
        validation.refuse(image_type=validation.text(image_type))
        _refuse_nothing(picture)
        body = self._body(base64_image=b64encode(picture).decode(), image_type=image_type)
        return self._first_link(self._ask("upload_image", body), "image_url")

    def base64_to_url(self, jpeg_bytes: bytes) -> str:
        """Lend a JPEG to the vendor's file store for 24 hours; returns its public address.

        At most `MAX_UPLOAD` as base64. Raises FluxError: JOB if this picture will never be taken, ACCOUNT, or LATER.
        """
        if self.upload_url is None:
            raise FluxError(Verdict.JOB, "no-upload-address", "No address for uploads is configured.")
        _refuse_nothing(jpeg_bytes)
        if len(_JPEG) + (len(jpeg_bytes) + 2) // 3 * 4 > MAX_UPLOAD:
            raise FluxError(Verdict.JOB, "image", "The picture is too large for the flux server's file store.")
        body = self._body(base64_string=_JPEG + b64encode(jpeg_bytes).decode())
        return self._first_link(self._call(self.upload_url, body, self._secrets), "output")

    def _order(
        self, path: str, body: Body | None = None, secrets: Secrets | None = None, *, once: bool = False
    ) -> Notice:
        """Have something done that yields no picture; `once`, if doing it twice is something else."""
        answer = self._ask(path, body, secrets, once=once)
        if not usable(answer) or not done(answer):
            raise free_error(answer, _FOR_GOOD)
        return parse_notice(answer.fields, secrets or self._secrets)

    def _first_link(self, answer: Answer, name: str) -> str:
        found = links(answer.fields.get(name), self._secrets)
        if not usable(answer) or answer.refused or not found:
            raise free_error(answer, _FOR_GOOD)
        return found[0]

    def _ask(
        self, path: str, body: Body | None = None, secrets: Secrets | None = None, *, once: bool = False
    ) -> Answer:
        return self._call(self.base_url + path, body or self._body(), secrets or self._secrets, once=once)

    def _call(self, url: str, body: Body, secrets: Secrets, *, once: bool = False) -> Answer:
        """A call that costs nothing. Raises FluxError LATER if no whole answer comes."""
        reply = self._transport.post(url, body, once=once)
        if isinstance(reply, Lost):
            raise free_loss(reply)
        return read_answer(reply, secrets)

    def _body(self, **fields: str) -> Body:
        return Body(fields | {"key": self._key.value})


class _Key:
    """Keeps the key out of every listing of variables."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "[key]"


def _refuse_nothing(picture: bytes) -> None:
    if not picture:
        raise FluxError(Verdict.JOB, "image", "The picture is empty.")
