"""Many pictures into the library: a few at a time, and on through whatever happens."""

import io
import re
from itertools import count
from pathlib import Path
from random import Random

import pytest
from PIL import Image as Pillow
from playwright.sync_api import FilePayload, Page, Route, expect

from editor.models import Image, ImageState, User
from tests.browser.journey import PATIENCE, SAMPLES

MANY = 12


def picture(seed: int) -> bytes:
    draw = Random(seed)
    small = Pillow.frombytes("RGB", (8, 6), draw.randbytes(8 * 6 * 3))
    out = io.BytesIO()
    small.resize((200, 150), Pillow.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Different pictures, one file that is none, and one copy."""
    for number in range(MANY):
        (tmp_path / f"{number:02}.jpg").write_bytes(picture(number))
    return tmp_path


@pytest.fixture
def library(signed_in: Page) -> Page:
    signed_in.goto("/library/upload/")
    return signed_in


def choose(page: Page, files: list[Path]) -> None:
    page.get_by_label("Pictures", exact=True).set_input_files(files)


def rows(page: Page, state: str) -> str:
    return f".upload[data-state='{state}']"


def test_folder_of_pictures_with_a_bad_file_and_a_copy(
    library: Page, folder: Path, person: User, complaints: list[str]
) -> None:
    page = library
    (folder / "bad.png").write_bytes(b"<html>no picture</html>")
    (folder / "copy of 03.jpg").write_bytes(picture(3))
    (folder / "notes.txt").write_text("no picture either")
    page.get_by_label("A folder of pictures").set_input_files(folder)

    expect(page.locator(rows(page, "done"))).to_have_count(MANY, timeout=PATIENCE)
    expect(page.locator(rows(page, "same"))).to_contain_text("Already in the library")
    expect(page.locator(rows(page, "bad"))).to_contain_text("can’t be edited")
    expect(page.locator(rows(page, "bad")).get_by_role("button", name="Try again")).to_be_hidden()  # it would not help
    expect(page.locator("#upload-total")).to_contain_text(
        f"{MANY} taken in · 1 already in the library · 1 not taken in"
    )
    expect(page.locator("#upload-told")).to_have_text("1 file is no picture and was left out.")
    assert Image.objects.filter(made_by=person, state=ImageState.READY).count() == MANY

    page.locator(rows(page, "same")).get_by_role("button", name="Keep both").click()
    expect(page.locator(rows(page, "done"))).to_have_count(MANY + 1, timeout=PATIENCE)
    expect(page.locator(".upload.alike").first).to_contain_text("looks like")
    assert complaints == []


def test_lost_connection_and_broken_answers_are_waited_out(library: Page, folder: Path, person: User) -> None:
    page, seen = library, 0

    def disturb(route: Route) -> None:
        nonlocal seen
        seen += 1
        if seen in {2, 3}:
            route.abort("connectionfailed")
        elif seen == 5:
            route.fulfill(status=502, body="<html>")
        elif seen == 7:
            # It came in, but the answer got lost: sending it again must make no second picture.
            route.fetch()
            route.abort("connectionreset")
        elif seen == 9:
            route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": "Still being checked."})
        else:
            route.continue_()

    page.route(re.compile(r"/images/$"), disturb)
    choose(page, sorted(folder.iterdir()))
    expect(page.locator(rows(page, "done"))).to_have_count(MANY, timeout=PATIENCE)
    assert seen == MANY + 5
    assert Image.objects.filter(made_by=person).count() == MANY


def test_after_a_reload_the_same_files_go_on(library: Page, folder: Path, person: User) -> None:
    page, files = library, sorted(folder.iterdir())
    page.route(re.compile(r"/images/$"), lambda route: route.abort() if arrived(person) >= 4 else route.continue_())
    choose(page, files)
    expect(page.locator(rows(page, "done"))).not_to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-words]", has_text="The connection is lost").first).to_be_visible(timeout=PATIENCE)

    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute(re.compile(r"/images/$"))
    page.reload()
    expect(page.locator("#upload-left")).to_contain_text("Choose the same files again to go on")
    choose(page, files)
    expect(page.locator("#upload-left")).to_be_hidden()
    expect(page.locator("#upload-told")).to_contain_text("in the library already")
    expect(page.locator(".upload:not([data-state='done'])")).to_have_count(0, timeout=PATIENCE)
    assert arrived(person) == MANY
    page.reload()
    expect(page.locator("#upload-left")).to_be_hidden()


def test_what_went_into_the_trash_is_sent_again(library: Page, folder: Path, person: User) -> None:
    page, files, sent = library, sorted(folder.iterdir())[:3], count(1)
    page.route(re.compile(r"/images/$"), lambda route: route.abort() if next(sent) > 2 else route.continue_())
    choose(page, files)
    expect(page.locator("[data-words]", has_text="The connection is lost").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(rows(page, "done"))).to_have_count(2, timeout=PATIENCE)
    trashed = Image.objects.filter(made_by=person).earliest("created_at")
    trashed.trash()

    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute(re.compile(r"/images/$"))
    page.reload()
    expect(page.locator("#upload-left")).to_contain_text("Choose the same files again to go on")
    choose(page, files)
    expect(page.locator("#upload-told")).to_have_text("1 of these is in the library already, from before.")
    expect(page.locator(rows(page, "done"))).to_have_count(2, timeout=PATIENCE)
    assert Image.objects.filter(made_by=person, trashed_at=None).count() == 3


def arrived(person: User) -> int:
    return Image.objects.filter(made_by=person).count()


def test_rest_is_paused_canceled_and_tried_again(library: Page, folder: Path, person: User) -> None:
    page = library
    held: list[Route] = []
    page.route(re.compile(r"/images/$"), lambda route: held.append(route))
    choose(page, sorted(folder.iterdir()))
    expect(page.locator(rows(page, "sending"))).to_have_count(3)  # a few at a time
    page.get_by_role("button", name="Pause").click()
    for route in held:
        route.continue_()
    expect(page.locator(rows(page, "done"))).to_have_count(3, timeout=PATIENCE)
    expect(page.locator(rows(page, "waiting"))).to_have_count(MANY - 3)
    page.unroute(re.compile(r"/images/$"))
    page.route(re.compile(r"/images/$"), lambda route: route.fulfill(status=401, json={"error": "You are signed out."}))
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("[data-halt]")).to_have_text("You are signed out.")
    expect(page.locator(rows(page, "waiting"))).to_have_count(MANY - 3)  # nothing is lost by it
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator(rows(page, "canceled"))).to_have_count(MANY - 3)
    assert arrived(person) == 3


def test_dropped_picture_comes_in_with_its_rights(library: Page, person: User) -> None:
    page = library
    page.get_by_text("Rights and duplicates").click()
    page.get_by_label("Licence").select_option("editorial")
    page.get_by_label("May be edited until").fill("2040-05-01")
    data = (SAMPLES / "cat.jpg").read_bytes()
    page.get_by_label("Pictures", exact=True).set_input_files(
        FilePayload(name="cat.jpg", mimeType="image/jpeg", buffer=data)
    )
    page.get_by_role("link", name="Open").click(timeout=PATIENCE)
    expect(page.locator("main")).to_contain_text("Editorial use only")
    expect(page.locator("main")).to_contain_text("1 May 2040")
