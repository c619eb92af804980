"""The sandbox's answers about a generation, in every shape that the vendor and its siblings were seen to use."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ledger import Entry

INTERNAL = "http://10.0.0.1"
"""A place in a private network, which nobody may ask."""

_TIP = "Your picture is being made."
_LATE = 1.0
_ETA: dict[str, object] = {
    "eta-wild": 1e9,
    "eta-negative": -1,
    "eta-as-string": "12",
    "eta-in-words": "soon",
    "eta-nan": math.nan,
    "eta-null": None,
}
_WORKING = {"status-unknown": "Warming_Up", "status-queued": "queued", "status-pending": "pending"}


def to_img2img(entry: Entry, origin: str, eta: float) -> dict[str, Any]:
    """The answer to the request itself: working, done or failed."""
    if entry.status == "failed":
        return _shaped(entry, {"status": "failed", "id": entry.id, "message": entry.message})
    if entry.status == "success":
        return _shaped(entry, _done(entry, origin) | {"generationTime": _seconds(entry), "warning": ""})
    answer = {
        "status": "processing",
        "id": entry.id,
        "eta": eta,
        "message": _TIP,
        "tip": _TIP,
        "output": [],
        "fetch_result": f"{origin}/api/v1/enterprise/flux_kontext_dev/fetch/{entry.id}",
        "future_links": _promised(entry, origin),
        "meta": {"seed": entry.seed, "width": entry.width, "height": entry.height, "file_prefix": entry.prefix},
    }
    if "fetch-elsewhere" in entry.faults:
        # Another name of this machine, so that even a client that fell for it would leave nothing anywhere else.
        port = origin.rpartition(":")[2]
        answer["fetch_result"] = f"http://localhost:{port}/elsewhere/fetch/{entry.id + 1}"
    return _shaped(entry, answer)


def to_fetch(entry: Entry, origin: str) -> dict[str, Any]:
    """The answer to asking again; as poor in fields as the vendor's."""
    if entry.status == "processing":
        return _shaped(entry, {"status": "processing", "message": "try again later.", "output": "", "tip": _TIP})
    if entry.status == "failed":
        return _shaped(entry, {"status": "failed", "id": entry.id, "message": entry.message})
    return _shaped(entry, _done(entry, origin))


def told(entry: Entry, origin: str) -> dict[str, Any]:
    """The body of the webhook."""
    return to_fetch(entry, origin) | {
        "id": known_id(entry),
        "track_id": entry.track_id,
        "generationTime": _seconds(entry),
        "meta": {},
    }


def known_id(entry: Entry) -> int | str:
    """The id under which `fetch` knows it."""
    return f"flx-{entry.prefix}" if "id-as-word" in entry.faults else entry.id


def _promised(entry: Entry, origin: str) -> list[str]:
    return [f"{origin}/generations/{entry.prefix}-{number}.png" for number in range(entry.samples)]


def _done(entry: Entry, origin: str) -> dict[str, Any]:
    found = [f"{entry.public or origin + '/generations'}/{name}" for name in entry.outputs]
    nsfw: object = entry.nsfw and "blank-untold" not in entry.faults
    if "nsfw-list" in entry.faults:
        nsfw = [False] * (entry.samples - 1) + [nsfw]
    elif "nsfw-string" in entry.faults:
        nsfw = str(nsfw).lower()
    return {
        "status": "success",
        "id": entry.id,
        "nsfw_content_detected": nsfw,
        "meta": {"seed": entry.seed, "width": entry.width, "height": entry.height, "file_prefix": entry.prefix},
    } | _links(entry, found)


def _links(entry: Entry, found: list[str]) -> dict[str, Any]:
    """`output`, and `proxy_links` or `future_links` where the fault is about them."""
    if "link-internal" in entry.faults:
        found = [f"{INTERNAL}/{name}" for name in entry.outputs]
    if "link-double-slash" in entry.faults:
        found = [link[:8] + link[8:].replace("/", "//", 1) for link in found]
    late = time.time() - (entry.finished or 0.0) < _LATE
    numbered = {str(number): link for number, link in enumerate(found)}
    shapes: dict[str, Callable[[], dict[str, Any]]] = {
        "output-as-string": lambda: {"output": found[0]},
        "output-as-object": lambda: {"output": numbered},
        "output-empty": lambda: {"output": "", "proxy_links": found},
        "proxy-as-string": lambda: {"output": "", "proxy_links": found[0]},
        "proxy-as-object": lambda: {"output": "", "proxy_links": numbered},
        "future-only": lambda: {"output": [], "future_links": found},
        "output-null": lambda: {"output": None},
        "output-missing": dict,
        "output-none": lambda: {"output": []},
        "output-late": lambda: {"output": [] if late else found},
        "output-five": lambda: {"output": (found * 5)[:5]},
        "output-fewer": lambda: {"output": found[:-1]},
        "output-junk": lambda: {"output": [None, 5, "no link at all", {}, *found]},
    }
    return next((shape() for fault, shape in shapes.items() if fault in entry.faults), {"output": found})


def _shaped(entry: Entry, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the faults of `status`, `id`, `eta`, `meta` and `message`."""
    flaws = entry.faults
    if "processing-without-id" in flaws and entry.status == "processing":
        answer = {name: answer[name] for name in ("status", "message", "output") if name in answer}
    answer["status"] = _status(entry, answer["status"])
    if answer["status"] is None:
        del answer["status"]
    if "id" in answer:
        answer["id"] = None if "id-null" in flaws else known_id(entry)
        if "id-as-string" in flaws:
            answer["id"] = str(entry.id)
    if entry.status == "success" and "success-without-id" in flaws:
        answer.pop("id", None)
    if entry.status == "success" and "bare-success" in flaws:
        answer = {name: answer[name] for name in ("status", "id", "output") if name in answer}
    if "eta" in answer:
        answer["eta"] = next((value for fault, value in _ETA.items() if fault in flaws), answer["eta"])
    if "meta-as-list" in flaws and "meta" in answer:
        answer["meta"] = []
    for fault, name in (("eta-missing", "eta"), ("meta-missing", "meta")):
        if fault in flaws:
            answer.pop(name, None)
    if "message" in answer:
        if "message-object" in flaws:
            answer["message"] = {"message": [answer["message"]]}
        if "message-messege" in flaws:
            answer["messege"] = answer.pop("message")
    return answer


def _status(entry: Entry, word: str) -> str | None:
    flaws = entry.faults
    if word == "processing":
        if "status-missing" in flaws:
            return None
        word = next((other for fault, other in _WORKING.items() if fault in flaws), word)
    elif word == "success" and "status-ready" in flaws:
        word = "ready"
    elif word == "failed" and "failed-as-error" in flaws:
        word = "error"
    return word.upper() if "status-upper" in flaws else word


def _seconds(entry: Entry) -> float | None:
    return round(entry.finished - entry.accepted, 2) if entry.finished else None
