"""Settings of people: what another process changes is heard by the web process, and a notice is closed for good."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from editor.models import Setting, User
from tests.portal import Portal

WORDS = "On Sunday the portal rests."


@pytest.fixture
def notice(portal: Portal, person: User) -> Iterator[str]:
    """Set by this process; the portal's own hear of it."""
    version = Setting.objects.change(
        "PORTAL_NOTICE", WORDS, seen=Setting.objects.of("PORTAL_NOTICE").version, by=person
    )
    yield WORDS
    Setting.objects.change("PORTAL_NOTICE", None, seen=version.version, by=person)


def shown(page: Page) -> Locator:
    """The notice, as soon as the web process knows it: within some seconds, without a restart."""
    for _ in range(20):
        page.goto("/")
        if page.locator(".portal-notice").count():
            break
        page.wait_for_timeout(400)
    return page.locator(".portal-notice")


def test_notice_is_heard_closed_by_key_and_stays_away(page: Page, notice: str, complaints: list[str]) -> None:
    told = shown(page)
    expect(told).to_have_text(notice)
    close = told.get_by_role("button", name="Close this notice")
    close.focus()
    page.keyboard.press("Enter")
    expect(told).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(told).to_have_count(0)
    assert complaints == []
