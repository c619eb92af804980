"""The library in a browser: choosing a range, the bar, filters in place, and coming back to where one was."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from editor.library.words import index_words
from editor.models import Image, User, Workspace
from editor.views.library import PER_PAGE
from tests.browser.test_accessibility import problems, view
from tests.makers import make_image

__all__ = ["view"]


@pytest.fixture
def pictures(person: User) -> list[Image]:
    """Five, newest first."""
    now = timezone.now()
    return [
        make_image(person, stored=True, name=f"n{number}", created_at=now - timedelta(minutes=number))
        for number in range(5)
    ]


def test_range_is_tagged_and_found(signed_in: Page, pictures: list[Image], complaints: list[str]) -> None:
    page = signed_in
    page.goto("/library/")
    bar = page.locator("[data-selection-bar]")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose n1", exact=True).check()
    page.get_by_label("Choose n3", exact=True).click(modifiers=["Shift"])
    expect(bar.locator("[data-selection-count]")).to_have_text("3 chosen")
    page.get_by_label("Tags, with commas between them").fill("red, round")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("3 pictures tagged red, round.")
    page.get_by_label("Search the library").fill("rou")
    page.keyboard.press("Enter")
    expect(page.locator(".pic-name")).to_have_text(["n1", "n2", "n3"])
    assert complaints == []


def test_trash_and_undo(signed_in: Page, pictures: list[Image]) -> None:
    page = signed_in
    page.goto("/library/")
    page.get_by_label("Choose n0", exact=True).check()
    page.get_by_role("button", name="All on this page").click()
    page.locator("[data-selection-bar]").get_by_role("button", name="Trash").click()
    expect(page.locator(".pic")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".pic")).to_have_count(5)


def test_filters_open_in_place_and_narrow(signed_in: Page, pictures: list[Image]) -> None:
    page = signed_in
    page.goto("/library/")
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Shape").select_option("Square")
    assert page.url.endswith("/library/")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_label("Square: show without")).to_be_visible()
    expect(page.locator(".pic")).to_have_count(0)


def test_grid_grows_and_keeps_its_place(signed_in: Page, person: User) -> None:
    for number in range(PER_PAGE + 10):
        make_image(person, name=f"n{number:02}", created_at=timezone.now() - timedelta(minutes=number))
    page = signed_in
    page.goto("/library/")
    page.locator("#older").scroll_into_view_if_needed()
    expect(page.locator(".pic")).to_have_count(PER_PAGE + 10)
    page.get_by_role("link", name="n55").click()
    expect(page.get_by_role("heading", name="n55")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="n55")).to_be_in_viewport()


def test_pages_are_accessible_and_fit(view: Page, person: User, pictures: list[Image]) -> None:
    own = Workspace.objects.personal_of(person)
    shelf = own.collections.create(name="Spring", made_by=person)
    index_words(*pictures)
    addresses = [f"/library/?q=n1&since=2020-01-01&favourites={number}" for number in ("", "1")]
    addresses += [f"/workspaces/{own.pk}/library/filters/", f"/workspaces/{own.pk}/collections/"]
    addresses += [f"/collections/{shelf.pk}/", f"/pictures/{pictures[0].pk}/", "/library/"]
    assert [problem for address in addresses for problem in problems(view, address)] == []
    view.locator(".pic-check input").first.check()
    assert Axe().run(view).response["violations"] == []


def test_phone_folds_what_is_seldom_wanted(
    signed_in: Page, pictures: list[Image], person: User, complaints: list[str]
) -> None:
    page = signed_in
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto("/library/")
    toolbar, order = page.locator(".library-bar"), page.get_by_label("Order", exact=True)
    expect(order).to_be_hidden()
    assert height(toolbar) <= 48
    page.get_by_label("Order and filters").click()
    order.select_option("name")
    page.wait_for_url("**sort=name")

    page.get_by_label("Choose n1", exact=True).check()
    bar = page.locator("[data-selection-bar]")
    assert height(bar) <= 64
    page.get_by_label("More to do with them").click()
    page.get_by_label("Tags, with commas between them").fill("red")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("1 picture tagged red.")
    assert complaints == []


def height(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["height"]
