"""Settings, database, Redis, bucket and flux server: whether they are there and behave."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import AuthenticationError, RedisError

from editor import rings
from editor.checks import classifier_can_run
from editor.doctor.findings import Ask, Finding, fine, problem, warning
from editor.flux.client import FluxClient
from editor.flux.errors import FluxError, Verdict
from editor.images import bucket
from editor.images.bucket import BucketUnavailable, Denied, Missing
from editor.models import FluxServer

PATIENCE = 10.0  # seconds for an answer
CLOCKS_APART = 5.0  # seconds between our clock and the database's

NO_BUCKET = problem("The bucket is not there.", "Make it, or mend S3_BUCKET, S3_REGION and S3_ENDPOINT_URL.")


def look_at_settings(ask: Ask) -> Iterator[Finding]:
    """What every process refuses to start on, and what is allowed but seldom meant."""
    for wrong in settings.SETTINGS_PROBLEMS:
        yield problem(wrong.sentence, wrong.hint)
    for error in classifier_can_run(None):
        yield problem(str(error.msg), str(error.hint))
    if settings.DEBUG and not settings.EMBEDDED:
        yield warning("DEBUG is on: error pages tell visitors about the inside.", "Unset DEBUG where others can come.")
    if not settings.EMAIL_URL and not settings.MAILBOX:
        yield warning("Mail goes into the log: nobody can confirm an address or reset a password.", "Set EMAIL_URL.")
    if not settings.SETTINGS_PROBLEMS:
        yield fine(f"Every variable that is needed is set and makes sense; people open {settings.PUBLIC_URL}.")


def look_at_database(ask: Ask) -> Iterator[Finding]:
    """Whether it answers, knows our tables, and agrees about the time."""
    try:
        connection.ensure_connection()
        plan = MigrationExecutor(connection)
        waiting = plan.migration_plan(plan.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield problem(
            f"The database does not answer ({type(error).__name__}).",
            "See that it runs, and that DATABASE_URL names it with the right user and password.",
        )
        return
    if waiting:
        first = waiting[0][0]
        yield problem(
            f"{len(waiting)} migrations are not applied, {first.app_label}.{first.name} first.",
            "Run `manage.py migrate` before the new processes start.",
        )
        return
    apart = _clocks_apart()
    if abs(apart) > CLOCKS_APART:
        yield warning(
            f"This machine's clock and the database's differ by {apart:.0f} seconds.",
            "Let a time service set both: leases and deadlines are compared with the time.",
        )
    yield fine(f"{connection.vendor} answers and knows all our tables.")


def _clocks_apart() -> float:
    """Seconds that the database's clock is ahead of ours; 0 where it is the same machine's."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return (theirs.astimezone(UTC) - timezone.now()).total_seconds()


def look_at_redis(ask: Ask) -> Iterator[Finding]:
    """Whether it answers and takes our password."""
    try:
        rings.bell().ping()
    except AuthenticationError:
        yield problem("Redis refuses our password.", "Put the right one into REDIS_URL.")
    except RedisError as error:
        yield problem(
            f"Redis does not answer ({type(error).__name__}): nothing is lost, and nothing goes on.",
            "Start it, or mend REDIS_URL; whatever is due is found again by itself.",
        )
    else:
        yield fine("Redis answers.")


def look_at_bucket(ask: Ask) -> Iterator[Finding]:
    """Whether an object can be written, read and deleted, and whether strangers are refused."""
    key, words = f"doctor/{uuid4()}", b"written by manage.py doctor"
    try:
        bucket.put(key, words, "text/plain")
        try:
            if bucket.get(key) != words:
                yield problem("The bucket gives back something else than was written.", "Ask whoever runs the store.")
            yield from _strangers(key)
        finally:
            bucket.delete([key])
        if bucket.exists(key):
            yield problem(
                "A deleted object is still there.", "The key needs s3:DeleteObject; see that nothing locks objects."
            )
    except Denied:
        yield problem(
            "The bucket refuses our key.",
            "S3_ACCESS_KEY_ID needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on S3_BUCKET.",
        )
    except Missing:
        yield NO_BUCKET
    except BucketUnavailable as error:
        code = str(error).partition(" for ")[0]
        yield (
            NO_BUCKET
            if code == "NoSuchBucket"
            else problem(
                f"The bucket can't be used ({code}).",
                "See that the store runs, has room, and can be reached at S3_ENDPOINT_URL.",
            )
        )
    else:
        yield fine("The bucket is written, read and deleted from.")


def _strangers(key: str) -> Iterator[Finding]:
    """What somebody without a key gets to see of an object, and of the list of all."""
    signed = bucket.signed_url(key, 60)
    object_url = signed.partition("?")[0]
    list_url = object_url.removesuffix(key) + "?list-type=2"
    for url, what in ((object_url, "read every picture"), (list_url, "list what lies in it")):
        try:
            status = requests.get(url, timeout=PATIENCE, allow_redirects=False).status_code
        except requests.RequestException as error:
            yield warning(
                f"Whether strangers could {what} is not known: no answer without a key ({type(error).__name__}).",
                "Ask again; if that stays, look at the bucket's policy by hand.",
            )
            continue
        if status < requests.codes.bad_request:
            yield problem(
                f"The bucket is public: anybody can {what}.",
                "Take away its public policy and ACL, and block public access. Links that we sign go on working.",
            )


def look_at_flux_server(ask: Ask) -> Iterator[Finding]:
    """system_details, which costs nothing; and whether we send at all."""
    client = FluxClient(settings.FLUX_BASE_URL, settings.FLUX_API_KEY, connect_timeout=5, read_timeout=PATIENCE)
    try:
        details = client.system_details()
    except FluxError as error:
        if error.verdict == Verdict.ACCOUNT:
            yield problem(
                f"The flux server refuses us ({error.reason}).", "See FLUX_API_KEY, the credit and the plan there."
            )
        else:
            yield problem(
                f"The flux server does not answer as it should ({error.reason}).",
                "Wait for it, or see FLUX_BASE_URL. Edits wait meanwhile, and nobody is charged.",
            )
    else:
        wait = f"; it says that its queue takes {details.queue_time:g} s" if details.queue_time is not None else ""
        what = "The sandbox" if settings.FLUX_IS_SANDBOX else "The flux server"
        yield fine(f"{what} answers and accepts our key{wait}.")
    finally:
        client.close()
    yield from _pause()


def _pause() -> Iterator[Finding]:
    try:
        server = FluxServer.objects.filter(name="default").first()
    except DatabaseError:
        return  # said by the check of the database
    if server is None or not server.in_trouble:
        return
    since = f" since {server.paused_since:%d %B %Y, %H:%M} (UTC)" if server.paused_since else ""
    if server.paused_by_hand:
        yield warning(f"Nothing is sent{since}: somebody paused it by hand.", "Resume it in the administration.")
    else:
        yield warning(
            f"Nothing but a try now and then is sent{since} ({server.pause_reason or 'paused'}).",
            "It goes on by itself once the cause is gone; the administration shows the details.",
        )
