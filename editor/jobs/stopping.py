"""SIGTERM to a process that works on a ring: it finishes the unit of work, and begins no other."""

import signal
from dataclasses import dataclass


@dataclass
class _Wish:
    asked: bool = False  # a plain value: a lock may be held by the very code that a signal interrupts


_wish = _Wish()


def listen() -> None:
    """From now on SIGTERM ends nothing by itself; call it in the main thread."""
    _wish.asked = False
    signal.signal(signal.SIGTERM, lambda *_: ask())


def ask() -> None:
    """End soon."""
    _wish.asked = True


def asked() -> bool:
    """Whether this process was asked to end."""
    return _wish.asked
