"""An edit saved as a recipe, and used on another picture by keyboard alone."""

from playwright.sync_api import Page, expect

from editor.models import GenerationJob, Recipe, User
from tests.browser.journey import PATIENCE, open_sample, run, see_result


def test_recipe_from_an_edit_is_used_on_another_picture_by_keyboard(
    signed_in: Page, person: User, complaints: list[str]
) -> None:
    page = signed_in
    open_sample(page)
    run(page, "Make it look like a watercolour")
    see_result(page)
    page.get_by_label("More", exact=True).click()
    page.get_by_role("link", name="Save as recipe").click()
    page.get_by_label("Name").fill("Any style")
    words = page.get_by_label("What should change?")
    expect(words).to_have_value("Make it look like a watercolour")
    words.fill("Make it look like a {style}, in {colour} tones")
    page.get_by_label("Strength, 0 to 1").fill("0.35")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Any style")).to_be_visible()
    expect(page.locator(".recipe-picture img")).to_be_visible()

    open_sample(page, "Cup of coffee")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#picks .pick").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.type("any")
    page.keyboard.press("Enter")  # the only one, before the portal answered
    expect(page.get_by_label("style")).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("pencil sketch")
    expect(page.locator("[data-reads]")).to_have_text("Make it look like a pencil sketch, in {colour} tones")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Say what {colour} is to be")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("colour", exact=True)).to_be_focused()
    page.keyboard.type("grey")
    page.keyboard.press("Enter")
    made = "Make it look like a pencil sketch, in grey tones"
    expect(page.locator("#versions .tile.current").filter(has_text=made)).to_be_visible(timeout=PATIENCE)
    see_result(page)
    job = GenerationJob.objects.filter(made_by=person).latest("created_at")
    assert (job.prompt, job.strength) == (made, 0.35)
    assert Recipe.objects.get(made_by=person).picture is not None
    assert complaints == []
