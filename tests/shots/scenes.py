"""What there is to see: people with much and with nothing, and the address of each page and state of theirs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.demo import journey
from tests.demo.browser import Browser, Form
from tests.shots import reviewed
from tests.shots.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORKSPACE = re.compile(rf"/workspaces/{journey.UUID}/")
EDITS = ("make it look like a watercolour", "turn it into a pencil sketch", "make it night")
STATES = {
    "failed": "a mosaic #fault:failed-at-once",
    "blocked": "a mosaic #fault:blank",
    "unconfirmed": "a mosaic #fault:accept-then-reset #fault:webhook-lost",
    "working": "a mosaic #fault:never",
}


def find_all(url: str, password_file: Path) -> list[Scene]:
    """Make something to see. Staff's pages are among it if the first administrator can sign in. Raises JourneyError."""
    found = [*of_a_busy_person(Browser(url)), *of_a_new_person(Browser(url))]
    found += reviewed.find_all(Browser(url), Browser(url))
    if password_file.exists():
        found += of_staff(Browser(url), password_file)
    visitor = Browser(url)
    found += [Scene(name, visitor, path) for name, path in VISITORS.items()]
    return found


VISITORS = {
    "welcome": "/",
    "signup": "/account/signup/",
    "login": "/account/login/",
    "lost-password": "/account/password/reset/",
}


def of_a_busy_person(browser: Browser) -> list[Scene]:
    journey.sign_up(browser)
    images = [journey.upload(browser, name) for name in ("coffee.jpg", "cat.jpg", "astronaut.jpg")]
    for image in images:
        journey.wait_until_ready(browser, image)
    jobs = [journey.edit(browser, image, words) for image, words in zip(images, EDITS, strict=True)]
    jobs.append(journey.edit(browser, images[0], "put the cup beside the cat", second=images[1]))
    for job in jobs:
        journey.wait_for_edit(browser, job)
    states = {name: journey.edit(browser, images[2], words) for name, words in STATES.items()}
    own = workspace_here(browser)
    batch, team = ask_for_all(browser, images), found_team(browser)
    again = journey.run_again(browser, jobs[0])
    journey.wait_for_edit(browser, again)
    paths = {
        "library": f"{own}library/",
        "collections": f"{own}collections/",
        "picture": f"/pictures/{images[0]}/",
        "upload": "/library/upload/",
        "trash": "/trash/",
        "usage": f"{own}usage/",
        "workspaces": "/workspaces/",
        "workspace": team,
        "library-empty": f"{team}library/",
        "history-everybody": f"{own}history/",
        "leaving": "/account/delete/",
        "home": "/",
        "studio": f"/studio/{images[0]}/?edit={jobs[0]}",
        "merged": f"/studio/{images[0]}/?edit={jobs[3]}",
        "edit": f"/edits/{jobs[0]}/",
        "edit-merged": f"/edits/{jobs[3]}/",
        "history": "/history/",
        "history-found": "/history/?q=cup&favourites=1",
        "history-filters": "/history/filters/",
        "batch": batch,
        "batches": "/batches/",
        "variations-form": f"/edits/{jobs[0]}/variations/",
        "compare": f"/edits/compare/?a={jobs[0]}&b={again}",
        "compare-choose": f"/edits/compare/?a={jobs[0]}",
        "recipes": "/recipes/",
        "recipe-form": f"/recipes/new/?edit={jobs[0]}",
        "notices": "/notices/",
        "report": f"/pictures/{images[0]}/report/",
        "account": "/account/email/",
        "nowhere": "/nowhere/",
    }
    scenes = [Scene(name, browser, path) for name, path in paths.items()]
    for name, job in states.items():
        scenes.append(Scene(f"studio-{name}", browser, f"/studio/{images[2]}/?edit={job}"))
        scenes.append(Scene(f"edit-{name}", browser, f"/edits/{job}/"))
    studio = f"/studio/{images[0]}/?edit={jobs[0]}"
    scenes += [
        Scene("studio-keys", browser, studio, press("?")),
        Scene("studio-side", browser, studio, press("m")),
        Scene("studio-offline", browser, studio, lambda page: page.context.set_offline(True)),
        Scene("library-chosen", browser, f"{own}library/", choose),
        Scene("batch-new", browser, f"{own}library/", ask),
    ]
    return scenes


def of_a_new_person(browser: Browser) -> list[Scene]:
    """Everything is empty."""
    journey.sign_up(browser)
    paths = {"home": "/", "history": "/history/", "library": "/library/", "batches": "/batches/", "trash": "/trash/"}
    paths |= {"recipes": "/recipes/"}
    return [Scene(f"new-{name}", browser, path) for name, path in paths.items()]


def of_staff(browser: Browser, password_file: Path) -> list[Scene]:
    words = password_file.read_text().split()
    address = next(word for word in words if "@" in word)
    page = browser.submit(browser.get("/account/login/").form("/account/login/"), login=address, password=words[-1])
    if "/login" in urlsplit(page.url).path:
        return []  # the password was changed since, as it should be
    paths = {
        "desk": "/desk/",
        "desk-decisions": "/desk/decisions/",
        "admin": "/admin/",
        "admin-edits": "/admin/editor/generationjob/",
        "operate": "/operate/",
        "operate-flux": "/operate/flux-server/",
        "operate-restart": "/operate/flux-server/orders/restart_server/",
        "operate-inbox": "/operate/flux-server/inbox/",
        "operate-storage": "/operate/storage/",
        "operate-rule": "/operate/storage/rules/new/",
        "operate-strays": "/operate/storage/strays/",
    }
    return [Scene(name, browser, path) for name, path in paths.items()]


def press(key: str) -> Callable[["Page"], object]:
    """Outside of the words, which have the focus when the studio opens."""

    def does(page: "Page") -> None:
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)

    return does


def choose(page: "Page") -> None:
    for box in page.locator(".pic-check input").all()[:3]:
        box.check(force=True)


def ask(page: "Page") -> None:
    choose(page)
    page.get_by_role("button", name="Edit all").click()
    page.wait_for_url("**/batches/new/")


def ask_for_all(browser: Browser, images: list[str]) -> str:
    """The path of a batch of these pictures."""
    library = browser.get("/library/").form(rf"/workspaces/{journey.UUID}/selection\.zip")
    page = browser.submit(Form("/batches/new/", "post", library.fields), picture=images)
    page = browser.submit(page.form("/batches/new/"), picture=images, prompt="on a white background")
    return urlsplit(page.url).path


def found_team(browser: Browser) -> str:
    """A workspace of its own for a team, with an open invitation; the path of its page."""
    page = browser.submit(browser.get("/workspaces/").form("/workspaces/"), name="Spring catalogue")
    path = urlsplit(page.url).path
    browser.submit(page.form(rf"{path}invitations/"), email="colleague@example.com")
    return path


def workspace_here(browser: Browser) -> str:
    """The path of the only workspace there is yet: the personal one, with the pictures."""
    paths = [urlsplit(link).path for link in browser.get("/workspaces/").links]
    journey.need(any(map(WORKSPACE.fullmatch, paths)), "The portal shows no workspace.")
    return next(path for path in paths if WORKSPACE.fullmatch(path))
