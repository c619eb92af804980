"""One portal for all tests of this folder; every test leaves it well."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from editor.models import Attempt, AttemptState, GenerationJob
from project.embedded import s3
from project.embedded.process import Keeper
from tests.chaos.people import Crowd
from tests.chaos.portal import ChaosPortal

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.xdist_group("chaos"))  # ten processes are enough
            if os.environ.get("TEST_DATABASE") == "postgres":
                item.add_marker(pytest.mark.skip("takes minutes; `make chaos` is for PostgreSQL"))


@pytest.fixture(scope="package")
def running(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ChaosPortal]:
    with django_db_blocker.unblock():
        keys = os.environ["S3_ACCESS_KEY_ID"], os.environ["S3_SECRET_ACCESS_KEY"]
        client = s3.make_client(os.environ["S3_ENDPOINT_URL"], os.environ["S3_REGION"], *keys)
        s3.empty_bucket(client, os.environ["S3_BUCKET"])  # what other tests left there has no rows
        keeper = Keeper()
        portal = ChaosPortal(keeper, tmp_path_factory.mktemp("chaos"))
        try:
            portal.run("collectstatic", "--noinput", "--verbosity=0")
            portal.start()
            yield portal
        finally:
            portal.stop()
            keeper.close()
            call_command("flush", interactive=False, verbosity=0)  # which makes roles and rights anew
            connections.close_all()


@pytest.fixture
def db(running: ChaosPortal) -> None:
    """The database as other processes see it: no transaction around a test, and no emptying before the folder's end."""


@pytest.fixture
def portal(db: None, running: ChaosPortal) -> Iterator[ChaosPortal]:
    running.mend()
    running.lines.clear()
    yield running
    running.mend()
    GenerationJob.objects.unfinished().update(due_at=None)  # what a test without a protection left behind
    Attempt.objects.counting().update(state=AttemptState.LOST)


@pytest.fixture
def crowd(portal: ChaosPortal) -> Iterator[Crowd]:
    people = Crowd(portal.url)
    yield people
    people.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A failure shows what the processes said."""
    report = yield
    running = getattr(item, "funcargs", {}).get("portal")
    if report.failed and call.when == "call" and isinstance(running, ChaosPortal):
        report.sections.append(("the portal's processes", running.said()))
    return report
