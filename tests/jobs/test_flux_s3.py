"""Registering the inbox, by `manage.py flux_s3` and as an order from a page.

Against the sandbox and a store whose keys may do different things.
"""

import io
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

from editor.flux.contract import DEPLOY_TYPE
from editor.flux.errors import FluxError, Verdict
from editor.flux.sandbox import Sandbox
from editor.images import inbox
from editor.jobs import lifecycle, server_orders, trial, vendor
from editor.models import Attempt, FluxServer, GenerationJob, JobState, ServerOrder, User
from editor.models.server_orders import OrderKind, OrderState
from tests import inbox as stores
from tests.inbox import INBOX, Store, secret_of
from tests.makers import make_attempt, make_job, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running_store() -> Iterator[Store]:
    with stores.running() as store:
        yield store


@pytest.fixture
def store(running_store: Store, settings: Settings) -> Store:
    running_store.empty()
    running_store.use(settings)
    settings.JOB_POLL_FIRST = timedelta(milliseconds=20)
    return running_store


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss@example.com", is_superuser=True)


@pytest.fixture(autouse=True)
def _no_secret_is_said(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test makes it say, no part of a key is in it."""
    said.clear()
    yield
    everything = "\n".join(said) + "".join(capsys.readouterr()) + caplog.text
    for key in (stores.PORTAL, stores.THEIRS, stores.READS_ONLY, stores.SEES_PICTURES):
        assert key not in everything


said: list[str] = []


def flux_s3(*words: str) -> str:
    """What it says. Raises CommandError."""
    out = io.StringIO()
    try:
        call_command("flux_s3", *words, stdout=out)
    except CommandError as error:
        said.append(str(error))
        raise
    finally:
        said.append(out.getvalue())
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        flux_s3(*words)
    assert caught.value.returncode == 1
    return str(caught.value)


def answering(monkeypatch: pytest.MonkeyPatch, word: str) -> list[str]:
    """Somebody at the keyboard, who answers with this word; what was asked."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return word

    monkeypatch.setattr("builtins.input", ask)
    return asked


def test_registration_is_proven_by_an_edit(store: Store, sandbox: Sandbox, boss: User, settings: Settings) -> None:
    settings.FLUX_PRICE = 0.012
    text = flux_s3("register", "--yes")
    job = GenerationJob.objects.get()
    assert (job.made_by, job.state, job.samples) == (boss, JobState.SUCCEEDED, 1)
    assert "one paid request, which costs 0.012" in text
    assert f"The test picture arrived in the inbox, as {store.endpoint_url}/{INBOX}/results/" in text
    assert len(sandbox.ledger()["accepted"]) == Attempt.objects.count() == 1
    assert store.keys() == ["results/write-test.txt"]  # the flux server's own, for the sweep to take
    assert "Last results: 1 of 1 came through the inbox." in flux_s3("show")


def test_reset_ends_it(store: Store, sandbox: Sandbox, boss: User) -> None:
    flux_s3("register", "--yes", "--no-test")
    assert "its own bucket again" in flux_s3("reset", "--yes")
    job = _edited(boss)
    assert [inbox.key_of(link) for link in job.attempts.get().outputs] == [None]
    assert "Last results: 0 of 1 came through the inbox." in flux_s3("show")


def _edited(user: User) -> GenerationJob:
    job = trial.begin(user)
    assert trial.follow(job, timedelta(seconds=20))
    return job


def test_it_asks_before_it_pays(store: Store, sandbox: Sandbox, boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "n")
    assert refused("register") == "Nothing was changed."
    assert len(asked) == 1
    assert (sandbox.ledger()["accepted"], GenerationJob.objects.count()) == ([], 0)
    answering(monkeypatch, "y")
    assert "Registered." in flux_s3("register", "--no-test")


def test_without_a_test_nothing_is_paid(store: Store, sandbox: Sandbox) -> None:
    assert "Not tested" in flux_s3("register", "--yes", "--no-test")
    assert sandbox.ledger()["accepted"] == []


@pytest.mark.parametrize("theirs", [stores.READS_ONLY, stores.SEES_PICTURES])
def test_unfit_key_is_not_handed_out(
    store: Store, sandbox: Sandbox, boss: User, settings: Settings, theirs: str
) -> None:
    store.use(settings, theirs=theirs)
    said_no = refused("register", "--yes")
    assert "The flux server's key can" in said_no
    assert sandbox.ledger()["accepted"] == []
    assert [inbox.key_of(link) for link in _edited(boss).attempts.get().outputs] == [None]  # nothing was registered


def test_result_that_came_from_elsewhere_is_said(store: Store, sandbox: Sandbox, boss: User) -> None:
    text = refused("register", "--yes", "--deploy-type", "stable_diffusion")
    assert f"came from {sandbox.origin} instead of {store.endpoint_url}/{INBOX}/results/" in text
    assert "deploy_type is stable_diffusion, and give another one by --deploy-type" in text


def test_failed_test_edit_is_said(store: Store, sandbox: Sandbox, boss: User) -> None:
    sandbox.set_faults({"failed-later": True})
    text = refused("register", "--yes")
    assert "brought no picture: The flux server started this edit and failed." in text
    assert "flux_s3 reset" in text


def test_edit_whose_turn_does_not_come_is_never_paid(store: Store, sandbox: Sandbox, boss: User) -> None:
    FluxServer.objects.current().pause("operator", "Paused by an operator.", timedelta(hours=1))
    text = refused("register", "--yes", "--wait", "0.1")
    assert "nothing was sent" in text
    assert "Paused by an operator." in text
    assert GenerationJob.objects.get().state == JobState.CANCELED


def test_flux_server_that_says_no_is_quoted_without_secrets(
    store: Store, sandbox: Sandbox, boss: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secret_of(stores.THEIRS)

    def parrot(*_: Any) -> None:
        raise FluxError(Verdict.JOB, "field", f"The key {stores.THEIRS} with {secret} is bad.")

    monkeypatch.setattr(vendor.client(), "update_s3", parrot)
    text = refused("register", "--yes")
    assert "The key [FLUX_INBOX_ACCESS_KEY_ID] with [FLUX_INBOX_SECRET_ACCESS_KEY] is bad. Check the" in text


def test_silent_flux_server_is_a_sentence(store: Store, boss: User, settings: Settings) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: refused
        settings.FLUX_BASE_URL = f"http://127.0.0.1:{reserved.getsockname()[1]}/api/v1/enterprise/"
        assert "Try again later." in refused("register", "--yes")
        assert "Try again later." in refused("reset", "--yes")


def test_nothing_set_is_a_sentence(settings: Settings) -> None:
    assert "Set FLUX_INBOX_BUCKET" in refused("register", "--yes")
    assert "downloaded" in flux_s3("show")


def test_test_edit_needs_a_person(store: Store, sandbox: Sandbox, alice: User) -> None:
    assert "no administrator" in refused("register", "--yes")
    assert "Nobody here is bob@" in refused("register", "--yes", "--as", "bob@example.com")
    assert "history of alice@example.com" in flux_s3("register", "--yes", "--as", "Alice@example.com")


def test_show_says_what_lies_there(store: Store, alice: User, settings: Settings) -> None:
    assert "The inbox is empty." in flux_s3("show")
    assert "none yet" in flux_s3("show")
    link = store.put("results/a.png")
    store.put("elsewhere/a.png")
    job = make_job(alice, state=JobState.COLLECTING)
    make_attempt(job, outputs=[link, "https://elsewhere.example/b.png"], vendor_status="success")
    text = flux_s3("show")
    assert "In the inbox: 1, the oldest for 0" in text
    assert "older than 2" in text
    assert "1 of 2 came through the inbox" in text
    store.use(settings, down=True)
    assert "can't be seen" in refused("show")


# The same as an order, which workers carry out ---------------------------------------------------------------------


def ordered(boss: User, kind: OrderKind = OrderKind.REGISTER, **values: Any) -> ServerOrder:
    """Given at a page, and brought to its end as workers do it."""
    given = {"deploy_type": DEPLOY_TYPE, **({"tested": True} if kind == OrderKind.REGISTER else {}), **values}
    order = server_orders.begin(boss, kind, uuid4().hex, **given)
    for _ in range(200):
        ServerOrder.objects.going_on().update(due_at=timezone.now())
        server_orders.look_at(order.pk)
        order.refresh_from_db()
        if order.is_over:
            break
        for job in GenerationJob.objects.unfinished().exclude(due_at=None):
            lifecycle.look_at(job.pk)
    said.append(f"{order.outcome} {order.message} {order.notes} {order.trouble}")
    return order


def test_order_registers_and_proves_it_by_one_edit(store: Store, sandbox: Sandbox, boss: User) -> None:
    order = ordered(boss)
    assert order.state == OrderState.DONE, order.outcome
    assert f"The test picture arrived in the inbox, as {store.endpoint_url}/{INBOX}/results/" in order.outcome
    assert GenerationJob.objects.get() == order.job
    assert len(sandbox.ledger()["accepted"]) == 1
    assert ordered(boss, OrderKind.RESET).state == OrderState.DONE
    assert [inbox.key_of(link) for link in _edited(boss).attempts.get().outputs] == [None]


def test_worker_killed_as_it_makes_the_test_edit_pays_for_one(store: Store, sandbox: Sandbox, boss: User) -> None:
    order = server_orders.begin(boss, OrderKind.REGISTER, uuid4().hex, deploy_type=DEPLOY_TYPE, tested=True)
    made = trial.begin(boss, order.pk.hex)  # and here it died, before it wrote down which edit it was
    ServerOrder.objects.update(state=OrderState.TRYING, deadline_at=timezone.now() + timedelta(minutes=3))
    server_orders.look_at(order.pk)
    order.refresh_from_db()
    assert (order.job, GenerationJob.objects.count()) == (made, 1)


def test_order_says_what_is_wrong_with_a_key(store: Store, sandbox: Sandbox, boss: User, settings: Settings) -> None:
    store.use(settings, theirs=stores.SEES_PICTURES)
    order = ordered(boss)
    assert order.state == OrderState.FAILED
    assert "The flux server's key can read in pictures, where people's pictures are." in order.outcome
    assert (sandbox.ledger()["accepted"], GenerationJob.objects.count()) == ([], 0)


def test_order_whose_test_edit_gets_no_turn_pays_nothing(
    store: Store, sandbox: Sandbox, boss: User, settings: Settings
) -> None:
    settings.FLUX_TRIAL_PATIENCE = timedelta(0)
    FluxServer.objects.current().pause_by_hand("we move")
    order = ordered(boss)
    assert "its turn did not come in 0 s, so nothing was sent. Submission is paused: we move" in order.outcome
    assert GenerationJob.objects.get().state == JobState.CANCELED


def test_order_that_a_killed_worker_left_says_that_it_may_have_been_done(store: Store, boss: User) -> None:
    order = server_orders.begin(boss, OrderKind.RESET, uuid4().hex, deploy_type=DEPLOY_TYPE)
    assert order.start_calling(timedelta(0))
    server_orders.look_at(order.pk)
    order.refresh_from_db()
    assert (order.state, "may have been done or not" in order.outcome) == (OrderState.FAILED, True)


def test_worker_without_an_inbox_says_so(boss: User) -> None:
    order = ordered(boss)
    assert order.outcome.startswith("The worker that did it knows no inbox; start the workers again.")
