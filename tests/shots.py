"""`python -m tests.shots [--url URL] [FOLDER]`: pictures of the main pages, light, dark and on a phone.

Taken from the running portal, after a short journey of its own, with the machine's own Chromium.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.demo import journey
from tests.demo.__main__ import ROOT, find_portal
from tests.demo.browser import Browser, JourneyError

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import BrowserContext, Page, ViewportSize

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESK: "ViewportSize" = {"width": 1440, "height": 900}
PHONE: "ViewportSize" = {"width": 390, "height": 844}
LOOKS = {"light": ("light", DESK), "dark": ("dark", DESK), "phone": ("light", PHONE)}
WORKSPACE = re.compile(rf"/workspaces/{journey.UUID}/")
EDITS = ("make it look like a watercolour", "turn it into a pencil sketch", "make it night")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make shots", description="Pictures of the main pages.")
    parser.add_argument("folder", nargs="?", type=Path, help="where they go; without it VAR_DIR/shots")
    parser.add_argument("--url", help="address of the portal; without it, that of `make run`")
    options = parser.parse_args()
    folder = options.folder or Path(os.environ.get("VAR_DIR") or ROOT / "var") / "shots"
    try:
        for path in take_all(find_portal(options.url), folder):
            print(path)
    except JourneyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def take_all(url: str, folder: Path) -> Iterator[Path]:
    """Make something to see, then take every page in every look. Raises JourneyError."""
    browser = Browser(url)
    pages = prepare(browser)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as driver:
        for look, (scheme, size) in LOOKS.items():
            context = driver.new_context(
                color_scheme="dark" if scheme == "dark" else "light",
                viewport=size,
                device_scale_factor=2 if look == "phone" else 1,
                has_touch=look == "phone",
                is_mobile=look == "phone",
                reduced_motion="reduce",
            )
            yield from take(context, browser, pages, folder, look)
            context.close()


def prepare(browser: Browser) -> dict[str, str]:
    """Sign up, upload and edit; returns the address of each page that is worth a picture."""
    journey.sign_up(browser)
    images = [journey.upload(browser, name) for name in ("coffee.jpg", "cat.jpg", "astronaut.jpg")]
    for image in images:
        journey.wait_until_ready(browser, image)
    jobs = [journey.edit(browser, image, words) for image, words in zip(images, EDITS, strict=True)]
    jobs.append(journey.edit(browser, images[0], "put the cup beside the cat", second=images[1]))
    for job in jobs:
        journey.wait_for_edit(browser, job)
    own = workspace_here(browser)
    team = found_team(browser)
    return {
        "library": f"{own}library/",
        "collections": f"{own}collections/",
        "picture": f"/pictures/{images[0]}/",
        "upload": "/library/upload/",
        "trash": "/trash/",
        "usage": f"{own}usage/",
        "workspaces": "/workspaces/",
        "workspace": team,
        "library-empty": f"{team}library/",
        "leaving": "/account/delete/",
        "home": "/",
        "studio": f"/studio/{images[0]}/?edit={jobs[0]}",
        "merged": f"/studio/{images[0]}/?edit={jobs[3]}",
        "edit": f"/edits/{jobs[0]}/",
        "history": "/history/",
        "account": "/account/email/",
        "welcome": "/",
        "signup": "/account/signup/",
    }


def found_team(browser: Browser) -> str:
    """A workspace of its own for a team, with an open invitation; the path of its page."""
    page = browser.submit(browser.get("/workspaces/").form("/workspaces/"), name="Spring catalogue")
    path = urlsplit(page.url).path
    browser.submit(page.form(rf"{path}invitations/"), email="colleague@example.com")
    return path


def workspace_here(browser: Browser) -> str:
    """The path of the only workspace there is yet: the personal one, with the pictures."""
    return next(path for link in browser.get("/workspaces/").links if WORKSPACE.fullmatch(path := urlsplit(link).path))


SIGNED_OUT = ("welcome", "signup")


def take(context: "BrowserContext", browser: Browser, pages: dict[str, str], folder: Path, look: str) -> Iterator[Path]:
    """One picture of each page, the pages of visitors last."""
    context.add_cookies([{"name": name, "value": value, "url": browser.url} for name, value in browser.cookies()])
    page = context.new_page()
    for name, path in pages.items():
        if name in SIGNED_OUT:
            context.clear_cookies()
        yield shoot(page, browser.url.rstrip("/") + path, folder / f"{name}-{look}.png")


def shoot(page: "Page", address: str, path: Path) -> Path:
    answer = page.goto(address, wait_until="load")
    if answer is None or not answer.ok:
        raise JourneyError(f"{address} did not open.")
    page.evaluate("document.fonts.ready")
    page.wait_for_function("[...document.images].every(i => i.complete || i.loading === 'lazy')", timeout=20_000)
    page.screenshot(path=path)
    return path


@contextmanager
def chromium() -> "Iterator[Chromium]":
    """The machine's own Chromium, which may reach nothing but this machine. Raises JourneyError."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        raise JourneyError("No Chromium was found on the PATH (apt install chromium).")
    arguments = [
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses root otherwise; it sees our own pages only
    with sync_playwright() as playwright:
        driver = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield driver
        finally:
            driver.close()


if __name__ == "__main__":
    sys.exit(main())
