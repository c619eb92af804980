"""Attempts, the ledger of what may have been charged, against the edits that they were made for."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from editor.doctor.findings import Ask, Finding, fine, named, problem, warning
from editor.models import COUNTING, Attempt, GenerationJob, JobState

BACK = timedelta(days=30)  # as far as it looks unless everything is asked for
NAMED = 20
GRACE = timedelta(minutes=10)  # what ends now is perhaps being written


def look_at_attempts(ask: Ask) -> Iterator[Finding]:
    """Accepted at most once, unless its owner said so; nothing that succeeded was never sent."""
    found = [*_accepted_twice(ask), *_never_sent(ask), *_left_open()]
    yield from found
    if not found:
        how_far = "" if ask.everything else f" of the last {BACK.days} days"
        yield fine(f"Attempts{how_far} fit their edits: each was accepted once at most.")


def _accepted_twice(ask: Ask) -> Iterator[Finding]:
    attempts = Attempt.objects.filter(verdict="accepted", job__second=False)
    if not ask.everything:
        attempts = attempts.filter(created_at__gte=timezone.now() - BACK)
    counted = attempts.order_by().values("job").annotate(times=Count("pk")).filter(times__gt=1)
    twice = list(counted.values_list("job", flat=True)[:NAMED])
    if twice:
        yield problem(
            f"Accepted, and so charged, more than once without their owners' word: {named(twice)}.",
            "Compare with the flux server's bill, and please report it: this must not happen.",
        )


def _never_sent(ask: Ask) -> Iterator[Finding]:
    sent = Attempt.objects.filter(job=OuterRef("pk")).filter(Q(verdict="accepted") | Q(vendor_id__isnull=False))
    jobs = GenerationJob.objects.filter(state=JobState.SUCCEEDED, finished_at__isnull=False)
    if not ask.everything:
        jobs = jobs.filter(finished_at__gte=timezone.now() - BACK)
    odd = list(jobs.filter(~Exists(sent)).order_by("-finished_at").values_list("pk", flat=True)[:NAMED])
    if odd:
        yield problem(
            f"Succeeded, though no request of theirs was accepted: {named(odd)}.",
            "Somebody changed or deleted attempts by hand; put them back from a backup.",
        )


def _left_open() -> Iterator[Finding]:
    """Those of edits that are over: they count with the vendor until their deadline, and then nothing ends them."""
    over = timezone.now() - GRACE
    open_ones = Attempt.objects.filter(state__in=sorted(COUNTING), deadline_at__lte=over, job__finished_at__lte=over)
    left = list(open_ones.values_list("pk", flat=True)[:NAMED])
    if left:
        yield warning(
            f"Still open, though their edits ended long ago: attempts {named(left)}.",
            "They take no room with the flux server any more. Compare them with its bill.",
        )
