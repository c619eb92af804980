"""The whole way, as a person goes it."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Browser, FilePayload, Page, Route, ViewportSize, expect

from editor.models import GenerationJob, User
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE, SAMPLES, open_sample, run, see_result, upload
from tests.makers import make_image, make_job
from tests.people import PASSWORD
from tests.portal import Portal


def test_from_the_door_to_the_same_picture_again(page: Page, person: User, complaints: list[str]) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    page.locator("input[name=login]").fill(person.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Drop a picture")).to_be_visible()
    upload(page)
    expect(page.locator("#stage .picture img")).to_be_visible(timeout=PATIENCE)
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
    run(page, "Make it look like a watercolour")
    expect(page.locator("#versions .tile.current")).to_contain_text("watercolour")
    see_result(page)
    expect(page.locator("#live")).to_have_text("Your edit is done.")
    expect(page).to_have_title(re.compile("^✓ "))

    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name=re.compile("watercolour")).click()
    page.get_by_role("button", name="Same seed").click()
    see_result(page)
    first, again = GenerationJob.objects.filter(made_by=person).order_by("created_at")
    assert again.rerun_of == first
    assert again.results.get().raw_sha256 == first.results.get().raw_sha256
    assert complaints == []


def test_keyboard_alone_is_enough(signed_in: Page, complaints: list[str]) -> None:
    page = signed_in
    page.get_by_role("button", name="Try the sample: Cat", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stage .picture img")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("black and white")
    page.keyboard.press("Control+Enter")
    see_result(page)

    page.locator("[data-compare-range]").focus()
    before = page.locator("[data-compare-range]").input_value()
    page.keyboard.press("ArrowRight")
    assert float(page.locator("[data-compare-range]").input_value()) > float(before)
    page.keyboard.press("m")
    expect(page.locator("[data-compare]")).to_have_attribute("data-mode", "side")
    page.keyboard.press("m")
    page.locator("[data-compare-flip]").focus()
    page.keyboard.down(" ")
    expect(page.locator("[data-compare]")).to_have_attribute("data-flipped", "")
    page.keyboard.up(" ")
    page.locator("#prompt").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#prompt")).to_have_value("black and white")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#prompt")).to_have_value("")
    assert complaints == []


def test_slider_follows_the_pointer_and_a_double_click_centres_it(signed_in: Page) -> None:
    open_sample(signed_in)
    run(signed_in, "golden hour")
    see_result(signed_in)
    slider = signed_in.locator("[data-compare-range]")
    box = slider.bounding_box()
    assert box
    signed_in.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + 20)
    assert float(slider.input_value()) < 30
    slider.dblclick(position={"x": box["width"] * 0.8, "y": 20})
    assert float(slider.input_value()) == 50


def test_two_pictures_become_one(signed_in: Page, person: User) -> None:
    open_sample(signed_in, "Cup of coffee")
    open_sample(signed_in)
    signed_in.locator(".slot-second summary").click()
    signed_in.locator(".slot-second").get_by_role("link", name="From the library").click()
    signed_in.get_by_role("dialog").get_by_role("link", name="Cup of coffee").click()
    expect(signed_in.locator(".slot-second.filled")).to_be_visible()
    run(signed_in, "Put the cup beside the cat")
    see_result(signed_in)
    job = GenerationJob.objects.get(made_by=person)
    assert [image.name for image in job.source_images] == ["Cat.jpg", "Cup of coffee.jpg"]
    second = signed_in.locator("#edit-form [name=second]")
    expect(second).to_have_value(str(job.source_images[1].pk))  # for other words, until somebody takes it out
    signed_in.locator("#versions").get_by_role("link", name=re.compile("Original")).click()
    expect(signed_in.locator("#live")).to_have_text("The second picture, Cup of coffee.jpg, stays in its slot.")
    expect(second).to_have_value(str(job.source_images[1].pk))


def test_several_edits_run_at_once_and_a_reload_loses_nothing(signed_in: Page, complaints: list[str]) -> None:
    open_sample(signed_in)
    for words in ("pencil drawing", "golden hour", "posterise"):
        run(signed_in, words)
    signed_in.reload()
    expect(signed_in.locator("#versions .tile.tone-done")).to_have_count(3, timeout=PATIENCE)
    see_result(signed_in)
    assert complaints == []


def test_double_click_makes_one_edit(signed_in: Page, person: User) -> None:
    open_sample(signed_in)
    signed_in.get_by_label("What should change?").fill("golden hour")
    signed_in.locator(".run").dblclick()
    see_result(signed_in)
    assert GenerationJob.objects.filter(made_by=person).count() == 1


def test_bad_file_says_why_and_harms_no_other(signed_in: Page) -> None:
    page = signed_in
    bad: FilePayload = {"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    picture = (SAMPLES / "coffee.jpg").read_bytes()
    good: FilePayload = {"name": "good.jpg", "mimeType": "image/jpeg", "buffer": picture}
    page.locator("#upload-form input[name=file]").set_input_files([bad, good])
    expect(page.locator(".upload.bad")).to_contain_text("can’t be edited", timeout=PATIENCE)
    expect(page.locator(".upload:not(.bad)")).to_contain_text("Open in the studio", timeout=PATIENCE)


def test_dropped_picture_comes_in(signed_in: Page) -> None:
    drop = """async () => {
        const bytes = await (await fetch('/static/samples/cat.jpg')).blob();
        const data = new DataTransfer();
        data.items.add(new File([bytes], 'dropped.jpg', {type: 'image/jpeg'}));
        const how = {dataTransfer: data, bubbles: true, cancelable: true};
        document.querySelector('.dropzone').dispatchEvent(new DragEvent('drop', how));
    }"""
    signed_in.evaluate(drop)
    expect(signed_in.locator("#stage .picture img")).to_be_visible(timeout=PATIENCE)
    expect(signed_in.locator(".stage-name")).to_have_text("dropped.jpg")


def test_pasted_picture_goes_to_the_slot_in_focus(signed_in: Page) -> None:
    open_sample(signed_in)
    signed_in.locator(".slot-second summary").focus()
    paste = """async () => {
        const bytes = await (await fetch('/static/samples/coffee.jpg')).blob();
        const data = new DataTransfer();
        data.items.add(new File([bytes], 'pasted.jpg', {type: 'image/jpeg'}));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
    }"""
    signed_in.evaluate(paste)
    expect(signed_in.locator(".slot-second.filled")).to_be_visible(timeout=PATIENCE)


def test_wrong_value_is_said_and_the_words_stay(signed_in: Page) -> None:
    open_sample(signed_in)
    signed_in.get_by_label("What should change?").fill("words that stay")
    signed_in.locator(".chip:has(#seed) summary").click()
    signed_in.locator("#seed").fill("-5")
    signed_in.locator("#seed").press("Control+Enter")
    expect(signed_in.locator(".chip:has(#seed) .field-error")).to_be_visible()
    expect(signed_in.locator("#prompt")).to_have_value("words that stay")
    assert "/studio/" in signed_in.url


def test_words_in_a_panel_choose(signed_in: Page) -> None:
    open_sample(signed_in)
    signed_in.locator("#shape summary").click()
    signed_in.locator(".option").get_by_text("16 : 9", exact=True).click()
    expect(signed_in.locator("[data-shape-label]")).to_have_text("16 : 9")
    expect(signed_in.locator("#shape .dock-panel")).to_be_visible()
    signed_in.locator(".chip:has(#strength) summary").focus()
    expect(signed_in.locator("#shape .dock-panel")).to_be_hidden()


def test_panels_stand_above_the_rooms_on_a_phone(browser: Browser, portal: Portal, person: User) -> None:
    image = make_image(person, stored=True)
    size: ViewportSize = {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, base_url=portal.url, reduced_motion="reduce")
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto(f"/studio/{image.pk}/")
    panel, rail = page.locator("#edit-form details[open] .dock-panel"), page.locator(".rail")

    def stands_above() -> bool:
        box, below = panel.bounding_box(), rail.bounding_box()
        return bool(box and below and box["y"] > 0 and box["y"] + box["height"] <= below["y"] + 1)

    for summary in page.locator("#edit-form details > summary").all():
        summary.click()
        for _ in range(50):  # the dock may still be growing
            if stands_above():
                break
            page.wait_for_timeout(100)
        assert stands_above()
        page.keyboard.press("Escape")
    context.close()


def test_words_typed_before_the_answer_stay(signed_in: Page) -> None:
    open_sample(signed_in)

    def answer_late(route: Route) -> None:
        signed_in.wait_for_timeout(700)
        route.continue_()

    signed_in.route("**/edits/", answer_late)
    signed_in.get_by_label("What should change?").fill("golden hour")
    signed_in.keyboard.press("Control+Enter")
    signed_in.keyboard.press("Control+A")
    signed_in.keyboard.type("pencil drawing")
    see_result(signed_in)
    expect(signed_in.locator("#prompt")).to_have_value("pencil drawing")


def test_failure_says_whose_fault_it_is_and_what_helps(signed_in: Page) -> None:
    open_sample(signed_in)
    run(signed_in, "make it blue #fault:failed-later")
    expect(signed_in.locator("#stage .notice")).to_contain_text("Nothing was charged", timeout=PATIENCE)
    expect(signed_in.locator("#stage .notice").get_by_role("button", name="Run it again")).to_be_visible()


def test_cancel_ends_the_waiting(signed_in: Page) -> None:
    open_sample(signed_in)
    run(signed_in, "make it blue #fault:never")
    signed_in.locator("#stage .status-pill").get_by_role("button", name="Cancel").click()
    expect(signed_in.locator("#stage .stage-status")).to_contain_text("Canceled", timeout=PATIENCE)
    expect(signed_in.locator("#versions .tile.current > a")).to_be_focused()


def test_cancel_during_the_sending_is_said_until_the_answer_is_in(signed_in: Page, person: User) -> None:
    image = make_image(person, stored=True)
    a_minute = timezone.now() + timedelta(minutes=1)
    job = make_job(person, image, state="submitting", due_at=None, lease_until=a_minute)
    signed_in.goto(f"/studio/{image.pk}/?edit={job.pk}")
    signed_in.locator("#stage .status-pill").get_by_role("button", name="Cancel").click()
    expect(signed_in.locator(f"#tile-{job.pk}")).to_contain_text("Canceling")
    expect(signed_in.locator("#stage .stage-status")).to_contain_text("Canceling", timeout=PATIENCE)
    job.cancel("taken")  # type: ignore[arg-type]
    expect(signed_in.locator("#stage .stage-status")).to_contain_text("Canceled", timeout=PATIENCE)


def test_trash_can_be_undone(signed_in: Page) -> None:
    open_sample(signed_in)
    address = signed_in.url
    signed_in.locator(".stage-actions > details > summary").click()
    signed_in.get_by_role("button", name="Put this picture into the trash").click()
    signed_in.get_by_role("button", name="Undo").click()
    signed_in.wait_for_url(address)


def test_older_edits_scroll_in(signed_in: Page, person: User) -> None:
    image = make_image(person)
    for _ in range(30):
        make_job(person, image, state="canceled", allowance="released", finished_at=image.created_at)
    signed_in.goto("/history/")
    signed_in.get_by_role("link", name="Older").scroll_into_view_if_needed()
    expect(signed_in.locator(".entry")).to_have_count(30, timeout=PATIENCE)
    expect(signed_in.get_by_role("link", name="Older")).to_have_count(0)


def test_history_sees_an_edit_end(signed_in: Page, person: User) -> None:
    job = make_job(person, make_image(person), state="processing", due_at=None)
    signed_in.goto("/history/")
    expect(signed_in.locator(".entry")).to_contain_text("Working")
    job.cancel("taken")  # type: ignore[arg-type]
    expect(signed_in.locator(".entry")).to_contain_text("Canceled")
    expect(signed_in.locator("[hx-trigger='every 3s']")).to_have_count(0)


def test_number_left_follows_a_cancel_everywhere(signed_in: Page) -> None:
    open_sample(signed_in)
    run(signed_in, "make it blue #fault:never")
    left = signed_in.locator("#edits-left strong")
    expect(left).to_have_text("199")
    signed_in.locator("#stage .status-pill").get_by_role("button", name="Cancel").click()
    expect(signed_in.locator("#stage .stage-status")).to_contain_text("Canceled", timeout=PATIENCE)
    expect(signed_in.locator("[data-left]")).to_have_text(left.inner_text())


def test_everything_works_without_scripts(browser: Browser, portal: Portal, person: User) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=portal.url)
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto("/")
    page.locator("#upload-form input[name=file]").set_input_files(SAMPLES / "cat.jpg")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/studio/**")
    page.locator("#prompt").fill("golden hour")
    page.locator(".run").click()
    page.wait_for_url("**edit=*")
    for _ in range(60):
        if page.locator("#stage .compare").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    assert page.locator("#stage .compare img:not(.changes-map)").count() == 2
    context.close()
