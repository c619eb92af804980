"""The sandbox's one call per generation to whoever asked for it: best effort, unsigned, never repeated."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import requests

from ..transport import loopback
from .answers import told

if TYPE_CHECKING:
    from .generations import Work
    from .ledger import Entry

logger = logging.getLogger(__name__)

_TIMEOUTS = (5, 30)
_LATE = 3.0


def announce(entry: Entry, work: Work, stopping: threading.Event) -> None:
    """Say that the generation is done, in the way that its faults ask for."""
    if "webhook-lost" in entry.faults:
        return
    if "webhook-late" in entry.faults and stopping.wait(_LATE):
        return
    if "webhook-twice" in entry.faults:
        second = threading.Thread(target=send, args=(entry, work), daemon=True)
        second.start()
        send(entry, work)
        second.join()
        return
    send(entry, work)


def send(entry: Entry, work: Work) -> None:
    """One POST of the generation's present state."""
    url = work.wanted.webhook
    if not url:
        return
    with requests.Session() as session:
        session.trust_env = not loopback(url)
        try:
            session.post(url, json=told(entry, work.origin), timeout=_TIMEOUTS, allow_redirects=False).close()
        except requests.RequestException as error:
            # The address holds a secret of its receiver: it is not logged.
            logger.info("The webhook of generation %s was not delivered: %s", entry.id, type(error).__name__)
