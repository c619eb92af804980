"""Registering the inbox as an order: keys tried, the flux server told, a test edit made, each by whatever worker looks.

Telling it twice does no harm, but a test edit costs money: its form token is the order's, so that there is one.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from editor.images.bucket import BucketUnavailable
from editor.images.ingest import TooMany
from editor.jobs import control, registration, trial, vendor
from editor.jobs.creation import NotAllowed
from editor.jobs.heartbeat import kept
from editor.jobs.registration import AT_A_PAGE, NotRegistered
from editor.models import JobState, ServerOrder
from editor.models.server_orders import OrderKind, OrderState
from editor.moderation import audit

LOOK = timedelta(seconds=1)  # between two looks at the test edit
TOLD_OR_NOT = (
    "Whoever told the flux server died before the answer was written down, so it may have been done or not. "
    "Do it again: telling it twice does no harm."
)


def step(order: ServerOrder) -> bool:
    """One unit of work. True if another look may be worth it at once."""
    match order.state:
        case OrderState.CHECKING:
            if not order.claim({OrderState.CHECKING}, settings.JOB_LEASE):
                return False
            with kept(order, settings.JOB_LEASE):
                return _tell(order)
        case OrderState.CALLING:
            return order.claim({OrderState.CALLING}, settings.JOB_LEASE) and _failed(order, TOLD_OR_NOT)
        case OrderState.TRYING:
            if not order.claim({OrderState.TRYING}, settings.JOB_LEASE):
                return False
            with kept(order, settings.JOB_LEASE):
                return _try(order)
        case _:
            return False


def _tell(order: ServerOrder) -> bool:
    registers = order.kind == OrderKind.REGISTER
    try:
        notes = _checked() if registers else []
        if not order.start_calling(settings.JOB_LEASE, notes=notes):
            return False
        client = vendor.client()
        words = registration.told(
            (lambda: client.update_s3(vendor.registration(order.deploy_type)))
            if registers
            else (lambda: client.reset_s3(order.deploy_type))
        )
    except NotRegistered as no:
        return _failed(order, str(no))
    if registers and order.tested:
        return order.start_trying(words, settings.FLUX_TRIAL_PATIENCE)
    return _done(order, "Not tested." if registers else "", verdict="done", message=words[:500])


def _checked() -> list[str]:
    """Raises NotRegistered."""
    if not settings.FLUX_INBOX:
        raise NotRegistered(f"The worker that did it knows no inbox; start the workers again. {registration.NO_INBOX}")
    return registration.check_keys()


def _try(order: ServerOrder) -> bool:
    """Make the test edit, which workers bring to its end like any other, and look what became of it."""
    now = timezone.now()
    if order.job is None:
        try:
            job = trial.begin(order.made_by, order.pk.hex)
        except (NotAllowed, TooMany, BucketUnavailable) as error:
            return _failed(order, f"Registered, but not tested: {error}")
        order.look_later(now + LOOK, job=job)
        return False
    job = order.job
    if job.is_final:
        try:
            link = registration.proven(job, order.deploy_type, AT_A_PAGE)
        except NotRegistered as no:
            return _failed(order, str(no))
        return _done(order, f"The test picture arrived in the inbox, as {link}, and was copied from there.")
    if order.deadline_at and order.deadline_at <= now:
        if job.state == JobState.QUEUED:
            control.cancel(job)
            job.refresh_from_db()
        wait = settings.FLUX_TRIAL_PATIENCE.total_seconds()
        return _failed(order, registration.late(job, wait, AT_A_PAGE))
    order.look_later(now + LOOK)
    return False


def _done(order: ServerOrder, sentence: str, **values: Any) -> bool:
    with transaction.atomic():
        if order.finish(sentence, **values):
            _record_end(order)
    return False


def _failed(order: ServerOrder, sentence: str) -> bool:
    with transaction.atomic():
        if order.fail(sentence):
            _record_end(order)
    return False


def _record_end(order: ServerOrder) -> None:
    words = f"{order.get_kind_display()}: {order.get_state_display().lower()}"
    audit.record(None, "flux.order_ended", order.server, words, order=str(order.pk))
