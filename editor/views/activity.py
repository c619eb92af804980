"""What happened in a workspace: a page that is read, and changes by itself."""

from datetime import MAXYEAR, datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.access import member_of
from editor.models import User, Workspace
from editor.notifications import activity as feed
from editor.views.frame import PersonRequest, signed_in


@never_cache
@require_safe
@signed_in
def activity(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Newest first, by days. Looked at from its beginning, it is known from now on, unless it asked for itself."""
    me = member_of(request.user, workspace_id)
    before, kept_mark = _moment(request.GET.get("before", "")), _moment(request.GET.get("since", ""))
    since = kept_mark or me.activity_seen_at
    page = feed.page_of(request.user, me.workspace, before, since)
    if request.method == "GET" and before is None and kept_mark is None and not hasattr(request, "viewing"):
        feed.look_at(me)
    days = groupby(page.deeds, key=lambda deed: timezone.localtime(deed.at).date())
    context = {
        "workspace": me.workspace,
        "days": [(day, list(deeds)) for day, deeds in days],
        "older": page.older.isoformat() if page.older else None,
        "first_page": before is None,
        "since": since.isoformat() if since else None,
        "news": _news(_number_of(request.user, me.workspace, page, since), since),
    }
    return render(request, "workspaces/activity.html", context)


def _number_of(user: User, workspace: Workspace, page: feed.Page, since: datetime | None) -> int:
    """How much is new; asked for by itself, as on the workspace's page, where this page ends before it does."""
    if since is None or not page.new_is_more:
        return page.new
    return feed.new_since(user, workspace, since)


def _news(number: int, since: datetime | None) -> str:
    """12 new since yesterday"""
    return f"{number_words(number)} new {since_words(since)}" if since is not None and number else ""


def number_words(number: int) -> str:
    return f"{feed.COUNTED - 1}+" if number >= feed.COUNTED else str(number)


def since_words(since: datetime) -> str:
    """since you last looked (Friday)"""
    day, today = timezone.localtime(since).date(), timezone.localdate()
    if day == today:
        return f"since you last looked ({timezone.localtime(since):%H:%M})"
    if day == today - timedelta(days=1):
        return "since yesterday"
    return f"since you last looked ({since:%A})" if today - day < timedelta(days=7) else f"since {since:%-d %B %Y}"


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    # Nothing happened at the ends of the calendar, and the hour of another place may lie behind them.
    return found if found is not None and timezone.is_aware(found) and 1 < found.year < MAXYEAR else None
