"""When not to send: a trouble that is everybody's stops all submissions, and administrators hear of it once.

A pause ends by gentle steps. Once it ran out, one clock asks what costs nothing: `system_details`, the file store, or
our own bucket. If that is well, one request at a time is sent, and as soon as one is accepted all may go again. A pause
made by hand ends by hand.
"""

import io
import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from PIL import Image as Pillow

from editor.flux.errors import FluxError, Verdict
from editor.images import bucket
from editor.images.bucket import BucketUnavailable, Missing
from editor.jobs import vendor
from editor.models import Attempt, FluxServer, GenerationJob, JobState, User
from editor.models.flux_servers import MAINTENANCE

log = logging.getLogger(__name__)

STORAGE = "storage"
FILE_STORE = "file-store"
WORDS = {
    "bad-key": "The flux server does not accept our key",
    "no-credit": "The flux server says that the credit is used up",
    "plan": "The flux server says that our plan does not include this",
    "broken": "The flux server has trouble of its own",
    "queue-full": "The flux server's queue is full",
    "unreachable": "The flux server can't be reached",
    FILE_STORE: "The flux server's file store does not take our pictures",
    STORAGE: "Our store of pictures can't be used",
    "operator": "An administrator paused new edits",
    MAINTENANCE: "The flux server is being looked after",
}
MEND = {
    "bad-key": "See whether FLUX_API_KEY is right and still valid.",
    "no-credit": "Buy credit at the flux server's vendor.",
    "plan": "Ask the flux server's vendor what the plan includes.",
    "broken": "If it stays so, ask the flux server's vendor.",
    "unreachable": "See whether FLUX_BASE_URL is right, and whether this machine reaches it.",
    FILE_STORE: "See whether FLUX_UPLOAD_URL is right and takes our key; a public PUBLIC_URL does without it.",
    STORAGE: "See whether the bucket S3_BUCKET at S3_ENDPOINT_URL is up, is not full, and lets our key read and write.",
}
ASKED_BY_DETAILS = {"bad-key", "plan", "broken", "unreachable"}
SURE = {"unreachable", FILE_STORE, STORAGE}  # of these, what costs nothing tells all there is to know
PROBE_KEY = "probe/pause"
PROBE_LEASE = timedelta(minutes=2)  # longer than any probe takes


def pause_after(attempt: Attempt) -> None:
    """Pause for what an attempt's refusal says about everybody's next request."""
    server = attempt.server
    if attempt.reason in {STORAGE, FILE_STORE}:
        pause(server, attempt.reason, attempt.message)
    elif attempt.verdict == Verdict.ACCOUNT:
        pause(server, attempt.reason if attempt.reason in WORDS else "plan", attempt.message)
    elif attempt.verdict == Verdict.QUEUE_FULL:
        wait = timedelta(seconds=min(max(attempt.retry_after or 5.0, 0.1), 600)) * settings.TIME_SCALE
        server.pause("queue-full", attempt.message, wait)
    elif attempt.reason != "sources":
        pause(server, "unreachable", attempt.message)


def pause(server: FluxServer, reason: str, detail: str) -> None:
    """Nothing is sent for a while, the longer the more often it was tried in vain."""
    server.pause(reason, detail, _length(reason, server.probes))
    _tell(server)


def storage_down(detail: str) -> None:
    """Our bucket failed: nothing is asked for whose result could not be stored."""
    pause(FluxServer.objects.current(), STORAGE, detail)


def accepted(server: FluxServer) -> None:
    """A request was accepted: if that was tried, the trouble is over."""
    server.answered(timezone.now())
    if server.in_trouble:
        _over(server)


def _length(reason: str, probes: int) -> timedelta:
    first: timedelta = settings.FLUX_PAUSE_BROKEN if reason == "broken" else settings.JOB_RETRY_FIRST
    last: timedelta = settings.JOB_RETRY_LAST
    if reason in {"bad-key", "no-credit", "plan"}:
        first = last = settings.FLUX_PAUSE_ACCOUNT
    return min(first * (1 << min(probes, 10)), max(first, last))


def end_of_pause(server: FluxServer) -> None:
    """For the clock: tell of what lasts, and once a pause ran out see how things are, one clock at a time."""
    if not server.in_trouble:
        return
    _tell(server)
    if not server.claim_probe(PROBE_LEASE):
        return
    reason = server.pause_reason
    if not _well(reason):
        server.conclude_probe(_length(reason, server.probes))
    elif server.conclude_probe(None) and reason in SURE and not _anybody_waits():
        _over(server)


def _anybody_waits() -> bool:
    return GenerationJob.objects.filter(state=JobState.QUEUED).exists()


def _well(reason: str) -> bool:
    """Ask what costs nothing; of the credit and the queue nobody but a real request can tell."""
    if reason in ASKED_BY_DETAILS:
        return server_says_well()
    if reason == FILE_STORE:
        return _file_store_is_well()
    return bucket_is_well() if reason == STORAGE else True


def server_says_well() -> bool:
    """Ask system_details, which costs nothing."""
    try:
        vendor.hasty_client().system_details()
    except FluxError:
        return False
    return True


def _file_store_is_well() -> bool:
    if vendor.way_of_sources() != vendor.Way.UPLOAD:
        return True
    grey = io.BytesIO()
    Pillow.new("RGB", (64, 64), (128, 128, 128)).save(grey, "JPEG")
    try:
        vendor.hasty_client().base64_to_url(grey.getvalue())
    except FluxError:
        return False
    return True


def bucket_is_well() -> bool:
    """Whether it takes, gives and forgets a few bytes."""
    try:
        with bucket.talking(PROBE_KEY, hurried=True) as (client, name):
            client.put_object(Bucket=name, Key=PROBE_KEY, Body=b"ok", ContentType="text/plain")
            client.head_object(Bucket=name, Key=PROBE_KEY)
            client.delete_object(Bucket=name, Key=PROBE_KEY)
    except (BucketUnavailable, Missing) as error:
        log.info("The bucket can't be used yet: %s", error)
        return False
    return True


def sentence(server: FluxServer) -> str:
    """Why edits wait and for how long they have, for whoever waits; "" while all is well."""
    if not server.in_trouble:
        return ""
    words = WORDS.get(server.pause_reason, "The flux server is paused")
    if server.paused_by_hand and server.pause_detail:
        words = f"{words} (“{server.pause_detail}”)"
    return f"{words}, for {_lasting(server)} now."


def _lasting(server: FluxServer) -> str:
    now = timezone.now()
    seconds = max(1, round((now - (server.paused_since or now)).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _patience(reason: str) -> timedelta | None:
    """How long a trouble lasts before a person is told of it; None for what nobody can mend."""
    if reason in {"bad-key", "no-credit", "plan"}:
        return timedelta(0)
    if reason in {STORAGE, FILE_STORE}:
        return settings.FLUX_PAUSE_TOLD
    return settings.FLUX_PAUSE_TOLD_OF_VENDOR if reason in {"broken", "unreachable"} else None


def _tell(server: FluxServer) -> None:
    reason, since = server.pause_reason, server.paused_since
    patience = _patience(reason)
    if server.paused_by_hand or patience is None or since is None or timezone.now() - since < patience:
        return
    if server.tell_once(reason):
        _mail(
            "Retake: edits are waiting",
            f"{WORDS[reason]}, since {since:%d %B %Y, %H:%M} (UTC). {MEND.get(reason, '')} Nothing is sent until it is "
            "mended; edits wait, and nobody is charged. It is tried again and again, and you will hear when it is over."
            f"\n\nWe were told: {server.pause_detail or 'nothing'}\n\n{settings.PUBLIC_URL}/operate/flux-server/",
        )


def _over(server: FluxServer) -> None:
    since = server.paused_since
    told_of = [WORDS[reason] for reason in server.end_trouble().split() if reason in WORDS]
    if told_of:
        began = f" It began on {since:%d %B %Y, %H:%M} (UTC)." if since else ""
        _mail("Retake: edits go on", f"This is over: {'; '.join(told_of)}.{began} What waits is sent now.")


def _mail(subject: str, words: str) -> None:
    """To all administrators, once the rows say so too."""
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    addresses = list(administrators.values_list("email", flat=True))

    def send() -> None:
        try:
            send_mail(subject, words, None, addresses)
        except OSError as error:
            log.error("Administrators could not be told by mail (%s): %s", type(error).__name__, words)

    transaction.on_commit(send)
