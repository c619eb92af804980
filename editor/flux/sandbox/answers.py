"""The sandbox's answers about a generation, in every shape that the vendor and its siblings were seen to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ledger import Entry

_TIP = "Your picture is being made."


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
        "future_links": [f"{origin}/generations/{entry.prefix}-{number}.png" for number in range(entry.samples)],
        "meta": {"seed": entry.seed, "width": entry.width, "height": entry.height, "file_prefix": entry.prefix},
    }
    return _shaped(entry, answer)


def to_fetch(entry: Entry, origin: str) -> dict[str, Any]:
    """The answer to asking again; as poor in fields as the vendor's."""
    if entry.status == "processing":
        return _shaped(entry, {"status": "processing", "message": "try again later.", "output": "", "tip": _TIP})
    if entry.status == "failed":
        return {"status": "failed", "id": entry.id, "message": entry.message}
    return _shaped(entry, _done(entry, origin))


def told(entry: Entry, origin: str) -> dict[str, Any]:
    """The body of the webhook."""
    return to_fetch(entry, origin) | {
        "id": entry.id,
        "track_id": entry.track_id,
        "generationTime": _seconds(entry),
        "meta": {},
    }


def _done(entry: Entry, origin: str) -> dict[str, Any]:
    found = [f"{entry.public or origin + '/generations'}/{name}" for name in entry.outputs]
    return {
        "status": "success",
        "id": entry.id,
        "nsfw_content_detected": entry.nsfw,
        "meta": {"seed": entry.seed, "width": entry.width, "height": entry.height, "file_prefix": entry.prefix},
    } | _links(entry, found)


def _links(entry: Entry, found: list[str]) -> dict[str, Any]:
    """`output`, and `proxy_links` where the flaw is about them."""
    if "link-internal" in entry.faults:
        found = [f"http://10.0.0.1/{name}" for name in entry.outputs]
    if "output-as-string" in entry.faults:
        return {"output": found[0]}
    if "output-as-object" in entry.faults:
        return {"output": {str(number): link for number, link in enumerate(found)}}
    if "output-empty" in entry.faults:
        return {"output": "", "proxy_links": found}
    if "output-null" in entry.faults:
        return {"output": None}
    if "output-five" in entry.faults:
        return {"output": (found * 5)[:5]}
    return {"output": found}


def _shaped(entry: Entry, answer: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, tuple[str, Any]] = {
        "eta-wild": ("eta", 1e9),
        "eta-negative": ("eta", -1),
        "eta-as-string": ("eta", "12"),
        "meta-as-list": ("meta", []),
        "id-as-string": ("id", str(entry.id)),
        "status-upper": ("status", str(answer["status"]).upper()),
    }
    if entry.status == "processing":
        changes["status-unknown"] = ("status", "Warming_Up")
    for flaw, (name, value) in changes.items():
        if flaw in entry.faults and name in answer:
            answer[name] = value
    if "processing-without-id" in entry.faults and entry.status == "processing":
        answer = {name: answer[name] for name in ("status", "message", "output") if name in answer}
    return answer


def _seconds(entry: Entry) -> float | None:
    return round(entry.finished - entry.accepted, 2) if entry.finished else None
