"""Whether the ledger of allowances adds up. Money is never mended here: `manage.py ledger --repair` is its own word."""

from collections.abc import Iterator

from editor.doctor.findings import Ask, Finding, fine, problem
from editor.jobs import ledger

MOST_SAID = 5


def look_at_ledger(ask: Ask) -> Iterator[Finding]:
    sentences = ledger.problems()
    for sentence in sentences[:MOST_SAID]:
        yield problem(sentence, "`manage.py ledger` names all; `manage.py ledger --repair` writes what is missing.")
    if len(sentences) > MOST_SAID:
        yield problem(f"The ledger has {len(sentences) - MOST_SAID} more such lines.", "See `manage.py ledger`.")
    if not sentences:
        yield fine("The ledger of allowances adds up with the edits.")
