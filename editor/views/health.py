"""Is this web process alive, and can it serve? For whoever looks after the machines; nobody has to sign in."""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor import metrics as told
from editor.doctor.probes import FINE, readiness


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nobody else, so that a database that is away restarts no web process."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether database, Redis and bucket answer, within seconds: 503 says which does not."""
    answers = readiness.answers()
    ready = set(answers.values()) == {FINE}
    return JsonResponse({"ready": ready, **answers}, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with `Authorization: Bearer METRICS_TOKEN`; without such a token the address is not there."""
    expected, given = f"Bearer {settings.METRICS_TOKEN}", request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not secrets.compare_digest(expected.encode(), given.encode()):
        raise Http404
    return HttpResponse(told.exposition(), content_type=told.CONTENT_TYPE)
