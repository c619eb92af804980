"""Pages that change by themselves: one event stream for all tabs of a browser, and polling where there is none."""

import time

import pytest
import requests
from playwright.sync_api import Page, expect

from editor.models import GenerationJob, HeldFor, User
from tests.browser.conftest import METRICS_TOKEN, sign_in
from tests.makers import make_image, make_job
from tests.portal import Portal, wait_until

ALIVE = "html[data-live=on]"
WITHIN = 10_000  # milliseconds; with a stream a page asks about a held edit of itself every thirty seconds only
WITHOUT_WORKERS = "delete window.SharedWorker"


def streams(portal: Portal) -> int:
    """How many the web process holds."""
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    told = requests.get(f"{portal.url}/metrics/", headers=headers, timeout=20).text
    return int(float(next(line for line in told.splitlines() if line.startswith("retake_streams ")).split()[1]))


def held_job(person: User) -> GenerationJob:
    job = make_job(person, make_image(person, stored=True), due_at=None)
    assert job.hold(HeldFor.RULE)
    return job


def opened(page: Page, job: GenerationJob) -> Page:
    page.goto(f"/edits/{job.pk}/")
    expect(page.locator(ALIVE)).to_be_attached(timeout=20_000)
    expect(page.locator(f"#tile-{job.pk}")).to_contain_text("Waits for a look")
    page.wait_for_timeout(500)  # what it asks when the stream begins is answered
    return page


@pytest.mark.parametrize("way", ["worker", "elected page"])
def test_tabs_share_one_stream_and_both_change_at_once(
    page: Page, person: User, portal: Portal, complaints: list[str], way: str
) -> None:
    if way == "elected page":
        page.context.add_init_script(WITHOUT_WORKERS)
    sign_in(page.context, person, portal)
    wait_until(lambda: streams(portal) == 0, within=60, what="The end of the streams before")
    job = held_job(person)
    first, second = opened(page, job), opened(page.context.new_page(), job)
    assert streams(portal) == 1
    began = time.monotonic()
    assert job.cancel("released")  # type: ignore[arg-type]
    for tab in (first, second):
        expect(tab.get_by_text("Canceled").first).to_be_visible(timeout=WITHIN)
    assert time.monotonic() - began < 20
    first.close()  # it may have been the one that kept the stream
    expect(second.locator(ALIVE)).to_be_attached()
    other = held_job(person)
    opened(second, other)
    assert other.cancel("released")  # type: ignore[arg-type]
    expect(second.get_by_text("Canceled").first).to_be_visible(timeout=WITHIN)
    assert complaints == []


def test_page_asks_by_itself_while_redis_is_away_and_listens_again_after(
    page: Page, person: User, portal: Portal
) -> None:
    sign_in(page.context, person, portal)
    job = held_job(person)
    opened(page, job)
    portal.kill("redis")
    expect(page.locator("html[data-live=off]")).to_be_attached(timeout=20_000)
    assert job.cancel("released")  # type: ignore[arg-type]
    expect(page.get_by_text("Canceled").first).to_be_visible(timeout=20_000)
    portal.start("redis")
    expect(page.locator(ALIVE)).to_be_attached(timeout=30_000)
    portal.start()  # RQ ends a worker that loses Redis
