"""A gate that is open while pictures come in, on a desk and under a finger."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from pytest_playwright import CreateContextCallback

from editor import events
from editor.jobs import batches
from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.models import Batch, GenerationJob, HeldFor, ItemState, JobState, User
from tests.browser.conftest import sign_in
from tests.makers import make_batch, make_image, make_job
from tests.portal import Portal

DONE: dict[str, Any] = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
HELD: dict[str, Any] = {"state": JobState.HELD, "held_for": HeldFor.RULE, "due_at": None}
PATIENCE = 20_000  # ms
STEPS = to_rows([EditSpec("make it look like a watercolour"), EditSpec("add a frame")])


@pytest.fixture
def batch(person: User) -> Batch:
    """Three of five pictures wait for a look, and it is paused: what is kept stays before its next step."""
    source = make_image(person, stored=True, name="cup.jpg")
    jobs = [make_job(person, source, **(DONE if number < 3 else HELD)) for number in range(5)]
    for job in jobs[:3]:
        result(job, 2)
    batch = make_batch(person, *jobs, gate=True, steps=STEPS, paused_at=timezone.now())
    batch.items.filter(number__lt=3).update(state=ItemState.LOOKING)
    return batch


def result(job: GenerationJob, number: int = 1) -> None:
    place = {"kind": "generated", "job": job, "root": job.source_image, "workspace": job.workspace}
    for position in range(number):
        make_image(job.made_by, stored=True, position=position, **place)


def comes_in(batch: Batch, number: int) -> None:
    """As it does when a worker has stored a result."""
    item = batch.items.get(number=number)
    result(item.job)
    GenerationJob.objects.filter(pk=item.job_id).update(**DONE, held_for="")
    batch.items.filter(number=number).update(state=ItemState.LOOKING)
    events.edits_begun(batch.workspace_id)


def tile(page: Page, number: int) -> Locator:
    return page.locator(f"#item-{number}")


def test_gate_changes_by_itself_and_loses_nothing(
    signed_in: Page, person: User, portal: Portal, batch: Batch, complaints: list[str]
) -> None:
    page = signed_in
    page.goto(f"/batches/{batch.pk}/look/")
    expect(page.locator("[data-item]")).to_have_count(3)
    second = tile(page, 1).get_by_role("radio").nth(1)
    second.check()
    comes_in(batch, 3)
    expect(tile(page, 3)).to_have_attribute("data-item", "looking", timeout=PATIENCE)
    expect(page.locator(".look-standing")).to_contain_text("4 to look at")
    expect(second).to_be_checked()
    expect(second).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("k")
    kept = tile(page, 0)
    expect(kept).to_contain_text("On to step 2")
    expect(kept.locator("img")).to_have_class("entry-pale")
    expect(kept.get_by_role("button", name="Undo")).to_be_visible()
    expect(tile(page, 1)).to_be_focused()
    tile(page, 1).get_by_role("button", name="Drop").focus()
    batches.resume(batch)
    expect(kept).to_have_attribute("data-item", "looking", timeout=PATIENCE)
    expect(kept).to_contain_text("Step 2 of 2")
    expect(kept.get_by_role("button", name="Undo")).to_have_count(0)
    expect(tile(page, 1).get_by_role("button", name="Drop")).to_be_focused()
    buttons = [page.locator(".look-buttons").nth(place).bounding_box() for place in (1, 2)]
    assert buttons[0]
    assert buttons[1]
    assert buttons[0]["y"] == buttons[1]["y"]
    assert complaints == []


def test_finger_is_led_from_one_undecided_picture_to_the_next(
    new_context: CreateContextCallback, person: User, portal: Portal, batch: Batch
) -> None:
    context = new_context(
        base_url=portal.url,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto(f"/batches/{batch.pk}/look/")
    tile(page, 0).get_by_role("button", name="Drop").tap()
    expect(tile(page, 1)).to_be_focused()
    expect(tile(page, 1)).to_be_in_viewport(ratio=0.6)
    expect(tile(page, 0)).to_have_attribute("data-item", "dropped")
    page.get_by_role("link", name="Next", exact=True).tap()
    expect(tile(page, 2)).to_be_in_viewport(ratio=0.6)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
