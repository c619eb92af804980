"""Rows as lines of JSON: the same from SQLite and from PostgreSQL, and into either.

A line is a list of the columns' values in the order that the manifest names. Nothing passes through `save`, so that
moments, counters and the chain of the audit log come back as they were.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Field, JSONField, Model
from django.utils.duration import duration_iso_string

from editor.backup.folder import flush, open_private

LEFT_OUT = {"sessions.session"}
"""Whoever restores does not want to be signed in as somebody by an old cookie. (Caches have no model.)"""

AT_ONCE = 1_000  # rows read or written by one statement
_SUMS = 1 << 256

MALFORMED = (OSError, EOFError, zlib.error, ValueError, TypeError, ArithmeticError, RecursionError, ValidationError)
"""What reading a file raises that is not what was written."""


def tables() -> list[type[Model]]:
    """All models with a table of their own, those between many and many included, in a fixed order."""
    models = (model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy)
    kept = {m._meta.label_lower: m for m in models if m._meta.managed and m._meta.label_lower not in LEFT_OUT}
    return [kept[label] for label in sorted(kept)]


def columns(model: type[Model]) -> "list[Field[Any, Any]]":
    return list(model._meta.concrete_fields)


@contextmanager
def one_moment() -> Iterator[None]:
    """All queries inside see the database as it is now, and nobody has to wait for them."""
    if connection.vendor == "postgresql":
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # writing a large table takes its time
            yield
        return
    # Not by `atomic`, which takes SQLite's lock for writing. A reader sees what there was at its first query.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            cursor.execute("SELECT COUNT(*) FROM django_migrations")
            yield
        finally:
            cursor.execute("ROLLBACK")


@dataclass
class Sum:
    """How many rows there are and a sum over them that does not depend on their order, which databases differ in."""

    rows: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest())) % _SUMS

    def as_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "sum": f"{self.total:064x}"}


def lines(model: type[Model]) -> Iterator[bytes]:
    """All rows, by their keys."""
    names = [field.attname for field in columns(model)]
    found = model._base_manager.order_by("pk").values_list(*names)
    for row in found.iterator(chunk_size=AT_ONCE):
        yield _encode(row)


def write(model: type[Model], path: Path) -> dict[str, Any]:
    """Write all rows of a table; returns what the manifest has to say of it."""
    counted = Sum()
    with open_private(path) as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
            for line in lines(model):
                counted.add(line)
                packed.write(line + b"\n")
        flush(file)
    return {"columns": [field.attname for field in columns(model)], **counted.as_dict()}


def read(path: Path) -> Iterator[list[Any]]:
    with gzip.open(path) as packed:
        for line in packed:
            yield json.loads(line)


def read_dicts(path: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    for values in read(path):
        yield dict(zip(names, values, strict=True))


def checked(model: type[Model], path: Path) -> dict[str, Any]:
    """Count the rows of a file and sum them. Raises ValueError if a line is no row of this table, or no line at all."""
    fields, counted = columns(model), Sum()
    try:
        with gzip.open(path) as packed:
            for line in packed:
                row = json.loads(line)
                if not isinstance(row, list):
                    raise ValueError("a line is not a list")
                _prepared(fields, row)
                counted.add(line.removesuffix(b"\n"))
    except MALFORMED as error:
        raise ValueError(str(error)) from error
    return counted.as_dict()


def load(model: type[Model], names: list[str], path: Path) -> None:
    """Insert all rows of a file into a table. Called in a transaction, at whose end keys are checked."""
    fields = {field.attname: field for field in columns(model)}
    quote = connection.ops.quote_name
    into = ", ".join(quote(str(fields[name].column)) for name in names)
    marks = ", ".join(["%s"] * len(names))
    insert = f"INSERT INTO {quote(model._meta.db_table)} ({into}) VALUES ({marks})"  # noqa: S608  names of our models
    found = read(path)
    with connection.cursor() as cursor:
        while batch := list(islice(found, AT_ONCE)):
            cursor.executemany(insert, [_prepared([fields[name] for name in names], row) for row in batch])


def empty(models: Iterable[type[Model]]) -> None:
    """What a new portal has by itself gives way. Called in a transaction."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608


def count_on(models: Iterable[type[Model]]) -> None:
    """New rows get numbers behind those that were loaded."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def sum_in_database(model: type[Model]) -> dict[str, Any]:
    counted = Sum()
    for line in lines(model):
        counted.add(line)
    return counted.as_dict()


def _prepared(fields: "list[Field[Any, Any]]", row: list[Any]) -> list[Any]:
    return [
        field.get_db_prep_save(value if isinstance(field, JSONField) else field.to_python(value), connection)
        for field, value in zip(fields, row, strict=True)
    ]


def _encode(row: Iterable[Any]) -> bytes:
    # Sorted, since PostgreSQL keeps the keys of JSON in an order of its own.
    return json.dumps(list(row), default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> str:
    """Django's own encoder cuts microseconds off."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in a backup")


def packed_lines(file: IO[bytes]) -> gzip.GzipFile:
    """For a list that is written a line at a time."""
    return gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0)


def uuid_of(value: str | UUID) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
