"""The flux server's page, by whoever runs the portal: a key that is refused, and results that arrive in an inbox."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from editor import rings
from editor.accounts.roles import OPERATOR
from editor.models import Attempt, FluxServer, GenerationJob, JobState, User
from tests import inbox as stores
from tests.browser.conftest import sign_in
from tests.browser.journey import PATIENCE
from tests.inbox import INBOX, PICTURES, PORTAL, THEIRS, Store, secret_of
from tests.makers import make_image, make_job
from tests.people import make_person
from tests.portal import KEY, PROCESSES, Portal, wait_until
from tests.staff.roles import give_role

PAGE = "/operate/flux-server/"
ASKED_BY = ("web", "edits", "clock")  # the processes that talk to the flux server


@pytest.fixture
def operator(portal: Portal) -> User:
    return give_role(make_person(f"operator-{uuid4().hex[:8]}"), OPERATOR)


@pytest.fixture
def operating(page: Page, operator: User, portal: Portal) -> Iterator[Page]:
    sign_in(page.context, operator, portal)
    yield page
    FluxServer.objects.current().resume()


def test_refused_key_is_noticed_understood_and_replaced_and_work_goes_on(
    operating: Page, person: User, portal: Portal, complaints: list[str]
) -> None:
    page = operating
    portal.renew(*ASKED_BY, FLUX_API_KEY="revoked-by-somebody")
    try:
        job = make_job(person, make_image(person, stored=True))
        rings.ring_job(job.pk)
        page.goto(PAGE)
        state, details = page.locator("#flux-state"), page.locator("#flux-details")
        expect(state).to_contain_text("The flux server does not accept our key", timeout=PATIENCE)
        expect(state).to_contain_text("Put a good one into FLUX_API_KEY")
        expect(details).to_contain_text("It refuses our key.", timeout=PATIENCE)
        page.get_by_role("button", name="Try it now").click()  # in vain
        expect(state).to_contain_text("does not accept our key")
    finally:
        page.goto("about:blank")  # which asks nobody while the web process is away
        portal.renew(*ASKED_BY, FLUX_API_KEY=KEY)
    page.goto(PAGE)
    expect(details).to_contain_text("It answers", timeout=PATIENCE)
    again = page.get_by_role("button", name="Try it now")
    wait_until(lambda: again.count() > 0 or not FluxServer.objects.current().in_trouble)
    if again.count():
        again.click()
    expect(state).to_contain_text("Edits are being sent.", timeout=PATIENCE)
    wait_until(lambda: GenerationJob.objects.get(pk=job.pk).state == JobState.SUCCEEDED, what="The edit")
    assert len(portal.accepted_for(job)) == 1
    assert complaints == []


@pytest.fixture
def store() -> Iterator[Store]:
    with stores.running() as store:
        yield store


def test_inbox_is_registered_and_a_result_arrives_in_it(
    operating: Page, operator: User, portal: Portal, store: Store, complaints: list[str]
) -> None:
    page = operating
    before = {name: portal.environ[name] for name in portal.environ if name.startswith("S3_")}
    inbox = {"BUCKET": INBOX, "PUBLIC_URL": f"{store.endpoint_url}/{INBOX}", "ACCESS_KEY_ID": THEIRS}
    inbox["SECRET_ACCESS_KEY"] = secret_of(THEIRS)
    portal.renew(
        *PROCESSES,
        S3_ENDPOINT_URL=store.endpoint_url,
        S3_BUCKET=PICTURES,
        S3_ACCESS_KEY_ID=PORTAL,
        S3_SECRET_ACCESS_KEY=secret_of(PORTAL),
        **{f"FLUX_INBOX_{name}": value for name, value in inbox.items()},
    )
    try:
        page.goto(PAGE)
        page.get_by_role("link", name="Inbox …").click()
        expect(page.get_by_text("The inbox is empty.")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Register the inbox").click()
        told = page.get_by_role("list", name="What it was told last")
        expect(told).to_contain_text("The test picture arrived in the inbox", timeout=3 * PATIENCE)
        link = str(Attempt.objects.get(job__made_by=operator).outputs[0])
        assert link.startswith(f"{store.endpoint_url}/{INBOX}/results/")
        expect(told).to_contain_text(link)
        assert secret_of(THEIRS) not in page.content() + portal.said(400)
        assert complaints == []
        page.goto(f"{PAGE}inbox/reset/")
        page.get_by_role("button", name="Stop using the inbox").click()
        expect(told).to_contain_text("Stop using the inbox", timeout=PATIENCE)
    finally:
        page.goto("about:blank")
        portal.renew(*PROCESSES, **before, **{f"FLUX_INBOX_{name}": "" for name in inbox})
