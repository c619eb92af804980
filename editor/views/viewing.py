"""The way back from looking at the portal as another person."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from editor.accounts import view_as
from editor.views.frame import signed_in


@never_cache
@require_POST
@signed_in
def view_as_stop(request: HttpRequest) -> HttpResponse:
    """Back to the administration's page of the person; for everybody else, to the studio."""
    with transaction.atomic():
        person = view_as.end(request)
    return redirect("admin:editor_user_change", person.pk) if person else redirect("studio")
