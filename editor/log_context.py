"""What a log line is about: the request, the edit and the attempt, wherever the line is written.

Whoever begins to work on one of them says so with `about`; the handlers' filter adds it to every line within. The id
of a request travels with the rings that it causes, so that one search shows the click, the worker and the answer.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import uuid4

NAMES = ("request", "job", "attempt")
_known: ContextVar[Mapping[str, str]] = ContextVar("retake_log_context", default=MappingProxyType({}))
_OPENS = re.compile(
    r"/(s|join|appeals|unsubscribe|sources|hooks/flux|account/confirm-email|account/password/reset/key)/[\w:.%~-]{12,}"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Within it, log lines carry these ids (names of NAMES); an empty one takes away what was said around it."""
    before = _known.set({**_known.get(), **{name: str(value) for name, value in ids.items()}})
    try:
        yield
    finally:
        _known.reset(before)


def request_id() -> str:
    """The id of the request that all this is done for; "" if it is for none."""
    return _known.get().get("request", "")


def as_request_id(given: object) -> str:
    """What somebody else says is a request's id, if it looks like one; else "", so that no log is written by others."""
    return given if isinstance(given, str) and _REQUEST_ID.fullmatch(given) else ""


def new_request_id() -> str:
    return uuid4().hex


class Context(logging.Filter):
    """Adds `ids` to a record: those that are known by now."""

    def filter(self, record: logging.LogRecord) -> bool:
        known = _known.get()
        record.ids = {name: known[name] for name in NAMES if known.get(name)}
        return True


class WithoutTokens(logging.Filter):
    """Of an address that opens something to whoever has it, what opens it is not written down."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        masked = _OPENS.sub(r"/\1/…", said)
        if masked != said:
            record.msg, record.args = masked, ()
        return True


class LineFormatter(logging.Formatter):
    """For people: level, logger, message, and the ids behind it."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the library's name)
        ids = " ".join(f"{name}={value}" for name, value in getattr(record, "ids", {}).items())
        return super().formatMessage(record) + (f" [{ids}]" if ids else "")


class JsonFormatter(logging.Formatter):
    """For programs: one object a line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "ids", {}),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)
