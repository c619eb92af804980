"""An edit varied, the variations seen side by side, one chosen to go on with, and two edits compared."""

from playwright.sync_api import Page, expect

from editor.models import GenerationJob, JobState, User
from tests.browser.journey import PATIENCE, open_sample, run, see_result


def test_variations_side_by_side_and_one_chosen_by_keyboard(
    signed_in: Page, person: User, complaints: list[str]
) -> None:
    page = signed_in
    open_sample(page)
    run(page, "Make it look like a watercolour")
    see_result(page)
    edit = GenerationJob.objects.get(made_by=person)

    page.goto(f"/edits/{edit.pk}/")
    page.get_by_role("link", name="Variations side by side").click()
    expect(page.locator("#vary-price")).to_contain_text("so these use 4")
    page.get_by_role("radio", name="Strength").focus()
    page.keyboard.press("Tab")
    for value in ("0.2", "0.9", "", ""):
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    expect(page.locator("#vary-price")).to_contain_text("so these use 2")
    expect(page.get_by_role("button", name="Make them")).to_be_focused()
    page.keyboard.press("Enter")

    both = page.locator(".variation")
    expect(both).to_have_count(2, timeout=PATIENCE)
    expect(both.locator("h2")).to_have_text(["strength 0.2", "strength 0.9"])
    expect(both.locator(".plate-picture img")).to_have_count(2, timeout=PATIENCE)  # they come in by themselves
    expect(page.locator("#live")).to_have_text("Your edit is done.")
    address = page.url
    page.get_by_role("link", name="Go on with this one", description="strength 0.9").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stage [data-compare]")).to_be_visible(timeout=PATIENCE)
    chosen = GenerationJob.objects.get(rerun_of=edit, strength=0.9, state=JobState.SUCCEEDED).results.get()
    assert f"/studio/{chosen.pk}/" in page.url

    page.goto(address)
    page.get_by_role("link", name="Compare").last.click()
    expect(page.locator(".differences dt")).to_have_text(["Edit", "Strength"])
    page.wait_for_load_state()  # a key counts once the page listens
    page.keyboard.press("m")
    expect(page.locator("[data-compare]")).to_have_attribute("data-mode", "side")

    page.goto(f"/edits/{edit.pk}/")
    page.locator("#reuse-parts").get_by_role("link", name="words").click()
    expect(page.locator("#prompt")).to_have_value("Make it look like a watercolour")
    expect(page.locator("#seed")).to_have_value("")
    assert complaints == []
