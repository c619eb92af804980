"""Having the flux server write its results straight into our inbox: the proofs before, and the proof after.

Words for operators, at a page as well as in a shell. No part of a key is ever in them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from editor.flux.contract import Notice
from editor.flux.errors import FluxError, Verdict
from editor.images import inbox, inbox_rights
from editor.images.bucket import BucketUnavailable
from editor.jobs.failures import explain
from editor.models import Attempt, FluxServer, GenerationJob, JobState
from editor.models.chosen import chosen

LAST = 10  # results that are looked back at
GROUP = "FLUX_INBOX_BUCKET, FLUX_INBOX_PUBLIC_URL, FLUX_INBOX_ACCESS_KEY_ID and FLUX_INBOX_SECRET_ACCESS_KEY"
NO_INBOX = f"There is no inbox. Set {GROUP}; docs/direct-delivery.md says how."


class NotRegistered(Exception):  # noqa: N818  a sentence for the operator
    """It could not be registered, or is not seen to work; the text says why and what to do."""


@dataclass(frozen=True)
class Words:
    """How a test edit is taken back and tried again: by a command, or at a page."""

    reset: str
    again: str
    show: str
    deploy_type: str


IN_A_SHELL = Words(
    "`manage.py flux_s3 reset` takes it back",
    "`manage.py flux_s3 register` tries again",
    "`manage.py flux_s3 show` says later where its result came from",
    "give another one by --deploy-type",
)
AT_A_PAGE = Words(
    "“Stop using the inbox” takes it back",
    "register it again to try once more",
    "this page says later where results came from",
    "give another one when you register it",
)


def what_is_set() -> list[tuple[str, str]]:
    """The inbox as the flux server is told of it, but for the key."""
    return [
        ("Bucket", f"{settings.FLUX_INBOX_BUCKET}, folder {inbox.folder()}"),
        ("Told", f"{settings.FLUX_INBOX_ENDPOINT_URL}, region {settings.S3_REGION}, and a key"),
        ("Links", f"{settings.FLUX_INBOX_PUBLIC_URL}/{inbox.folder()}…"),
    ]


def check_keys() -> list[str]:
    """Try what both keys can do and what they must not; what is odd but may do. Raises NotRegistered."""
    try:
        return inbox_rights.check()
    except inbox_rights.Unfit as error:
        raise NotRegistered(str(error)) from error
    except BucketUnavailable as error:
        raise NotRegistered(f"The store does not do what it should: {error}. Nothing was changed.") from error


def told(call: Callable[[], Notice]) -> str:
    """Tell the flux server; what it says. Raises NotRegistered."""
    try:
        return clean(call().message)
    except FluxError as error:
        raise NotRegistered(f"The flux server did not do it: {clean(error.message)} {_remedy(error)}") from error


def proven(job: GenerationJob, deploy_type: str, words: Words) -> str:
    """The address under which the picture of an ended test edit arrived in the inbox. Raises NotRegistered."""
    if job.state != JobState.SUCCEEDED:
        failure = explain(job)
        detail = f" ({clean(job.failure_detail)})" if job.failure_detail else ""
        why = failure.sentence if failure else f"it was {job.state}."
        raise NotRegistered(f"Registered, but the test edit brought no picture: {why}{detail}{_hint(words)}")
    links = [str(link) for link in job.attempts.latest("number").outputs]
    strangers = [link for link in links if inbox.key_of(link) is None]
    if strangers:
        raise NotRegistered(_elsewhere(strangers[0], deploy_type, words))
    return links[0]


def late(job: GenerationJob, wait: float, words: Words) -> str:
    """Of a test edit that did not end in time; one whose turn did not come is canceled by now."""
    server = FluxServer.objects.current()
    if job.state == JobState.CANCELED:
        paused = f" Submission is paused: {clean(server.pause_detail)}" if server.paused else ""
        turn = f"its turn did not come in {wait:g} s, so nothing was sent."
        return f"Registered, but not tested: {turn}{paused}{_hint(words)}"
    return (
        f"Registered, but after {wait:g} s the test edit is still {job.state}. It goes on by itself if workers run; "
        f"{words.show}."
    )


def last_results() -> str:
    attempts = Attempt.objects.filter(vendor_status="success").order_by("-created_at")[:LAST]
    links = [str(link) for outputs in attempts.values_list("outputs", flat=True) for link in outputs]
    if not links:
        return "Last results: none yet."
    through = sum(inbox.key_of(link) is not None for link in links)
    return f"Last results: {through} of {len(links)} came through the inbox."


def price() -> str:
    return f"which costs {chosen.FLUX_PRICE:g}" if chosen.FLUX_PRICE else "at a price that FLUX_PRICE does not say"


def host() -> str:
    return urlsplit(settings.FLUX_BASE_URL).netloc


def clean(words: str) -> str:
    """The flux server's words, should it repeat what it was told."""
    for name in ("FLUX_INBOX_SECRET_ACCESS_KEY", "FLUX_INBOX_ACCESS_KEY_ID", "FLUX_API_KEY"):
        if secret := getattr(settings, name):
            words = words.replace(secret, f"[{name}]")
    return words


def _hint(words: Words) -> str:
    return f" The registration stands; {words.reset}."


def _elsewhere(link: str, deploy_type: str, words: Words) -> str:
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(link))
    return (
        f"Registered, but the result came from {origin} instead of {settings.FLUX_INBOX_PUBLIC_URL}/{inbox.folder()}, "
        f"so the flux server does not write into the inbox. It may take minutes to begin; {words.again}. "
        f"If it goes on like this, ask its makers whether your server's deploy_type is {deploy_type}, and "
        f"{words.deploy_type}.{_hint(words)}"
    )


def _remedy(error: FluxError) -> str:
    if error.verdict == Verdict.ACCOUNT:
        return "Check FLUX_API_KEY and what your plan includes."
    if error.verdict == Verdict.JOB:
        return "Check the FLUX_INBOX_… settings."
    return "Try again later."
