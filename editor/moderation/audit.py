"""Writing and checking the audit log.

Each entry carries the hash of the one before, and one row says how long the chain is and how it ends: whoever changes,
takes out or cuts off an entry in the database has to write the chain anew from there, and `verify` against a hash that
was noted elsewhere shows even that.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from editor.models import AuditEntry, AuditHead, User

HEAD = 1  # the key of the only row of AuditHead


def record(actor: User | None, action: str, about: Model | None = None, words: str = "", **details: Any) -> AuditEntry:
    """Add an entry, in the transaction of what it tells of: both or neither.

    `actor` is None for the portal itself and its commands; `details` are text, whole numbers, and lists of them.
    Entries come one after the other: record last, since whoever else has something to record waits until then.
    """
    with transaction.atomic():
        AuditHead.objects.get_or_create(pk=HEAD)
        head = AuditHead.objects.select_for_update().get(pk=HEAD)
        entry = AuditEntry(
            number=head.length + 1,
            at=timezone.now(),
            actor=actor,
            action=action,
            about=about_of(about),
            words=words[:300],
            details=details,
            previous=head.hash,
        )
        entry.hash = hash_of(entry)
        entry.save()
        head.length, head.hash = entry.number, entry.hash
        head.save()
    return entry


def about_of(row: Model | None) -> str:
    """How the log names a row: "image:<id>"."""
    return f"{row._meta.model_name}:{row.pk}" if row is not None else ""


def told_by(entry: AuditEntry) -> dict[str, Any]:
    """Everything in an entry but its own hash, as it is hashed and exported."""
    return {
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(),
        "actor": entry.actor_id,
        "action": entry.action,
        "about": entry.about,
        "words": entry.words,
        "details": entry.details,
        "previous": entry.previous,
    }


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 in hex over everything in the entry, the hash before it included."""
    text = json.dumps(told_by(entry), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify() -> Iterator[str]:
    """What is wrong with the chain, in sentences; nothing if it holds."""
    head = AuditHead.objects.filter(pk=HEAD).first()
    previous, number = "", 0
    for entry in AuditEntry.objects.order_by("number").iterator():
        number += 1
        if entry.number != number:
            yield f"Entry {number} is missing."
            number = entry.number
        elif entry.previous != previous:
            yield f"Entry {number} does not follow the one before it."
        if hash_of(entry) != entry.hash:
            yield f"Entry {number} was changed."
        previous = entry.hash
    if head is None and number:
        yield "The end of the chain is not known."
    if head is not None and (head.length, head.hash) != (number, previous):
        yield f"The log should end with entry {head.length}; it ends with {number}."
