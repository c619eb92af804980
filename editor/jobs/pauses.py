"""When not to send: the vendor's trouble stops all submissions for a while, and administrators hear of it once."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from editor.flux.errors import FluxError, Verdict
from editor.jobs import vendor
from editor.models import Attempt, FluxServer, User

log = logging.getLogger(__name__)

WORDS = {
    "bad-key": "The flux server does not accept our key.",
    "no-credit": "The flux server says that the credit is used up.",
    "plan": "The flux server says that our plan does not include this.",
    "broken": "The flux server has trouble of its own.",
    "queue-full": "The flux server's queue is full.",
    "unreachable": "The flux server can't be reached.",
}


def pause_after(attempt: Attempt) -> None:
    """Pause for what an attempt's refusal says about everybody's next request."""
    server = attempt.server
    if attempt.verdict == Verdict.ACCOUNT:
        reason = attempt.reason if attempt.reason in WORDS else "plan"
        server.pause(reason, attempt.message, settings.FLUX_PAUSE_ACCOUNT)
        _tell_admins(server, reason)
    elif attempt.verdict == Verdict.QUEUE_FULL:
        wait = timedelta(seconds=min(max(attempt.retry_after or 5.0, 0.1), 600)) * settings.TIME_SCALE
        server.pause("queue-full", attempt.message, wait)
    elif attempt.reason != "sources":
        server.pause("unreachable", attempt.message, settings.JOB_RETRY_FIRST)


def server_says_well() -> bool:
    """Ask system_details, which costs nothing."""
    try:
        vendor.client().system_details()
    except FluxError:
        return False
    return True


def end_of_pause(server: FluxServer) -> None:
    """When a pause ran out: after server trouble, go on only once system_details answers."""
    if server.paused_until is None or server.paused:
        return
    if server.pause_reason in {"broken", "bad-key", "plan"} and not server_says_well():
        server.pause(server.pause_reason, server.pause_detail, settings.FLUX_PAUSE_BROKEN)
    else:
        server.resume()


def _tell_admins(server: FluxServer, reason: str) -> None:
    if not server.tell_admins_once(timezone.now()):
        return
    addresses = list(User.objects.filter(is_superuser=True, is_active=True).values_list("email", flat=True))
    words = (
        f"{WORDS[reason]} Nothing is sent until that is mended; edits wait, and nobody is charged. "
        f"Details: {settings.PUBLIC_URL}/admin/"
    )
    transaction.on_commit(lambda: _mail(addresses, words))


def _mail(addresses: list[str], words: str) -> None:
    try:
        send_mail("Retake: edits are waiting", words, None, addresses)
    except OSError as error:
        log.warning("Administrators could not be told by mail (%s): %s", type(error).__name__, words)
