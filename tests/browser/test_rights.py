"""Rights in a browser: what may not be used any more can't be sent."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from editor.images.rights import today
from editor.models import GenerationJob, User
from tests.makers import make_image


def test_expired_second_picture_closes_the_button_until_it_is_removed(
    signed_in: Page, person: User, complaints: list[str]
) -> None:
    source = make_image(person, stored=True, name="cat")
    make_image(person, stored=True, name="old cup", usable_until=today() - timedelta(1))
    page = signed_in
    page.goto(f"/studio/{source.pk}/")
    run = page.get_by_role("button", name="Edit uses 1")
    expect(run).to_be_enabled()
    page.locator(".slot-second summary").click()
    page.locator(".slot-second").get_by_role("link", name="From the library").click()
    page.get_by_role("link", name="old cup").click()
    expect(run).to_be_disabled()
    expect(page.locator("[data-second-expired]")).to_contain_text("“old cup” could be used until")
    page.get_by_label("What should change?").fill("put the cup beside the cat")
    page.keyboard.press("Control+Enter")
    page.locator("#slots").hover()
    page.get_by_role("link", name="Remove the second picture").click()
    expect(run).to_be_enabled()
    expect(page.locator("[data-second-expired]")).to_be_hidden()
    assert not GenerationJob.objects.filter(made_by=person).exists()
    assert complaints == []
