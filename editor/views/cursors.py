"""Where the next page of a list begins, as a text in an address: signed, so that only what we wrote is read."""

from datetime import datetime
from uuid import UUID

from django.core import signing


def write(moment: datetime, pk: UUID, salt: str) -> str:
    """The moment and the id of the last row of a page. `salt` says which list it is, and for whom."""
    return signing.dumps([moment.isoformat(), str(pk)], salt=salt, compress=True)


def read(text: str, salt: str) -> tuple[datetime, UUID] | None:
    """None for the first page, and for whatever was not written for this list."""
    if not text:
        return None
    try:
        moment, pk = signing.loads(text, salt=salt)
        return datetime.fromisoformat(moment), UUID(pk)
    except (signing.BadSignature, ValueError):
        return None
