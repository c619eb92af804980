"""The audit log as a file, line by line, however long it is."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC
from enum import StrEnum

from asgiref.sync import sync_to_async

from editor.models import AuditEntry
from editor.moderation.audit import told_by

PAGE = 500  # entries that are read at once
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ["number", "at", "actor", "action", "about", "words", "details", "previous", "hash"]


class Format(StrEnum):
    CSV = "csv"
    LINES = "jsonl"

    @property
    def content_type(self) -> str:
        return "text/csv; charset=utf-8" if self is Format.CSV else "application/x-ndjson"


def lines(last: int, form: Format) -> Iterator[str]:
    """The oldest first, up to this number. JSON lines hold all that hashes are made of; CSV is for spreadsheets."""
    after = 0
    while text := page_after(after, last, form):
        yield text[1]
        after = text[0]


async def stream(last: int, form: Format) -> AsyncIterator[str]:
    """The same for a response: nobody waits for the database in the thread that serves everybody."""
    after = 0
    while text := await sync_to_async(page_after)(after, last, form):
        yield text[1]
        after = text[0]


def page_after(number: int, last: int, form: Format) -> tuple[int, str] | None:
    """The lines of the next entries and the number of the last of them; None if there are no more."""
    entries = list(AuditEntry.objects.filter(number__gt=number, number__lte=last).order_by("number")[:PAGE])
    if not entries:
        return None
    head = _csv_line(COLUMNS) if form is Format.CSV and not number else ""
    told = (_csv_line(_in_cells(each)) if form is Format.CSV else _json_line(each) for each in entries)
    return entries[-1].number, head + "".join(told)


def _json_line(entry: AuditEntry) -> str:
    told = told_by(entry) | {"hash": entry.hash}
    return json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n"


def _in_cells(entry: AuditEntry) -> list[str]:
    return [
        str(entry.number),
        entry.at.astimezone(UTC).isoformat(),
        str(entry.actor_id or ""),
        entry.action,
        entry.about,
        entry.words,
        json.dumps(entry.details, ensure_ascii=False, sort_keys=True) if entry.details else "",
        entry.previous,
        entry.hash,
    ]


def _csv_line(cells: list[str]) -> str:
    """What a spreadsheet would take for a formula gets a quote before it."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return line.getvalue()
