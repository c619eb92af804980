"""How far an edit is, in one honest sentence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils import timezone

from editor.jobs.outlook import MOST_TURNS, Outlook, about
from editor.models import Attempt, GenerationJob, HeldFor, ImageState, JobState

Tone = Literal["work", "done", "bad", "ask"]


@dataclass(frozen=True)
class Progress:
    headline: str
    tone: Tone
    can_cancel: bool = False
    cancel_note: str = ""
    poll_ms: int | None = None  # when to look again; None: it is over
    calm_ms: int = 30_000  # the same for whoever is told of each step
    reason: str = ""  # why it waits, in a sentence


HELD_WORDS = {HeldFor.SUSPENDED.value: "On hold for now", HeldFor.PAUSED.value: "Its batch is paused"}
LATE_TRIES = 4
COUNTING = 5_000  # ms; words that count down, or say how many go before, change without a step
NEAR = 5  # places; whoever is nearer sees each step
FREE = "Free, nothing was sent yet."
FREE_AGAIN = "Free; the request that was sent before may still count."
PAID = "It was sent already, so it counts; the result will be thrown away."


def progress(job: GenerationJob, outlook: Outlook | None = None) -> Progress:
    """`outlook` is one that all edits of a page share."""
    match job.state:
        case JobState.HELD:
            # Why it waits for its owner is nobody's business in a team.
            words = HELD_WORDS.get(job.held_for, "Waits for a look by a moderator")
            return Progress(words, "work", True, FREE, 5000)
        case JobState.QUEUED:
            return _queued(job, outlook or Outlook())
        case JobState.SUBMITTING:
            if job.cancel_requested_at:
                return Progress("Canceling", "work", poll_ms=700)
            return Progress("Handing over to the flux server", "work", True, PAID, 700)
        case JobState.UNCONFIRMED:
            return Progress("Not sure that the flux server got it", "ask", poll_ms=5000)
        case JobState.PROCESSING:
            return Progress(_with_vendor(job), "work", True, PAID, 800, COUNTING)
        case JobState.COLLECTING:
            late = "Made, but it can't be fetched yet; we keep trying"
            return Progress(late if job.tries > LATE_TRIES else "Saving", "work", True, PAID, 500)
        case JobState.SUCCEEDED:
            return Progress(f"Done in {_seconds(job)}", "done")
        case JobState.CANCELED:
            return Progress("Canceled", "bad")
        case JobState.BLOCKED:
            return Progress("Kept back by the safety check", "bad")
        case _:
            return Progress("Did not work", "bad")


def _queued(job: GenerationJob, outlook: Outlook) -> Progress:
    free = FREE_AGAIN if job.second else FREE

    def so(headline: str, reason: str = "", poll_ms: int = 1000) -> Progress:
        return Progress(headline, "work", True, free, poll_ms, COUNTING, reason)

    if any(image.state == ImageState.RECEIVED for image in job.source_images):
        return so("Waits until its picture is ready")
    if outlook.trouble:
        return so(f"Waiting. {outlook.trouble} It goes on by itself.", poll_ms=2000)
    if job.tries and job.due_at is not None and job.due_at > timezone.now():
        return so("Waiting for the next try. It goes on by itself.")
    place = outlook.place(job)
    if place is None and outlook.foreseen:
        return so("Queued")
    words = ["Queued", _ahead(place)]
    if (seconds := outlook.seconds(MOST_TURNS if place is None else place)) is not None:
        words.append(about(seconds) if place is not None else f"more than {about(seconds).removeprefix('about ')}")
    # Whoever is far behind need not ask each second.
    return so(", ".join(words), outlook.busy, 1000 if place is not None and place < NEAR else 4000)


def _ahead(place: int | None) -> str:
    if place is None:
        return f"over {MOST_TURNS} ahead of you"
    return f"{place} ahead of you" if place else "next in line"


def _with_vendor(job: GenerationJob) -> str:
    attempt = job.attempts.order_by("-number").first()
    if attempt is None or attempt.eta is None or job.processing_at is None:
        return "With the flux server"
    left = attempt.eta - (timezone.now() - job.processing_at).total_seconds()
    if left < -5:
        return "With the flux server, longer than it said"
    return f"With the flux server, about {max(1, round(left))} s"


def _seconds(job: GenerationJob) -> str:
    seconds = job.duration.total_seconds() if job.duration else 0.0
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


@dataclass(frozen=True)
class Moment:
    label: str
    at: datetime
    seconds: float  # since the one before


def timeline(job: GenerationJob) -> list[Moment]:
    """What happened when, oldest first."""
    ends = {
        JobState.SUCCEEDED: "Saved",
        JobState.CANCELED: "Canceled",
        JobState.BLOCKED: "Kept back",
        JobState.FAILED: "Failed",
    }
    points: list[tuple[str, datetime | None]] = [("Asked for", job.created_at)]
    points += [(_sent(attempt), attempt.created_at) for attempt in job.attempts.all()]
    points += [
        ("Taken by the flux server", job.processing_at),
        ("Made", job.collecting_at),
        (ends.get(JobState(job.state), "Over"), job.finished_at),
    ]
    known = sorted([(at, label) for label, at in points if at is not None], key=lambda point: point[0])
    return [
        Moment(label, at, (at - known[max(0, index - 1)][0]).total_seconds()) for index, (at, label) in enumerate(known)
    ]


def _sent(attempt: Attempt) -> str:
    return "Sent" if attempt.number == 1 else f"Sent, try {attempt.number}"
