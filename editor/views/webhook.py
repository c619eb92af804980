"""The vendor's call when a generation is complete. Nothing signs it: its body is a hint, the truth comes from fetch."""

from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from editor import rings
from editor.flux.contract import MAX_WEBHOOK_BODY, parse_webhook
from editor.models import Attempt, AttemptState, GenerationJob, JobState, WebhookEvent

WAITING = [JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.PROCESSING]
MOST_EVENTS = 50  # an attempt; whoever sends more than that is not the vendor


@csrf_exempt  # called by a server; the secret in the address is what lets it in
@require_POST
def flux_webhook(request: HttpRequest, secret: str) -> HttpResponse:
    attempt = Attempt.objects.filter(secret=secret).first()
    if attempt is None:
        return HttpResponse(status=404)
    body = request.read(MAX_WEBHOOK_BODY + 1)  # whatever length was announced
    if len(body) > MAX_WEBHOOK_BODY:
        return JsonResponse({"error": "larger than 64 KB"}, status=413)
    try:
        event = parse_webhook(body, settings.FLUX_API_KEY)  # a server may repeat what it was sent
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    if event.track_id not in {None, str(attempt.pk)}:
        return JsonResponse({"error": "this is not the address for that track_id"}, status=400)
    if attempt.events.count() < MOST_EVENTS:
        WebhookEvent.objects.create(
            attempt=attempt, vendor_id=event.vendor_id or "", status=event.status, body=event.answer
        )
    if event.vendor_id and attempt.vendor_id is None:
        with suppress(IntegrityError), transaction.atomic():  # another attempt is told the same at this very moment
            attempt.learn_vendor_id(event.vendor_id)
    look_now(attempt)
    return JsonResponse({"ok": True})


def look_now(attempt: Attempt) -> None:
    """Let somebody ask for the truth at once. A job that is being worked on is looked at by whoever has it."""
    if attempt.state not in {AttemptState.OPEN, AttemptState.UNKNOWN}:
        return
    rows = GenerationJob.objects.filter(pk=attempt.job_id, state__in=WAITING, lease_until=None)
    if rows.update(due_at=timezone.now()):
        rings.ring_job(attempt.job_id)
