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


def test_invitation_link_is_copied_at_a_press(page: Page, portal: Portal, person: User) -> None:
    team = Workspace.objects.found(person, "Team")
    sign_in(page.context, person, portal)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": SMALL["width"], "height": SMALL["height"]})
    page.goto(f"{portal.url}/workspaces/{team.pk}/")
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.get_by_label("Link to pass on").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
