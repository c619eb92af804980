"""A team at work: three people in three browsers, each of whom sees what the others do."""

import io
import re
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from PIL import Image as Pillow
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_playwright import CreateContextCallback

from editor.models import Image, ImageState, User
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE, run, see_result
from tests.people import PASSWORD, make_person
from tests.portal import LOG_LINES, Portal, wait_until

MANY = 200
STEP = 20  # pictures that are waited for at a time
TEAM = "Spring catalogue"


@pytest.fixture
def ada(portal: Portal) -> User:
    return make_person(f"ada-{uuid4().hex[:8]}")


@pytest.fixture
def ben(portal: Portal) -> User:
    return make_person(f"ben-{uuid4().hex[:8]}")


@pytest.fixture
def cleo(portal: Portal) -> User:
    return make_person(f"cleo-{uuid4().hex[:8]}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As many small pictures as a shooting brings home, no two alike."""
    for number in range(MANY):
        (tmp_path / f"p{number:03}.jpg").write_bytes(picture(number))
    return tmp_path


def picture(seed: int) -> bytes:
    draw = Random(seed)
    small = Pillow.frombytes("RGB", (8, 6), draw.randbytes(8 * 6 * 3))
    out = io.BytesIO()
    small.resize((96, 72), Pillow.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


def test_three_people_work_on_one_set_of_pictures(
    new_context: CreateContextCallback, portal: Portal, ada: User, ben: User, cleo: User, folder: Path
) -> None:
    complaints: list[str] = []
    of_ada, of_ben, of_cleo = (browser(new_context, portal, complaints) for _ in range(3))
    sign_in(of_ada.context, ada, portal)
    sign_in(of_cleo.context, cleo, portal)

    members = create(of_ada)
    join_signed_out(of_ben, ben, invite_by_mail(of_ada, ben, portal))
    join_signed_in(of_cleo, invite_by_link(of_ada))
    of_ada.reload()
    for person in (ben, cleo):
        expect(of_ada.get_by_label(f"Role of {person.get_short_name()}")).to_have_value("editor")

    open_library(of_cleo)
    expect(of_cleo.locator(".pic")).to_have_count(0)
    open_library(of_ben)
    start_uploads(of_ben, folder)
    wait_for_uploads(of_ben, STEP)
    of_cleo.reload()  # while the others are still on their way
    expect(of_cleo.locator(".pic").first).to_be_visible()
    wait_for_uploads(of_ben, MANY)
    assert Image.objects.filter(made_by=ben, workspace__name=TEAM, state=ImageState.READY).count() == MANY

    of_cleo.reload()
    assert names_of_all(of_cleo) == {file.name for file in folder.iterdir()}
    tagged = tag_three(of_cleo, "harvest")

    open_library(of_ada)
    filter_by_tag(of_ada, "harvest")
    expect(of_ada.locator(".pic-name")).to_have_text(tagged)
    edit(of_ada, tagged[1], "Paint it as a fresco")

    for page in (of_ben, of_cleo):
        open_library(page)
        search(page, "fresco")
        expect(page.locator(".pic")).to_have_count(1)
    of_ben.locator(".pic-link").click()
    expect(of_ben.locator("main")).to_contain_text(f"Result by {ada.get_short_name()}", timeout=PATIENCE)
    expect(of_ben.locator("main")).to_contain_text("Paint it as a fresco")

    remove(of_ada, members, cleo)
    sees_nothing_any_more(of_cleo)
    of_ben.reload()
    expect(of_ben.locator("main")).to_contain_text("Paint it as a fresco")
    assert complaints == []


# What they do, step by step ------------------------------------------------------------------------------------------


def browser(new_context: CreateContextCallback, portal: Portal, complaints: list[str]) -> Page:
    """A page in a browser of its own; what that complains about is added to the list, no answer of ours is."""

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    context = new_context(base_url=portal.url)
    context.on("console", listen)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def create(page: Page) -> str:
    """Returns the address of the new workspace's page."""
    page.goto("/")
    page.get_by_label("Change it").click()
    page.get_by_role("link", name="All workspaces, and a new one").click()
    page.get_by_label("Name", exact=True).fill(TEAM)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name=TEAM)).to_be_visible(timeout=PATIENCE)
    return page.url


def invite_by_mail(page: Page, guest: User, portal: Portal) -> str:
    """Returns the link in the mail, which a portal without a mail server prints instead."""
    page.get_by_label("E-mail address").fill(guest.email)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_label(f"Revoke the invitation for {guest.email}")).to_be_visible(timeout=PATIENCE)
    printed = re.compile(rf"To: {guest.email}\b.*?({re.escape(portal.url)}/join/\S+)", re.DOTALL)
    wait_until(lambda: bool(printed.search(portal.said(LOG_LINES))), what="the mail")
    found = printed.search(portal.said(LOG_LINES))
    assert found
    return found[1]


def invite_by_link(page: Page) -> str:
    page.get_by_label("For how many people").fill("1")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link to pass on")
    expect(link).to_be_visible(timeout=PATIENCE)
    return link.input_value()


def join_signed_out(page: Page, guest: User, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name=f"invites you to {TEAM}")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.locator("input[name=login]").fill(guest.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    join(page)


def join_signed_in(page: Page, link: str) -> None:
    page.goto(link)
    join(page)


def join(page: Page) -> None:
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Change it")).to_have_text(TEAM, timeout=PATIENCE)


def open_library(page: Page) -> None:
    with page.expect_navigation():  # it may be the page that is open already
        page.get_by_role("navigation", name="Rooms").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    expect(page.get_by_label("Change it")).to_have_text(TEAM)


def start_uploads(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="Upload", exact=True).click()
    files = page.get_by_label("Pictures", exact=True)
    expect(files).to_have_attribute("multiple", "", timeout=PATIENCE)  # the script is there
    files.set_input_files(sorted(folder.iterdir()))


def wait_for_uploads(page: Page, count: int) -> None:
    """However slow the machine is: the next few are never long in coming."""
    done = page.locator(".upload[data-state='done']")
    for number in range(STEP, count + 1, STEP):
        expect(done.nth(number - 1)).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".upload[data-state='bad']")).to_have_count(0)


def names_of_all(page: Page) -> set[str]:
    """Scroll through the whole library."""
    names = page.locator(".pic-name")
    while page.locator("#older").count():
        before = names.count()
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        expect(names.nth(before)).to_be_attached(timeout=PATIENCE)
    return set(names.all_text_contents())


def tag_three(page: Page, tag: str) -> list[str]:
    """The newest three; returns their names."""
    boxes = page.locator(".pic-check input")
    boxes.first.check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-selection-count]")).to_have_text("3 chosen")
    names = page.locator(".pic-name").all_text_contents()[:3]
    page.get_by_label("Tags, with commas between them").fill(tag)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(f"3 pictures tagged {tag}.", timeout=PATIENCE)
    return names


def filter_by_tag(page: Page, tag: str) -> None:
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("Tag", exact=True).select_option(tag)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_label(f"Tag: {tag}: show without")).to_be_visible(timeout=PATIENCE)


def edit(page: Page, name: str, words: str) -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Edit in the studio").click()
    page.wait_for_url("**/studio/**")
    run(page, words)
    see_result(page)


def search(page: Page, word: str) -> None:
    page.get_by_label("Search the library").fill(word)
    page.keyboard.press("Enter")
    expect(page.get_by_label(f"“{word}”: show without")).to_be_visible(timeout=PATIENCE)


def remove(page: Page, members: str, person: User) -> None:
    name = person.get_short_name()
    page.goto(members)
    page.get_by_label(f"More about {name}").click()
    page.locator(".menu[open]").get_by_text("Remove …").click()
    page.get_by_role("button", name=f"Remove {name}").click()
    expect(page.get_by_label(f"Role of {name}")).to_have_count(0, timeout=PATIENCE)


def sees_nothing_any_more(page: Page) -> None:
    """Of a page that shows one picture of the team still: neither it nor anything behind it is given out again."""
    source = page.locator(".pic img").get_attribute("src")
    assert source
    with page.expect_response(re.compile(r"/pictures/[0-9a-f-]+/$")) as answer:
        page.locator(".pic-link").click()
    assert answer.value.status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible(timeout=PATIENCE)
    assert page.request.get(source).status == 404
    page.goto("/library/")
    expect(page.get_by_label("Change it")).not_to_have_text(TEAM)
    expect(page.locator(".pic")).to_have_count(0)
