"""The history in a browser: by keyboard, by filters with names, far down and back."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from editor.library.edits import index_edits
from editor.models import GenerationJob, ImageKind, JobState, User
from editor.views.history import PER_PAGE
from tests.browser.test_accessibility import problems, view
from tests.makers import make_image, make_job

__all__ = ["view"]


def make_edits(person: User, count: int, *, stored: bool) -> list[GenerationJob]:
    """Newest first, seven hours apart."""
    now, source = timezone.now(), make_image(person, stored=stored)
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": now, "due_at": None}
    jobs = []
    for number in range(count):
        moment = now - timedelta(hours=7 * number)
        job = make_job(person, source, prompt=f"make number n{number:03} blue", created_at=moment, **ended)
        make_image(person, stored=stored, kind=ImageKind.GENERATED, job=job, root=source)
        jobs.append(job)
    index_edits(*jobs)
    return jobs


@pytest.fixture
def edits(person: User) -> list[GenerationJob]:
    return make_edits(person, 6, stored=True)


def test_found_named_chosen_by_keys_and_taken_back(
    signed_in: Page, edits: list[GenerationJob], complaints: list[str]
) -> None:
    page = signed_in
    page.goto("/history/")
    page.get_by_label("Search the history").fill("blue n00")
    page.keyboard.press("Enter")
    expect(page.locator(".pic")).to_have_count(6)
    page.get_by_text("Save this filter").click()
    page.get_by_label("Name", exact=True).fill("Blue ones")
    page.keyboard.press("Enter")
    expect(page.locator(".said-saved[aria-current]")).to_have_text("Blue ones")

    page.locator(".pic-link").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("[data-selection-count]")).to_have_text("2 chosen")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".pic-link").first).to_be_focused()
    page.locator("[data-selection-bar]").get_by_role("button", name="Trash").click()
    expect(page.locator(".toast")).to_contain_text("2 pictures in the trash")
    expect(page.get_by_text("In the trash", exact=True)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("In the trash", exact=True)).to_have_count(0)
    assert "q=blue" in page.url
    page.locator(".pic-link").first.click()
    page.wait_for_url("**/edits/**")
    page.locator(".back a").click()
    page.wait_for_url("**/history/**")
    expect(page.locator(".pic")).to_have_count(6)
    assert "q=blue" in page.url
    assert complaints == []


def test_far_down_the_way_back_leads_to_the_same_place(signed_in: Page, person: User) -> None:
    pages = 4
    make_edits(person, pages * PER_PAGE, stored=False)
    page = signed_in
    page.goto("/history/")
    for number in range(2, pages + 1):
        page.locator("#older").scroll_into_view_if_needed()
        expect(page.locator(".chunk")).to_have_count(number)
    page.get_by_role("link", name="n095").scroll_into_view_if_needed()
    page.get_by_role("link", name="n095").click()
    page.wait_for_url("**/edits/**")
    make_edits(person, 1, stored=False)
    page.go_back()
    expect(page.get_by_role("link", name="n095")).to_be_in_viewport()
    assert "before=" in page.url
    page.locator(".pic", has=page.get_by_role("link", name="n095")).locator(".pic-check input").check(force=True)
    page.locator("[data-selection-bar]").get_by_role("button", name="Favourite").click()
    expect(page.locator(".toast")).to_contain_text("among your favourites")
    expect(page.get_by_role("link", name="n094")).to_be_in_viewport()
    page.get_by_role("link", name="Newer").click()
    expect(page.get_by_role("link", name="n071")).to_be_visible()


def test_second_visit_takes_its_pictures_from_the_cache_and_nothing_jumps(
    signed_in: Page, edits: list[GenerationJob]
) -> None:
    page = signed_in

    def see_all() -> None:
        """Nothing is ever idle beside an event stream."""
        page.goto("/history/")
        page.wait_for_function(
            """() => [...document.querySelectorAll(".entry-picture img")].every((one) => one.complete)"""
        )

    see_all()
    page.goto("/")
    see_all()
    sizes = page.evaluate("""() => performance.getEntriesByType('resource')
        .filter((entry) => entry.name.includes('/images/')).map((entry) => entry.transferSize)""")
    assert len(sizes) >= len(edits)
    assert sum(size == 0 for size in sizes) >= 0.9 * len(sizes)
    moved = page.evaluate("""() => new Promise((done) => {
        const found = [];
        const say = ({ node }) => (node?.outerHTML ?? node?.parentElement?.outerHTML ?? "gone").slice(0, 200);
        const note = (one) => found.push([one.value, ...one.sources.map(say)]);
        const watching = new PerformanceObserver((list) => list.getEntries().forEach(note));
        watching.observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => done(found), 100);
    })""")
    assert moved == []


def test_pages_are_accessible_and_fit(view: Page, edits: list[GenerationJob]) -> None:
    addresses = ["/history/?q=blue&since=2020-01-01&favourites=1", "/history/filters/?q=blue", "/history/?q=blue"]
    assert [problem for address in addresses for problem in problems(view, address)] == []
    view.locator(".pic-check input").first.check()
    assert Axe().run(view).response["violations"] == []
