"""What somebody sees who is suspended and gave the right password: since when, why, and how to appeal."""

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.accounts.adapter import SUSPENDED_KEY, SUSPENDED_SALT, SUSPENDED_SHOWN
from editor.desk import appeals
from editor.desk.suspension import standing_suspensions
from editor.models import User


@never_cache
@require_safe
def suspended(request: HttpRequest) -> HttpResponse:
    """Only for some minutes after the password was right, in that browser."""
    try:
        pk = signing.loads(request.session.get(SUSPENDED_KEY, ""), salt=SUSPENDED_SALT, max_age=SUSPENDED_SHOWN)
    except signing.BadSignature:
        return redirect("account_login")
    person = User.objects.filter(pk=pk, suspended_at__isnull=False, anonymised_at=None).first()
    if person is None:  # reinstated by now
        return redirect("account_login")
    decision = next(reversed(standing_suspensions(person)), None)
    context = {
        "person": person,
        "decision": decision,
        "token": appeals.token_for(decision) if decision else "",
        "why_not": appeals.why_not(decision) if decision else "",
    }
    return render(request, "moderation/suspended.html", context, status=403)
