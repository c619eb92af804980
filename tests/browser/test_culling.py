"""Going through pictures by keyboard alone: decide, take back, two at a time. And a section that others see change."""

import re

from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from editor.models import Approval, Membership, Role, User, Workspace
from editor.review import rounds
from tests.browser.conftest import sign_in
from tests.makers import make_image
from tests.people import make_person
from tests.portal import Portal


def states() -> dict[str, str]:
    return dict(Approval.objects.values_list("image__name", "state"))


def at(page: Page, words: str) -> None:
    expect(page.locator(".cull-counts strong")).to_have_text(words)


def test_many_are_decided_by_keyboard_alone(signed_in: Page, person: User, complaints: list[str]) -> None:
    page = signed_in
    workspace = Workspace.objects.personal_of(person)
    for number in range(5):
        make_image(person, stored=True, name=f"n{number}")
    page.goto(f"/workspaces/{workspace.pk}/library/")
    page.get_by_label("Choose n4", exact=True).check()
    page.get_by_role("button", name="All on this page").click()
    page.get_by_role("button", name="Cull").click()
    at(page, "1 of 5")
    page.wait_for_load_state()  # the keys are heard once their script runs
    page.keyboard.press("a")
    at(page, "2 of 5")
    page.keyboard.press("r")
    at(page, "3 of 5")
    page.keyboard.press("ArrowLeft")
    at(page, "2 of 5")
    page.keyboard.press("u")
    at(page, "2 of 5")
    expect(page.locator(".cull-counts .no")).to_have_text("0 rejected")
    assert states() == {"n4": "approved"}
    page.keyboard.press("Space")
    at(page, "3 of 5")
    page.keyboard.press("2")
    expect(page.locator(".cull-plate")).to_have_count(2)
    expect(page.locator(".cull-plate[aria-current]")).to_contain_text("n2")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".cull-plate[aria-current]")).to_contain_text("n1")
    page.keyboard.press("a")  # the right one, then the left one
    expect(page.locator(".cull-plate[aria-current]")).to_contain_text("n2")
    page.keyboard.press("r")
    expect(page.locator(".cull-counts .no")).to_have_text("1 rejected")
    assert states() == {"n4": "approved", "n1": "approved", "n2": "rejected"}
    page.get_by_label("Reason, if it is rejected").first.click()
    page.keyboard.type("area 2")
    expect(page.locator(".cull-plate")).to_have_count(2)  # typing decides nothing
    assert states() == {"n4": "approved", "n1": "approved", "n2": "rejected"}
    expect(page.locator("#live")).to_have_text(re.compile("2 approved, 1 rejected"))
    assert complaints == []


def test_who_looks_at_a_picture_sees_what_others_decide(
    new_context: CreateContextCallback, portal: Portal, person: User
) -> None:
    team = Workspace.objects.found(person, "Team")
    vera = make_person(f"vera-{str(team.pk)[:8]}")
    Membership.objects.create(workspace=team, user=vera, role=Role.VIEWER)
    image = make_image(person, workspace=team, stored=True, name="cat")
    pages = []
    for each in (person, vera):
        context = new_context(base_url=portal.url)
        sign_in(context, each, portal)
        pages.append(context.new_page())
        pages[-1].goto(f"/pictures/{image.pk}/")
    asking, asked = pages
    asking.get_by_role("link", name="Ask for a review").click()
    asking.get_by_label(vera.get_short_name()).check()
    asking.get_by_label("A note").fill("For the cover")
    asking.get_by_role("button", name="Ask", exact=True).click()
    expect(asked.locator("#approval")).to_contain_text("You are asked", timeout=15_000)
    asked.locator("#approval summary", has_text="Reject").click()
    asked.get_by_label("Why not?").fill("Too dark")
    asked.get_by_role("button", name="Reject", exact=True).click()
    expect(asking.locator("#approval")).to_contain_text("Too dark", timeout=15_000)
    expect(asking.locator("#approval .state")).to_have_text("Rejected")
    assert rounds.approval_of(image).by == vera
