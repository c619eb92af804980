"""The dashboard on a phone: it changes under the reader's hands without losing their place, and a number leads on."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from editor.jobs import figures
from editor.models import Figure, User
from editor.models.figures import hour_of
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.browser.test_accessibility import problems_here, sideways
from tests.makers import make_image, make_job
from tests.portal import Portal
from tests.staff.roles import give_role

OPEN_AND_FOCUSED = (
    """() => { const one = document.querySelector('#table-ended'); return one.open && document.activeElement.id; }"""
)


def end_an_edit(person: User) -> None:
    now = timezone.now()
    done = {"state": "succeeded", "allowance": "taken", "due_at": None, "submitted_at": now, "finished_at": now}
    make_job(person, make_image(person), prompt="of this hour", created_at=now - timedelta(seconds=5), **done)
    figures.count(hour_of(now))


def test_dashboard_changes_without_losing_the_readers_place(
    page: Page, person: User, portal: Portal, complaints: list[str]
) -> None:
    sign_in(page.context, give_role(person, "Operator"), portal)
    page.set_viewport_size({"width": 360, "height": 740})
    end_an_edit(person)
    page.goto("/operate/")
    expect(page.locator("#verdict")).to_be_visible()  # what it says hangs on what other tests left
    page.locator("#open-ended").click()
    number = page.locator("#ended-0-0")
    number.focus()
    before = int(number.inner_text())
    end_an_edit(person)
    page.locator("#operate-now").dispatch_event("look")
    expect(number).to_have_text(str(before + 1), timeout=PATIENCE)
    assert page.evaluate(OPEN_AND_FOCUSED) == "ended-0-0"
    expect(number).to_be_in_viewport()
    assert page.evaluate("scrollY") > 0
    assert problems_here(page) + sideways(page, "/operate/") == []
    assert complaints == []
    number.click()
    expect(page.locator("#result_list")).to_contain_text("of this hour")
    Figure.objects.all().delete()
