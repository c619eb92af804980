"""The journey itself: one function for each thing that a person does."""

import hashlib
import io
import json
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image, ImageChops, ImageOps, ImageStat

from tests.demo.browser import Browser, JourneyError, Page

SAMPLES = Path(__file__).resolve().parent.parent.parent / "static" / "samples"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PASSWORD = "a demonstration, nothing more"
PICTURE_PATIENCE, EDIT_PATIENCE = 60.0, 180.0  # seconds
GPS = 0x8825


def need(true: object, sentence: str) -> None:
    """Raises JourneyError with the sentence unless it is true."""
    if not true:
        raise JourneyError(sentence)


def sign_up(browser: Browser) -> str:
    """Make an account and confirm its address from the mailbox; returns the address."""
    address = f"demo-{secrets.token_hex(5)}@example.com"
    page = browser.get("/account/signup/")
    need("invit" not in page.text.lower() or page.forms, "This portal takes people by invitation only.")
    browser.submit(page.form("/account/signup/"), email=address, password1=PASSWORD)
    letter = find_letter(browser, address)
    link = letter.link(r"/account/confirm-email/.+")
    need(link, f"The mail to {address} has no link that confirms it.")
    asked = browser.get(str(link))
    done = browser.submit(asked.form(r"/account/confirm-email/.+"))
    need(not urlsplit(done.url).path.startswith("/account/login"), "Confirming the address did not sign in.")
    return address


def find_letter(browser: Browser, address: str) -> Page:
    """The newest mail to this address on the mailbox page."""
    if browser.status("/mailbox/") != 200:
        raise JourneyError("This portal mails for real, so nobody can confirm an address here: see its EMAIL_URL.")
    for link in browser.get("/mailbox/").links:
        if re.fullmatch(r"/mailbox/[^/]+/", urlsplit(link).path):
            letter = browser.get(link)
            if address in letter.text:
                return letter
    raise JourneyError(f"No mail to {address} came.")


def upload(browser: Browser, name: str) -> str:
    """Upload one of the samples; returns the picture's id."""
    form = browser.get("/").form("/images/")
    page = browser.submit(form, files={"file": (name, (SAMPLES / name).read_bytes(), "image/jpeg")})
    return id_in(page.url, rf"/studio/({UUID})/")


def wait_until_ready(browser: Browser, image_id: str) -> None:
    """Wait until the portal has looked at an upload; raises JourneyError if it refuses it."""

    def settled() -> bool:
        facts: dict[str, Any] = browser.get(f"/images/{image_id}/state/", Accept="application/json").response.json()
        need(facts["state"] != "refused", f"The picture was refused: {facts.get('error')}")
        return bool(facts["state"] == "ready")

    wait(settled, PICTURE_PATIENCE, "taking a picture in")


def check_master(browser: Browser, image_id: str, name: str) -> str:
    """The downloaded master is the sample, upright, and says nothing of where it was taken; returns its size."""
    page = browser.get(f"/studio/{image_id}/")
    link = page.link(rf"/images/{image_id}/master")
    need(link, "The studio offers no download of the picture.")
    data = browser.bytes_of(str(link))
    with Image.open(SAMPLES / name) as original, Image.open(io.BytesIO(data)) as master:
        need(not dict(master.getexif()) and "exif" not in master.info, f"The master of {name} still has EXIF data.")
        need(not master.getexif().get_ifd(GPS), f"The master of {name} still says where it was taken.")
        upright = ImageOps.exif_transpose(original)
        need(upright.size == master.size, f"The master of {name} is {master.size}, not {upright.size}.")
        need(difference(upright, master) < 6, f"The master of {name} does not look like {name} upright.")
        return f"{master.width} × {master.height}, {len(data) // 1000} kB"


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, seen small: 0 to 255."""
    small = [picture.convert("RGB").resize((64, 64)) for picture in (one, other)]
    mean: list[float] = ImageStat.Stat(ImageChops.difference(*small)).mean
    return sum(mean) / len(mean)


def edit(browser: Browser, image_id: str, prompt: str, second: str = "") -> str:
    """Ask for an edit of a picture, or of two; returns the edit's id."""
    form = browser.get(f"/studio/{image_id}/").form("/edits/")
    need(form.fields.get("source") == image_id, "The form in the studio does not hold the picture as its source.")
    page = browser.submit(form, prompt=prompt, second=second)
    return job_in(page.url)


def run_again(browser: Browser, job_id: str) -> str:
    """The same edit with the same seed; returns the new edit's id."""
    form = browser.get(f"/edits/{job_id}/").form(rf"/edits/{job_id}/run-again/")
    need(("mode", "same") in form.buttons, "The edit's page offers no run with the same seed.")
    again = job_in(browser.submit(form, mode="same").url)
    need(again != job_id, "Running again made no new edit.")
    return again


def wait_for_edit(browser: Browser, job_id: str) -> None:
    """Ask for the edit's tile, as the page does by itself, until it says that the edit has ended."""
    seen: dict[str, Any] = {}

    def ended() -> bool:
        tile = browser.get(f"/edits/{job_id}/tile/", HX_Request="true")
        events = json.loads(tile.response.headers.get("HX-Trigger", "{}"))
        seen.update(events.get("edit-finished", {}))
        return bool(seen)

    wait(ended, EDIT_PATIENCE, "the edit")
    need(seen["state"] == "succeeded", f"The edit ended as {seen['state']}: {seen.get('sentence')}")


def result_of(browser: Browser, job_id: str) -> str:
    """The id of an edit's one result."""
    page = browser.get(f"/edits/{job_id}/")
    found = {id_in(link, rf"/images/({UUID})/master") for link in page.links if "/master" in link}
    need(len(found) == 1, f"The edit's page offers {len(found)} results to download, not one.")
    return found.pop()


def see_result(browser: Browser, job_id: str, source_id: str) -> str:
    """The result lies beside its source in the studio, and is another picture; returns its SHA-256."""
    result = result_of(browser, job_id)
    shown = browser.get(f"/studio/{source_id}/?edit={job_id}").pictures
    for image_id in (source_id, result):
        wanted = [address for address in shown if f"/images/{image_id}/" in address]
        need(wanted, f"The studio does not show picture {image_id}.")
        need(browser.get(wanted[0]).response.headers["Content-Type"] == "image/webp", "A rendition is no WebP.")
    before, after = (browser.bytes_of(f"/images/{image_id}/master") for image_id in (source_id, result))
    with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after)) as other:
        need(difference(one, other) > 1, "The edit changed nothing.")
    return hashlib.sha256(after).hexdigest()


def see_history(browser: Browser, jobs: list[str]) -> None:
    """All edits stand in the history, newest first, each with its picture."""
    page = browser.get("/history/")
    listed = [id_in(link, rf"/edits/({UUID})/") for link in page.links if re.search(rf"/edits/{UUID}/$", link)]
    need(listed == jobs[::-1], f"The history shows {len(listed)} edits, not the {len(jobs)} newest first.")
    need(len(page.pictures) >= len(jobs), "The history shows edits without their pictures.")
    for address in page.pictures:
        browser.get(address)


def see_nothing_of(stranger: Browser, images: list[str], jobs: list[str]) -> int:
    """Somebody else gets 404 for all of it, and can't use it; returns the number of addresses that were tried."""
    paths = [f"/studio/{one}/" for one in images]
    paths += [f"/images/{one}/{rest}" for one in images for rest in ("master", "320.webp", "state/")]
    paths += [f"/edits/{one}/{rest}" for one in jobs for rest in ("", "tile/")]
    for path in paths:
        status = stranger.status(path)
        need(status == 404, f"A stranger gets {status} for {path}.")
    own = upload(stranger, "coffee.jpg")
    form = stranger.get(f"/studio/{own}/").form("/edits/")
    stranger.submit(form, expect=404, source=images[0], prompt="mine now")
    stranger.submit(form, expect=404, second=images[0], prompt="mine now")
    return len(paths) + 2


def id_in(address: str, pattern: str) -> str:
    found = re.search(pattern, urlsplit(address).path)
    if found is None:
        raise JourneyError(f"{address} is not where this should have led.")
    return found[1]


def job_in(address: str) -> str:
    """The edit that a studio address shows."""
    found = parse_qs(urlsplit(address).query).get("edit", [])
    need(found, f"{address} shows no edit.")
    return found[0]


def wait(over: Callable[[], bool], patience: float, what: str) -> None:
    deadline = time.monotonic() + patience
    while not over():
        need(time.monotonic() < deadline, f"Waiting for {what} took more than {patience:g} s.")
        time.sleep(0.25)
