"""A stretch of full hours as a word in an address: what leads from a plot to the edits behind it."""

from datetime import UTC, datetime

from editor.models.figures import HOUR

_FORMAT = "%Y-%m-%dT%H"


def write_period(since: datetime, until: datetime) -> str:
    """`until` is not in it."""
    return f"{since.astimezone(UTC):{_FORMAT}}..{until.astimezone(UTC):{_FORMAT}}"


def read_period(text: str) -> tuple[datetime, datetime]:
    """Raises ValueError for what `write_period` never wrote."""
    since, _, until = text.partition("..")
    return _moment(since), _moment(until)


def period_words(since: datetime, until: datetime) -> str:
    """One hour, one day, or any other stretch, in UTC."""
    if until - since == HOUR:
        return f"{since.day} {since:%b %Y, %H}:00–{until:%H}:00 UTC"
    if until - since == 24 * HOUR and since.hour == 0:
        return f"{since.day} {since:%B %Y}"
    return f"{since.day} {since:%b %Y, %H}:00 – {until.day} {until:%b %Y, %H}:00 UTC"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
