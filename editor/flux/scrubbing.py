"""Make text and JSON from outside safe to store and to log.

"Safe" means: no secret, nothing a database refuses (NUL, lone surrogates, NaN, huge numbers), and a bounded size.
"""

from __future__ import annotations

import html
import json
import math
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
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
    (
        *("key", "api_key", "apikey", "secret", "password", "authorization"),
        *("access_key_id", "secret_access_key", "base64_string", "base64_image"),
    )
)
_STORAGE_FIELDS = "aws_"
_SHORTEST_IN_BASE64 = 8  # characters; the pieces of a shorter one stand in innocent texts
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


class Secrets:
    """Texts that must stay out of all that is kept or shown: the key, and what a bucket is registered with.

    Every usual spelling of them is found: plain, percent-encoded, as in JSON, as in HTML, in base64. Shows them to
    nobody itself.
    """

    def __init__(self, *values: str) -> None:
        self._values = tuple(filter(None, values))
        # The longest first: one secret may begin as another does.
        spellings = sorted({text for value in self._values for text in _spellings(value)}, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, spellings))) if spellings else None

    def __repr__(self) -> str:
        return f"Secrets({len(self._values)} hidden)"

    @classmethod
    def of(cls, known: Secrets | str) -> Secrets:
        """What functions take that cut secrets out: these, or a single one as text."""
        return known if isinstance(known, Secrets) else cls(known)

    def also(self, *values: str) -> Secrets:
        """These and more."""
        return Secrets(*self._values, *values)

    def cut_from(self, text: str) -> str:
        """The text with every secret replaced."""
        return self._any.sub("[key]", text) if self._any else text


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield html.escape(secret)
    for encoded in (quote(secret, safe="", errors="replace"), quote(secret, errors="replace")):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), encoded)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", r"\/")
    if len(secret) >= _SHORTEST_IN_BASE64:
        yield from _in_base64(secret.encode(errors="replace"))


def _in_base64(secret: bytes) -> Iterator[str]:
    """What is sure to be seen of it within encoded bytes, at whichever of the three places in a group it begins."""
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode()
        sure = encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        yield sure
        yield sure.replace("+", "-").replace("/", "_")


NO_SECRETS = Secrets()
"""For answers of somebody who was told none."""


def clean_text(text: str, limit: int = _STORED_TEXT, secrets: Secrets = NO_SECRETS) -> str:
    """The text on one line, without control characters, lone surrogates and secrets, at most `limit` characters."""
    return _UNSTORABLE.sub(" ", secrets.cut_from(text)).strip()[:limit]


def without_secret(text: str, secret: str) -> str:
    """The text with every occurrence of `secret` replaced."""
    return Secrets(secret).cut_from(text)


def storable(answer: object, secrets: Secrets | str = NO_SECRETS) -> dict[str, Any]:
    """A copy of a JSON object that is safe to store; `{}` when it is no object.

    Secret fields and every occurrence of a secret are gone; long texts, long lists and deep nesting are cut. If that is
    still more than `MAX_ANSWER`, only the small well-known fields remain, beside `"truncated": true`.
    """
    if not isinstance(answer, Mapping):
        return {}
    copy = _storable_object(answer, Secrets.of(secrets), _STORED_DEPTH)
    if len(json.dumps(copy)) <= MAX_ANSWER:
        return copy
    short = {name: copy[name] for name in ("status", "id", "track_id", "message", "messege") if name in copy}
    return {
        name: value[:500] if isinstance(value, str) else value
        for name, value in short.items()
        if not isinstance(value, dict | list)
    } | {"truncated": True}


def _storable_object(value: Mapping[Any, Any], secrets: Secrets, depth: int) -> dict[str, Any]:
    names = [name for name in value if isinstance(name, str) and not _is_secret(name)]
    return {
        clean_text(name, 100, secrets): _storable(value[name], secrets, depth - 1) for name in names[:_STORED_ITEMS]
    }


def _is_secret(name: str) -> bool:
    return name.lower() in _SECRET_FIELDS or name.lower().startswith(_STORAGE_FIELDS)


def _storable(value: object, secrets: Secrets, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value, secrets=secrets)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _STORED_INTEGER_BITS else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        return _storable_object(value, secrets, depth)
    if isinstance(value, list | tuple):
        return [_storable(item, secrets, depth - 1) for item in value[:_STORED_ITEMS]]
    return None
