"""What there is to see of review, sharing, being told and downloads: a team of two, and guests of theirs."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.demo import journey
from tests.demo.browser import Browser
from tests.shots.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHOTOS = ("coffee.jpg", "cat.jpg", "astronaut.jpg")
PASSWORD = "tulips in may"  # of a link


def find_all(owner: Browser, colleague: Browser) -> list[Scene]:
    """As an owner, their colleague, and guests with and without a password. Raises JourneyError."""
    journey.sign_up(owner)
    team = found_team(owner, colleague, journey.sign_up(colleague))
    cup, cat, moon = images = [upload_to(owner, team, name) for name in PHOTOS]
    for image in images:
        journey.wait_until_ready(owner, image)
    talk(owner, colleague, cup)
    edits = [journey.edit(owner, cup, "put it on a white table"), journey.edit(owner, cup, "pop art")]
    for edit in edits:
        journey.wait_for_edit(owner, edit)
    result, other = (journey.result_of(owner, edit) for edit in edits)
    ask(owner, cat, "review", note="Is the fur sharp enough?")
    ask(owner, result, "propose", replaces=cup)
    decide(owner, moon, "approve")
    decide(owner, other, "reject", why="The cup has two handles now.")
    culling = cull(owner, team)
    may: dict[str, Any] = dict.fromkeys(("may_comment", "may_decide", "may_download"), "on")
    link, open_link = share(owner, cup, title="Spring catalogue", **may)
    _, closed = share(owner, moon, password=PASSWORD, watermark="Draft")
    gone, revoked = share(owner, cat)
    owner.submit(owner.get(gone).form(rf"{gone}revoke/"))
    owners = {
        "picture-talk": f"/pictures/{cup}/",
        "picture-approved": f"/pictures/{moon}/",
        "picture-rejected": f"/pictures/{other}/",
        "ask": f"/pictures/{other}/review/",
        "propose": f"/pictures/{other}/propose/",
        "cull-begin": f"{team}cull/",
        "cull": culling,
        "link": link,
        "link-new": f"/pictures/{cup}/share/",
        "links": f"{team}shares/",
        "download": f"/pictures/{cup}/download/",
        "presets": f"{team}downloads/",
        "activity": f"{team}activity/",
    }
    colleagues = {
        "reviews": "/reviews/",
        "review": review_of(colleague, cat),
        "proposal": review_of(colleague, result),
        "notifications": "/notifications/",
        "notification-choices": "/notifications/choices/",
    }
    guest = Browser(owner.url)
    scenes = [Scene(name, owner, path) for name, path in owners.items()]
    scenes += [Scene(name, colleague, path) for name, path in colleagues.items()]
    guests = {"guest": open_link, "guest-password": closed, "guest-gone": revoked, "guest-nowhere": "/s/never-was-any/"}
    scenes += [Scene(name, guest, path) for name, path in guests.items()]
    return [
        *scenes,
        Scene("bell", colleague, "/", open_bell),
        Scene("link-refused", owner, f"/pictures/{cup}/share/", refuse_link),
    ]


def found_team(owner: Browser, colleague: Browser, address: str) -> str:
    """A workspace of both; its path."""
    page = owner.submit(owner.get("/workspaces/").form("/workspaces/"), name="Spring catalogue")
    team = urlsplit(page.url).path
    owner.submit(page.form(rf"{team}invitations/"), email=address)
    link = journey.find_letter(colleague, address).link(r"/join/[\w-]+/")
    journey.need(link, "The invitation has no link.")
    joining = colleague.get(str(link))
    colleague.submit(joining.form(r"/join/[\w-]+/"))
    return team


def upload_to(browser: Browser, team: str, name: str) -> str:
    """Upload one of the samples into a workspace; returns the picture's id."""
    form = browser.get("/").form("/images/")
    data = (journey.SAMPLES / name).read_bytes()
    page = browser.submit(form, files={"file": (name, data, "image/jpeg")}, workspace=team.split("/")[2])
    return journey.id_in(page.url, rf"/studio/({journey.UUID})/")


def talk(owner: Browser, colleague: Browser, image: str) -> None:
    """A thread about a point, with an answer, and one that is resolved."""
    say(owner, image, "The handle is a bit dark.", x="0.62", y="0.41")
    say(colleague, image, "True. I will lift the shadows.", which=1)
    say(colleague, image, "Can we have more room on the left?", x="0.2", y="0.7")


def say(browser: Browser, image: str, words: str, which: int = 0, **point: Any) -> None:
    """Write into the first form on the picture's page, for a new thread, or into that of a thread."""
    page = browser.get(f"/pictures/{image}/")
    forms = [form for form in page.forms if urlsplit(form.action).path == f"/pictures/{image}/comments/"]
    journey.need(len(forms) > which, "The picture's page has no such form for comments.")
    browser.submit(forms[which], text=words, **point)


def ask(browser: Browser, image: str, how: str, **fields: Any) -> None:
    """Ask everybody else of the workspace for a review, or propose the picture in the place of another one."""
    page = browser.get(f"/pictures/{image}/{how}/")
    people = re.findall(r'name="person" value="(\d+)"', page.response.text)
    journey.need(people, "Nobody can be asked for a review.")
    browser.submit(page.form(rf"/pictures/{image}/{how}/"), person=people, **fields)


def review_of(browser: Browser, image: str) -> str:
    """The path of the review of a picture that waits for this person."""
    link = browser.get(f"/pictures/{image}/").link(rf"/reviews/{journey.UUID}/")
    journey.need(link, "The picture's page leads to no review.")
    return urlsplit(str(link)).path


def decide(browser: Browser, image: str, what: str, **fields: Any) -> None:
    page = browser.get(f"/pictures/{image}/")
    browser.submit(page.form(rf"/pictures/{image}/decide/"), what=what, **fields)


def cull(browser: Browser, team: str) -> str:
    """Begin to go through all that are in review; the path of it."""
    page = browser.get(f"{team}cull/")
    fields: dict[str, Any] = {"from": "review"}
    return urlsplit(browser.submit(page.form(rf"{team}cull/"), **fields).url).path


def share(browser: Browser, image: str, **fields: Any) -> tuple[str, str]:
    """Make a link to a picture; the paths of its own page, and of the one that guests open."""
    page = browser.get(f"/pictures/{image}/share/")
    made = browser.submit(page.form(rf"/pictures/{image}/share/"), **fields)
    address = made.link(r"/s/[\w-]+/")
    journey.need(address, "The link has no address to pass on.")
    return urlsplit(made.url).path, urlsplit(str(address)).path


def open_bell(page: "Page") -> None:
    page.locator(".bell > summary").click()
    page.locator(".bell-news > *").first.wait_for()


def refuse_link(page: "Page") -> None:
    page.get_by_label("Password", exact=True).fill("abc")
    page.get_by_role("button", name="Make the link").click()
    page.wait_for_load_state("load")
