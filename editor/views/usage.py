"""What a workspace used and what it cost: by member and month, as a plot, a table and CSV; and the members' limits."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from editor.access import RIGHTS, Right, managed_workspace, may_change, member_of
from editor.forms import MemberLimitForm
from editor.models import Membership, Role
from editor.models.allowances import month_after, month_of
from editor.views.frame import PersonRequest, rest_here, signed_in
from editor.views.selection import many
from editor.views.usage_report import Report, as_csv
from editor.views.workspaces import MEMBERS_SHOWN


@never_cache
@require_safe
@signed_in
def usage(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Members see what they used themselves, admins and owners what everybody did."""
    me = member_of(request.user, workspace_id)
    everybody = _sees_all(me)
    context = {
        "workspace": me.workspace,
        "me": me,
        "everybody": everybody,
        "report": _report(me),
        "rest": rest_here(request, me.workspace),
        "anew": month_after(month_of(timezone.now())),
        "limits": _limits(me) if everybody and me.workspace.is_open and not me.workspace.is_personal else [],
    }
    return render(request, "usage/usage.html", context)


@never_cache
@require_safe
@signed_in
def usage_csv(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    me = member_of(request.user, workspace_id)
    name = "".join(c for c in me.workspace.name if c.isalnum() or c in " -_").strip() or "workspace"
    response = HttpResponse(as_csv(_report(me)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name} usage.csv") or "attachment"
    return response


@require_POST
@signed_in
def member_limit(request: PersonRequest, workspace_id: UUID, member_id: int) -> HttpResponse:
    """Pictures that a member may have made in a month; an empty number takes the limit away."""
    me = managed_workspace(request.user, workspace_id)
    other = Membership.objects.filter(workspace=workspace_id, pk=member_id).select_related("user").first()
    if other is None or not may_change(me, other):
        raise Http404
    form = MemberLimitForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("usage", workspace_id)
    most = form.cleaned_data["pictures_per_month"]
    Membership.objects.filter(pk=other.pk).update(pictures_per_month=most)
    words = "has no limit of their own now" if most is None else f"may have {many(most)} made a month now"
    messages.success(request, f"{other.user.get_short_name()} {words}.")
    return redirect("usage", workspace_id)


def _sees_all(me: Membership) -> bool:
    return Right.MANAGE in RIGHTS[Role(me.role)]


def _report(me: Membership) -> Report:
    return Report.of(me.workspace_id, None if _sees_all(me) else me.user_id, timezone.now())


def _limits(me: Membership) -> list[dict[str, object]]:
    others = me.workspace.memberships.select_related("user").order_by("created_at")[:MEMBERS_SHOWN]
    return [{"membership": other, "may_change": may_change(me, other)} for other in others]
