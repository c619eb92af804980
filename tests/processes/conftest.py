"""One portal of real processes for all tests of this folder, at a thirtieth of the time."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from editor.jobs import control
from editor.jobs.creation import EditSpec, create_job
from editor.models import FINAL, Attempt, AttemptState, GenerationJob, Image, User
from project.embedded.process import Keeper
from tests.makers import make_image, make_user
from tests.portal import Portal, wait_until

TIME_SCALE = "0.0334"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="package")
def running(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """The portal, and the database open to us: its processes can't see into a test's transaction."""
    with django_db_blocker.unblock():
        keeper = Keeper()
        portal = Portal(keeper, tmp_path_factory.mktemp("portal"), extra={"TIME_SCALE": TIME_SCALE})
        try:
            portal.run("collectstatic", "--noinput", "--verbosity=0")
            portal.start()
            with portal.adopted():
                yield portal
        finally:
            portal.stop()
            keeper.close()
            call_command("flush", interactive=False, verbosity=0)  # which makes roles and rights anew
            connections.close_all()


@pytest.fixture
def db(running: Portal) -> None:
    """The database as other processes see it: no transaction around a test, and no emptying before the folder's end."""


@pytest.fixture
def portal(db: None, running: Portal) -> Iterator[Portal]:
    """The portal with all its processes up, the sandbox without faults, and nothing under way afterwards."""
    running.start()
    running.lines.clear()
    yield running
    running.start()
    running.set_faults()
    unfinished = GenerationJob.objects.unfinished()
    for job in list(unfinished.all()):  # whatever a test meant to hang
        control.cancel(job)
    wait_until(lambda: not unfinished.exists(), 20, "The end of every job")
    Attempt.objects.counting().update(state=AttemptState.LOST)  # or they would fill the flux server's queue


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A failure shows what the processes said."""
    report = yield
    running = getattr(item, "funcargs", {}).get("portal")
    if report.failed and call.when == "call" and isinstance(running, Portal):
        report.sections.append(("the portal's processes", running.said()))
        report.sections.append(("unfinished jobs", "\n".join(map(described, GenerationJob.objects.unfinished()))))
    return report


@pytest.fixture
def person(portal: Portal) -> User:
    return make_user(f"{uuid4().hex}@example.com")


@pytest.fixture
def picture(person: User) -> Image:
    return make_image(person, stored=True)


def described(job: GenerationJob) -> str:
    """A job that hangs, in a line: when it is due, who has it, what its attempts are like."""
    now = timezone.now()
    due = f"{(job.due_at - now).total_seconds():.1f} s" if job.due_at else "never"
    lease = f"{(job.lease_until - now).total_seconds():.1f} s" if job.lease_until else "none"
    attempts = [f"{a.state} {a.verdict} {a.reason} {a.vendor_status} {a.vendor_id}" for a in job.attempts.all()]
    return f"{job.pk} {job.state}: due in {due}, lease {lease}, tries {job.tries}, attempts {attempts}"


def ask(picture: Image, prompt: str = "make it look like a watercolour", **fields: Any) -> GenerationJob:
    """An edit of this picture, as its owner's click makes it."""
    return create_job(picture.made_by, [picture], EditSpec(prompt, **fields), uuid4().hex)


def wait_for(job: GenerationJob, *states: str, within: float = 20.0) -> None:
    """Wait until the job is in one of these states; a final one that was not asked for is the end of the waiting."""

    def there() -> bool:
        job.refresh_from_db()
        return job.state in states or job.state in FINAL

    wait_until(there, within, f"Job {job.pk} in {states}")
    assert job.state in states, f"{job.state}: {job.failure_code} {job.failure_detail}"
