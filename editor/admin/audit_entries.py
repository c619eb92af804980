"""The audit log: to read, to search, and to take away as a file, which is an entry of its own."""

import re
from datetime import datetime, timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from editor.admin.lists import SEARCHED, ReadOnlyAdmin
from editor.admin.recording import actor_of
from editor.admin.shown import EMPTY, pretty
from editor.models import AuditEntry, User
from editor.moderation import audit
from editor.moderation.export import Format, stream

AN_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")  # "case.decided"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    change_list_template = "admin/editor/auditentry/change_list.html"
    list_display = ["number", "at", "actor", "action", "about_what", "words"]
    list_display_links = ["number"]
    list_select_related = ["actor"]
    search_fields = ["words"]  # get_search_results says how
    search_help_text = (
        "A person's address, an action such as user.changed, what it is about such as image:…, "
        "a day such as 2026-03-31, or words (of the newest)."
    )
    ordering = ["-number"]
    readonly_fields = ["number", "at", "actor", "action", "about_what", "words", "in_detail", "previous", "hash"]
    fields = tuple(readonly_fields)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("export.<str:form>", self.admin_site.admin_view(self.export), name="editor_auditentry_export"),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        term = search_term.replace("\0", "").strip()
        day = _day(term)
        if not term:
            return queryset, False
        if day is not None:
            return queryset.filter(_of_day(day)), False
        if "@" in term and " " not in term:
            people = User.objects.filter(email=term.lower())
            about = [f"user:{pk}" for pk in people.values_list("pk", flat=True)]
            return queryset.filter(actor__in=people) | queryset.filter(about__in=about), False
        if ":" in term and " " not in term:
            return queryset.filter(about=term), False
        if AN_ACTION.fullmatch(term):
            return queryset.filter(action=term), False
        return queryset.filter(_with_words(term)), False

    @admin.display(description="about")
    def about_what(self, entry: AuditEntry) -> str | SafeString:
        """As a link, if the administration has a page for it."""
        name, _, key = entry.about.partition(":")
        try:
            address = reverse(f"admin:editor_{name}_change", args=[key])
        except NoReverseMatch:
            return entry.about or EMPTY
        return format_html('<a href="{}">{}</a>', address, entry.about)

    @admin.display(description="details")
    def in_detail(self, entry: AuditEntry) -> str | SafeString:
        return pretty(entry.details)

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """All of it, made while it is sent. Raises Http404, PermissionDenied."""
        if form not in list(Format):
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        last = audit.record(actor_of(request), "auditlog.exported", words=f"As {form}.", format=form)
        response = StreamingHttpResponse(stream(last.number, Format(form)), content_type=Format(form).content_type)
        name = f"retake-audit-log-{timezone.now():%Y-%m-%d}.{form}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


def _day(term: str) -> datetime | None:
    try:
        found = parse_date(term)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=timezone.get_current_timezone()) if found else None


def _of_day(day: datetime) -> Q:
    """By number, in which they stand as in time, so that the list stays in the order that its index serves."""
    first, after = (_first_since(moment) for moment in (day, day + timedelta(days=1)))
    if first is None:
        return Q(pk__in=[])
    return Q(number__gte=first) & (Q(number__lt=after) if after is not None else Q())


def _first_since(moment: datetime) -> int | None:
    return AuditEntry.objects.filter(at__gte=moment).order_by("at").values_list("number", flat=True).first()


def _with_words(term: str) -> Q:
    """Among the newest: without an index, all would take seconds."""
    found = Q(pk__in=AuditEntry.objects.order_by("-number").values("pk")[:SEARCHED])
    for word in term.split()[:8]:
        found &= Q(words__icontains=word[:60])
    return found
