"""Leaving the portal: everything that is mine as one ZIP, and the end of the account."""

from allauth.account.decorators import reauthentication_required
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.accounts import exporting
from editor.accounts.leaving import LastAdministrator, delete_account, is_last_administrator, only_owned_by
from editor.forms import LeavingForm
from editor.images.delivery import leave_database
from editor.models import GenerationJob, LastOwner
from editor.models.chosen import chosen
from editor.views.frame import PersonRequest, signed_in


@never_cache
@require_safe
async def account_export(request: HttpRequest) -> HttpResponseBase:
    """Made while it is sent, so that thousands of pictures neither wait nor fill the memory."""
    user = await request.auser()
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    await sync_to_async(leave_database)()
    response = StreamingHttpResponse(exporting.stream(user), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, "retake-export.zip") or "attachment"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth is untyped
def account_delete(request: PersonRequest) -> HttpResponse:
    """Says what will happen, and does it once the address is typed; whoever owns a team alone hands it over first."""
    user = request.user
    form = LeavingForm(user.email, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            delete_account(user, trash_made=form.cleaned_data["made"] == LeavingForm.TRASH)
        except (LastOwner, LastAdministrator):
            pass  # the page says what has to be done first
        else:
            logout(request)
            messages.success(request, "Your account is deleted. Goodbye.")
            return redirect("account_login")
    context = {
        "form": form,
        "owned": list(only_owned_by(user)),
        "last_administrator": is_last_administrator(user),
        "days": chosen.TRASH_DAYS,
        "under_way": GenerationJob.objects.unfinished().filter(made_by=user).exists(),
    }
    refused = request.method == "POST"
    return render(request, "leaving/delete.html", context, status=422 if refused else 200)
