"""What helps whoever writes: suggestions, hints, and all edits of a row asked for at once."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.library.edits import index_edits
from editor.models import GenerationJob, Image, Recipe, RecipeVersion, User
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE, open_sample, run, see_result
from tests.browser.test_accessibility import problems_here, sideways
from tests.makers import make_image, make_job
from tests.portal import Portal

EARLIER = "Make the réd chair blue"
FIRST_STEP = "Give it the colours of a {time of day} in a café"


def prepared(person: User) -> Image:
    """A picture to edit, somebody's earlier words, and a recipe."""
    image = make_image(person, stored=True)
    for prompt in ("make the sky darker", EARLIER):
        index_edits(make_job(person, make_image(person), prompt=prompt, due_at=None, state="processing"))
    recipe = Recipe.objects.create(workspace=image.workspace, made_by=person, name="Red café")
    steps = to_rows([EditSpec(FIRST_STEP), EditSpec("add a frame")])
    RecipeVersion.objects.create(recipe=recipe, number=1, steps=steps, made_by=person)
    return image


def offered(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def test_suggestions_by_keyboard_alone(signed_in: Page, person: User, complaints: list[str]) -> None:
    page, image = signed_in, prepared(person)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/suggestions/" in request.url else None)
    page.goto(f"/studio/{image.pk}/")
    field, box = page.locator("#prompt"), page.locator("#prompt-help")
    expect(field).to_be_focused()
    page.keyboard.type("re")
    page.wait_for_timeout(400)
    assert asked == []  # too short to mean anything
    page.keyboard.type("d")
    expect(offered(page)).to_have_count(2)
    expect(page.locator("#prompt-said")).to_contain_text("2 suggestions")
    assert len(asked) == 1
    assert problems_here(page) == []

    page.keyboard.press("ArrowDown")
    expect(offered(page).first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", offered(page).first.get_attribute("id") or "-")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).not_to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert problems_here(page) == []
    page.keyboard.press("Enter")
    expect(field).to_have_value(EARLIER)
    expect(box).to_be_hidden()
    page.keyboard.press("Control+z")  # what stood there is not lost
    expect(field).to_have_value("red")

    page.keyboard.press("End")
    page.keyboard.type(" c")  # to somebody who goes on writing nothing happens
    expect(field).to_have_value("red c")
    expect(offered(page)).to_have_count(2)
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(field).to_be_focused()
    page.wait_for_timeout(400)
    expect(box).to_be_hidden()
    page.keyboard.press("Enter")
    expect(field).to_have_value("red c\n")
    page.keyboard.press("Backspace")
    page.wait_for_timeout(400)
    expect(box).to_be_hidden()  # it was closed for these words
    page.keyboard.type("a")
    expect(offered(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(field).to_have_value(FIRST_STEP)
    page.keyboard.type("morning")  # over what was to be filled in
    expect(field).to_have_value("Give it the colours of a morning in a café")

    field.fill("make th")
    expect(offered(page)).to_have_count(2)
    page.keyboard.press("Alt+ArrowUp")
    expect(field).to_have_value(EARLIER)
    expect(box).to_be_hidden()
    page.keyboard.press("Alt+ArrowDown")
    expect(field).to_have_value("make th")

    page.context.set_offline(True)
    field.press_sequentially("e")
    page.wait_for_timeout(400)
    expect(box).to_be_hidden()
    page.context.set_offline(False)
    field.press_sequentially(" sky darker now")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#versions .tile.current")).to_contain_text("make the sky darker now", timeout=PATIENCE)
    expect(box).to_be_hidden()
    assert complaints == []


def test_suggested_recipe_is_used_as_a_recipe(signed_in: Page, person: User) -> None:
    page, image = signed_in, make_image(person, stored=True)
    recipe = Recipe.objects.create(workspace=image.workspace, made_by=person, name="Painted wall")
    steps = to_rows([EditSpec("Paint the wall {colour}", strength=0.4)])
    RecipeVersion.objects.create(recipe=recipe, number=1, steps=steps, made_by=person)
    page.goto(f"/studio/{image.pk}/")
    page.locator("#prompt").press_sequentially("painted")
    expect(offered(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studio/{image.pk}/?recipe={recipe.pk}")
    expect(page.locator("#prompt")).to_have_value("Paint the wall {colour}")
    expect(page.get_by_role("textbox", name="colour")).to_be_focused()
    expect(page.locator("[name=strength]").first).to_have_value("0.4")


def test_hints_are_quiet_and_can_be_switched_off(signed_in: Page, person: User) -> None:
    page = signed_in
    page.goto(f"/studio/{make_image(person, stored=True).pk}/")
    field, box = page.locator("#prompt"), page.locator("#prompt-help")
    hints = "async (all) => { const { hintFor } = await import('/static/js/hints.js'); return all.map(hintFor); }"
    said = {
        "Name the thing": ["remove it", "Please paint it blue", "move this to the left", "it should be darker"],
        "One change at a time": ["a hat and a dog and a tree", "Add a hat. Add a dog. Make it night."],
        "Say what must stay": ["change the background to a beach", "replace the cup with a glass"],
        "": [
            "Make it look like a watercolour",
            "Black and white, with soft contrast",
            "remove this chair",
            "replace the cup with a glass, keep the table and the hand and the light",
            "Warm evening light from the left",
            "",
        ],
    }
    for beginning, texts in said.items():
        for text, found in zip(texts, page.evaluate(hints, texts), strict=True):
            assert found.startswith(beginning), text
            assert bool(found) is bool(beginning), text

    field.press_sequentially("remove it")
    expect(box).to_contain_text("Name the thing")
    expect(page.locator("#prompt-said")).to_contain_text("Hint: Name the thing")
    assert problems_here(page) == []
    field.press_sequentially(", the red cup")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    field.fill("replace it")
    page.wait_for_timeout(900)
    expect(box).to_be_hidden()  # said once
    field.fill("change the background")
    expect(box).to_contain_text("Say what must stay")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Don’t show hints")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("No more hints")
    page.reload()
    field.fill("change the background to a beach")
    page.wait_for_timeout(900)
    expect(box).to_be_hidden()
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Hints while I write").check()
    field.fill("change the background to a street")
    expect(box).to_contain_text("Say what must stay")


def test_suggestions_on_a_small_phone(browser: Browser, portal: Portal, person: User) -> None:
    image = prepared(person)
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True, base_url=portal.url, color_scheme="dark"
    )
    sign_in(context, person, portal)
    page = context.new_page()
    address = f"/studio/{image.pk}/"
    page.goto(address)
    field, box = page.locator("#prompt"), page.locator("#prompt-help")
    field.press_sequentially("red")
    expect(offered(page)).to_have_count(2)
    for size in ((360, 640), (360, 330)):  # the second with a keyboard on the screen
        page.set_viewport_size({"width": size[0], "height": size[1]})
        field.press_sequentially(" ")
        expect(offered(page)).to_have_count(2)
        above = box.bounding_box()
        assert above
        for place in (field, page.locator(".run")):
            there = place.bounding_box()
            assert there
            assert above["y"] + above["height"] <= there["y"]
        assert above["x"] >= 0
        assert above["x"] + above["width"] <= 360
        assert problems_here(page) + sideways(page, address) == []
    assert all(each.bounding_box()["height"] >= 44 for each in offered(page).all())  # type: ignore[index]
    page.set_viewport_size({"width": 360, "height": 640})
    offered(page).nth(1).tap()
    expect(field).to_have_value(EARLIER)
    expect(box).to_be_hidden()
    field.fill("change the background to a beach")
    page.get_by_role("button", name="Don’t show hints").tap()
    expect(page.locator("#toasts")).to_contain_text("No more hints")
    context.close()


def test_edits_in_a_row_are_asked_for_at_once_and_compared(
    signed_in: Page, person: User, complaints: list[str]
) -> None:
    page = signed_in
    open_sample(page)
    for words in ("Make it look like a watercolour", "Warm evening light", "Black and white"):
        run(page, words)
        see_result(page)
        page.get_by_role("link", name="Keep editing").click()
        expect(page.locator("#edit-form [name=source]")).to_have_value(
            str(Image.objects.get(job__prompt=words, made_by=person).pk)
        )
    last = Image.objects.get(job__prompt="Black and white", made_by=person)
    expect(page.locator(".loss")).to_contain_text("This would be the 4th edit in a row")
    assert problems_here(page) == []
    page.get_by_role("link", name="Make this picture in one edit").click()
    field = page.locator("#prompt")
    expect(field).to_have_value(
        "First: Make it look like a watercolour. Then: Warm evening light. Then: Black and white."
    )
    expect(page.locator(".loss")).to_contain_text("the words of all those edits")
    assert GenerationJob.objects.filter(made_by=person).count() == 3
    field.press("Control+End")
    field.press_sequentially(" Keep the eyes.")
    page.wait_for_timeout(900)
    expect(page.locator("#prompt-help")).to_be_hidden()  # no hint that this is much
    page.keyboard.press("Control+Enter")
    expect(page.locator("#stage figcaption")).to_have_text(["At once", "Step by step"], timeout=PATIENCE)
    made = GenerationJob.objects.exclude(prompt__in=["", last.job.prompt if last.job else ""]).latest("created_at")
    assert made.source_image == last.root
    assert made.prompt.endswith("Then: Black and white. Keep the eyes.")
    expect(page.locator("#stage .compare-before img")).to_have_attribute("src", re.compile(str(last.pk)))
    page.keyboard.press("Escape")
    page.keyboard.press(".")
    page.get_by_role("link", name="Compare what was asked").click()
    expect(page.locator(".differences dt").first).to_have_text("Edit")
    expect(page.locator(".compared [data-compare] img")).to_have_count(2)
    page.go_back()
    expect(page.get_by_title("What changed (W)")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 420})  # room for two versions or so
    page.locator(".stage-choice").get_by_role("link", name="step by step").click()
    expect(page.locator("#edit-form [name=source]")).to_have_value(str(last.pk))
    expect(page.locator("#versions .tile.current")).to_be_in_viewport(ratio=1)
    assert complaints == []
