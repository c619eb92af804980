"""The frame on the smallest phone."""

from playwright.sync_api import Page, expect

from editor.models import User, Workspace
from tests.browser.conftest import sign_in
from tests.portal import Portal

SMALL = {"width": 360, "height": 740}


def test_name_of_the_workspace_has_room_in_the_bar(page: Page, portal: Portal, person: User) -> None:
    team = Workspace.objects.found(person, "Spring catalogue")
    sign_in(page.context, person, portal)
    page.set_viewport_size({"width": SMALL["width"], "height": SMALL["height"]})
    page.goto(f"{portal.url}/workspaces/{team.pk}/")
    name = page.locator(".switcher .workspace > span")
    expect(name).to_have_text("Spring catalogue")
    assert name.evaluate("span => span.scrollWidth <= span.clientWidth"), "the name is cut"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("summary.avatar").click()
    page.get_by_role("button", name="Colours: as the system").click()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
