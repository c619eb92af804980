"""The sandbox's one call per generation to whoever asked for it: best effort, unsigned, never repeated."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests

from ..transport import loopback
from .answers import INTERNAL, told
from .spoiling import HTML

if TYPE_CHECKING:
    from .generations import Work
    from .ledger import Entry

logger = logging.getLogger(__name__)

_TIMEOUTS = (5, 30)
_LATE = 3.0
_TIMES = {"webhook-twice": 2, "webhook-ten": 10}
_HUGE = 1024 * 1024


def announce(entry: Entry, work: Work, stopping: threading.Event) -> None:
    """Say that the generation is done, in the way that its faults ask for."""
    if "webhook-lost" in entry.faults or not work.wanted.webhook:
        return
    if "webhook-late" in entry.faults and stopping.wait(_LATE):
        return
    times = next((times for fault, times in _TIMES.items() if fault in entry.faults), 1)
    others = [threading.Thread(target=send, args=(entry, work), daemon=True) for _ in range(times - 1)]
    for thread in others:
        thread.start()
    send(entry, work)
    for thread in others:
        thread.join()
    if "webhook-out-of-order" in entry.faults:
        send(entry, work, working=True)


def send(entry: Entry, work: Work, *, working: bool = False) -> None:
    """One POST of the generation's present state, or of the one while it was still `working`."""
    url = work.wanted.webhook
    if not url:
        return
    document = told(entry, work.origin)
    if working:
        document |= {"status": "processing", "output": [], "generationTime": None}
    document = _lied(entry, document)
    with requests.Session() as session:
        session.trust_env = not loopback(url)
        try:
            if "webhook-get" in entry.faults:
                query = urlencode({name: str(value) for name, value in document.items()})
                session.get(f"{url}?{query}", timeout=_TIMEOUTS, allow_redirects=False).close()
            else:
                headers = {"Content-Type": "application/json"}
                body = _body(entry, document)
                session.post(url, data=body, headers=headers, timeout=_TIMEOUTS, allow_redirects=False).close()
        except requests.RequestException as error:
            # The address holds a secret of its receiver: it is not logged.
            logger.info("The webhook of generation %s was not delivered: %s", entry.id, type(error).__name__)


def _lied(entry: Entry, document: dict[str, Any]) -> dict[str, Any]:
    """What it says with the faults that make it untrue."""
    if "webhook-failed" in entry.faults:
        document = {"status": "failed", "id": entry.id, "track_id": entry.track_id, "message": "Processing failed: no."}
    changes: dict[str, dict[str, Any]] = {
        "webhook-other-id": {"id": entry.id + 1},
        "webhook-other-track": {"track_id": "somebody-else"},
        "webhook-unknown": {"status": "Warming_Up"},
        "webhook-internal": {"output": [f"{INTERNAL}/{name}" for name in entry.outputs]},
        "webhook-huge": {"message": "x" * _HUGE},
    }
    for fault, change in changes.items():
        if fault in entry.faults:
            document |= change
    if "webhook-without-id" in entry.faults:
        document.pop("id", None)
    return document


def _body(entry: Entry, document: dict[str, Any]) -> bytes:
    if "webhook-html" in entry.faults:
        return HTML
    if "webhook-deep" in entry.faults:
        return b'{"status": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    text = json.dumps(document)
    if "webhook-doubled" in entry.faults:
        text = '{"status": "failed", "id": 1, ' + text.removeprefix("{")
    return text.encode()
