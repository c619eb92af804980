"""Clearing, restarting and updating the flux server: drained first, told once, watched, and what waits goes on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from editor.flux.client import FluxClient
from editor.flux.contract import Notice
from editor.flux.errors import FluxError, Verdict
from editor.flux.sandbox import Sandbox
from editor.jobs import admission, brakes, checks, clock, lifecycle, pauses, server_orders, vendor
from editor.jobs.failures import explain
from editor.jobs.server_orders import Busy
from editor.models import Attempt, AttemptState, AuditEntry, FluxServer, GenerationJob, JobState, ServerOrder, User
from editor.models.server_orders import OrderKind, OrderState
from tests.makers import make_attempt, make_image, make_job, make_user
from tests.portal import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss@example.com")


@pytest.fixture(autouse=True)
def _soon(settings: Settings) -> None:
    settings.FLUX_ORDER_LOOK = timedelta(0)
    settings.FLUX_ORDER_SETTLED = timedelta(0)


class Told:
    """What the flux server is told, and what it answers; `well` is what system_details say."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.answer: FluxError | str = "As you wish."
        self.well = True

    def order(self, name: str) -> Callable[[FluxClient], Notice]:
        def told(client: FluxClient) -> Notice:
            self.orders.append(name)
            if isinstance(self.answer, FluxError):
                raise self.answer
            return Notice(message=self.answer)

        return told

    def details(self) -> None:
        if not self.well:
            raise FluxError(Verdict.LATER, "server-error", "502 Bad Gateway")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """A flux server that notes what it is told, so that no test waits for one to restart."""
    told = Told()
    for name in ("clear_cache", "clear_queue", "restart_server", "update_server"):
        monkeypatch.setattr(FluxClient, name, told.order(name))
    monkeypatch.setattr(FluxClient, "system_details", lambda client: told.details())
    return told


def begin(boss: User, kind: OrderKind = OrderKind.RESTART, token: str = "", **values: Any) -> ServerOrder:
    return server_orders.begin(boss, kind, token or uuid4().hex, "it answers slowly", **values)


def look(order: ServerOrder) -> ServerOrder:
    ServerOrder.objects.filter(pk=order.pk).exclude(due_at=None).update(due_at=timezone.now())
    server_orders.look_at(order.pk)
    order.refresh_from_db()
    return order


def running(alice: User, state: JobState = JobState.PROCESSING, **fields: Any) -> Attempt:
    now = timezone.now()
    times = {"due_at": now + timedelta(minutes=1), "deadline_at": now + timedelta(minutes=30)}
    job = make_job(alice, make_image(alice), state=state, **times)
    vendor_id = None if state == JobState.UNCONFIRMED else uuid4().hex
    kind = AttemptState.UNKNOWN if state == JobState.UNCONFIRMED else AttemptState.OPEN
    return make_attempt(job, **({"state": kind, "vendor_id": vendor_id} | fields))


def server() -> FluxServer:
    return FluxServer.objects.current()


def test_nothing_is_sent_while_it_drains_and_it_is_told_once_all_have_ended(
    boss: User, alice: User, told: Told
) -> None:
    attempt, waiting = running(alice), make_job(alice)
    order = begin(boss)
    assert admission.admit() is None
    assert "being looked after (“it answers slowly”)" in pauses.sentence(server())
    assert (look(order).state, told.orders) == (OrderState.DRAINING, [])
    attempt.move({AttemptState.OPEN}, AttemptState.ENDED)
    look(look(order))
    assert (order.state, order.verdict, order.left_open) == (OrderState.DONE, "done", 0)
    assert told.orders == ["restart_server"]
    assert not server().in_trouble
    admitted = admission.admit()
    assert admitted is not None
    assert admitted[0].pk == waiting.pk


def test_it_is_watched_until_it_is_well_for_a_while(boss: User, told: Told, settings: Settings) -> None:
    settings.FLUX_ORDER_SETTLED = timedelta(seconds=15)
    order = look(begin(boss))
    assert look(order).state == OrderState.WATCHING  # well, but perhaps it goes down only now
    told.well = False
    assert (look(order).well_since, order.trouble) == (None, "502 Bad Gateway")
    told.well = True
    assert look(order).state == OrderState.WATCHING
    ServerOrder.objects.update(well_since=timezone.now() - timedelta(seconds=16))
    assert look(order).state == OrderState.DONE


def test_server_that_does_not_come_back_is_a_trouble_that_the_clock_ends(
    boss: User, told: Told, settings: Settings
) -> None:
    order, told.well = look(begin(boss)), False
    ServerOrder.objects.update(deadline_at=timezone.now())
    assert look(order).state == OrderState.FAILED
    assert "not well again within 20 min. It said last: 502 Bad Gateway" in order.outcome
    now = server()
    assert (now.paused_by_hand, now.pause_reason) == (False, "broken")
    told.well = True
    pauses.end_of_pause(now)
    assert server().tried_singly


def test_broken_off_before_it_was_told_nothing_was_done(boss: User, alice: User, told: Told) -> None:
    running(alice)
    order = look(begin(boss))
    server_orders.withdraw(boss, order)
    assert (look(order).state, told.orders, server().in_trouble) == (OrderState.WITHDRAWN, [], False)
    with pytest.raises(Busy, match="too late"):
        server_orders.withdraw(boss, order)


def test_second_decision_ends_the_waiting(boss: User, alice: User, told: Told) -> None:
    attempt = running(alice)
    order = look(begin(boss))
    server_orders.hurry(boss, order)
    with pytest.raises(Busy):
        server_orders.hurry(boss, order)
    look(order)
    attempt.refresh_from_db()
    assert (told.orders, order.left_open, attempt.cut_by_id) == (["restart_server"], 1, order.pk)
    actions = AuditEntry.objects.filter(action__startswith="flux.").order_by("number").values_list("action", flat=True)
    assert list(actions)[:2] == ["flux.restart_server", "flux.order_hurried"]


def test_unconfirmed_request_ends_as_restarted_and_stays_in_the_ledger(boss: User, alice: User, told: Told) -> None:
    attempt = running(alice, JobState.UNCONFIRMED, verdict="unknown")
    order = look(begin(boss))
    server_orders.hurry(boss, order)
    look(look(order))
    attempt.refresh_from_db()
    job = attempt.job
    assert (order.state, job.state, job.failure_code) == (OrderState.DONE, JobState.FAILED, "server_restarted")
    assert (attempt.state, attempt.verdict, job.allowance) == (AttemptState.LOST, "unknown", "released")
    failure = explain(job)
    assert failure is not None
    assert failure.remedy == "run_again"


def test_unconfirmed_request_keeps_its_owners_choice_where_nobody_knows_of_a_restart(
    boss: User, alice: User, told: Told
) -> None:
    told.answer = FluxError(Verdict.LATER, "timeout", "No answer in time.")
    attempt = running(alice, JobState.UNCONFIRMED)
    order = look(begin(boss))
    server_orders.hurry(boss, order)
    look(look(order))
    attempt.job.refresh_from_db()
    assert (order.state, order.verdict, attempt.job.state) == (OrderState.DONE, "unknown", JobState.UNCONFIRMED)


@pytest.mark.parametrize(
    ("verdict", "reason", "says", "pause"),
    [
        (Verdict.ACCOUNT, "bad-key", "did not do it: Invalid API key", ""),
        (Verdict.LATER, "refused-connection", "can't be reached: Invalid API key", "unreachable"),
    ],
)
def test_what_was_not_done_is_said_and_edits_go_on(
    boss: User, alice: User, told: Told, verdict: Verdict, reason: str, says: str, pause: str
) -> None:
    told.answer = FluxError(verdict, reason, "Invalid API key")
    attempt = running(alice)
    order = look(begin(boss))
    server_orders.hurry(boss, order)
    look(order)
    attempt.refresh_from_db()
    assert order.state == OrderState.FAILED
    assert says in order.outcome
    assert (server().pause_reason, attempt.cut_by_id) == (pause, None)


def test_worker_killed_between_the_call_and_its_note_tells_nobody_twice(boss: User, told: Told) -> None:
    order = begin(boss)
    assert order.start_calling(timedelta(minutes=1))  # as the worker does before it calls; here it dies
    assert look(order).state == OrderState.CALLING  # its lease runs
    ServerOrder.objects.update(lease_until=timezone.now())
    assert look(order).state == OrderState.WATCHING
    assert (order.verdict, order.message) == ("unknown", server_orders.NOBODY_KNOWS)
    assert look(order).state == OrderState.DONE
    assert told.orders == []


def test_double_click_and_two_operators_give_one_order(boss: User, told: Told) -> None:
    first = begin(boss, token="the same form")
    assert begin(boss, token="the same form") == first
    with pytest.raises(Busy, match="“Restart” goes on already"):
        begin(make_user(), OrderKind.CLEAR_QUEUE)
    look(look(first))
    assert begin(boss, token="the same form") == first  # sent again by a browser that goes back
    assert told.orders == ["restart_server"]


@pytest.mark.django_db(transaction=True)
def test_operators_at_the_very_same_moment_give_one_order(boss: User, settings: Settings) -> None:
    server()
    ready = Barrier(4)

    def give(kind: OrderKind) -> str:
        try:
            ready.wait(10)
            return str(begin(boss, kind).pk)
        except Busy as busy:
            return str(busy)
        finally:
            connection.close()

    kinds = [OrderKind.RESTART, OrderKind.RESTART, OrderKind.CLEAR_QUEUE, OrderKind.UPDATE]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(give, kinds))
    assert sum("goes on already" in each for each in told) == 3
    assert str(ServerOrder.objects.get().pk) in told


def test_pause_made_by_hand_outlasts_an_order(boss: User, told: Told) -> None:
    brakes.pause(boss, server(), "we move")
    order = begin(boss)
    assert server().pause_detail == "we move"
    look(look(order))
    assert (order.state, server().paused_by_hand) == (OrderState.DONE, True)
    brakes.resume(boss, server())
    order = begin(boss)
    brakes.pause(boss, server(), "while it restarts")
    look(look(order))
    assert server().pause_detail == "while it restarts"


def test_nobody_resumes_while_an_order_goes_on(boss: User, told: Told) -> None:
    begin(boss)
    with pytest.raises(Busy, match="Break it off first"):
        brakes.resume(boss, server())
    assert server().paused


def test_clearing_the_cache_cuts_nothing(boss: User, alice: User, told: Told) -> None:
    attempt = running(alice)
    order = begin(boss, OrderKind.CLEAR_CACHE)
    server_orders.hurry(boss, order)
    look(look(order))
    attempt.refresh_from_db()
    assert (order.state, attempt.cut_by_id) == (OrderState.DONE, None)


def test_clock_rings_for_an_order(boss: User, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[UUID] = []
    order = begin(boss)
    monkeypatch.setattr("editor.rings.ring_order", rung.append)
    clock.tick()
    assert rung == [order.pk]


@pytest.mark.parametrize("kind", [OrderKind.RESTART, OrderKind.CLEAR_QUEUE])
def test_edit_that_the_server_loses_ends_as_restarted_and_the_next_one_runs(
    kind: OrderKind, boss: User, alice: User, settings: Settings
) -> None:
    """Against a sandbox that really goes down, and really loses what it worked on."""
    with Sandbox(seconds=30, slots=1, key=settings.FLUX_API_KEY, restart_seconds=0.3) as sandbox:
        settings.FLUX_BASE_URL, settings.FLUX_SEES_US_AT, settings.S3_PUBLIC = sandbox.base_url, "", True
        lost = make_job(alice, make_image(alice, stored=True))
        lifecycle.look_at(lost.pk)
        lost.refresh_from_db()
        assert lost.state == JobState.PROCESSING
        order = begin(boss, kind)
        waiting = make_job(alice, make_image(alice, stored=True))
        lifecycle.look_at(waiting.pk)
        assert look(order).state == OrderState.DRAINING
        server_orders.hurry(boss, order)
        wait_until(lambda: look(order).is_over)
        assert order.state == OrderState.DONE, order.outcome
        assert (order.verdict, order.left_open) == ("done", 1)
        checks.check_due()
        lost.refresh_from_db()
        assert (lost.state, lost.failure_code) == (JobState.FAILED, "server_restarted")
        assert lost.attempts.get().verdict == "accepted"
        GenerationJob.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
        lifecycle.look_at(waiting.pk)
        waiting.refresh_from_db()
        assert waiting.state == JobState.PROCESSING
        assert len(sandbox.ledger()["accepted"]) == 2
    vendor.client_for.cache_clear()
