"""What a hostile flux server sends grows no worker by more than 150 MB."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from editor.models import GenerationJob, Image, JobState
from project.embedded.keeper import members
from tests.portal import Portal, wait_until
from tests.processes.conftest import ask, wait_for

MOST_GROWTH = 150_000  # kB


def resident(pid: int, which: str) -> int:
    """VmRSS, what it takes now, or VmHWM, the most that it ever took, in kB; 0 of a process that is gone."""
    with suppress(OSError):
        found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0


@contextmanager
def watched(pid: int) -> Iterator[dict[int, int]]:
    """The most that this process and each that it starts took within the block, in kB."""
    peaks: dict[int, int] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            for member in members(pid):
                peaks[member] = max(peaks.get(member, 0), resident(member, "VmHWM"))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process took")
def test_gzip_bomb_deep_json_and_huge_link_grow_no_worker(portal: Portal, picture: Image) -> None:
    before = resident(portal.pid("edits"), "VmRSS")
    with watched(portal.pid("edits")) as peaks:
        for fault in ("gzip-bomb", "deep-json"):
            job = ask(picture, f"a mosaic #fault:{fault} #fault:webhook-lost")
            wait_for(job, JobState.UNCONFIRMED)
        job = ask(picture, "a mosaic #fault:link-huge")
        wait_for(job, JobState.COLLECTING)
        looked = GenerationJob.objects.filter(pk=job.pk, state=JobState.COLLECTING, tries__gt=0)
        wait_until(looked.exists, 10, "A look at the link")
    assert len(peaks) > 1  # work was done in forks, and they were seen
    assert max(peaks.values()) - before < MOST_GROWTH
