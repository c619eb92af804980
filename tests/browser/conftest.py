"""One portal of real processes for all browser tests, with its static files collected as in production."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_playwright import CreateContextCallback

from editor.models import Attempt, AttemptState, GenerationJob, User
from project.embedded.process import Keeper
from project.embedded.programs import ROOT
from tests.people import client_of, make_person
from tests.portal import Portal, SandboxOptions

HERE = Path(__file__).parent
METRICS_TOKEN = "of-the-browser-tests"

expect.set_options(timeout=20_000)  # ms; a machine may be busy with other tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These run last: from the first one on, Playwright keeps an event loop in this thread."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session", autouse=True)
def _database_before_browser(django_db_setup: None) -> Iterator[None]:
    """Django minds the event loop, both for the database itself and for rows that are made by plain calls beside it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Also the address that the portal listens on counts as a name."""
    arguments = [
        f"{argument}, EXCLUDE 127.0.0.1" if argument.startswith("--host-resolver-rules") else argument
        for argument in browser_type_launch_args["args"]
    ]
    return {**browser_type_launch_args, "args": arguments}


@pytest.fixture(scope="session")
def base_url() -> None:
    """The plugin's own, which is defined in a way that pytest deprecates, is not needed: `page` knows the portal."""


@pytest.fixture(scope="package")
def running(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    with django_db_blocker.unblock():
        keeper = Keeper()
        portal = Portal(
            keeper,
            tmp_path_factory.mktemp("portal"),
            sandbox=SandboxOptions(seconds=0.5),
            extra={"METRICS_TOKEN": METRICS_TOKEN},
        )
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
        subprocess.run(collect, cwd=ROOT, env=portal.environ, check=True, timeout=120)
        try:
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
    """The database as the portal's processes see it: no transaction around a test."""


@pytest.fixture
def portal(db: None, running: Portal) -> Iterator[Portal]:
    running.lines.clear()
    yield running
    # Whatever a test meant to hang: the next one finds the flux server free.
    for job in GenerationJob.objects.unfinished():
        job.cancel("taken")  # type: ignore[arg-type]
    Attempt.objects.counting().update(state=AttemptState.LOST)


@pytest.fixture
def page(new_context: CreateContextCallback, portal: Portal) -> Page:
    return new_context(base_url=portal.url).new_page()


@pytest.fixture
def person(portal: Portal) -> User:
    return make_person(f"person-{uuid4().hex[:8]}")


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains about, like a breach of the content security policy; no answer of ours is among it."""
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            found.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def signed_in(page: Page, person: User, portal: Portal) -> Page:
    """A page in which the person is signed in, about to open the studio."""
    sign_in(page.context, person, portal)
    page.goto("/")
    return page


def sign_in(context: BrowserContext, person: User, portal: Portal) -> None:
    session = client_of(person).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": portal.url}])
