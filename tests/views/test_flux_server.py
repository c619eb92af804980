"""The operators' page of the flux server: how it is, brakes, limits, orders, the inbox."""

import socket
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.accounts.roles import OPERATOR
from editor.flux.sandbox import Sandbox
from editor.jobs import recent, server_orders
from editor.models import Attempt, AttemptState, AuditEntry, FluxServer, GenerationJob, JobState, ServerOrder, User
from editor.models.server_orders import OrderKind, OrderState
from tests.makers import make_attempt, make_image, make_job
from tests.people import client_of, make_person, submit
from tests.staff.roles import give_role

PAGE = "/operate/flux-server/"


@pytest.fixture
def operator(db: None, quick_passwords: None) -> User:
    return give_role(make_person("operator"), OPERATOR)


@pytest.fixture
def client(operator: User) -> Client:
    return client_of(operator)


def server() -> FluxServer:
    return FluxServer.objects.current()


def words(client: Client, address: str = PAGE, **how: str) -> str:
    return " ".join(client.get(address, headers=how).content.decode().split())


def with_vendor(user: User, count: int = 1) -> None:
    for _ in range(count):
        make_attempt(make_job(user, make_image(user), state=JobState.PROCESSING), vendor_id=uuid4().hex)


def test_page_is_the_same_work_however_much_was_sent(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with_vendor(alice)
    client.get(PAGE)
    with django_assert_num_queries(14) as few:
        client.get(PAGE)
    with_vendor(alice, 5)
    with django_assert_num_queries(len(few)):
        client.get(PAGE)


def test_page_says_what_became_of_requests_and_what_they_cost(client: Client, alice: User, settings: Settings) -> None:
    settings.FLUX_PRICE = 0.5
    now = timezone.now()
    job = make_job(alice, state=JobState.PROCESSING)
    ended = {"state": AttemptState.ENDED, "vendor_status": "success", "price": 1.5}
    made = {"created_at": now - timedelta(seconds=10), "answered_at": now - timedelta(seconds=8), "ended_at": now}
    make_attempt(job, **ended, **made)
    make_attempt(job, state=AttemptState.REFUSED, reason="bad-key", price=100)
    make_attempt(job, **(ended | {"vendor_status": "failed", "created_at": now - timedelta(hours=3)}))
    make_attempt(job, **(ended | {"created_at": now - timedelta(days=60)}))
    text = words(client)
    assert "<strong>2 requests</strong>" in text
    assert "<strong>3 requests</strong>" in text
    assert "refused: bad-key" in text
    assert "10.0 s, 19 of 20 within 10.0 s" in text
    assert recent.cost_since(now - timedelta(days=1)).money == 3
    assert "at least" not in text


def test_live_part_says_what_the_server_says(client: Client, sandbox: Sandbox) -> None:
    text = words(client, f"{PAGE}details/", HX_Request="true")
    assert "It answers,</strong> within" in text
    assert "<html" not in text
    assert "<html" in words(client, f"{PAGE}details/")  # a link leads here where no script runs


def test_live_part_says_why_there_is_no_answer(client: Client, sandbox: Sandbox, settings: Settings) -> None:
    sandbox.set_faults({"details:bad-key": True})
    assert "It refuses our key." in words(client, f"{PAGE}details/", HX_Request="true")
    sandbox.set_faults({"details:http-502": True})
    assert "it is down, or starting" in words(client, f"{PAGE}details/", HX_Request="true")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: refused
        settings.FLUX_BASE_URL = f"http://127.0.0.1:{reserved.getsockname()[1]}/api/v1/enterprise/"
        assert "Nobody listens at its address." in words(client, f"{PAGE}details/", HX_Request="true")


def test_silent_server_keeps_nobody_waiting_for_long(
    client: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.views.operate.flux_server.PATIENCE", 0.2)
    sandbox.set_faults({"details:hang": True})
    assert "It did not answer within" in words(client, f"{PAGE}details/", HX_Request="true")


def test_refused_key_is_told_with_what_to_do(client: Client) -> None:
    server().pause("bad-key", "Invalid API key", timedelta(minutes=5))
    text = words(client)
    assert "The flux server does not accept our key</strong>, since" in text
    assert "FLUX_API_KEY" in text
    assert "the clock" in text
    submit(client, f"{PAGE}ask/")
    assert not server().paused  # the clock asks at its next tick
    assert server().in_trouble


def test_pause_and_resume_leave_their_lines_in_the_log(client: Client, operator: User) -> None:
    assert submit(client, f"{PAGE}pause/", reason="  ").status_code == 422
    assert not server().paused
    submit(client, f"{PAGE}pause/", reason="we  move the bucket")
    assert server().paused_by_hand
    assert "“we move the bucket”" in words(client)
    submit(client, f"{PAGE}resume/")
    assert not server().in_trouble
    entries = AuditEntry.objects.filter(action__startswith="flux.").order_by("number")
    assert list(entries.values_list("actor", "action", "words")) == [
        (operator.pk, "flux.paused", "we move the bucket"), (operator.pk, "flux.resumed", "")
    ]  # fmt: skip


def test_limits_are_set_and_checked(client: Client, settings: Settings) -> None:
    settings.FLUX_QUEUE_LIMIT = 5
    submit(client, f"{PAGE}limits/", queue_limit="9", outstanding="7")
    assert server().limit == 7
    entry = AuditEntry.objects.get(action="fluxserver.changed")
    assert entry.details["changes"] == [["queue_limit", "", "9"], ["outstanding", "", "7"]]
    for limit, ahead, says in (("", "6", "At most 5"), ("0", "1", "greater than or equal to 1"), ("x", "", "whole")):
        answer = submit(client, f"{PAGE}limits/", queue_limit=limit, outstanding=ahead)
        assert answer.status_code == 422
        assert says in answer.content.decode()
    assert server().limit == 7


def test_order_asks_first_and_says_whom_it_concerns(client: Client, alice: User) -> None:
    with_vendor(alice)
    make_job(alice)
    address = f"{PAGE}orders/clear_queue/"
    text = words(client, address)
    assert "throws away all that waits there, paid or not" in text
    assert "1 edit of 1 person waits longer" in text
    assert "1 edit of 1 person is with the flux server" in text
    assert ServerOrder.objects.count() == 0
    assert submit(client, address, form_token=uuid4().hex).status_code == 422
    token = uuid4().hex
    for _ in range(2):  # a double click
        submit(client, address, form_token=token, reason="slow")
    order = ServerOrder.objects.get()
    assert (order.kind, order.state, order.open_at_first) == ("clear_queue", OrderState.DRAINING, 1)
    assert "Clear the queue: waiting for what is under way" in words(client)
    assert "Clear the queue” of Operator goes on" in words(client, f"{PAGE}orders/restart_server/")
    assert client.get(f"{PAGE}orders/update_s3/").status_code == 404


def test_form_of_an_order_that_is_over_begins_nothing_and_says_so(client: Client, operator: User) -> None:
    token = uuid4().hex
    server_orders.withdraw(operator, server_orders.begin(operator, OrderKind.RESTART, token, "slow"))
    fields = {"form_token": token, "reason": "slow"}
    page = client.post(f"{PAGE}orders/restart_server/", fields, follow=True)
    assert "This form was sent before" in page.content.decode()
    assert ServerOrder.objects.count() == 1


def test_dashboard_says_that_an_order_ends_by_itself(client: Client, operator: User) -> None:
    server_orders.begin(operator, OrderKind.CLEAR_CACHE, uuid4().hex, "slow")
    assert "then it goes on by itself" in words(client, "/operate/")
    assert "until somebody resumes it" not in words(client, "/operate/")


@pytest.mark.parametrize("kind", ["a\0b", "a b", "<b>", "x" * 41])
def test_inbox_is_given_up_for_a_kind_of_server_that_can_be_one(client: Client, kind: str) -> None:
    assert client.post(f"{PAGE}inbox/reset/", {"deploy_type": kind}).status_code == 422
    assert not ServerOrder.objects.exists()


def test_waiting_is_broken_off_or_ended_by_a_second_decision(client: Client, operator: User, alice: User) -> None:
    with_vendor(alice)
    order = server_orders.begin(operator, OrderKind.RESTART, uuid4().hex, "slow")
    assert "1 edit of 1 person</strong> has not ended there" in words(client, f"{PAGE}orders/{order.pk}/hurry/")
    submit(client, f"{PAGE}resume/")
    assert server().paused  # nobody resumes what an order paused
    submit(client, f"{PAGE}orders/{order.pk}/hurry/")
    order.refresh_from_db()
    assert order.hurried_by == operator
    submit(client, f"{PAGE}orders/{order.pk}/withdraw/")
    order.refresh_from_db()
    assert (order.state, server().in_trouble) == (OrderState.WITHDRAWN, False)
    over = client.get(f"{PAGE}orders/{order.pk}/hurry/", follow=True)
    assert "Nobody waits any longer already." in over.content.decode()
    assert client.get(f"{PAGE}orders/{uuid4()}/hurry/").status_code == 404


@pytest.mark.parametrize(
    ("state", "values", "says"),
    [
        (OrderState.CALLING, {}, "If whoever tells it dies now, it is not told again"),
        (OrderState.WATCHING, {"verdict": "done", "message": "Bye."}, "says: “Bye.”"),
        (OrderState.WATCHING, {"verdict": "unknown", "trouble": "502"}, "Nobody knows whether it was done."),
    ],
)
def test_page_says_how_far_an_order_is(
    client: Client, operator: User, state: OrderState, values: dict[str, str], says: str
) -> None:
    order = server_orders.begin(operator, OrderKind.RESTART, uuid4().hex, "slow")
    ServerOrder.objects.filter(pk=order.pk).update(state=state, deadline_at=timezone.now(), **values)
    assert says in words(client, f"{PAGE}state/", HX_Request="true")
    assert client.get(f"{PAGE}state/").status_code == 302
    seen = words(client, f"{PAGE}state/", HX_Request="true").split("?seen=")[1][:16]
    assert client.get(f"{PAGE}state/?seen={seen}", headers={"HX-Request": "true"}).status_code == 204
    order.refresh_from_db()
    assert order.finish("It went well.")
    assert "It went well." in words(client, f"{PAGE}state/?seen={seen}", HX_Request="true")


def test_inbox_is_registered_by_a_worker_not_by_the_page(client: Client, settings: Settings) -> None:
    assert "There is no inbox. Set FLUX_INBOX_BUCKET" in words(client, f"{PAGE}inbox/")
    submit(client, f"{PAGE}inbox/", deploy_type="flux_kontext_dev", tested="on")
    assert not ServerOrder.objects.exists()
    settings.FLUX_INBOX, settings.FLUX_INBOX_BUCKET = True, "retake-inbox"
    settings.FLUX_INBOX_SECRET_ACCESS_KEY = "never-seen-anywhere"
    text = words(client, f"{PAGE}inbox/")
    assert "retake-inbox, folder results/" in text
    assert "never-seen-anywhere" not in text
    assert submit(client, f"{PAGE}inbox/", deploy_type="a b").status_code == 422
    submit(client, f"{PAGE}inbox/", deploy_type="flux_kontext_dev", tested="on", form_token=uuid4().hex)
    order = ServerOrder.objects.get()
    assert (order.kind, order.state, order.tested) == ("update_s3", OrderState.CHECKING, True)
    assert (GenerationJob.objects.count(), Attempt.objects.count(), server().paused) == (0, 0, False)
    assert "trying the keys" in words(client)
