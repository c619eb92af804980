"""axe finds nothing, in both themes and on a phone; and nothing scrolls sideways."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page

from editor.jobs.creation import EditSpec
from editor.jobs.recipes import Draft, save
from editor.models import About, GenerationJob, JobState, Notification, User
from editor.notifications import tell, unsubscribing
from tests.browser.conftest import sign_in
from tests.makers import make_image, make_job
from tests.portal import Portal

DESK, PHONE, SMALL = (1440, 860), (390, 844), (360, 640)


@pytest.fixture(params=[("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", SMALL)], ids=str)
def view(request: pytest.FixtureRequest, browser: Browser, portal: Portal, person: User) -> Iterator[Page]:
    theme: Literal["light", "dark"]
    theme, (width, height) = request.param
    size = {"width": width, "height": height}
    context = browser.new_context(color_scheme=theme, viewport=size, base_url=portal.url, reduced_motion="reduce")  # type: ignore[arg-type]
    sign_in(context, person, portal)
    yield context.new_page()
    context.close()


@pytest.fixture
def jobs(person: User) -> dict[str, GenerationJob]:
    """One edit of each kind, all of one stored picture."""
    image = make_image(person, stored=True)
    now = timezone.now()
    done = make_job(person, image, state=JobState.SUCCEEDED, allowance="taken", finished_at=now, samples=2)
    for position in range(2):
        make_image(person, stored=True, kind="generated", job=done, position=position, root=image)
    ended = {"allowance": "released", "finished_at": now}
    return {
        "done": done,
        "failed": make_job(person, image, state=JobState.FAILED, failure_code="vendor", **ended),
        "blocked": make_job(person, image, state=JobState.BLOCKED, **ended),
        "unconfirmed": make_job(person, image, state=JobState.UNCONFIRMED, due_at=None),
        "working": make_job(person, image, state=JobState.PROCESSING, due_at=None),
    }


def problems(page: Page, address: str) -> list[str]:
    page.goto(address)
    page.wait_for_timeout(500)  # the network is never idle where an event stream is open
    found = [
        f"{address} {violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]
    return found + sideways(page, address)


def problems_here(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]


def sideways(page: Page, address: str) -> list[str]:
    """What makes a page scroll sideways."""
    if not page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        return []
    wide = page.evaluate("""() => [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 90))""")
    return [f"{address} scrolls sideways: {wide}"]


def pages_of_variations(done: GenerationJob) -> list[str]:
    """Asking for them, one that is there beside one on its way, and two edits compared."""
    image, person, varied = done.source_image, done.made_by, uuid4()
    fields = {"rerun_of": done, "variation_set": varied, "due_at": None}
    ended = {"state": JobState.SUCCEEDED, "allowance": "taken", "finished_at": timezone.now()}
    there = make_job(person, image, prompt="in other words", strength=0.2, **fields, **ended)
    make_image(person, stored=True, kind="generated", job=there, root=image)
    make_job(person, image, strength=0.9, state=JobState.PROCESSING, **fields)
    pair = f"/edits/compare/?a={done.pk}"
    return [f"/edits/{done.pk}/variations/", f"/edits/variations/{varied}/", pair, f"{pair}&b={there.pk}"]


def pages_of_recipes(done: GenerationJob) -> list[str]:
    """All of them, one, writing one, and one in the dock that is to be filled in."""
    image, person = done.source_image, done.made_by
    draft = Draft("Evening", [EditSpec("Warm {colour} light", "text"), EditSpec("then night")], picture=image)
    chain = save(person, image.workspace, draft, "chain")
    one = save(person, image.workspace, replace(draft, steps=draft.steps[:1]), "one")
    dock = f"/studio/{image.pk}/?recipe={one.pk}"
    return ["/recipes/", f"/recipes/{chain.pk}/", f"/recipes/{chain.pk}/change/", "/recipes/import/", dock]


def pages_of_told(done: GenerationJob) -> list[str]:
    """With somebody's comment, and what a batch came to, which the person may see no more."""
    image, person = done.source_image, done.made_by
    tell(person, About.GUEST, f"image:{image.pk}", "Eve commented on it", guest_name="Eve", image=image)
    Notification.objects.create(person=person, about=About.BATCH, subject="batch", words="Gone")
    token = unsubscribing.address_for(person, [About.GUEST]).rstrip("/").rsplit("/", 1)[1]
    told = ["/notifications/", "/notifications/choices/", f"/unsubscribe/{token}/"]
    return [*told, f"/workspaces/{image.workspace_id}/activity/"]


def test_pages_are_accessible_and_fit(view: Page, jobs: dict[str, GenerationJob]) -> None:
    image = jobs["done"].source_image
    make_image(image.made_by, trashed_at=timezone.now())
    addresses = ["/", "/history/", "/trash/", "/history/?state=done", f"/studio/{image.pk}/", "/nowhere/"]
    addresses += ["/notices/", f"/pictures/{image.pk}/report/"]
    addresses += [f"/studio/{image.pk}/?edit={job.pk}" for job in jobs.values()]
    addresses += [f"/edits/{jobs[name].pk}/" for name in ("done", "failed", "unconfirmed")]
    addresses += pages_of_variations(jobs["done"])
    addresses += pages_of_recipes(jobs["done"])
    addresses += pages_of_told(jobs["done"])
    assert [problem for address in addresses for problem in problems(view, address)] == []


def test_open_panels_are_accessible_and_fit(view: Page, jobs: dict[str, GenerationJob]) -> None:
    address = f"/studio/{jobs['done'].source_image.pk}/"
    view.goto(address)
    found = []
    for panel in view.locator("details[data-menu]").all():
        panel.locator("summary").first.click()
        found += problems_here(view) + sideways(view, address)
        view.keyboard.press("Escape")
    for opener in ("[data-help]", ".slot-second [data-pick]", "[data-recipes]", "button[popovertarget=versions]"):
        view.locator(opener).first.evaluate("element => element.click()")
        view.wait_for_selector("dialog[open], :popover-open")
        found += problems_here(view) + sideways(view, opener)
        view.keyboard.press("Escape")
    assert found == []


def test_welcome_is_accessible_and_fits(view: Page) -> None:
    view.context.clear_cookies()
    assert problems(view, "/") == []


def test_what_is_touched_is_large_enough(browser: Browser, portal: Portal, person: User, jobs: object) -> None:
    assert isinstance(jobs, dict)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, base_url=portal.url
    )
    sign_in(context, person, portal)
    page = context.new_page()
    page.goto(f"/studio/{jobs['done'].source_image.pk}/?edit={jobs['done'].pk}")
    small = page.evaluate("""() => [...document.querySelectorAll('button, summary, a[href]')]
        .filter((e) => e.checkVisibility() && !e.closest('.skip-link, p') && !e.matches('.avatar'))
        .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.height < 40 || box.width < 40))
        .map(([html, box]) => `${html} ${box.width}×${box.height}`)""")
    context.close()
    assert small == []
