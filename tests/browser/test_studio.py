"""The studio by mouse, by keyboard alone and on a small phone: looking closely, picking, branching, pruning."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from editor.library.words import index_words
from editor.models import GenerationJob, Image, User
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.makers import make_image, make_job
from tests.portal import Portal


def finished(person: User, *sources: Image, words: str) -> GenerationJob:
    now = timezone.now()
    job = make_job(person, *sources, state="succeeded", allowance="taken", finished_at=now, prompt=words)
    root = sources[0].first_upload
    make_image(person, stored=True, kind="generated", job=job, root=root, name=words)
    return job


@pytest.fixture
def cup(person: User) -> Image:
    cup = make_image(person, stored=True, name="cup.jpg")
    index_words(cup, make_image(person, stored=True, name="hat.jpg"))
    return cup


@pytest.fixture
def first(person: User, cup: Image) -> GenerationJob:
    """A version of a picture, with one that was made of it."""
    first = finished(person, make_image(person, stored=True), words="like a watercolour")
    finished(person, first.results.get(), words="and at night")
    return first


def transforms(page: Page) -> list[str]:
    styles = "images => images.map((i) => `${getComputedStyle(i).scale} ${getComputedStyle(i).translate}`)"
    found: list[str] = page.locator("#stage [data-compare] img").evaluate_all(styles)
    return found


def test_by_mouse(signed_in: Page, first: GenerationJob, complaints: list[str]) -> None:
    page, stage = signed_in, f"/studio/{first.source_image.pk}/?edit={first.pk}"
    page.goto(stage)
    box = page.locator("#stage [data-compare]").bounding_box()
    assert box
    middle = (box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -400)
    expect(page.locator("[data-zoom-said]")).not_to_have_text("Fit")
    near = transforms(page)
    assert near[0] == near[1] != "1 none"
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5)
    page.mouse.up()
    moved = transforms(page)
    assert moved[0] == moved[1] != near[0]
    assert page.locator("[data-compare-range]").input_value() == "50"  # the picture was moved, not the slider
    page.get_by_role("radio", name="Side by side").check()
    assert transforms(page) == moved
    page.get_by_role("button", name=re.compile("Fit")).click()
    expect(page.locator("[data-zoom-said]")).to_have_text("Fit")
    page.mouse.move(*middle)
    page.mouse.wheel(0, -400)
    expect(page.locator("[data-zoom-said]")).not_to_have_text("Fit")
    page.keyboard.press("0")
    expect(page.locator("[data-zoom-said]")).to_have_text("Fit")
    page.mouse.wheel(0, -5)
    expect(page.locator("[data-zoom-said]")).not_to_have_text("Fit")
    scale = float(transforms(page)[0].split()[0])
    assert 1 < scale < 1.1  # from what fits, not from where the wheel was
    page.keyboard.press("0")
    page.get_by_role("radio", name="Hold to flip").check()
    box = page.locator("#stage [data-compare]").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    expect(page.locator("#stage .compare-before")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#stage .compare-before")).to_be_hidden()

    page.locator(".chip:has(#seed) summary").click()
    page.locator("#seed").fill("77")
    page.get_by_label("Keep it for the next edits, too").check()
    page.locator(".chip:has([name=samples]) summary").click()
    page.get_by_role("radio", name="3", exact=True).check()
    page.locator("#versions").get_by_role("link", name=re.compile("and at night")).click()
    expect(page.locator("#versions [aria-current]")).to_contain_text("and at night")
    expect(page.locator("[data-samples-label]")).to_have_text("3 pictures")
    expect(page.locator("[data-seed-label]")).to_have_text("77")
    expect(page.locator("[data-seed-locked]")).to_be_visible()
    page.goto(stage)
    expect(page.locator("[data-seed-label]")).to_have_text("random")

    page.get_by_label("What should change?").fill("words that stay")
    page.locator(".slot-second summary").click()
    page.locator(".slot-second").get_by_role("link", name="From the library").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-picked]")).to_have_count(4)
    dialog.get_by_role("searchbox").fill("cup")
    expect(dialog.locator("[data-picked]")).to_have_count(1)
    dialog.get_by_role("link", name="cup.jpg").click()
    expect(page.locator(".slot-second.filled img")).to_be_visible()
    page.locator("#slots").hover()
    page.get_by_role("link", name="Remove the source picture").click()  # the second one takes its place
    expect(page.locator(".stage-name")).to_have_text("cup.jpg")
    expect(page.get_by_label("What should change?")).to_have_value("words that stay")

    page.goto(stage)
    page.get_by_role("button", name="with 1 below").click()
    expect(page.locator("#toasts")).to_contain_text("2 pictures in the trash")
    expect(page.locator("#versions .tile")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#versions .tile")).to_have_count(3)
    page.get_by_role("link", name="Branch from here").click()
    expect(page.locator("#edit-form [name=source]")).to_have_value(str(first.results.get().pk))
    assert complaints == []


def test_by_keyboard_alone(signed_in: Page, first: GenerationJob, complaints: list[str]) -> None:
    page = signed_in
    page.goto(f"/studio/{first.source_image.pk}/?edit={first.pk}")
    prompt, said = page.locator("#prompt"), page.locator("[data-zoom-said]")
    expect(prompt).to_be_focused()
    page.keyboard.type("?+")
    expect(prompt).to_have_value("?+")  # while somebody types, keys are letters
    page.keyboard.press("Alt+ArrowUp")
    expect(prompt).to_have_value("and at night")
    page.keyboard.press("Alt+ArrowUp")
    expect(prompt).to_have_value("like a watercolour")
    for draft in ("my draft", "second draft"):  # what is being written comes back each time
        prompt.fill(draft)
        page.keyboard.press("Alt+ArrowUp")
        expect(prompt).to_have_value("and at night")
        page.keyboard.press("Alt+ArrowDown")
        expect(prompt).to_have_value(draft)
    page.keyboard.press("Escape")

    compare, keys = page.locator("#stage [data-compare]"), page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    expect(keys).to_contain_text("Keep editing it")
    letters = keys.get_by_label("Keys of one letter")
    letters.uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    expect(compare).to_have_attribute("data-mode", "slider")
    page.get_by_label("Account:").press("Enter")
    page.get_by_role("button", name="Keys", exact=True).press("Enter")
    letters.check()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Account:")).to_be_focused()

    page.keyboard.press(".")
    expect(page.get_by_role("link", name="Change and run")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Several variations")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Account:")).to_be_focused()

    slider = page.locator("[data-compare-range]")
    slider.press("ArrowLeft")
    expect(slider).to_have_value("49")
    slider.press("Shift+ArrowRight")
    expect(slider).to_have_value("59")
    slider.evaluate("slider => slider.blur()")
    page.keyboard.down("f")
    expect(compare).to_have_attribute("data-flipped", "")
    page.keyboard.up("f")
    expect(compare).not_to_have_attribute("data-flipped", "")
    page.keyboard.press("+")
    expect(said).to_have_text(re.compile(r"^\d+ %$"))
    page.keyboard.press("Shift+ArrowRight")
    assert transforms(page) == ["1.25 -10% 0%"] * 2
    page.keyboard.press("m")
    expect(compare).to_have_attribute("data-mode", "side")
    page.keyboard.press("0")
    expect(said).to_have_text("Fit")
    page.keyboard.press("x")
    expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("cup")
    page.keyboard.press("Enter")
    expect(page.locator("[data-picked]")).to_have_count(1)
    page.locator("[data-picked]").press("Enter")
    expect(page).to_have_url(re.compile("against="))
    here = page.locator("#versions [aria-current]")
    for key, version in (("u", "Original"), ("j", "like a watercolour"), ("j", "and at night"), ("u", "like a")):
        page.wait_for_load_state()  # a key before the page's scripts does nothing
        page.keyboard.press(key)
        expect(here).to_contain_text(version)
        expect(here).to_be_focused()  # not the words
    page.wait_for_load_state()
    page.keyboard.press("k")
    expect(page.locator("#edit-form [name=source]")).to_have_value(str(first.results.get().pk))
    expect(prompt).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(re.compile(r"/history/(\?|$)"))
    assert complaints == []


def test_on_a_small_phone(browser: Browser, portal: Portal, person: User, first: GenerationJob) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True, base_url=portal.url
    )
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto(f"/studio/{first.source_image.pk}/?edit={first.pk}")
    versions = page.locator("#versions")
    expect(versions).to_be_hidden()
    page.get_by_role("button", name="Versions: 3").tap()
    expect(versions).to_be_visible()
    versions.get_by_role("link", name=re.compile("and at night")).tap()
    expect(page).not_to_have_url(re.compile(str(first.pk)))
    expect(page.locator("#stage [data-compare]")).to_be_visible()
    page.locator(".slot-second summary").tap()
    expect(page.locator(".slot-second").get_by_text("Photo")).to_be_visible()
    page.locator(".slot-second").get_by_role("link", name="From the library").tap()
    page.get_by_role("dialog").get_by_role("link", name="cup.jpg").tap()
    expect(page.locator(".slot-second.filled img")).to_be_visible()
    page.locator(".slot-second summary").tap()
    page.locator(".slot-second").get_by_role("link", name="Remove").tap()
    expect(page.locator("#edit-form [name=second]")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_offline_keeps_the_words_and_says_so(signed_in: Page, person: User, cup: Image) -> None:
    page = signed_in
    page.context.grant_permissions(["notifications"])
    page.goto(f"/studio/{cup.pk}/")
    page.get_by_role("link", name="Black and white").click()
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-dock-offline]")).to_be_visible()
    expect(page.locator(".offline")).to_contain_text("You are offline")
    expect(page.locator("#prompt")).to_have_value("Black and white, with soft contrast")
    page.context.set_offline(False)
    expect(page.locator(".offline")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#stage [data-compare]")).to_be_visible(timeout=PATIENCE)
    assert GenerationJob.objects.get(made_by=person).prompt == "Black and white, with soft contrast"
