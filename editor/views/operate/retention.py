"""Rules that let old pictures go: made, tried dry, looked at, switched on and off."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.forms import RetentionForm
from editor.images.zips import safe_cell
from editor.jobs import retention
from editor.models import Image, RetentionRule, Workspace
from editor.moderation import audit
from editor.views.frame import PersonRequest
from editor.views.operate.frame import operating, page
from editor.views.operate.storage import known_workspace

PER_PAGE = 100
PAGE_OF_FILE = 1_000  # pictures
PASSES_SHOWN = 20
HERE = "operate_storage"


def _rule(rule_id: UUID) -> RetentionRule:
    """Raises Http404."""
    rule = RetentionRule.objects.filter(pk=rule_id, removed_at=None).select_related("workspace").first()
    if rule is None:
        raise Http404
    return rule


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def rule_new(request: PersonRequest) -> HttpResponse:
    """Off at first, as every rule."""
    if request.method == "POST":
        form = RetentionForm(request.POST)
        if form.is_valid():
            with transaction.atomic():
                rule = RetentionRule.objects.create(made_by=request.user, **form.cleaned_data)
                audit.record(request.user, "retention.made", rule, retention.described(rule))
            return redirect("operate_rule", rule.pk)
    else:
        form = RetentionForm(initial={"days": 90, "workspace": known_workspace(request.GET.get("workspace", ""))})
    return page(request, "operate/rule_new.html", HERE, _with_workspace(form), 422 if form.errors else 200)


def _with_workspace(form: RetentionForm) -> dict[str, Any]:
    named = form["workspace"].value()
    workspace_id = named if isinstance(named, UUID) else known_workspace(str(named or ""))
    workspace = Workspace.objects.filter(pk=workspace_id, trashed_at=None).first() if workspace_id else None
    return {"form": form, "only_in": workspace}


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def rule(request: PersonRequest, rule_id: UUID) -> HttpResponse:
    """What it says, its dry run, its passes; POST changes what it says, which switches it off."""
    found = _rule(rule_id)
    form = RetentionForm(initial={"what": found.what, "days": found.days, "workspace": found.workspace_id})
    if request.method == "POST":
        form = RetentionForm(request.POST)
        if form.is_valid():
            said = {"what": found.what, "days": found.days, "workspace": found.workspace}
            if form.cleaned_data != said:
                retention.change(found, request.user, **form.cleaned_data)
                messages.success(request, "The rule is changed, and off until it was tried dry again.")
            return redirect("operate_rule", found.pk)
    context = {
        "rule": found,
        "words": retention.described(found),
        "why_not": retention.why_not(found, timezone.now()),
        "passes": found.passes.order_by("-started_at")[:PASSES_SHOWN],
        **_with_workspace(form),
    }
    return page(request, "operate/rule.html", HERE, context, 422 if form.errors else 200)


@require_POST
@operating
def rule_try(request: PersonRequest, rule_id: UUID) -> HttpResponse:
    """Count what would go, and show it."""
    found = _rule(rule_id)
    if not retention.try_dry(found, timezone.now()):
        messages.error(request, "The rule is on. Switch it off to try it dry.")
        return redirect("operate_rule", found.pk)
    return redirect("operate_rule_list", found.pk)


@require_safe
@operating
def rule_list(request: PersonRequest, rule_id: UUID) -> HttpResponse:
    """What would go, page by page. Whoever sees it may switch the rule on."""
    found = _rule(rule_id)
    if found.tried_at is None:
        return redirect("operate_rule", found.pk)
    if request.method == "GET":  # HEAD shows nothing
        retention.looked(found)
        found.refresh_from_db()
    after = known_workspace(request.GET.get("after", ""))
    rows = _behind(retention.listed(found), after)
    images = list(rows[: PER_PAGE + 1])
    context = {
        "rule": found,
        "words": retention.described(found),
        "why_not": retention.why_not(found, timezone.now()),
        "images": images[:PER_PAGE],
        "further": images[PER_PAGE - 1].pk if len(images) > PER_PAGE else None,
        "first_page": after is None,
    }
    return page(request, "operate/rule_list.html", HERE, context)


def _behind(rows: QuerySet[Image], after: UUID | None) -> QuerySet[Image]:
    """Keyset: what comes after this picture, the oldest first."""
    last = Image.objects.filter(pk=after).only("created_at").first() if after else None
    if last is None:
        return rows
    behind = Q(created_at__gt=last.created_at) | Q(pk__gt=last.pk)
    return rows.filter(behind, created_at__gte=last.created_at)


@require_safe
@operating
def rule_csv(request: PersonRequest, rule_id: UUID) -> HttpResponse:
    """The whole list as a file; whoever has it may switch the rule on, too."""
    found = _rule(rule_id)
    if request.method == "GET":
        retention.looked(found)
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="what would go.csv"'
    return cast(HttpResponse, response)


async def _lines(found: RetentionRule) -> AsyncIterator[bytes]:
    """By pages, so that nothing is held as long as the reader takes."""
    yield "\ufeff".encode()  # so that spreadsheets read it as UTF-8
    yield _line(["picture", "kind", "made at", "workspace", "made by", "bytes"])
    last: UUID | None = None
    while lines := await sync_to_async(_page_of_lines)(found, last):
        yield b"".join(line for _, line in lines)
        last = lines[-1][0]


def _page_of_lines(found: RetentionRule, after: UUID | None) -> list[tuple[UUID, bytes]]:
    lines = []
    for image in _behind(retention.listed(found), after)[:PAGE_OF_FILE]:
        size: int = image.goes  # type: ignore[attr-defined]  # annotated
        whose = image.workspace.name, image.made_by.get_full_name()
        lines.append((image.pk, _line([str(image.pk), image.kind, image.created_at.isoformat(), *whose, size])))
    return lines


def _line(cells: Sequence[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue().encode()


@require_POST
@operating
def rule_switch(request: PersonRequest, rule_id: UUID) -> HttpResponse:
    """On, off, or off the list."""
    found, way = _rule(rule_id), request.POST.get("to", "")
    if way == "on":
        if why_not := retention.why_not(found, timezone.now()):
            messages.error(request, f"The rule stays off. {why_not}")
        elif request.POST.get("tried") != found.tried_at.isoformat():  # type: ignore[union-attr]  # tried, or why_not
            messages.error(request, "The rule stays off. It was tried anew meanwhile: look at the new list first.")
        elif retention.switch_on(found, request.user, timezone.now()):
            messages.success(request, "The rule is on. Its first pass begins within a minute.")
        else:
            messages.error(request, "Somebody else switched, changed or tried the rule meanwhile: look at it again.")
    elif way in {"off", "remove"}:
        retention.switch_off(found, request.user, remove=way == "remove")
        messages.success(request, "The rule is off." if way == "off" else "The rule is gone.")
        return redirect("operate_rule", found.pk) if way == "off" else redirect("operate_storage")
    return redirect("operate_rule", found.pk)
