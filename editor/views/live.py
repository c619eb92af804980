"""The pass with which a browser opens its event stream, so that pages change without being asked again and again."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.events import passes, streams
from editor.views.frame import PersonRequest, signed_in, workspaces_of


@never_cache
@require_safe
@signed_in
def live_pass(request: PersonRequest) -> HttpResponse:
    """Where the browser listens within the next minute. Who looks as somebody else gets none, and asks by polling."""
    session_key = request.session.session_key
    if session_key is None or hasattr(request, "viewing"):
        raise Http404
    text = passes.write(request.user.pk, session_key, (space.pk for space in workspaces_of(request)))
    return JsonResponse({"address": f"{streams.PATH}?{urlencode({'pass': text})}"})
