"""Whether the vendor is kept busy by a long backlog, and how soon somebody new is served behind another's batch."""

import time
from typing import Any
from uuid import uuid4

from editor.flux.errors import Verdict
from editor.jobs import control
from editor.jobs.creation import EditSpec, create_job
from editor.models import Attempt, AttemptState, GenerationJob, JobState
from tests.bench.flight import ask_many, peak
from tests.bench.overhead import plainly
from tests.bench.stage import Stage
from tests.bench.table import Row
from tests.makers import make_image, make_user
from tests.portal import SandboxOptions, wait_until

BACKLOG, SLOTS = 1_000, 5
SECONDS = 6.0  # a picture, with a backlog
WARMED = 2.5  # pictures until it is measured
MEASURED = 42.0  # seconds: seven pictures for each slot; the backlog is still there at their end
BATCH = 500
VENDOR_TIME = 3.0  # seconds a picture, one after the other
BUSY, SOON = 0.95, 2.0  # share of the time; vendor times


def measure(stage: Stage) -> list[Row]:
    rows: list[Row] = []
    for part in (of_a_newcomer, of_a_backlog):
        rows += part(stage)
        forget_the_rest()
    return rows


def forget_the_rest() -> None:
    """No edit of one part waits, or fills the flux server's queue, in the next; no process is there any more."""
    never_sent = GenerationJob.objects.filter(state=JobState.QUEUED, attempts=None, allowance_entries=None)
    GenerationJob.objects.filter(pk__in=list(never_sent.values_list("pk", flat=True))).delete()
    for job in GenerationJob.objects.unfinished():
        control.cancel(job)
    Attempt.objects.counting().update(state=AttemptState.LOST)


def of_a_backlog(stage: Stage) -> list[Row]:
    """The sandbox takes as many as it makes at once, so that a request too many is a 429."""
    options = SandboxOptions(seconds=SECONDS, slots=SLOTS, queue_limit=SLOTS, echo=True)
    limits = {"FLUX_QUEUE_LIMIT": str(SLOTS), "FLUX_OUTSTANDING": str(SLOTS), "EDITS_PER_DAY": "100000"}
    with stage.portal(options, extra=limits) as portal:
        picture = make_image(make_user("backlog@example.com"), stored=True)
        by_hand = min(plainly(portal, picture, "by hand #fault:held") for _ in range(2))
        ask_many(picture, BACKLOG)
        wait_until(lambda: len(portal.ledger()) >= SLOTS, 30, "The first requests")
        began = time.time() + WARMED * SECONDS
        until = began + MEASURED
        wait_until(lambda: pause() and time.time() > until, WARMED * SECONDS + MEASURED + 10)
        entries = [entry for entry in portal.ledger() if entry["prompt"].startswith("edit ")]
        refused = Attempt.objects.filter(verdict=Verdict.QUEUE_FULL).count()
    share = busy(entries, began, until) / (SLOTS * (until - began))
    control = f"{SECONDS / (SECONDS + by_hand):.1%} by a loop of plain calls"
    highest, _ = peak(entries, until)
    return [
        Row(
            f"the vendor's {SLOTS} slots busy, with {BACKLOG:,} waiting, {SECONDS:g} s each",
            f"{share:.1%}",
            control,
            f"≥ {BUSY:.0%}",
            share >= BUSY,
        ),
        Row("  requests that were too many (429)", f"{refused}", "", "0", refused == 0),
        Row("  at once at most", f"{highest}", "", f"≤ {SLOTS}", highest <= SLOTS),
    ]


def of_a_newcomer(stage: Stage) -> list[Row]:
    """One slot, one request outstanding, and a batch of another's that fills it all day."""
    options = SandboxOptions(seconds=VENDOR_TIME, slots=1, queue_limit=5, echo=True)
    limits = {"FLUX_QUEUE_LIMIT": "5", "FLUX_OUTSTANDING": "1", "EDITS_PER_DAY": "100000"}
    with stage.portal(options, extra=limits) as portal:
        batch = make_image(make_user("batch@example.com"), stored=True)
        newcomer = make_image(make_user("newcomer@example.com"), stored=True)
        ask_many(batch, BATCH)
        wait_until(lambda: len(portal.ledger()) >= 2, 60, "The second edit of the batch")
        asked_at = time.time()
        job = create_job(newcomer.made_by, [newcomer], EditSpec("of a newcomer", seed=1), uuid4().hex)
        wait_until(lambda: pause() and bool(portal.accepted_for(job)), 60, "The newcomer's turn")
        began = began_at(portal.ledger(), str(job.attempts.get().pk))
    waited = (began - asked_at) / VENDOR_TIME
    return [
        Row(
            f"a newcomer behind another's {BATCH}, until the vendor begins",
            f"{waited:.2f} vendor times",
            f"{BATCH} in the order of arrival",
            f"≤ {SOON:g}",
            waited <= SOON,
        )
    ]


def pause() -> bool:
    time.sleep(0.25)
    return True


def began_at(entries: list[dict[str, Any]], track_id: str) -> float:
    """When the only slot was free for it: as it was accepted, or as the one before it was done."""
    place = next(number for number, entry in enumerate(entries) if entry["track_id"] == track_id)
    before = [entry["finished"] for entry in entries[:place] if entry["finished"]]
    return float(max([entries[place]["accepted"], *before]))


def busy(entries: list[dict[str, Any]], began: float, until: float) -> float:
    """Seconds of slots that worked within this time."""
    spans = [(entry["accepted"], entry["finished"] or until) for entry in entries]
    return float(sum(max(0.0, min(end, until) - max(begin, began)) for begin, end in spans))
