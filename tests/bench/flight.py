"""What one worker keeps in flight and how many edits it finishes, against a worker that blocks on the call."""

import time
from typing import Any
from uuid import uuid4

from django.utils import timezone

from editor.models import GenerationJob, Image, JobSource, JobState
from project.embedded.process import Child, Keeper
from tests.bench.blocking import QUEUE, call
from tests.bench.overhead import plain_request
from tests.bench.stage import Stage, plain_worker
from tests.bench.table import Row
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions, wait_until

SECONDS = 30.0  # a picture; the call that the control blocks on
EDITS = 620
PLACES = 500
MEASURED = 110.0  # seconds from the first request on
BLOCKED_CALLS = 3


def measure(stage: Stage) -> list[Row]:
    options = SandboxOptions(seconds=SECONDS, slots=PLACES + 1, queue_limit=PLACES + 1, echo=True)
    many = {"FLUX_QUEUE_LIMIT": str(PLACES), "FLUX_OUTSTANDING": str(PLACES), "EDITS_PER_DAY": "100000"}
    with stage.portal(options, extra=many) as portal:
        user = make_user("flight@example.com")
        picture = make_image(user, stored=True)
        keeper = Keeper()
        control = Child(
            plain_worker(portal, "blocking", QUEUE), keeper, lambda line: portal.lines.append(f"control   {line}")
        )
        try:
            control.start()
            control.wait_until_ready()
            began = time.time()
            for number in range(BLOCKED_CALLS):
                prompt = f"blocking {number} #fault:held"
                call(portal.redis_url, portal.environ["FLUX_BASE_URL"], plain_request(portal, picture, prompt))
            ask_many(picture, EDITS)
            wait_until(lambda: time.time() > began + MEASURED or all_done(), MEASURED + 10)
        finally:
            control.stop(grace=0)
            keeper.close()
        return rows(portal, began)


def ask_many(picture: Image, count: int) -> None:
    """Many queued edits at once, as many people would have left them."""
    jobs = [
        GenerationJob(
            workspace=picture.workspace,
            made_by=picture.made_by,
            prompt=f"edit {number}",
            form_token=uuid4().hex,
            seed=number,
            due_at=timezone.now(),
        )
        for number in range(count)
    ]
    GenerationJob.objects.bulk_create(jobs)
    JobSource.objects.bulk_create(JobSource(job=job, position=0, image=picture) for job in jobs)


def all_done() -> bool:
    time.sleep(1)
    return not GenerationJob.objects.unfinished().exists()


def rows(portal: Portal, began: float) -> list[Row]:
    entries = portal.ledger()
    ours = [entry for entry in entries if not entry["prompt"].startswith("blocking")]
    blocked = [entry for entry in entries if entry["prompt"].startswith("blocking") and entry["finished"]]
    until = time.time()
    done = GenerationJob.objects.filter(state=JobState.SUCCEEDED, prompt__startswith="edit ").count()
    first = min((entry["accepted"] for entry in ours), default=began)
    per_minute = done / (until - first) * 60
    by_control = len(blocked) / (max((entry["finished"] for entry in blocked), default=until) - began) * 60
    highest, at = peak(ours, until)
    held_by_control, _ = peak(blocked, until)
    rate = sum(entry["accepted"] <= at for entry in ours) / max(at - first, 0.001)
    ratio = per_minute / by_control if by_control else 0.0
    return [
        Row(
            "one worker's generations in flight at their peak",
            f"{highest}",
            f"{held_by_control} by a worker that blocks on a {SECONDS:g} s call",
            f"≥ {PLACES}",
            highest >= PLACES,
        ),
        Row("  requests it sent a second until then", f"{rate:.1f}", "", f"≥ {PLACES / SECONDS:.1f}", None),
        Row("  seconds from the first request to the peak", f"{at - first:.0f}"),
        Row(
            "one worker's edits a minute",
            f"{per_minute:.0f}",
            f"{by_control:.1f} by the one that blocks",
            "≥ 50 ×",
            ratio >= 50,
        ),
        Row("  times as many", f"{ratio:.0f}"),
        Row("  accepted more than once for one edit", f"{twice(ours)}", "", "0", twice(ours) == 0),
    ]


def peak(entries: list[dict[str, Any]], until: float) -> tuple[int, float]:
    """The most generations that ran at one moment, and the moment."""
    changes = [(entry["accepted"], 1) for entry in entries]
    changes += [(entry["finished"], -1) for entry in entries if entry["finished"]]
    running, highest, at = 0, 0, until
    for moment, change in sorted(changes):
        running += change
        if running > highest:
            highest, at = running, moment
    return highest, at


def twice(entries: list[dict[str, Any]]) -> int:
    prompts = [entry["prompt"] for entry in entries]
    return len(prompts) - len(set(prompts))
