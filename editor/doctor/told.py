"""Whether the number beside each person's bell is that of their notifications: the rows are the truth."""

from collections.abc import Iterator

from editor.doctor.findings import Ask, Finding, fine, named, warning
from editor.notifications import seeing


def look_at_numbers(ask: Ask) -> Iterator[Finding]:
    """A web process that died between telling and counting leaves a wrong one, until the person looks."""
    wrong = seeing.wrong_numbers()
    if not wrong:
        yield fine("The number beside each bell is that of the notifications.")
        return
    if ask.repair:
        for person_id in wrong:
            seeing.recount(person_id)
    yield warning(
        f"The number beside the bell is not that of the notifications, of people {named(wrong)}.",
        "It is set right when they look at their notifications; --repair does it now.",
        f"Counted anew for {len(wrong)}." if ask.repair else "",
    )
