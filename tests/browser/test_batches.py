"""One edit said once for many pictures: asked for, followed, repeated and taken away; also by keyboard on a phone."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from editor.jobs.batches import create_batch
from editor.jobs.creation import EditSpec
from editor.models import Batch, FluxServer, GenerationJob, Image, JobState, User
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.browser.test_accessibility import problems, problems_here, sideways, view
from tests.makers import make_image
from tests.portal import Portal

__all__ = ["view"]

WORDS = "make it look like a watercolour"


@pytest.fixture
def pictures(person: User) -> list[Image]:
    return [make_image(person, stored=True, name=f"cup {number}") for number in range(4)]


def of_batch(page: Page) -> Locator:
    return page.locator(".batch-grid .entry")


def test_one_edit_for_all_and_the_failed_one_again(
    signed_in: Page, person: User, portal: Portal, pictures: list[Image], complaints: list[str]
) -> None:
    page = signed_in
    page.goto("/library/")
    page.get_by_label("Choose cup 0", exact=True).check()
    page.get_by_role("button", name="All on this page").click()
    page.locator("[data-selection-bar]").get_by_role("button", name="Edit all").click()
    expect(page.get_by_role("heading", name="Edit 4 pictures at once")).to_be_visible()
    expect(page.locator(".batch-price")).to_contain_text("4 of ")
    page.get_by_label("Results of each").select_option("2")
    expect(page.locator(".batch-price")).to_contain_text("8 of ")
    page.get_by_label("Results of each").select_option("1")
    words, style = page.get_by_label("What should change in all of them?"), page.get_by_label("style", exact=True)
    words.fill("make it {style}")
    style.fill("a watercolour")
    words.fill("in {colour}, {{plain}}, make it {style}")
    expect(page.locator("#batch-blanks").get_by_role("textbox")).to_have_count(2)
    expect(style).to_have_value("a watercolour")
    page.get_by_text("One row, one picture").click()
    rows = b"picture,style,colour\ncup 0,oil,red\ncup 1,ink,red"
    page.get_by_label("Or a CSV file").set_input_files({"name": "cups.csv", "mimeType": "text/csv", "buffer": rows})
    expect(page.get_by_role("button", name="Make 2 edits")).to_be_visible()
    expect(page.locator(".batch-price")).to_contain_text("2 of ")
    page.get_by_label("Or a CSV file").set_input_files([])
    words.fill(WORDS)
    expect(style).to_have_count(0)
    portal.set_faults(failed_at_once=1)
    page.get_by_role("button", name="Edit all 4").dblclick()

    counts = page.locator(".batch-counts")
    expect(counts).to_contain_text("3 of 4 done", timeout=PATIENCE)
    expect(counts).to_contain_text("1 did not work", timeout=PATIENCE)
    expect(of_batch(page).locator("img:not(.entry-source):not(.entry-pale)")).to_have_count(3)
    page.get_by_role("button", name="Run the failed ones again").click()
    expect(counts).to_contain_text("All 4 done", timeout=PATIENCE)
    batch = Batch.objects.get(made_by=person)
    assert GenerationJob.objects.filter(batch=batch).count() == 5

    with page.expect_download() as coming:
        page.get_by_role("link", name="ZIP of 4").click()
    names = zipfile.ZipFile(io.BytesIO(Path(coming.value.path()).read_bytes())).namelist()
    assert len([name for name in names if name.endswith((".jpg", ".png", ".webp"))]) == 4
    assert complaints == []


def test_price_that_does_not_come_is_not_said_and_what_was_typed_stays(signed_in: Page, pictures: list[Image]) -> None:
    page = signed_in
    page.goto("/library/")
    page.get_by_label("Choose cup 0", exact=True).check()
    page.locator("[data-selection-bar]").get_by_role("button", name="Edit all").click()
    words, rows = page.get_by_label("What should change in all of them?"), page.get_by_label("Lines")
    price = page.locator(".batch-price")
    words.fill("make it {colour}")
    page.get_by_text("One row, one picture").click()
    page.route("**/preview/", lambda route: route.fulfill(status=429))
    rows.fill("picture,colour\ncup 0,red\ncup 0,blue")
    expect(price).to_contain_text("can’t be said right now", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Edit them")).to_be_enabled()
    expect(page.locator(".toast")).to_have_count(0)
    page.unroute("**/preview/")
    rows.fill("picture,colour\ncup 0,red\ncup 0,green")
    expect(page.get_by_role("button", name="Make 2 edits")).to_be_visible(timeout=PATIENCE)
    expect(price).to_contain_text("2 of ")
    page.context.clear_cookies()
    rows.fill("picture,colour\ncup 0,red\ncup 0,black\ncup 0,white")
    expect(price).to_contain_text("can’t be said right now", timeout=PATIENCE)
    expect(rows).to_have_value("picture,colour\ncup 0,red\ncup 0,black\ncup 0,white")


@pytest.fixture
def paused(portal: Portal) -> Iterator[FluxServer]:
    """The flux server; whatever paused it ends with the test."""
    server = FluxServer.objects.current()
    yield server
    server.resume()


def test_by_keyboard_alone_on_a_small_phone(
    browser: Browser, portal: Portal, person: User, pictures: list[Image], paused: FluxServer
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, base_url=portal.url)
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto("/library/")
    page.wait_for_load_state()
    page.locator(".pic-link").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    press_until(page, "Edit all")
    expect(page.get_by_role("heading", name="Edit 2 pictures at once")).to_be_visible()
    page.wait_for_load_state()
    press_until(page, "What should change in all of them?")
    page.keyboard.type(WORDS)
    paused.pause_by_hand("so that something waits for as long as it takes to press")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".batch-counts")).to_contain_text("2 waiting", timeout=PATIENCE)
    assert sideways(page, page.url) == []
    press_until(page, "Cancel the 2 that wait")
    expect(page.locator(".batch-counts")).to_contain_text("2 canceled", timeout=PATIENCE)
    assert set(GenerationJob.objects.filter(made_by=person).values_list("state", flat=True)) == {JobState.CANCELED}
    context.close()


def press_until(page: Page, name: str) -> None:
    """Tab to what a screen reader calls so, and press Enter there if it is a button."""
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate("""() => {
            const here = document.activeElement;
            return [here.labels?.[0]?.textContent ?? here.ariaLabel ?? here.textContent, here.tagName];
        }""")
        if str(told[0]).strip() == name:
            if told[1] == "BUTTON":
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab never comes to “{name}”.")


def test_pages_are_accessible_and_fit(view: Page, person: User, pictures: list[Image]) -> None:
    batch = create_batch(person, pictures, EditSpec(WORDS, seed=1), "accessible")
    GenerationJob.objects.filter(batch=batch).update(due_at=None)
    addresses = ["/batches/", f"/batches/{batch.pk}/"]
    assert [problem for address in addresses for problem in problems(view, address)] == []
    view.goto("/library/")
    view.get_by_label("Choose cup 0", exact=True).check()
    view.locator("[data-selection-bar]").get_by_role("button", name="Edit all").click()
    expect(view.get_by_role("heading", name="Edit 1 picture at once")).to_be_visible()
    assert problems_here(view) + sideways(view, "/batches/new/") == []
