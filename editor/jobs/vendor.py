"""The flux server as the jobs see it: one client a process, and what a request of ours says."""

from enum import StrEnum
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from editor.flux.client import MAX_UPLOAD, FluxClient
from editor.flux.contract import DEPLOY_TYPE, EditRequest, StorageRegistration
from editor.flux.errors import FluxError, Verdict
from editor.flux.transport import loopback
from editor.images import bucket, keys
from editor.images.fitting import fitted
from editor.models import Attempt, GenerationJob, Image

SOURCE_SALT = "editor.flux-source"
UPLOAD_PREFIX = len("data:image/jpeg;base64,")


class Way(StrEnum):
    """How sources get to the flux server."""

    PORTAL = "portal"  # a signed link to this portal
    BUCKET = "bucket"  # a signed link to our bucket
    UPLOAD = "upload"  # uploaded to the vendor's file store first


HASTE = 10.0  # seconds for an answer where others wait behind the question


@cache
def client_for(
    base_url: str, key: str, upload_url: str, *other_secrets: str, patience: float | None = None
) -> FluxClient:
    return FluxClient(
        base_url,
        key,
        upload_url=upload_url or None,
        other_secrets=other_secrets,
        connect_timeout=settings.FLUX_CONNECT_TIMEOUT,
        read_timeout=min(settings.FLUX_READ_TIMEOUT, patience or settings.FLUX_READ_TIMEOUT),
    )


def hasty_client() -> FluxClient:
    """For questions that cost nothing and can be asked again: the clock must not stand still for them."""
    return client(HASTE)


def client(patience: float | None = None) -> FluxClient:
    """One for each process; `patience` shortens how long it waits for an answer, in seconds."""
    inbox = (settings.FLUX_INBOX_ACCESS_KEY_ID, settings.FLUX_INBOX_SECRET_ACCESS_KEY) if settings.FLUX_INBOX else ()
    address = settings.FLUX_BASE_URL, settings.FLUX_API_KEY, settings.FLUX_UPLOAD_URL
    return client_for(*address, *inbox, patience=patience)


def allowed_origins() -> list[str]:
    """Those of the flux server and of our inbox: results there may be fetched even at a private address."""
    known = [settings.FLUX_BASE_URL] + ([settings.FLUX_INBOX_PUBLIC_URL] if settings.FLUX_INBOX else [])
    return [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, known)]


def registration(deploy_type: str = DEPLOY_TYPE) -> StorageRegistration:
    """What the flux server is told about the inbox; holds the key that it gets."""
    return StorageRegistration(
        endpoint_url=settings.FLUX_INBOX_ENDPOINT_URL,
        region_name=settings.S3_REGION,
        public_url=settings.FLUX_INBOX_PUBLIC_URL,
        access_key_id=settings.FLUX_INBOX_ACCESS_KEY_ID,
        secret_access_key=settings.FLUX_INBOX_SECRET_ACCESS_KEY,
        image_directory=settings.FLUX_INBOX_DIRECTORY,
        deploy_type=deploy_type,
    )


def edit_request(job: GenerationJob, attempt: Attempt) -> EditRequest:
    """What leaves for the vendor. May raise BucketUnavailable, or FluxError where sources are uploaded first."""
    images = job.source_images
    if job.width is None or job.height is None:  # can't be: admission sets both
        raise ValueError(f"job {job.pk} has no size")
    return EditRequest(
        prompt=job.prompt,
        negative_prompt=job.negative_prompt,
        init_image=source_link(images[0]),
        init_image_2=source_link(images[1]) if len(images) > 1 else None,
        width=job.width,
        height=job.height,
        samples=job.samples,
        strength=job.strength,
        seed=job.seed,
        webhook=webhook_link(attempt),
        track_id=str(attempt.pk),
    )


def webhook_link(attempt: Attempt) -> str | None:
    """Where the vendor tells that it is done; None if it can't reach us, or calls no such address (then we ask)."""
    ours = settings.FLUX_SEES_US_AT
    if not ours or not (ours.startswith("https://") or loopback(ours)):
        return None
    return settings.FLUX_SEES_US_AT + reverse("flux_webhook", args=[attempt.secret])


def way_of_sources() -> Way:
    """The portal where it can be reached, else the bucket where that can be; an upload is the last resort."""
    if settings.FLUX_SEES_US_AT:
        return Way.PORTAL
    return Way.BUCKET if settings.S3_PUBLIC else Way.UPLOAD


def source_link(image: Image) -> str:
    """An address from which the vendor can GET the init image, for as long as a job may wait."""
    key = keys.init_key(image.pk)
    match way_of_sources():
        case Way.PORTAL:
            token = signing.dumps(str(image.pk), salt=SOURCE_SALT)
            return settings.FLUX_SEES_US_AT + reverse("flux_source", args=[token])
        case Way.BUCKET:
            return bucket.signed_url(key, expires=int(settings.JOB_PROCESSING_DEADLINE.total_seconds()))
        case Way.UPLOAD:
            return _uploaded(fitted(bucket.get(key), (MAX_UPLOAD - UPLOAD_PREFIX) // 4 * 3))


def _uploaded(jpeg: bytes) -> str:
    try:
        return client().base64_to_url(jpeg)
    except FluxError as error:
        if error.verdict == Verdict.JOB:  # only the picture was sent: whatever is named, the words of the edit were not
            raise FluxError(Verdict.JOB, "image", error.message, http_status=error.http_status) from None
        raise


def image_of_link(token: str) -> str:
    """The image id of a link made above. Raises signing.BadSignature."""
    max_age = settings.JOB_PROCESSING_DEADLINE * 2
    return f"{signing.loads(token, salt=SOURCE_SALT, max_age=max_age)}"
