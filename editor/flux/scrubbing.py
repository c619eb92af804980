"""Make text and JSON from outside safe to store and to log.

"Safe" means: no secret, nothing a database refuses (NUL, lone surrogates, NaN, huge numbers), and a bounded size.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

MAX_ANSWER = 16 * 1024
"""Characters of JSON that a stored answer may take."""

MAX_DEPTH = 20
"""Nesting that a parsed document may have; known answers have three levels."""

_STORED_DEPTH = 6
_STORED_TEXT = 2048
_STORED_ITEMS = 50
_STORED_INTEGER_BITS = 63
_SECRET_FIELDS = frozenset(
    {"key", "api_key", "apikey", "secret", "password", "authorization", "base64_string", "base64_image"}
)
_STORAGE_FIELDS = "aws_"
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class UnreadableError(ValueError):
    """A document that is not JSON, or JSON that nobody sane sends."""


def parse_json(body: bytes, *, unique_names: bool = False) -> object:
    """Parse bytes as JSON.

    Raises `UnreadableError`, a ValueError, for everything else, for deep nesting and, with `unique_names`, for names
    that are repeated within an object.
    """
    try:
        document: object = json.loads(body, object_pairs_hook=_without_repeats if unique_names else None)
    except RecursionError:
        document, problem = None, "nested too deeply"
    except ValueError:
        # The original error quotes the document, which may hold a secret: it is not carried along.
        document, problem = None, "not readable as JSON"
    else:
        problem = "nested too deeply" if deeper_than(document, MAX_DEPTH) else ""
    if problem:
        raise UnreadableError(problem)
    return document


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise UnreadableError("repeated names")
    return document


def deeper_than(document: object, depth: int) -> bool:
    """Whether lists and objects are nested more than `depth` deep; looks level by level, without recursion."""
    level = [document]
    for _ in range(depth + 1):
        below: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                below.extend(value.values())
            elif isinstance(value, list | tuple):
                below.extend(value)
        if not below:
            return False
        level = below
    return True


def clean_text(text: str, limit: int = _STORED_TEXT, secret: str = "") -> str:
    """The text on one line, without control characters, lone surrogates and `secret`, at most `limit` characters."""
    return _UNSTORABLE.sub(" ", without_secret(text, secret)).strip()[:limit]


def without_secret(text: str, secret: str) -> str:
    """The text with every occurrence of `secret`, plain or percent-encoded, replaced."""
    if secret:
        for spelling in {secret, quote(secret, safe=""), quote(secret)}:
            text = text.replace(spelling, "[key]")
    return text


def storable(answer: object, secret: str = "") -> dict[str, Any]:
    """A copy of a JSON object that is safe to store; `{}` when it is no object.

    Secret fields and every occurrence of `secret` are gone; long texts, long lists and deep nesting are cut. If that is
    still more than `MAX_ANSWER`, only the small well-known fields remain, beside `"truncated": true`.
    """
    if not isinstance(answer, Mapping):
        return {}
    copy = _storable_object(answer, secret, _STORED_DEPTH)
    if len(json.dumps(copy)) <= MAX_ANSWER:
        return copy
    short = {name: copy[name] for name in ("status", "id", "track_id", "message", "messege") if name in copy}
    return {
        name: value[:500] if isinstance(value, str) else value
        for name, value in short.items()
        if not isinstance(value, dict | list)
    } | {"truncated": True}


def _storable_object(value: Mapping[Any, Any], secret: str, depth: int) -> dict[str, Any]:
    names = [name for name in value if isinstance(name, str) and not _is_secret(name)]
    return {clean_text(name, 100, secret): _storable(value[name], secret, depth - 1) for name in names[:_STORED_ITEMS]}


def _is_secret(name: str) -> bool:
    return name.lower() in _SECRET_FIELDS or name.lower().startswith(_STORAGE_FIELDS)


def _storable(value: object, secret: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value, secret=secret)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _STORED_INTEGER_BITS else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        return _storable_object(value, secret, depth)
    if isinstance(value, list | tuple):
        return [_storable(item, secret, depth - 1) for item in value[:_STORED_ITEMS]]
    return None
