"""Two people talk about a picture: on points set by mouse and by keyboard, live, and nobody loses what they write."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from editor.models import Comment, Image, Membership, Role, User, Workspace
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.makers import make_image
from tests.people import make_person
from tests.portal import Portal

WIDE, TALL = 320, 240


@pytest.fixture
def colleague(person: User) -> User:
    return make_person(f"colleague-{person.pk}")


@pytest.fixture
def image(person: User, colleague: User) -> Image:
    team = Workspace.objects.found(person, "Team")
    Membership.objects.create(workspace=team, user=colleague, role=Role.VIEWER)
    User.objects.filter(pk=colleague.pk).update(name="Grace Brewster Hopper")
    return make_image(person, workspace=team, name="Harbour", stored=True)


@pytest.fixture
def other(new_context: CreateContextCallback, portal: Portal, colleague: User, image: Image) -> Iterator[Page]:
    """The colleague's, on a phone."""
    context = new_context(base_url=portal.url, viewport={"width": 360, "height": 740}, has_touch=True)
    sign_in(context, colleague, portal)
    yield context.new_page()
    context.close()


def centre(page: Page) -> tuple[float, float]:
    """Where the only pin stands, in parts of the picture's sides; both are measured at one moment."""
    expect(page.locator("a.pin .pin-dot")).to_be_visible()
    across, down = page.evaluate(
        """() => {
            const dot = document.querySelector("a.pin .pin-dot").getBoundingClientRect();
            const box = document.querySelector(".pinned img").getBoundingClientRect();
            const part = (middle, start, size) => (middle - start) / size;
            return [
                part(dot.x + dot.width / 2, box.x, box.width),
                part(dot.y + dot.height / 2, box.y, box.height),
            ];
        }"""
    )
    return round(across, 2), round(down, 2)


def test_two_people_talk_about_points_and_lose_nothing(
    signed_in: Page, other: Page, image: Image, complaints: list[str]
) -> None:
    page = signed_in
    for each in (page, other):
        each.goto(f"/pictures/{image.pk}/")
        expect(each.get_by_role("heading", name="Comments")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-live", "on", timeout=PATIENCE)

    # A point by mouse.
    page.get_by_role("button", name="Mark a point").click()
    expect(page.get_by_text("Press on the place that you mean")).to_be_visible()
    page.locator(".aim").click(position={"x": WIDE * 0.25, "y": TALL * 0.5})
    words = page.get_by_label("New comment")
    expect(words).to_be_focused()
    page.keyboard.type("Too dark here, @gra")
    expect(page.get_by_role("option", name="Grace Brewster Hopper")).to_be_visible()
    page.keyboard.press("Enter")
    expect(words).to_have_value("Too dark here, @Grace Brewster Hopper ")
    page.keyboard.press("Control+Enter")
    expect(words).to_have_value("")
    thread = page.locator(".thread").filter(has_text="Too dark here")
    expect(thread.locator(".mention")).to_have_text("@Grace Brewster Hopper")

    # It is there for the other one, at the same place of a smaller picture.
    theirs = other.locator(".thread").filter(has_text="Too dark here")
    expect(theirs).to_be_visible(timeout=PATIENCE)
    assert centre(page) == (0.25, 0.5)
    assert centre(other) == (0.25, 0.5)

    # By touch all of the picture can be reached, and it is said what to do.
    other.get_by_role("button", name="Mark a point").tap()
    told = other.get_by_text("Touch the place in the picture")
    expect(told).to_be_in_viewport()
    bar, pad = other.locator(".topbar").bounding_box(), other.locator(".aim").bounding_box()
    assert bar is not None
    assert pad is not None
    assert pad["y"] >= bar["y"] + bar["height"]
    other.get_by_role("button", name="Cancel", exact=True).first.tap()
    expect(told).to_have_count(0)
    expect(other.get_by_role("button", name="Mark a point")).to_be_focused()

    # While one writes, the other one's words come in.
    theirs.locator(".thread-answer > summary").click()
    answer = theirs.get_by_label("Your answer")
    expect(answer).to_be_focused()
    other.keyboard.type("I will ")
    thread.get_by_text("Change", exact=True).click()
    thread.get_by_label("Other words").fill("Far too dark here, @Grace Brewster Hopper")
    thread.get_by_role("button", name="Save").click()
    thread = page.locator(".thread").filter(has_text="Far too dark")
    expect(other.locator(".thread").filter(has_text="Far too dark")).to_be_visible(timeout=PATIENCE)
    thread.get_by_role("button", name="Resolve").click()
    expect(page.locator("#threads-open .thread")).to_have_count(0)
    expect(page.locator("a.pin")).to_have_count(0)
    expect(other.locator("a.pin")).to_have_count(0, timeout=PATIENCE)
    expect(answer).to_be_focused()
    other.keyboard.type("look")
    expect(answer).to_have_value("I will look")
    other.keyboard.press("Control+Enter")
    expect(page.locator(".thread").filter(has_text="I will look")).to_be_visible(timeout=PATIENCE)
    page.get_by_text("Edited", exact=True).click()
    expect(page.locator(".said-versions")).to_contain_text("Too dark here")

    # A point by keyboard, and from its pin to the thread and back.
    page.get_by_role("button", name="Mark a point").focus()
    page.keyboard.press("Enter")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "ArrowRight", "Shift+ArrowUp", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(words).to_be_focused()
    page.keyboard.type("And this?")
    page.keyboard.press("Control+Enter")
    pin = page.get_by_role("link", name="Point 2: And this?")
    expect(pin).to_be_visible(timeout=PATIENCE)
    made = Comment.objects.get(text="And this?")
    assert (made.x, made.y, made.number) == (0.71, 0.41, 2)
    pin.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#thread-{made.pk}")).to_be_focused()
    page.get_by_role("link", name="Point 2, on the picture").click()
    expect(pin).to_be_focused()
    assert complaints == []
