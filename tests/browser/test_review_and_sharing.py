"""From a proposal to a yes from outside: four people in four browsers, and each sees what the others do."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from editor.library.shelves import collect, new_collection
from editor.models import Collection, Image, Membership, Role, User, Workspace
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.makers import make_image, make_job
from tests.people import make_person
from tests.portal import Portal

PASSWORD = "only for Gina"
WIDE, TALL = 320, 240


@pytest.fixture
def owner(person: User) -> User:
    return person


@pytest.fixture
def designer(person: User) -> User:
    return make_person(f"designer-{person.pk}")


@pytest.fixture
def reviewer(person: User) -> User:
    return make_person(f"reviewer-{person.pk}")


@pytest.fixture
def team(owner: User, designer: User, reviewer: User) -> Workspace:
    team = Workspace.objects.found(owner, "Team")
    Membership.objects.create(workspace=team, user=designer, role=Role.EDITOR)
    Membership.objects.create(workspace=team, user=reviewer, role=Role.VIEWER)
    for user, name in ((owner, "Olga"), (designer, "Dana"), (reviewer, "Rita")):
        User.objects.filter(pk=user.pk).update(name=name)
    return team


@pytest.fixture
def lamp(designer: User, team: Workspace) -> Image:
    return make_image(designer, workspace=team, name="lamp", stored=True)


@pytest.fixture
def warm(designer: User, team: Workspace, lamp: Image) -> Image:
    """What an edit made of it."""
    job = make_job(designer, lamp, state="succeeded", allowance="taken", finished_at=timezone.now())
    made = {"workspace": team, "name": "lamp, warm", "kind": "generated", "job": job, "root": lamp}
    return make_image(designer, stored=True, **made)


@pytest.fixture
def shelf(designer: User, team: Workspace, lamp: Image) -> Collection:
    shelf = new_collection(designer, team, "Catalogue")
    collect(designer, shelf, [lamp])
    return shelf


@pytest.fixture
def pages(
    new_context: CreateContextCallback, portal: Portal, designer: User, reviewer: User, owner: User
) -> Iterator[dict[str, Page]]:
    with ExitStack() as closing:
        found = {}
        for name, user in {"designer": designer, "reviewer": reviewer, "owner": owner, "guest": None}.items():
            context = new_context(base_url=portal.url)
            closing.callback(context.close)
            if user is not None:
                sign_in(context, user, portal)
            found[name] = context.new_page()
        yield found


def propose(page: Page, image: Image) -> None:
    page.goto(f"/pictures/{image.pk}/")
    page.get_by_role("link", name="Propose as the next version").click()
    page.get_by_role("checkbox", name="Rita").check()
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_role("heading", name="Proposal: lamp, warm")).to_be_visible()


def test_from_a_proposal_to_a_yes_from_outside_and_the_end_of_the_link(
    pages: dict[str, Page], warm: Image, lamp: Image, shelf: Collection
) -> None:
    designer, reviewer, owner, guest = (pages[name] for name in ("designer", "reviewer", "owner", "guest"))
    reviewer.goto("/history/")
    owner.goto(f"/pictures/{warm.pk}/")
    stands = owner.locator("#approval .approval-now .state")
    expect(stands).to_have_text("Draft")
    for page in (reviewer, owner):
        expect(page.locator("html")).to_have_attribute("data-live", "on", timeout=PATIENCE)

    # Proposed: who was asked is told, and everybody sees that it is in review.
    propose(designer, warm)
    expect(stands).to_have_text("In review", timeout=PATIENCE)
    bell = reviewer.locator("[data-bell]")
    expect(bell.locator("summary")).to_contain_text("1", timeout=PATIENCE)
    bell.locator("summary").click()
    bell.get_by_text("Dana asks you to review").click()
    expect(reviewer.get_by_role("heading", name="Proposal: lamp, warm")).to_be_visible()
    expect(reviewer.locator("#stage .compare")).to_be_visible()
    reviewer.get_by_text("What changed").click()
    expect(reviewer.locator("#stage .changes-map")).to_be_visible()

    # A comment on a point, which the designer and the owner see at once.
    expect(designer.locator("html")).to_have_attribute("data-live", "on", timeout=PATIENCE)
    reviewer.get_by_role("button", name="Mark a point").click()
    reviewer.locator(".aim").click(position={"x": WIDE * 0.25, "y": TALL * 0.5})
    reviewer.get_by_label("New comment").fill("The shade is bent")
    reviewer.get_by_role("button", name="Comment", exact=True).click()
    for page in (designer, owner):
        expect(page.locator(".thread").filter(has_text="The shade is bent")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("link", name="Point 1: The shade is bent")).to_be_visible()

    # Declined, proposed again, approved: it takes the other one's place.
    reviewer.get_by_text("Reject …").click()
    reviewer.get_by_label("Why not?").fill("Straighten the shade")
    reviewer.get_by_role("button", name="Reject", exact=True).click()
    expect(designer.locator("#review .state").first).to_have_text("Rejected", timeout=PATIENCE)
    expect(stands).to_have_text("Rejected", timeout=PATIENCE)
    assert [item.image_id for item in shelf.items.all()] == [lamp.pk]
    propose(designer, warm)
    expect(stands).to_have_text("In review", timeout=PATIENCE)
    expect(reviewer.locator("[data-bell] summary")).to_contain_text("1", timeout=PATIENCE)
    reviewer.goto("/reviews/")
    reviewer.get_by_role("link", name="lamp, warm").first.click()
    reviewer.get_by_role("button", name="Approve").first.click()
    expect(designer.locator("#review .state").first).to_have_text("Approved", timeout=PATIENCE)
    expect(stands).to_have_text("Approved", timeout=PATIENCE)
    expect(designer.locator("#proposed-now")).to_contain_text("It stands in the place of")
    expect(owner.locator("#replacements")).to_contain_text("It took the place of an earlier version")
    assert [item.image_id for item in shelf.items.all()] == [warm.pk]

    # Shared with a password; the guest says yes, and those inside see it.
    designer.goto(f"/pictures/{warm.pk}/")
    designer.get_by_role("link", name="Share …").click()
    designer.get_by_label("Title").fill("The new lamp")
    designer.get_by_label("Password", exact=True).fill(PASSWORD)
    designer.get_by_label("may approve").check()
    designer.get_by_role("button", name="Make the link").click()
    address = designer.locator(".share-address input").first.input_value()
    expect(owner.locator("#shares")).to_contain_text("The new lamp", timeout=PATIENCE)
    guest.goto(address)
    expect(guest.get_by_role("heading", name="This link has a password")).to_be_visible()
    expect(guest.locator("img[src*=webp]")).to_have_count(0)
    guest.get_by_label("Password").fill("a guess")
    guest.get_by_role("button", name="Look").click()
    expect(guest.get_by_role("alert")).to_be_visible()
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Look").click()
    expect(guest.get_by_role("heading", name="The new lamp")).to_be_visible()
    guest.get_by_label("Your name").first.fill("Gina")
    guest.get_by_role("button", name="Approve").click()
    expect(guest.get_by_text("Approved", exact=False).first).to_be_visible()
    expect(owner.locator("#approval")).to_contain_text("Gina (guest)", timeout=PATIENCE)

    # Revoked: the guest's page is empty within seconds, without their doing anything.
    owner.goto(f"/workspaces/{warm.workspace_id}/shares/")
    owner.get_by_role("button", name="Revoke The new lamp").click()
    expect(guest.get_by_role("heading", name="This link shows nothing")).to_be_visible(timeout=PATIENCE)
    expect(guest.locator("img[src*=webp]")).to_have_count(0)
