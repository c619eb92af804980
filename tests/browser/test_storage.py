"""An operator lets old pictures go: a rule is made, tried dry, looked at, switched on, and does what the list said."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page, expect

from editor.accounts.roles import OPERATOR
from editor.jobs import storage
from editor.models import Favourite, Image, Notice, RetentionRule, User, Workspace
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.makers import make_image
from tests.people import make_person
from tests.portal import Portal, wait_until
from tests.staff.roles import give_role


def test_a_rule_does_what_its_dry_run_said(page: Page, portal: Portal) -> None:
    operator = give_role(make_person(f"operator-{uuid4().hex[:8]}"), OPERATOR)
    maker = make_person(f"maker-{uuid4().hex[:8]}")
    team, old = library_of(maker)
    favourite = old.pop()
    Favourite.objects.create(user=operator, image=favourite, image_created_at=favourite.created_at)
    storage.count_all()
    sign_in(page.context, operator, portal)

    page.goto("/operate/storage/")
    row = page.get_by_role("row", name=re.compile(team.name))
    expect(row).to_contain_text("6.0 MB")
    row.get_by_role("link").click()
    page.get_by_label("Uploads", exact=True).check()
    page.get_by_label("How old at least, in days").fill("365")
    expect(page.get_by_label(f"Only in {team.name}")).to_be_checked()
    page.get_by_role("button", name="Make the rule").click()

    expect(page.get_by_text("It can’t be switched on yet. Try it dry first.")).to_be_visible()
    page.get_by_role("button", name="Try it dry").click()
    expect(page.get_by_text("3 pictures, 3.0 MB")).to_be_visible()
    listed = {text.strip() for text in page.locator("tbody th").all_inner_texts()}
    assert listed == {str(image.pk) for image in old}
    with page.expect_download() as download:
        page.get_by_role("link", name="The whole list (CSV)").click()
    assert {line.split(",")[0] for line in download.value.path().read_text("utf-8-sig").splitlines()[1:]} == listed
    assert not Image.objects.filter(workspace=team, trashed_at__isnull=False).exists()

    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("The rule is on.")).to_be_visible()
    rule = RetentionRule.objects.get(workspace=team)
    wait_until(lambda: rule.passes.filter(finished_at__isnull=False).exists(), PATIENCE / 1000, "The first pass")
    gone = Image.objects.filter(workspace=team, trashed_at__isnull=False)
    assert {str(pk) for pk in gone.values_list("pk", flat=True)} == listed
    assert Notice.objects.get(person=maker).headline == "3 of your pictures went into the trash"
    page.reload()
    expect(page.get_by_role("region", name="What it did").get_by_role("row").nth(1)).to_contain_text("3.0 MB")

    # Changed, it is off and has to be tried dry again.
    page.get_by_text("Change the rule").click()
    page.get_by_label("How old at least, in days").fill("1")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("It can’t be switched on yet. Try it dry first.")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on")).to_have_count(0)


def library_of(user: User) -> tuple[Workspace, list[Image]]:
    """A team with four old pictures and two young ones."""
    team = Workspace.objects.found(user, f"Team {uuid4().hex[:6]}")
    long_ago = timezone.now() - timedelta(days=500)
    sizes: dict[str, Any] = {"workspace": team, "byte_size": 1024 * 1024, "copies_size": 0}
    old = [make_image(user, created_at=long_ago + timedelta(hours=number), **sizes) for number in range(4)]
    for _ in range(2):
        make_image(user, **sizes)
    return team, old
