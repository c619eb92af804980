"""What a person was told about the work of others: the bell's panel, the page, and how they want to be told."""

from itertools import islice
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import notification_for
from editor.models import About, Notification, User
from editor.notifications import choices, seeing, shown, unsubscribing
from editor.views.frame import PersonRequest, signed_in

PER_PAGE = 60  # notifications; what is about one subject stands together
IN_PANEL = 20


@never_cache
@require_safe
@signed_in
def notifications(request: PersonRequest) -> HttpResponse:
    """Newest first, by subject. Nothing counts as seen until it is opened, or all of it is."""
    rows = list(_before(_of(request.user), request.GET.get("before", ""))[: PER_PAGE + 1])
    _set_right(request)
    context = {
        "groups": shown.grouped(request.user, rows[:PER_PAGE]),
        "older": rows[PER_PAGE - 1].pk if len(rows) > PER_PAGE else None,
        "first_page": "before" not in request.GET,
    }
    return render(request, "notifications/notifications.html", context)


@never_cache
@require_safe
@signed_in
def notifications_panel(request: PersonRequest) -> HttpResponse:
    """What the bell shows: the newest."""
    rows = list(_of(request.user)[:IN_PANEL])
    _set_right(request)
    groups = list(islice(shown.grouped(request.user, rows), 8))
    return render(request, "notifications/panel.html", {"groups": groups})


@never_cache
@require_safe
@signed_in
def notifications_number(request: PersonRequest) -> HttpResponse:
    """The mark on the bell."""
    return render(request, "notifications/number.html")


@never_cache
@require_safe
@signed_in
def notifications_open(request: PersonRequest, notification_id: int) -> HttpResponse:
    """To the place that it is about; with it, all about its subject counts as seen."""
    row = notification_for(request.user, notification_id)
    if request.method == "GET" and not hasattr(request, "viewing"):
        seeing.see(request.user.pk, row.subject)
    if not shown.shown_to(request.user, [row]):
        messages.info(request, shown.HIDDEN)
        return redirect("notifications")
    return redirect(shown.place_of(row))


@require_POST
@signed_in
def notifications_read(request: PersonRequest) -> HttpResponse:
    """All of it."""
    seeing.see(request.user.pk)
    return redirect("notifications")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notifications_choices(request: PersonRequest) -> HttpResponse:
    """For each thing that there is to tell: in the portal, by mail, both or neither."""
    if request.method == "POST":
        portal, mail = (set(request.POST.getlist(name)) for name in ("in_portal", "by_mail"))
        choices.choose(request.user, {about: (about in portal, about in mail) for about in About})
        messages.success(request, "That is how you are told from now on.")
        return redirect("notifications_choices")
    return render(request, "notifications/choices.html", {"choices": choices.choices_of(request.user)})


@csrf_exempt  # mail programs send it, with nothing but the token, which says whose mails these are
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A button, since programs open links to look at them; pressed, or by a mail program, mails of this kind end."""
    try:
        person, abouts = unsubscribing.read(token)
    except unsubscribing.Forged as forged:
        raise Http404 from forged
    context: dict[str, Any] = {"abouts": [about.label for about in abouts], "done": "", "bare": True}
    if request.method == "POST":
        on = "again" in request.POST
        choices.switch_mail(person, abouts, on=on)
        context["done"] = "on" if on else "off"
    return render(request, "notifications/unsubscribe.html", context)


def _of(person: User) -> QuerySet[Notification]:
    rows = Notification.objects.filter(person=person, in_portal=True).select_related(*shown.RELATED)
    return rows.order_by("-created_at", "-pk")


def _before(rows: QuerySet[Notification], text: str) -> QuerySet[Notification]:
    """Keyset: what comes after this notification of the person's. All of them for anything else."""
    last = rows.filter(pk=text).first() if text.isascii() and text.isdigit() and len(text) < 18 else None
    if last is None:
        return rows
    return rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))


def _set_right(request: PersonRequest) -> None:
    """The number beside the bell is that of the rows."""
    if request.method == "GET" and not hasattr(request, "viewing"):
        request.user.notifications_unseen = seeing.counted(request.user)
