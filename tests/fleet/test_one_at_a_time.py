"""Two web processes, four workers and two clocks behind the documented proxy, killed one at a time under load."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from editor.models import FINAL, GenerationJob, Image, ImageState, JobState
from project.embedded.process import Keeper
from tests.fleet.crowd import Crowd
from tests.fleet.machine import NGINX, Machine
from tests.makers import make_image, make_user
from tests.portal import SandboxOptions, wait_until

# The other web process last: the first has to bear the load alone, right after it began anew. `make bench` kills all.
KILLED = ("web", "edits", "clock", "web2")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not NGINX, reason="there is no nginx here (apt install nginx-light)"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def machine(transactional_db: None, tmp_path: Path) -> Iterator[Machine]:
    keeper = Keeper()
    found = Machine(keeper, tmp_path, sandbox=SandboxOptions(seconds=0.2, echo=True), extra={"TIME_SCALE": "0.0334"})
    try:
        found.run("collectstatic", "--noinput", "--verbosity=0")
        found.start()
        with found.adopted():
            yield found
    finally:
        found.stop()
        keeper.close()


def test_nobody_notices_when_any_process_is_killed(machine: Machine) -> None:
    person = make_user("person@example.com")
    crowd = Crowd(machine.url, str(machine.certificate), person, make_image(person, stored=True))
    with crowd.at_work():
        for name in KILLED:
            time.sleep(0.3)
            machine.kill(name)
            time.sleep(0.3)
            machine.start(name)
        time.sleep(0.5)
    assert crowd.failures == []
    assert min(crowd.done[kind] for kind in ("looks", "edits", "pictures")) > 5
    jobs = GenerationJob.objects.filter(made_by=person)
    assert sorted(jobs.values_list("form_token", flat=True)) == sorted(crowd.tokens)
    wait_until(lambda: not jobs.exclude(state__in=FINAL).exists(), 30, "The end of every edit")
    assert set(jobs.values_list("state", flat=True)) == {JobState.SUCCEEDED}
    assert all(len(machine.accepted_for(job)) == 1 for job in jobs)
    sent = Image.objects.filter(made_by=person, name="holiday.jpg")
    wait_until(lambda: not sent.exclude(state=ImageState.READY).exists(), 10, "Every picture to be ready")
    assert sent.count() == crowd.done["pictures"]
