"""`python -m tests.shots [--url URL] [FOLDER]`: every page and state, light, dark and on a phone.

Taken from the running portal, after journeys of its own, with the machine's own Chromium.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.__main__ import ROOT, find_portal
from tests.demo.browser import JourneyError
from tests.shots import scenes
from tests.shots.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page, ViewportSize

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
DESK: "ViewportSize" = {"width": 1440, "height": 900}
PHONE: "ViewportSize" = {"width": 390, "height": 844}
LOOKS = {"light": ("light", DESK), "dark": ("dark", DESK), "phone": ("light", PHONE)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make shots", description="Pictures of every page and state.")
    parser.add_argument("folder", nargs="?", type=Path, help="where they go; without it VAR_DIR/shots")
    parser.add_argument("--url", help="address of the portal; without it, that of `make run`")
    options = parser.parse_args()
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var")
    folder = options.folder or var / "shots"
    try:
        for path in take_all(find_portal(options.url), folder, var / "first-administrator.txt"):
            print(path)
    except JourneyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def take_all(url: str, folder: Path, password_file: Path) -> Iterator[Path]:
    """Make something to see, then take every scene in every look. Raises JourneyError."""
    found = scenes.find_all(url, password_file)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as driver:
        for look, (scheme, size) in LOOKS.items():
            for scene in found:
                context = driver.new_context(
                    color_scheme="dark" if scheme == "dark" else "light",
                    viewport=size,
                    device_scale_factor=2 if look == "phone" else 1,
                    has_touch=look == "phone",
                    is_mobile=look == "phone",
                    reduced_motion="reduce",
                )
                cookies = [{"name": name, "value": value, "url": url} for name, value in scene.browser.cookies()]
                context.add_cookies(cookies)  # type: ignore[arg-type]
                yield shoot(context.new_page(), url.rstrip("/"), scene, folder / f"{scene.name}-{look}.png")
                context.close()


def shoot(page: "Page", url: str, scene: Scene, path: Path) -> Path:
    answer = page.goto(url + scene.path, wait_until="load")
    if answer is None or answer.status not in (200, 404):
        raise JourneyError(f"{scene.path} did not open.")
    scene.does(page)
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
