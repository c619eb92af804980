"""The brakes of the flux server, for operators: pausing, resuming, limits. Each leaves its line in the audit log."""

from django.db import transaction

from editor.jobs import lifecycle, server_orders
from editor.jobs.server_orders import Busy
from editor.models import FluxServer, User
from editor.moderation import audit

LONGEST_REASON = 200
Change = list[str]  # a field's name, what it was, what it is


def pause(person: User, server: FluxServer, reason: str) -> None:
    """Nothing new is sent until somebody resumes it; whoever waits reads the reason."""
    with transaction.atomic():
        server.pause_by_hand(reason)
        audit.record(person, "flux.paused", server, reason)


def resume(person: User, server: FluxServer, reason: str = "") -> None:
    """Whatever it was, all that waits may go. Raises Busy while an order to the server goes on."""
    with transaction.atomic():
        FluxServer.objects.locked()
        order = server_orders.going_on(server)
        if order is not None and order.drains:
            raise Busy(
                f"“{order.get_kind_display()}” goes on, and edits wait until it has ended. Break it off first, or wait."
            )
        server.resume()
        audit.record(person, "flux.resumed", server, reason)
    lifecycle.ring_next()


def look_now(person: User, server: FluxServer) -> bool:
    """Have the clock ask at once how things are, instead of at the end of the pause. False if there is none."""
    with transaction.atomic():
        if not server.look_now():
            return False
        audit.record(person, "flux.asked", server)
    return True


def limits_changed(person: User, server: FluxServer, changes: list[Change]) -> None:
    """The audit log's line about new limits, as the administration writes it."""
    if changes:
        names = ", ".join(name for name, *_ in changes)
        audit.record(person, "fluxserver.changed", server, f"{server}: {names}", changes=changes)
    lifecycle.ring_next()
