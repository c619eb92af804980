"""The documented machine under load while its processes are killed, and asked to end, one at a time: who notices?"""

import os
import time
from pathlib import Path

from django.db.models import Count

from editor.models import FINAL, GenerationJob, Image, ImageState, JobState
from project.embedded.process import Keeper
from tests.bench.stage import Stage
from tests.bench.table import Row, median, milliseconds, percentile
from tests.fleet.crowd import Crowd
from tests.fleet.machine import KILLABLE, NGINX, Machine
from tests.makers import make_image, make_user
from tests.portal import SandboxOptions, wait_until

PATIENCE = 180.0  # seconds; the lease of an edit whose worker was killed has to run out first
BETWEEN = 1.5  # seconds
ROOM = {"FLUX_QUEUE_LIMIT": "20", "FLUX_OUTSTANDING": "20", "EDITS_PER_DAY": "10000", "LOG_LEVEL": "ERROR"}


def measure(stage: Stage) -> list[Row]:
    if not NGINX:
        return [Row("a machine whose processes are killed in turn", "no nginx here (apt install nginx-light)")]
    scratch = Path(os.environ["VAR_DIR"]) / "fleet"
    scratch.mkdir(parents=True)
    keeper = Keeper()
    machine = Machine(keeper, scratch, sandbox=SandboxOptions(seconds=0.5, slots=8, echo=True), extra=ROOM)
    try:
        machine.run("collectstatic", "--noinput", "--verbosity=0")
        machine.start()
        with machine.adopted():
            return look_on(machine)
    finally:
        machine.stop()
        keeper.close()


def look_on(machine: Machine) -> list[Row]:
    """Everybody is killed once and asked to end once, under load."""
    person = make_user("fleet@example.com")
    crowd = Crowd(machine.url, str(machine.certificate), person, make_image(person, stored=True))
    with crowd.at_work(readers=4):
        for end in (machine.kill, machine.terminate):
            for name in KILLABLE:
                time.sleep(BETWEEN)
                end(name)
                wait_until(lambda name=name: machine.ended(name), PATIENCE, f"The end of {name}")  # type: ignore[misc]
                time.sleep(BETWEEN)
                machine.start(name)
    jobs = GenerationJob.objects.filter(made_by=person)
    sent = Image.objects.filter(made_by=person, name="holiday.jpg")
    wait_until(lambda: not jobs.exclude(state__in=FINAL).exists(), PATIENCE, "The end of every edit")
    wait_until(lambda: not sent.filter(state=ImageState.RECEIVED).exists(), PATIENCE, "The end of every upload")
    for failure in crowd.failures[:10]:
        print(f"  {failure}", flush=True)
    ledger = [entry["track_id"] for entry in machine.ledger()]
    once = (
        jobs.filter(state=JobState.SUCCEEDED, attempts__pk__in=ledger).annotate(times=Count("attempts")).filter(times=1)
    )
    done = crowd.done
    all_once = once.count() == len(crowd.tokens) == jobs.count() == len(ledger)
    ready = sent.filter(state=ImageState.READY).count()
    waits = f"{milliseconds(median(crowd.waits))}, p99 {milliseconds(percentile(crowd.waits, 0.99))}"
    return [
        Row(
            f"{2 * len(KILLABLE)} ends of processes under load → requests that failed",
            f"{len(crowd.failures)} of {sum(done.values())}",
            to_hold="0",
            held=not crowd.failures,
        ),
        Row("  waits of its people, median", waits),
        Row("  longest wait", f"{max(crowd.waits):.1f} s"),
        Row("  edits that succeeded, accepted once", f"{once.count()} of {len(crowd.tokens)}", "", "all", all_once),
        Row("  uploads that are ready, once", f"{ready} of {done['pictures']}", "", "all", ready == done["pictures"]),
    ]
