"""Our time on top of the vendor's: from the commit of an edit to its stored result, less what the sandbox took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import requests
from django.conf import settings

from editor.jobs import vendor
from editor.jobs.creation import EditSpec, create_job
from editor.models import FINAL, Attempt, GenerationJob, Image, JobState
from project.embedded.process import Child, Keeper
from tests.bench import floor
from tests.bench.stage import Stage, alternately, plain_worker
from tests.bench.table import Row, median, milliseconds, percentile
from tests.makers import make_image, make_user
from tests.portal import KEY, Portal, SandboxOptions

ROUNDS = 20
SECONDS = 0.5  # a picture
BY_WEBHOOK_P95, INTERVAL = 0.250, 1.0  # seconds
OF_FLOOR = 3.0  # times
Spans = dict[str, float]


def measure(stage: Stage) -> list[Row]:
    # The sandbox serves one at a time here, so that nothing waits for another's picture.
    with stage.portal(SandboxOptions(seconds=SECONDS, slots=1)) as portal:
        user = make_user("overhead@example.com", edits_per_day=100_000)
        picture = make_image(user, stored=True)
        spans: list[Spans] = []
        with beside(portal), floor.measured(portal.redis_url) as least:
            measures = {
                "control": lambda: plainly(portal, picture),
                "floor": least,
                "webhook": lambda: by_the_portal(portal, picture, "a watercolour", spans),
                "polling": lambda: by_the_portal(portal, picture, "a watercolour #fault:webhook-lost"),
            }
            alternately(2, measures)  # warms every process up
            spans.clear()
            found = alternately(ROUNDS, measures)
    return rows(found, spans)


@contextmanager
def beside(portal: Portal) -> Iterator[None]:
    """The floor's worker runs within it."""
    keeper = Keeper()
    worker = Child(
        plain_worker(portal, "floor", floor.QUEUE), keeper, lambda line: portal.lines.append(f"floor     {line}")
    )
    try:
        worker.start()
        worker.wait_until_ready()
        yield
    finally:
        worker.stop(grace=1)
        keeper.close()


def rows(found: dict[str, list[float]], spans: list[Spans]) -> list[Row]:
    control, floor_p95 = median(found["control"]), percentile(found["floor"], 0.95)
    table = [
        Row("a plain call and download, p50, p95", milliseconds(control), _p95(found["control"])),
        Row(
            "the floor: ring, fork, two PUTs, commit, p50, p95",
            milliseconds(median(found["floor"])),
            _p95(found["floor"]),
        ),
    ]
    for way, longer in (("webhook", 0.0), ("polling", INTERVAL)):
        p50, p95 = median(found[way]), percentile(found[way], 0.95)
        bound = BY_WEBHOOK_P95 + longer
        held = p95 <= bound and p95 <= OF_FLOOR * floor_p95 + longer
        table.append(Row(f"time on top of the vendor's, by {way}, p50", milliseconds(p50)))
        words = f"{OF_FLOOR:g} × the floor: {milliseconds(OF_FLOOR * floor_p95 + longer)}"
        table.append(Row("  p95", milliseconds(p95), words, f"≤ {bound * 1000:.0f} ms and that", held))
        if way == "webhook":
            table += [Row(f"  {name}", milliseconds(median([one[name] for one in spans]))) for name in spans[0]]
    return table


def _p95(values: list[float]) -> str:
    return milliseconds(percentile(values, 0.95))


def by_the_portal(portal: Portal, picture: Image, prompt: str, spans: list[Spans] | None = None) -> float:
    """Seconds on top, of one edit that is asked for while nothing else is under way; `spans` get where they went."""
    job = create_job(picture.made_by, [picture], EditSpec(prompt, seed=1), uuid4().hex)
    deadline = time.monotonic() + 60
    while job.state not in FINAL:
        if time.monotonic() > deadline:
            raise TimeoutError(f"An edit hangs in {job.state}.\n{portal.said()}")
        time.sleep(0.01)
        job.refresh_from_db()
    if job.state != JobState.SUCCEEDED or job.duration is None:
        raise RuntimeError(f"An edit ended as {job.state} {job.failure_code}.\n{portal.said()}")
    made = portal.accepted_for(job)[0]
    if spans is not None:
        spans.append(spans_of(job, made))
    return job.duration.total_seconds() - float(made["finished"] - made["accepted"])


def spans_of(job: GenerationJob, made: dict[str, Any]) -> Spans:
    """Where the time on top went, in seconds."""
    attempt = job.attempts.get()
    heard = attempt.events.order_by("received_at").values_list("received_at", flat=True)[0].timestamp()
    points = [job.created_at.timestamp(), attempt.created_at.timestamp(), made["accepted"]]
    steps = {"commit to attempt": points[1] - points[0], "attempt to acceptance": points[2] - points[1]}
    if job.collecting_at and job.finished_at:
        collecting, finished = job.collecting_at.timestamp(), job.finished_at.timestamp()
        steps |= {
            "picture to webhook": heard - made["finished"],
            "webhook to its check": collecting - heard,
            "download, decoding, storing": finished - collecting,
        }
    return steps


def plainly(portal: Portal, picture: Image, prompt: str = "a watercolour") -> float:
    """Seconds on top, of the same request and its download without any portal around them."""
    body = plain_request(portal, picture, prompt)
    began = time.monotonic()
    answer = requests.post(f"{portal.environ['FLUX_BASE_URL']}flux_kontext_dev/img2img", json=body, timeout=60).json()
    requests.get(answer["output"][0], timeout=60).raise_for_status()
    took = time.monotonic() - began
    made = next(entry for entry in portal.ledger() if entry["track_id"] == body["track_id"])
    return took - float(made["finished"] - made["accepted"])


def plain_request(portal: Portal, picture: Image, prompt: str) -> dict[str, object]:
    """An img2img body that is answered only when the picture is done, as the portal would send it otherwise."""
    settings.FLUX_SEES_US_AT = portal.url
    job = GenerationJob(prompt=prompt, width=320, height=256, seed=1, samples=1)
    attempt = Attempt(job=job)
    return {
        "key": KEY,
        "prompt": job.prompt,
        "init_image": vendor.source_link(picture),
        "width": job.width,
        "height": job.height,
        "samples": job.samples,
        "strength": job.strength,
        "seed": job.seed,
        "instant_response": False,
        "track_id": str(attempt.pk),
    }
