"""The vendor's endpoints: each reads a body, does something, and answers; a refusal is a RefusedError."""

from __future__ import annotations

import re
import time
import uuid
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import answers, faults, painting
from .commands import COMMANDS, Downtime
from .download import download
from .generations import Generations
from .ledger import Entry
from .mischief import Mischief, refusal
from .rules import RefusedError, Wanted, Wrong, check_key, check_request, read_text
from .storage import BucketError, Storage
from .switches import Switches

ENTERPRISE = "/api/v1/enterprise/"
UPLOAD = "/api/v6/base64_to_url"

_MODEL = ENTERPRISE + "flux_kontext_dev/"
_MAX_UPLOAD = 5_000_000
_MAX_UPLOADED = 10_000_000
_LENT = 24 * 3600.0
_HOLD = 10.0
_ANNOUNCED = 60.0
_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif"}

Answer = dict[str, Any] | None
"""What is sent as JSON with 200; None where a fault has already answered in its own way."""


@dataclass(frozen=True)
class Site:
    """Everything that one sandbox consists of."""

    generations: Generations
    storage: Storage
    switches: Switches
    downtime: Downtime
    key: str | None

    def ledger(self, newest: int | None = None) -> dict[str, Any]:
        """What was accepted (all, or the newest) and refused, and the registered buckets without their keys."""
        return self.generations.ledger(newest) | {"storage": self.storage.shown()}


class Endpoints:
    """One request from a caller who knows this server as `origin`."""

    def __init__(self, site: Site, mischief: Mischief, origin: str) -> None:
        self._site = site
        self._mischief = mischief
        self._origin = origin

    def answer(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Answer a POST; raises RefusedError."""
        name = path.removeprefix(_MODEL)
        if path == UPLOAD:
            return self._base64_to_url(body) if self._admitted("upload", body) else None
        if path.startswith(ENTERPRISE) and (code := self._site.downtime.code()):
            self._site.generations.count_refused("restarting")
            self._mischief.page(code)
            return None
        if path == _MODEL + "img2img":
            return self._img2img(body)
        if name.startswith("fetch/") and name != path:
            return self._fetch(name.removeprefix("fetch/")) if self._admitted("fetch", body) else None
        if path == _MODEL + "system_details":
            return self._details() if self._admitted("details", body) else None
        if path.startswith(_MODEL) and name in COMMANDS:
            return self._site.downtime.command(name) if self._admitted("command", body) else None
        if path == ENTERPRISE + "upload_image":
            return self._upload_image(body) if self._admitted("image", body) else None
        if path in (ENTERPRISE + "update_s3", ENTERPRISE + "reset_s3"):
            return self._s3(path, body) if self._admitted("s3", body) else None
        elsewhere = path.startswith("/elsewhere/")
        raise RefusedError("elsewhere" if elsewhere else "path", 404, {"status": "error", "message": "Not found"})

    def _admitted(self, endpoint: str, body: Mapping[str, Any], marked: frozenset[str] = frozenset()) -> bool:
        """Whether the request gets past the door; a fault that stands there answers it."""
        name = self._site.switches.door(endpoint, marked)
        if name:
            if refused := refusal(name, self._site.generations.queue_limit):
                raise refused
            self._site.generations.count_refused(name)
            self._mischief.at_the_door(name)
            return False
        check_key(body, self._site.key)
        return True

    def _img2img(self, body: Mapping[str, Any]) -> Answer:
        generations = self._site.generations
        prompt = body.get("prompt")
        marked = _marked(prompt if isinstance(prompt, str) else "")
        if not self._admitted("img2img", body, marked):
            return None
        wanted = check_request(body)
        generations.refuse_if_full()
        sources = [_source(address) for address in wanted.init_images]
        flaws = frozenset(marked | self._site.switches.later())
        entry = generations.accept(wanted, sources, flaws, self._origin)
        self._hold(entry, wanted)
        answer = answers.to_img2img(entry, self._origin, generations.eta(entry))
        if "restart-underneath" in flaws:
            self._site.downtime.begin()
        return None if self._mischief.instead_of(answer, flaws) else answer

    def _hold(self, entry: Entry, wanted: Wanted) -> None:
        work = self._site.generations.work(entry)
        if work is None:
            return
        if "webhook-early" in entry.faults:
            work.announced.wait(_ANNOUNCED)
        elif "held" in entry.faults:
            work.done.wait(_ANNOUNCED)
        elif not wanted.instant_response:
            work.done.wait(_HOLD)

    def _fetch(self, number: str) -> Answer:
        generations = self._site.generations
        if re.fullmatch(r"[0-9]{1,18}", number):
            entry = generations.entry(int(number))
        else:
            entry = generations.by_prefix(number.removeprefix("flx-"))
        if entry is None or "forgotten" in entry.faults or str(answers.known_id(entry)) != number:
            raise RefusedError("forgotten", 404, {"status": "error", "message": "Request not found"})
        if "forgotten-200" in entry.faults:
            raise RefusedError("forgotten-200", 200, {"status": "error", "message": "Request not found"})
        times = generations.count_fetch(entry)
        answer = answers.to_fetch(entry, self._origin)
        return None if self._mischief.instead_of_fetch(answer, frozenset(entry.faults), times) else answer

    def _details(self) -> dict[str, Any]:
        return {"status": "ok", "model_count": 1, "queue_time": self._site.generations.wait()}

    def _s3(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if path.endswith("reset_s3"):
            self._site.storage.forget(body)
            return {"status": "success", "message": "S3 settings removed."}
        self._site.storage.register(body)
        return {"status": "success", "message": "S3 settings updated."}

    def _upload_image(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wrong: Wrong = {}
        text = read_text(body, "base64_image", wrong, required=True, most=_MAX_UPLOADED) or ""
        kind = (read_text(body, "image_type", wrong, required=True, most=60) or "").lower().removeprefix("image/")
        if "image_type" not in wrong and kind not in _TYPES:
            wrong["image_type"] = [f"The image type must be one of {', '.join(_TYPES)}."]
        picture = _picture(text, "base64_image", wrong)
        bucket = self._site.storage.ours
        if wrong or picture is None:
            raise RefusedError("image", 400, {"status": "error", "message": wrong})
        if bucket is None:
            message = "No S3 storage is registered for this server: call update_s3 first."
            raise RefusedError("image", 400, {"status": "error", "message": message})
        name = f"{uuid.uuid4().hex}.{kind}"
        try:
            bucket.write(name, picture, _TYPES[kind])
        except BucketError as error:
            raise RefusedError("image", 500, {"status": "error", "message": error.code}) from None
        return {"status": "success", "image_url": f"{bucket.public}/{name}"}

    def _base64_to_url(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wrong: Wrong = {}
        text = read_text(body, "base64_string", wrong, required=True, most=_MAX_UPLOAD) or ""
        picture = _picture(text, "base64_string", wrong)
        if wrong or picture is None:
            raise RefusedError("upload", 400, {"status": "error", "message": wrong})
        results = self._site.generations.results
        results.remove_lent(time.time() - _LENT)
        name = f"{uuid.uuid4().hex}.jpg"
        results.lend(name, picture)
        return {"status": "success", "id": None, "output": [f"{self._origin}/uploads/{name}"]}


def _picture(text: str, name: str, wrong: Wrong) -> bytes | None:
    """The picture in a text with or without a `data:` prefix; None, and an entry in `wrong`, if there is none."""
    if name in wrong:
        return None
    try:
        picture = b64decode(text.rpartition(",")[2], validate=True)
        painting.check(picture)
    except ValueError:
        wrong[name] = [f"The {name.replace('_', ' ')} must be a picture."]
        return None
    return picture


def _marked(prompt: str) -> frozenset[str]:
    try:
        return faults.marked(prompt)
    except ValueError as error:
        wrong = {"prompt": [f"The sandbox knows no fault named {error}."]}
        raise RefusedError("prompt", 400, {"status": "error", "message": wrong}) from None


def _source(address: str) -> bytes:
    try:
        picture = download(address)
        painting.check(picture)
    except ValueError:
        raise RefusedError("image", 200, {"status": "error", "message": "Failed to fetch init image."}) from None
    return picture
