"""What the flux server is told to do as a whole: each asks first, and says what it does and to whom."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.flux.contract import DEPLOY_TYPE
from editor.forms import draw_form_token
from editor.forms.fields import line_of
from editor.forms.operate import DeployTypeForm, ReasonForm, RegistrationForm
from editor.images import inbox
from editor.images.bucket import BucketUnavailable, Missing
from editor.jobs import recent, registration, server_orders
from editor.jobs.server_orders import Busy
from editor.models import FluxServer, ServerOrder
from editor.models.server_orders import DRAINED, LOSING, OrderKind, OrderState
from editor.views.frame import PersonRequest
from editor.views.operate.flux_server import HERE
from editor.views.operate.frame import operating, page

LONGEST_TOKEN = 64
DOES = {
    OrderKind.CLEAR_CACHE: "The flux server empties its cache. It may answer with errors for some minutes.",
    OrderKind.CLEAR_QUEUE: (
        "The flux server throws away all that waits there, paid or not, and restarts. "
        "It answers with errors for some minutes."
    ),
    OrderKind.RESTART: "The flux server restarts. It answers with errors for some minutes.",
    OrderKind.UPDATE: (
        "The flux server is brought up to date and restarts. It answers with errors for some minutes, perhaps longer."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def flux_order(request: PersonRequest, kind: str) -> HttpResponse:
    """Asks, and on POST begins."""
    if kind not in DRAINED:
        raise Http404
    wanted, form = OrderKind(kind), ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _begin(request, wanted, reason=form.cleaned_data["reason"])
    server = FluxServer.objects.current()
    context = {
        "kind": wanted,
        "does": DOES[wanted],
        "loses": wanted in LOSING,
        "server": server,
        "under_way": recent.under_way(server),
        "waiting": recent.waiting(),
        "going_on": server_orders.going_on(server),
        "form": form,
        "minutes": round(settings.JOB_PROCESSING_DEADLINE.total_seconds() / 60),
    }
    return page(request, "operate/flux_server_order.html", HERE, context, status=422 if form.errors else 200)


def _token(request: PersonRequest) -> str:
    """The form's own, so that a second click begins nothing."""
    return line_of(request.POST.get("form_token", ""))[:LONGEST_TOKEN] or draw_form_token()


def _order(order_id: UUID) -> ServerOrder:
    """Raises Http404."""
    order = ServerOrder.objects.select_related("server", "made_by").filter(pk=order_id).first()
    if order is None or not order.drains:
        raise Http404
    return order


@require_POST
@operating
def flux_withdraw(request: PersonRequest, order_id: UUID) -> HttpResponse:
    try:
        server_orders.withdraw(request.user, _order(order_id))
    except Busy as busy:
        messages.error(request, str(busy))
    else:
        messages.success(request, "Broken off. Nothing was done to the flux server, and what waits is sent now.")
    return redirect(HERE)


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def flux_hurry(request: PersonRequest, order_id: UUID) -> HttpResponse:
    """Not waiting any longer for what is under way is a decision of its own."""
    order = _order(order_id)
    if request.method == "POST":
        try:
            server_orders.hurry(request.user, order)
        except Busy as busy:
            messages.error(request, str(busy))
        return redirect(HERE)
    if order.state != OrderState.DRAINING:
        messages.info(request, "Nobody waits any longer already.")
        return redirect(HERE)
    context = {"order": order, "loses": order.kind in LOSING, "under_way": recent.under_way(order.server)}
    return page(request, "operate/flux_server_hurry.html", HERE, context)


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def flux_inbox(request: PersonRequest) -> HttpResponse:
    """Where results arrive, and having them arrive in a bucket of ours. Keys come from the environment alone."""
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and settings.FLUX_INBOX and form.is_valid():
        return _begin(request, OrderKind.REGISTER, **form.cleaned_data)
    server = FluxServer.objects.current()
    registered = ServerOrder.objects.filter(server=server, kind__in=[OrderKind.REGISTER, OrderKind.RESET])
    context: dict[str, Any] = {
        "set": registration.what_is_set() if settings.FLUX_INBOX else [],
        "no_inbox": registration.NO_INBOX,
        "pictures": settings.S3_BUCKET,
        "last_results": registration.last_results() if settings.FLUX_INBOX else "",
        "last": registered.order_by("-created_at").select_related("made_by").first(),
        "going_on": server_orders.going_on(server),
        "price": registration.price(),
        "host": registration.host(),
        "form": form,
    }
    return page(request, "operate/flux_server_inbox.html", HERE, context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def flux_inbox_reset(request: PersonRequest) -> HttpResponse:
    form = DeployTypeForm(request.POST or None, initial={"deploy_type": DEPLOY_TYPE})
    if request.method == "POST" and form.is_valid():
        return _begin(request, OrderKind.RESET, **form.cleaned_data)
    context = {"host": registration.host(), "form": form}
    return page(request, "operate/flux_server_inbox_reset.html", HERE, context, status=422 if form.errors else 200)


def _begin(request: PersonRequest, kind: OrderKind, **values: Any) -> HttpResponse:
    try:
        order = server_orders.begin(request.user, kind, _token(request), **values)
    except Busy as busy:
        messages.error(request, str(busy))
    else:
        if order.is_over:
            messages.info(request, "This form was sent before, and what it asked for is over. Nothing was begun anew.")
    return redirect(HERE)


@require_safe
@operating
def flux_inbox_contents(request: PersonRequest) -> HttpResponse:
    """What lies in the inbox; asked after the page, since the store may keep silent."""
    if not request.htmx or not settings.FLUX_INBOX:
        return redirect("operate_flux_inbox")
    try:
        context: dict[str, Any] = {"found": inbox.contents()}
    except (BucketUnavailable, Missing) as error:
        context = {"problem": str(error)}
    return render(request, "operate/flux_server_inbox_contents.html", context)
