"""Three edits saved as a chain; it on sixty pictures with a look before each next step, by keyboard; one ZIP."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.library.shelves import collect, new_collection
from editor.models import Attempt, Batch, Collection, Image, ItemState, Recipe, RecipeVersion, User, Workspace
from tests.browser.journey import open_sample, run
from tests.browser.test_accessibility import problems, view
from tests.makers import make_batch, make_image, make_job
from tests.portal import Portal

__all__ = ["view"]

PICTURES, DROPPED, FAILED = 60, 12, 3
PATIENCE = 120_000  # ms, for sixty edits
STEPS = ["make it look like a watercolour", "make it {mood}", "add a frame"]


@pytest.fixture
def recipe(person: User) -> Recipe:
    workspace = Workspace.objects.personal_of(person)
    made = Recipe.objects.create(workspace=workspace, made_by=person, name="Catalogue")
    RecipeVersion.objects.create(recipe=made, number=1, steps=to_rows(map(EditSpec, STEPS)), made_by=person)
    return made


@pytest.fixture
def shelf(person: User) -> Collection:
    """With all pictures, the first one being the newest."""
    workspace = Workspace.objects.personal_of(person)
    images = [make_image(person, stored=True, name=f"cup {number:02}.jpg") for number in reversed(range(PICTURES))]
    collection = new_collection(person, workspace, "Catalogue of cups")
    collect(person, collection, images)
    return collection


def test_chain_on_sixty_pictures_with_a_gate(
    signed_in: Page, person: User, portal: Portal, shelf: Collection, complaints: list[str]
) -> None:
    page = signed_in
    chain_of_three_edits(page)
    earlier = len(portal.ledger())
    page.goto(f"/collections/{shelf.pk}/")
    page.get_by_role("button", name="Edit all of them").click()
    page.get_by_label("Recipe", exact=True).select_option(label="Catalogue")
    expect(page.locator(".batch-price")).to_contain_text(f"{PICTURES} pictures × 3 steps: at most 180 of ")
    page.get_by_text("One row, one picture").click()
    rows = [f"cup {number:02};{'rainy' if number % 2 else 'sunny'}" for number in range(PICTURES)]
    page.get_by_label("Lines").fill("\n".join(["picture;mood", *rows[:-1], "cup 99;sunny"]))
    page.get_by_label("I look at each result").check()
    page.get_by_role("button", name=f"Edit all {PICTURES}").click()
    expect(page.locator("#rows-error")).to_contain_text("Line 61: none of the chosen pictures is called “cup 99”.")
    expect(page.get_by_label("Lines")).to_be_focused()
    page.get_by_label("Lines").fill("\n".join(["picture;mood", *rows, rows[0]]))
    expect(page.locator(".batch-price")).to_contain_text(f"{PICTURES + 1} rows × 3 steps: at most 183 of ")
    page.get_by_label("Lines").fill("\n".join(["picture;mood", *rows]))
    portal.set_faults(failed_at_once=FAILED)
    page.get_by_role("button", name=f"Make {PICTURES} edits").dblclick()

    counts = page.locator("#batch-progress .batch-counts")
    expect(counts).to_contain_text(f"{PICTURES - FAILED} to look at", timeout=PATIENCE)
    expect(counts).to_contain_text(f"{FAILED} did not work", timeout=PATIENCE)
    page.get_by_role("button", name="Run the failed ones again").click()
    expect(counts).to_contain_text(f"{PICTURES} to look at", timeout=PATIENCE)

    page.get_by_role("link", name=f"Look at {PICTURES}", exact=True).click()
    standing = page.locator(".look-standing")
    drop_by_keyboard(page, DROPPED)
    expect(standing).to_contain_text(f"{DROPPED} dropped")
    page.keyboard.press("u")
    expect(standing).to_contain_text(f"{DROPPED - 1} dropped")
    page.keyboard.press("d")
    expect(standing).to_contain_text(f"{DROPPED} dropped")
    page.keyboard.press("k")
    expect(page.locator(f"#item-{DROPPED}")).to_contain_text("Step 2 of 3")
    for _ in STEPS[1:]:
        page.get_by_role("button", name="Keep all that wait").click()
        expect(counts).to_contain_text(f"{PICTURES - DROPPED} to look at", timeout=PATIENCE)
        page.get_by_role("link", name=f"Look at {PICTURES - DROPPED}", exact=True).click()
    page.get_by_role("button", name="Keep all that wait").click()
    expect(counts).to_contain_text(f"{PICTURES - DROPPED} of {PICTURES} done", timeout=PATIENCE)

    with page.expect_download() as coming:
        page.get_by_role("link", name=f"ZIP of {PICTURES - DROPPED}").click()
    names = zipfile.ZipFile(io.BytesIO(Path(coming.value.path()).read_bytes())).namelist()
    pictures = [name for name in names if not name.startswith("pictures.")]
    assert len(pictures) == PICTURES - DROPPED
    assert all(name.startswith("cup ") for name in pictures)
    promised_alone_was_asked_for(portal, Batch.objects.get(made_by=person), earlier)
    assert complaints == []


def chain_of_three_edits(page: Page) -> None:
    """On a picture of its own, with words that are filled in for each of the others."""
    open_sample(page)
    for words in [STEPS[0], "make it rainy", STEPS[2]]:
        run(page, words)
        page.locator("#versions li").filter(has_text=words).get_by_role("link", name="Branch from here").click()
        expect(page.locator("#versions .tile.current").filter(has_text=words)).to_be_visible()
    page.get_by_role("link", name="Save this path as a recipe").click()
    page.get_by_label("Name").fill("Catalogue")
    page.get_by_label("What should change?").nth(1).fill(STEPS[1])
    page.get_by_role("button", name="Save the recipe").click()
    expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()


def drop_by_keyboard(page: Page, number: int) -> None:
    """From the first one on; each decision goes on to the next."""
    tiles = page.locator("[data-item]")
    expect(tiles.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    for place in range(number):
        expect(tiles.nth(place)).to_be_focused()
        page.keyboard.press("x")
        expect(tiles.nth(place)).to_have_attribute("data-item", "dropped")


def promised_alone_was_asked_for(portal: Portal, batch: Batch, earlier: int) -> None:
    """The witness is the flux server's ledger: each picture once per step, and what failed once more."""
    asked = Counter(entry["track_id"] for entry in portal.ledger()[earlier:])
    attempts = Attempt.objects.filter(job__batch=batch).values_list("pk", "job__batch_item__number", "job__batch_step")
    of_item = Counter((number, step) for pk, number, step in attempts if asked[str(pk)])
    kept = set(batch.items.filter(state=ItemState.KEPT).values_list("number", flat=True))
    assert max(asked.values()) == 1
    assert {str(pk) for pk, _, _ in attempts} >= set(asked)
    assert Counter(step for _, step in of_item) == {0: PICTURES, 1: len(kept), 2: len(kept)}
    assert {number for number, step in of_item if step} == kept
    assert sum(of_item.values()) == PICTURES + FAILED + 2 * (PICTURES - DROPPED)
    assert Image.objects.filter(job__batch=batch, state="ready").count() == PICTURES + 2 * (PICTURES - DROPPED)


def test_pages_of_a_gate_are_accessible_and_fit(view: Page, person: User, recipe: Recipe) -> None:
    done = {"state": "succeeded", "allowance": "taken"}
    source = make_image(person, stored=True, name="cup.jpg")
    jobs = [make_job(person, source, finished_at=recipe.created_at, **done) for _ in range(3)]
    for job in jobs:
        make_image(person, stored=True, kind="generated", job=job, root=source)
    batch = make_batch(person, *jobs, gate=True, steps=to_rows(map(EditSpec, STEPS)), recipe=recipe, prompt=recipe.name)
    batch.items.filter(number__lt=2).update(state=ItemState.LOOKING)
    batch.items.filter(number=2).update(state=ItemState.STOPPED, said="You may have 3 pictures made in 24 hours.")
    addresses = [f"/batches/{batch.pk}/", f"/batches/{batch.pk}/look/"]
    assert [problem for address in addresses for problem in problems(view, address)] == []
