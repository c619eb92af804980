"""The flux server: how it is, what it did of late, its brakes and limits, and what it is told to do."""

import time
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from editor.flux.errors import FluxError
from editor.forms.operate import LimitsForm, ReasonForm
from editor.jobs import brakes, pauses, recent, registration, server_orders, vendor
from editor.jobs.server_orders import Busy
from editor.models import FluxServer, ServerOrder
from editor.models.chosen import chosen
from editor.models.server_orders import DRAINED, OrderKind
from editor.views.frame import PersonRequest
from editor.views.operate.frame import operating, page

PATIENCE = 5.0  # seconds for the flux server's own account of itself
SHOWN = 12  # values of it
LAST_ORDERS = 6
HERE = "operate_flux"
# In the order in which they hurt.
ORDERS = (OrderKind.CLEAR_CACHE, OrderKind.RESTART, OrderKind.UPDATE, OrderKind.CLEAR_QUEUE)
NO_ANSWER = {
    "bad-key": "It refuses our key.",
    "no-credit": "It says that the credit is used up.",
    "plan": "It says that our plan does not include this.",
    "timeout": f"It did not answer within {PATIENCE:g} s.",
    "connect-timeout": "No connection came about in time.",
    "refused-connection": "Nobody listens at its address.",
    "server-error": "A proxy in front of it answered with an error: it is down, or starting.",
}


@require_safe
@operating
def flux_server(request: PersonRequest) -> HttpResponse:
    return overview(request)


def overview(request: PersonRequest, status: int = 200, **forms: Any) -> HttpResponse:
    """The page; `forms` are those that were sent and not taken."""
    today, month = recent.costs()
    state = _state(request)
    context = {
        **state,
        "windows": recent.windows(timezone.now()),
        "today": today,
        "month": month,
        "priced": bool(chosen.FLUX_PRICE),
        "limits": LimitsForm(instance=state["server"]),
        "environment": {"queue_limit": settings.FLUX_QUEUE_LIMIT, "outstanding": settings.FLUX_OUTSTANDING},
        "reason": ReasonForm(),
        "host": registration.host(),
        "with_inbox": settings.FLUX_INBOX,
        **forms,
    }
    return page(request, "operate/flux_server.html", HERE, context, status=status)


def _state(request: PersonRequest) -> dict[str, Any]:
    """What changes by itself: trouble, pause, the order that goes on, and those before."""
    server = FluxServer.objects.current()
    order = server_orders.going_on(server)
    newest = ServerOrder.objects.filter(server=server).order_by("-created_at").select_related("made_by")
    last = [each for each in newest[: LAST_ORDERS + 2] if each.is_over]
    open_now = recent.under_way(server)
    state = {
        "server": server,
        "order": order,
        "ended": max(0, order.open_at_first - open_now.edits) if order else 0,
        "settled_after": round(settings.FLUX_ORDER_SETTLED.total_seconds()),
        "last": last[0] if last else None,
        "earlier": last[1 : LAST_ORDERS + 1],
        "under_way": open_now,
        "waiting": recent.waiting(),
        "words": pauses.WORDS.get(server.pause_reason, "Nothing is sent"),
        "mend": pauses.MEND.get(server.pause_reason, ""),
        "told": registration.clean(server.pause_detail),
        "orders": [(kind.value, kind.label) for kind in ORDERS],
        "mine": order is not None and order.made_by_id == request.user.pk,
        "drains": order is not None and order.kind in DRAINED,
    }
    return {**state, "headline": _headline(state), "seen": _seen(state)}


def _headline(state: dict[str, Any]) -> str:
    """For who listens, when something has changed."""
    order: ServerOrder | None = state["order"]
    if order is not None:
        return f"{order.get_kind_display()}: {order.get_state_display().lower()}."
    server: FluxServer = state["server"]
    return f"{state['words']}." if server.in_trouble else "Edits are being sent."


def _seen(state: dict[str, Any]) -> str:
    """Another text for whatever would look otherwise: who saw this need not be shown it again."""
    server, order, last = state["server"], state["order"], state["last"]
    told = [server.paused_by_hand, server.paused, server.pause_reason, server.pause_detail, server.probing]
    told += [server.paused_until, server.limit, server.last_answer_at, state["under_way"], state["waiting"]]
    if order is not None:
        told += [order.pk, order.state, order.hurried_at, order.well_since, order.trouble, order.job_id]
        told += [state["ended"], order.job.state if order.job else ""]
    if last is not None:
        told += [last.pk, last.state]
    return sha256(repr(told).encode()).hexdigest()[:16]


@require_safe
@operating
def flux_state(request: PersonRequest) -> HttpResponse:
    """The part that changes by itself; the whole page where no script asks."""
    if not request.htmx:
        return redirect(HERE)
    state = _state(request)
    if request.GET.get("seen") == state["seen"]:
        return HttpResponse(status=204)  # nothing is swapped under somebody's hands
    return render(request, "operate/flux_server_state.html", {**state, "live": True})


@require_safe
@operating
def flux_details(request: PersonRequest) -> HttpResponse:
    """What the flux server says about itself at this moment; asked after the page, since it may keep silent."""
    began = time.monotonic()
    try:
        details = vendor.client(PATIENCE).system_details()
    except FluxError as error:
        said: dict[str, Any] = {"problem": NO_ANSWER.get(error.reason, error.message), "words": error.message}
    else:
        shown = {
            name.replace("_", " "): value
            for name, value in details.answer.items()
            if isinstance(value, str | int | float) and name not in {"status", "queue_time", "model_count"}
        }
        said = {"details": details, "more": list(shown.items())[:SHOWN]}
    context = {**said, "milliseconds": round((time.monotonic() - began) * 1000)}
    if not request.htmx:
        return page(request, "operate/flux_server_details_page.html", HERE, context)
    return render(request, "operate/flux_server_details.html", context)


@require_POST
@operating
def flux_pause(request: PersonRequest) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return overview(request, 422, reason=form)
    brakes.pause(request.user, FluxServer.objects.current(), form.cleaned_data["reason"])
    messages.success(request, "Paused. What the flux server has already goes on; nothing new is sent.")
    return redirect(HERE)


@require_POST
@operating
def flux_resume(request: PersonRequest) -> HttpResponse:
    try:
        brakes.resume(request.user, FluxServer.objects.current())
    except Busy as busy:
        messages.error(request, str(busy))
    else:
        messages.success(request, "Resumed: what waits is sent now.")
    return redirect(HERE)


@require_POST
@operating
def flux_ask(request: PersonRequest) -> HttpResponse:
    """Don't wait for the end of a pause that a trouble made: the clock asks at once how things are."""
    if brakes.look_now(request.user, FluxServer.objects.current()):
        messages.success(request, "It is tried now. This page shows what comes of it.")
    else:
        messages.success(request, "It is being tried already, or the pause is over.")
    return redirect(HERE)


@require_POST
@operating
def flux_limits(request: PersonRequest) -> HttpResponse:
    server = FluxServer.objects.current()
    before = {name: getattr(server, name) for name in LimitsForm.Meta.fields}
    form = LimitsForm(request.POST, instance=server)
    if not form.is_valid():
        return overview(request, 422, limits=form)
    with transaction.atomic():
        # Only these two columns: the rest of the row is moved by others meanwhile.
        FluxServer.objects.filter(pk=server.pk).update(**{name: form.cleaned_data[name] for name in before})
        changes = [[name, _text(before[name]), _text(form.cleaned_data[name])] for name in form.changed_data]
        brakes.limits_changed(request.user, server, changes)
    messages.success(request, f"At most {server.limit} requests are open with the flux server at once.")
    return redirect(HERE)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
