"""What changed, laid over a result that a worker has just made it for, in each way to compare."""

from playwright.sync_api import Browser, Page, expect

from editor.models import GenerationJob
from tests.browser.journey import PATIENCE, open_sample, run, see_result

SHOWN = "image => image.complete && image.naturalWidth > 0 && getComputedStyle(image).display !== 'none'"


def boxes(page: Page) -> list[object]:
    """Of the result and of the map over it."""
    return [page.locator(f"#stage .compare-after {which}").bounding_box() for which in ("img >> nth=0", ".changes-map")]


def test_it_lies_over_the_result_in_each_way_to_compare(signed_in: Page, complaints: list[str]) -> None:
    page = signed_in
    open_sample(page)
    run(page, "add a red hat")
    see_result(page)
    overlay = page.locator("#stage .changes-map")
    expect(overlay).to_have_count(1, timeout=PATIENCE)
    expect(overlay).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.get_by_text("% changed")).to_be_visible()
    overlay.evaluate("image => image.decode()")
    for _ in range(3):  # slider, side by side, hold to flip
        assert overlay.evaluate(SHOWN)
        result, over = boxes(page)
        assert result
        assert result == over
        page.keyboard.press("m")
    page.keyboard.press("+")
    result, over = boxes(page)
    assert result
    assert result == over
    page.reload()  # it stays as it was chosen
    expect(overlay).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")  # out of the words
    page.keyboard.press("w")
    expect(overlay).to_be_hidden()
    assert not complaints


def test_without_scripts_the_address_switches_it_on(signed_in: Page, browser: Browser) -> None:
    page = signed_in
    open_sample(page)
    run(page, "paint it blue")
    see_result(page)
    expect(page.locator("#stage .changes-map")).to_have_count(1, timeout=PATIENCE)
    job = GenerationJob.objects.latest("created_at")
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    try:
        quiet = plain.new_page()
        quiet.goto(f"{page.url.split('/studio')[0]}/studio/{job.source_image.pk}/?edit={job.pk}")
        expect(quiet.locator(".changes-map")).to_be_hidden()
        quiet.get_by_text("What changed", exact=True).click()
        expect(quiet.locator(".changes-map")).to_be_visible()
        quiet.goto(f"{quiet.url}&changes=1")
        expect(quiet.locator(".changes-map")).to_be_visible()
    finally:
        plain.close()
