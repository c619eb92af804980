"""Clearing, restarting and updating the flux server, and registering our inbox there: who gives the order, what is
carried out by whatever worker looks next, and what is done at most once.

What an operator has done to the server is drained first: a pause by hand lets nothing leave, and what is under way may
end. The call is made by the one worker that moved the order to `calling` before; whoever finds it there later knows
that the other one died, and only watches. When the server is well again, what waits goes on.
"""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor import rings
from editor.flux.contract import Notice
from editor.flux.errors import FluxError, Verdict
from editor.jobs import admission, inbox_orders, lifecycle, stopping, vendor
from editor.jobs.heartbeat import kept
from editor.log_context import about
from editor.models import Attempt, AttemptState, FluxServer, GenerationJob, JobState, ServerOrder, User
from editor.models.attempts import AttemptQuerySet
from editor.models.server_orders import DRAINED, LOSING, OrderKind, OrderState
from editor.moderation import audit

log = logging.getLogger(__name__)

MOST_STEPS = 4  # of one look; the clock does the rest
PATIENCE = 30.0  # seconds for the answer to an order
NEVER_LEFT = {"refused-connection", "connect-timeout", "tls", "address"}
DONE, REFUSED, NOT_SENT, UNKNOWN = "done", "refused", "not-sent", "unknown"
NOBODY_KNOWS = "Whoever told the flux server died before the answer was written down."


class Busy(Exception):  # noqa: N818  a sentence for the operator
    """Another order goes on, or this one is past the point; the text says so."""


def begin(person: User, kind: OrderKind, token: str, reason: str = "", **values: Any) -> ServerOrder:
    """Give an order; the same form token again: the order that it gave. Raises Busy."""
    try:
        with transaction.atomic():
            server = FluxServer.objects.locked()
            if known := ServerOrder.objects.filter(form_token=token).first():
                return known
            if other := going_on(server):
                raise Busy(f"“{other.get_kind_display()}” goes on already. Nothing was done.")
            if kind in DRAINED:
                server.pause_for_order(reason)
            states = {OrderKind.REGISTER: OrderState.CHECKING, OrderKind.RESET: OrderState.CHECKING}
            order = ServerOrder.objects.create(
                server=server,
                kind=kind,
                state=states.get(kind, OrderState.DRAINING),
                made_by=person,
                reason=reason[:200],
                form_token=token,
                open_at_first=admission.under_way(server).count(),
                due_at=timezone.now(),
                **values,
            )
            rings.ring_order(order.pk)
            audit.record(person, f"flux.{kind}", server, reason, order=str(order.pk))
            return order
    except IntegrityError:  # SQLite and PostgreSQL both come here only past the lock
        if known := ServerOrder.objects.filter(form_token=token).first():
            return known
        raise Busy("Another order goes on already. Nothing was done.") from None


def going_on(server: FluxServer) -> ServerOrder | None:
    return ServerOrder.objects.going_on().filter(server=server).select_related("made_by", "job").first()


def withdraw(person: User, order: ServerOrder) -> None:
    """Break it off while it drains: nothing was done, and what waits goes on. Raises Busy."""
    with transaction.atomic():
        server = FluxServer.objects.locked()
        order.refresh_from_db()
        if not order.withdraw():
            raise Busy("It is too late to break it off: the flux server was told, or is being told.")
        server.resume_after_order()
        audit.record(person, "flux.order_withdrawn", server, order.get_kind_display(), order=str(order.pk))
    lifecycle.ring_next()


def hurry(person: User, order: ServerOrder) -> None:
    """Don't wait any longer for what is under way. Raises Busy."""
    with transaction.atomic():
        if not order.hurry(person):
            raise Busy("Nobody waits any longer already.")
        rings.ring_order(order.pk)
        audit.record(person, "flux.order_hurried", order.server, order.get_kind_display(), order=str(order.pk))


def look_at(order_id: UUID) -> None:
    """Bring an order as far as it goes without waiting."""
    for _ in range(MOST_STEPS):
        order = ServerOrder.objects.select_related("server", "made_by", "job").filter(pk=order_id).first()
        due = order is not None and order.due_at is not None and order.due_at <= timezone.now()
        if order is None or order.is_over or order.leased or not due or stopping.asked():
            return
        with about(order=order.pk):
            if not (_step(order) if order.drains else inbox_orders.step(order)):
                return


def _step(order: ServerOrder) -> bool:
    """One unit of work. True if another look may be worth it at once."""
    match order.state:
        case OrderState.DRAINING:
            return _drain(order)
        case OrderState.CALLING:
            if not order.claim({OrderState.CALLING}, settings.JOB_LEASE):
                return False
            return _note(order, UNKNOWN, NOBODY_KNOWS)
        case OrderState.WATCHING:
            return order.claim({OrderState.WATCHING}, settings.JOB_LEASE) and _watch(order)
        case _:
            return False


def _drain(order: ServerOrder) -> bool:
    """Look whether all that was under way has ended, or need not be waited for; then tell the server, once."""
    with transaction.atomic():
        server = FluxServer.objects.locked()
        order.refresh_from_db()
        if order.state != OrderState.DRAINING:
            return False
        if not server.paused_by_hand:
            server.pause_for_order(order.reason)
        under_way = admission.under_way(server)
        left = under_way.count()
        if left and order.hurried_at is None:
            order.look_later(timezone.now() + settings.FLUX_ORDER_LOOK)
            return False
        if order.kind in LOSING:
            under_way.update(cut_by=order)
        if not order.start_calling(settings.JOB_LEASE, left_open=left):
            return False
    log.info("The flux server is told: %s; %s requests are under way.", order.kind, left)
    with kept(order, settings.JOB_LEASE):
        verdict, message = call(order)
    return _note(order, verdict, message)


def call(order: ServerOrder) -> tuple[str, str]:
    """Tell the flux server; what became of it, and its words."""
    client = vendor.client(PATIENCE)
    try:
        notice: Notice = getattr(client, OrderKind(order.kind).value)()
    except FluxError as error:
        if error.verdict in {Verdict.ACCOUNT, Verdict.JOB}:
            return REFUSED, error.message
        return (NOT_SENT if error.reason in NEVER_LEFT else UNKNOWN), error.message
    return DONE, notice.message


def _note(order: ServerOrder, verdict: str, message: str) -> bool:
    """Write down what the call came to. What was not done is over; everything else is watched."""
    if verdict in {DONE, UNKNOWN}:
        due_at = timezone.now() + settings.FLUX_ORDER_LOOK
        order.start_watching(verdict, message, due_at, settings.FLUX_ORDER_PATIENCE)
        return False
    why = "did not do it" if verdict == REFUSED else "can't be reached"
    with transaction.atomic():
        server = FluxServer.objects.locked()
        if order.fail(f"The flux server {why}: {message} Nothing was changed there.", verdict=verdict):
            _cut(order).update(cut_by=None)
            server.resume_after_order("" if verdict == REFUSED else "unreachable", message)
            _record_end(order, server)
    lifecycle.ring_next()
    return False


def _watch(order: ServerOrder) -> bool:
    """Ask whether it is well. It counts as back once it was so for a while: it may go down after it said yes."""
    now = timezone.now()
    again = now + settings.FLUX_ORDER_LOOK
    try:
        vendor.hasty_client().system_details()
    except FluxError as error:
        if order.deadline_at and order.deadline_at <= now:
            _did_not_come_back(order, error.message)
        else:
            order.look_later(again, well_since=None, trouble=error.message[:500])
        return False
    since = order.well_since or now
    if now - since < settings.FLUX_ORDER_SETTLED or not _cut_is_settled(order):
        order.look_later(again, well_since=since)
        return False
    with transaction.atomic():
        server = FluxServer.objects.locked()
        if order.finish():
            server.resume_after_order()
            _record_end(order, server)
    # What was with it is asked about at once: some of it may be done after all.
    with_it = GenerationJob.objects.filter(pk__in=_cut(order).values("job"), state=JobState.PROCESSING)
    with_it.filter(lease_until=None).update(due_at=now)
    rings.ring_checks()
    lifecycle.ring_next()
    return False


def _did_not_come_back(order: ServerOrder, message: str) -> None:
    """From here on it is a trouble like others: the clock asks, administrators are told, and it ends by itself."""
    with transaction.atomic():
        server = FluxServer.objects.locked()
        minutes = max(1, round(settings.FLUX_ORDER_PATIENCE.total_seconds() / 60))
        if order.fail(f"The flux server was not well again within {minutes} min. It said last: {message}"):
            server.resume_after_order("broken", message)
            _record_end(order, server)


def _cut_is_settled(order: ServerOrder) -> bool:
    """End what nobody can hear of any more; False while a request that left before is still being answered.

    What the flux server has an id of is asked about by itself (`checks`), which tells the truth about it.
    """
    settled = True
    for attempt in _cut(order).select_related("job"):
        if attempt.job.state == JobState.SUBMITTING:
            settled = False
        elif order.verdict == DONE and attempt.state == AttemptState.DISCARDED:
            attempt.move({AttemptState.DISCARDED}, AttemptState.LOST)
        elif order.verdict == DONE and attempt.job.state == JobState.UNCONFIRMED:
            with transaction.atomic():
                if attempt.job.fail("server_restarted", attempt.message):
                    attempt.move({AttemptState.OPEN, AttemptState.UNKNOWN}, AttemptState.LOST)
    return settled


def _cut(order: ServerOrder) -> AttemptQuerySet:
    """The requests that were under way when it was called, and still are; among the few that are open at all."""
    return Attempt.objects.counting().filter(server=order.server_id, cut_by=order)


def _record_end(order: ServerOrder, server: FluxServer) -> None:
    words = f"{order.get_kind_display()}: {order.get_state_display().lower()}"
    audit.record(None, "flux.order_ended", server, words, order=str(order.pk), cut=order.left_open)
