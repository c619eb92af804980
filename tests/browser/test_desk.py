"""A moderator at work: two hundred reports by keyboard alone, and what those whom it is about see of it at once."""

import re
import time
from collections import Counter
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_playwright import CreateContextCallback

from editor.models import AuditEntry, CaseState, Cause, Decision, ModerationCase, Report, User
from editor.moderation import audit
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.desk.deciding import make_moderator
from tests.makers import make_image, make_user
from tests.people import make_person
from tests.portal import Portal

MANY = 200
MAKERS = 10
WITHIN = 240  # seconds, on a machine that does much else
LOOKED_AT = 25  # each so-many-th picture

PRESSED: dict[int, tuple[list[str], list[str]]] = {
    3: (["s"], ["sensitive"]),
    7: (["r", "5", "Enter"], ["remove"]),
    11: (["w", "4", "Enter"], ["warn"]),
    13: (["r", "w", "3", "Enter"], ["remove", "warn"]),
    17: (["t", "9", "Enter"], ["restrict"]),
}
"""What is pressed for each so-many-th, and what comes of it; the others are fine."""
SENSITIVE, REMOVED, SUSPENDED = 2, 6, 198  # the numbers of those whose makers look at once


def keys_for(number: int) -> tuple[list[str], list[str]]:
    if number == SUSPENDED:
        return ["u", "2", "Enter"], ["suspend"]
    fitting = [PRESSED[every] for every in sorted(PRESSED, reverse=True) if number % every == every - 1]
    return fitting[0] if fitting else (["f"], ["fine"])


@pytest.fixture
def moderator(portal: Portal) -> User:
    return make_moderator(f"moderator-{uuid4().hex[:8]}")


@pytest.fixture
def reported(portal: Portal) -> list[ModerationCase]:
    """In the order in which they come; only some lie in the bucket, too."""
    now = timezone.now()
    others = ModerationCase.objects.filter(state=CaseState.OPEN)
    others.update(state=CaseState.DECIDED, decided_at=now, claimed_by=None, claimed_until=None)
    people = [make_person(f"maker{number}-{uuid4().hex[:8]}") for number in range(MAKERS)]
    reporter = make_user(f"reporter-{uuid4().hex[:8]}@example.com")
    cases = []
    for number in range(MANY):
        stored = number % LOOKED_AT == 0 or number in {SENSITIVE, REMOVED}
        image = make_image(people[number % MAKERS], stored=stored, name=f"photo {number}.jpg")
        case = ModerationCase(cause=Cause.REPORT, key="nudity", urgency=60, person=image.made_by, image=image)
        case.workspace_id = image.workspace_id
        cases.append(case)
    ModerationCase.objects.bulk_create(cases)
    Report.objects.bulk_create(Report(case=case, reporter=reporter, reason="nudity", words="Look!") for case in cases)
    return cases


def test_two_hundred_reports_are_decided_by_keyboard_alone(
    new_context: CreateContextCallback, portal: Portal, moderator: User, reported: list[ModerationCase]
) -> None:
    complaints: list[str] = []
    page = browser(new_context, portal, moderator, complaints)
    follows = {SENSITIVE: is_blurred, REMOVED: is_gone, SUSPENDED: is_signed_out}
    of = {number: browser(new_context, portal, reported[number].person, []) for number in follows}
    for number, maker in of.items():
        maker.goto(f"/pictures/{reported[number].image_id}/")
        expect(maker.get_by_role("heading", name=f"photo {number}.jpg")).to_be_visible()

    page.goto("/desk/")
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    page.keyboard.press("Enter")
    began = time.monotonic()
    for number, case in enumerate(reported):
        arrive(page, case)
        if number % LOOKED_AT == 0:
            look(page)
        for key in keys_for(number)[0]:
            page.keyboard.press(key)
        if number in follows:
            arrive(page, reported[number + 1])
            follows[number](of[number], reported[number])
    expect(page.get_by_role("heading", name="Nothing is left")).to_be_focused(timeout=PATIENCE)
    took = time.monotonic() - began
    assert took < WITHIN, f"{took:.0f} s"
    assert complaints == []

    decided = Decision.objects.filter(moderator=moderator).values_list("case_id", "actions")
    assert dict(decided) == {case.pk: keys_for(number)[1] for number, case in enumerate(reported)}
    written = AuditEntry.objects.filter(actor=moderator).values_list("action", flat=True)
    counted = Counter(written)
    assert counted["case.decided"] == MANY
    assert counted["picture.viewed"] == MANY / LOOKED_AT
    assert list(audit.verify()) == []


def test_keys_of_the_desk(
    new_context: CreateContextCallback, portal: Portal, moderator: User, reported: list[ModerationCase]
) -> None:
    page = browser(new_context, portal, moderator, [])
    page.goto(f"/desk/cases/{reported[0].pk}/")
    arrive(page, reported[0])
    page.keyboard.press("Enter")  # nothing is chosen
    expect(page.get_by_role("alert")).to_contain_text("Choose what to do first")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("f")  # the dialog is open: no decision
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("r")
    page.keyboard.press(" ")  # no reason by accident
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Give a reason")
    page.keyboard.press("s")  # beside another one it decides nothing by itself
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("don't go together")
    page.keyboard.press("s")
    page.keyboard.press("0")
    page.keyboard.type("Ask first: f, s and n are letters here.")
    page.keyboard.press("Enter")
    arrive(page, reported[1])
    assert Decision.objects.get(case=reported[0]).reason == "Ask first: f, s and n are letters here."
    expect(page.locator("#live")).to_contain_text("Remove: photo 0.jpg. Next: Reported by people")
    page.keyboard.press("n")
    arrive(page, reported[2])
    page.keyboard.press("c")
    page.get_by_role("heading", name="Decide otherwise").wait_for()
    page.get_by_label("Note for colleagues").fill("Typed before I looked.")
    page.get_by_text("Show the picture").click()
    page.wait_for_selector(".desk-frame.shown img")
    expect(page.get_by_label("Note for colleagues")).to_have_value("Typed before I looked.")
    page.go_back()
    arrive(page, reported[2])


def test_key_is_pressed_twice_where_a_grave_picture_was_not_looked_at(
    new_context: CreateContextCallback, portal: Portal, moderator: User, reported: list[ModerationCase]
) -> None:
    ModerationCase.objects.filter(pk__in=[reported[0].pk, reported[LOOKED_AT].pk]).update(urgency=100)
    page = browser(new_context, portal, moderator, [])
    page.goto(f"/desk/cases/{reported[0].pk}/")
    arrive(page, reported[0])
    page.keyboard.press("f")
    expect(page.get_by_role("alert")).to_contain_text("You have not looked at the picture.")
    assert not Decision.objects.filter(case=reported[0]).exists()
    arrive(page, reported[0])
    page.keyboard.press("f")
    arrive(page, reported[LOOKED_AT])
    assert Decision.objects.get(case=reported[0]).actions == ["fine"]
    look(page)
    page.keyboard.press("s")
    arrive(page, reported[1])
    assert Decision.objects.get(case=reported[LOOKED_AT]).actions == ["sensitive"]


# What they do and see -------------------------------------------------------------------------------------------------


def browser(new_context: CreateContextCallback, portal: Portal, user: User, complaints: list[str]) -> Page:
    """A page in a browser of its own, signed in."""

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    context = new_context(base_url=portal.url)
    context.on("console", listen)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    sign_in(context, user, portal)
    return context.new_page()


def arrive(page: Page, case: ModerationCase) -> None:
    page.wait_for_selector(f"[data-case='{case.pk}'][data-ready]", state="attached", timeout=PATIENCE)


def look(page: Page) -> None:
    """Nothing of the picture is loaded before."""
    assert page.locator(".desk-frame img[src^='/']").count() == 0
    with page.expect_response(re.compile("/desk/cases/.+/pictures/")) as answer:
        page.keyboard.press("v")
    assert answer.value.ok


def is_blurred(page: Page, case: ModerationCase) -> None:
    page.reload()
    expect(page.get_by_text("It is hidden until you ask for it.")).to_be_visible()
    notice(page, "marked sensitive")


def is_gone(page: Page, case: ModerationCase) -> None:
    for address in ("/images/{}/320.webp", "/images/{}/master", "/pictures/{}/"):
        assert page.request.get(address.format(case.image_id)).status == 404
    notice(page, "was removed")


def is_signed_out(page: Page, case: ModerationCase) -> None:
    page.goto(f"/pictures/{case.image_id}/")
    expect(page).to_have_url(re.compile(r"/account/login/"))


def notice(page: Page, words: str) -> None:
    page.goto("/notices/")
    expect(page.get_by_role("main")).to_contain_text(words)
