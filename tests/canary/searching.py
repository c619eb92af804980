"""Finds a secret in whatever a portal leaves behind, however it is spelled there."""

import base64
import html
import json
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from django.db import connection
from redis import Redis

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client  # type: ignore[import-not-found, unused-ignore]

MOST_PACKED = 300  # pieces of one thing that are unpacked
MOST_UNPACKED = 4_000_000  # bytes
PACKED_TEXT = re.compile(rb"eJ[A-Za-z0-9+/]{16,}={0,2}")  # base64 of what zlib packs, as RQ keeps tracebacks


class Thing(NamedTuple):
    """Something that was found: where, and what it holds."""

    where: str
    content: bytes


class Hit(NamedTuple):
    where: str
    secret: str
    spelling: str


def spellings(secret: str) -> dict[str, set[bytes]]:
    """All the ways in which a careless program may write it."""
    plain = secret.encode()
    percent = quote(secret, safe="")
    escaped = json.dumps(secret)[1:-1]
    slashed = escaped.replace("/", "\\/")
    return {
        "plain": {plain},
        "percent-encoded": {percent.encode(), percent.lower().encode(), quote(secret).encode()} - {plain},
        "base64": _in_base64(plain),
        "json-escaped": {text.encode() for text in (escaped, slashed, slashed.replace("\\", "\\\\"))} - {plain},
        "html-escaped": {html.escape(secret).encode(), secret.replace("+", "&#43;").encode()} - {plain},
    }


def _in_base64(plain: bytes) -> set[bytes]:
    """What is sure to be seen of it, wherever it begins among the bytes that are encoded."""
    found = set()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        sure = encoded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        found |= {sure, sure.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def hits(things: Iterable[Thing], secrets: Mapping[str, str]) -> list[Hit]:
    """Each place where one of the secrets, given by name, is spelled out."""
    wanted = [(name, kind, word) for name, text in secrets.items() for kind, words in spellings(text).items()
              for word in words]  # fmt: skip
    found = set()
    for where, content in things:
        for layer in (where.encode(), content, *unpacked(content)):
            found |= {Hit(where, name, kind) for name, kind, word in wanted if word in layer}
    return sorted(found)


def unpacked(content: bytes) -> Iterator[bytes]:
    """What zlib packed into it, also as base64: so RQ keeps its jobs, and Redis and its file hold them."""
    starts = [match.start() for match in re.finditer(rb"x\x9c", content)]
    for at in starts[:MOST_PACKED]:
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(content[at:], MOST_UNPACKED)
    for text in PACKED_TEXT.findall(content)[:MOST_PACKED]:
        with suppress(ValueError, zlib.error):
            yield zlib.decompressobj().decompress(base64.b64decode(text + b"=" * (-len(text) % 4)), MOST_UNPACKED)


# The places ------------------------------------------------------------------------------------------------------


def in_redis(url: str) -> list[Thing]:
    """Every key with its value, of all types."""
    with Redis.from_url(url) as register:
        return [Thing(f"redis {key!r}", _value(register, key)) for key in register.scan_iter()]


def _value(register: Any, key: bytes) -> bytes:
    kind = register.type(key)
    readers: dict[bytes, Any] = {
        b"string": lambda: [register.get(key)],
        b"hash": lambda: [part for pair in register.hgetall(key).items() for part in pair],
        b"list": lambda: register.lrange(key, 0, -1),
        b"set": lambda: register.smembers(key),
        b"zset": lambda: register.zrange(key, 0, -1),
        b"none": list,  # it ran out since it was listed
        b"stream": lambda: [part for _, fields in register.xrange(key) for pair in fields.items() for part in pair],
    }
    return b"\n".join(part for part in readers[kind]() if part is not None)


def in_database() -> list[Thing]:
    """Every row of every table; of SQLite also the files, with what was written and removed again."""
    things = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            things += [Thing(f"table {table}", "\n".join(map(str, row)).encode()) for row in cursor.fetchall()]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        files = [Path(name), Path(f"{name}-wal")]
        things += [Thing(f"file {path.name}", _from_afar(path)) for path in files if path.exists()]
    return things


def _from_afar(path: Path) -> bytes:
    """Read by another process: if this one closed the file, SQLite's locks on it would be gone."""
    return subprocess.run(["cat", path], check=True, capture_output=True).stdout


def in_bucket(client: "S3Client", bucket: str) -> list[Thing]:
    """Every object: its bytes, and what S3 keeps beside them."""
    things = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            found = client.get_object(Bucket=bucket, Key=entry["Key"])
            beside = {name: value for name, value in found.items() if name not in {"Body", "ResponseMetadata"}}
            things.append(Thing(f"object {entry['Key']}", found["Body"].read() + repr(beside).encode()))
    return things


def in_files(directory: Path) -> list[Thing]:
    """Every file below it."""
    return [Thing(f"file {path}", path.read_bytes()) for path in sorted(directory.rglob("*")) if path.is_file()]


def in_lines(lines: Iterable[str]) -> list[Thing]:
    """What processes said."""
    return [Thing(line[:120], line.encode()) for line in lines]
