"""Taking pictures in: received → ready or refused. Row first, then bytes under keys that follow from the row."""

import hashlib
import logging
import tempfile
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from editor import rings
from editor.images import bucket, keys, veils
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.decoding import Decoded, DecoderDied, Refused, decode
from editor.images.likeness import same_bytes
from editor.images.rights import Rights
from editor.library.perceptual import phash_columns
from editor.library.words import index_result, index_words
from editor.models import (
    ChangeMap,
    ChangeState,
    Image,
    ImageKind,
    ImageState,
    NoChangeMap,
    Review,
    Shape,
    User,
    Workspace,
)
from editor.models.chosen import chosen
from editor.moderation import classifier, fingerprints
from editor.moderation.first_looks import Reason, of_likeness, of_sources, of_trust, withhold
from editor.moderation.trust import looked_at_first

log = logging.getLogger(__name__)

UNDECODABLE = "undecodable"
LOST = "lost"
REMOVED = "removed"
RETRY = timedelta(seconds=5)
WAITING_RETRY = 3  # seconds after which there may be room for further uploads
PUT_PATIENCE = 20.0  # seconds
"""Seconds that an upload waits for its turn to go on to the bucket."""

_puts = threading.BoundedSemaphore(4)  # at once per process: more would be no faster, and each takes memory


class TooMany(Exception):  # noqa: N818  a sentence for the person
    """The person's uploads of a day are used up, or too many of them still wait for a worker.

    `retry_after` says in how many seconds to come back; None: not today.
    """

    def __init__(self, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Closed(Exception):  # noqa: N818  a sentence for the person
    """Nothing comes into the workspace any more, or nothing of this person."""


class AlreadyThere(Exception):  # noqa: N818  no error
    """The workspace has these bytes; `image` is the picture."""

    def __init__(self, image: Image) -> None:
        super().__init__(image.pk)
        self.image = image


def sent_before(user: User, workspace: Workspace, token: str) -> Image | None:
    """What the same token brought, unless its bytes got lost on the way."""
    if not token:
        return None
    rows = Image.objects.filter(made_by=user, upload_token=_token_in(workspace, token))
    return rows.exclude(state=ImageState.REFUSED, refused_code=LOST).first()


def receive(
    user: User,
    workspace: Workspace,
    file: IO[bytes],
    name: str,
    *,
    sha256: str = "",
    token: str = "",
    keeps_one: bool = False,
    rights: Rights | None = None,
) -> Image:
    """Store an upload as it came and ring for the worker that looks at it.

    `sha256` is that of its bytes, where it is known by now. `token` is the sender's name for this sending: the same one
    again, also at the same time, is the picture that it made (compare `sent_before`). `keeps_one`: where the workspace
    has these bytes, they are not stored again, also if they come at the same time.

    Raises TooMany or Closed with a sentence, AlreadyThere, Refused where these are the bytes of a removed picture
    (nothing is stored), or BucketUnavailable (then nothing is left behind but a refused row).
    """
    if sha256 and fingerprints.match(raw_sha256=sha256) is not None:
        log.info("Person %s sent the bytes of a removed picture.", user.pk)
        raise Refused(REMOVED)
    _need_room(user)
    held = _token_in(workspace, token)
    if held:
        Image.objects.filter(made_by=user, upload_token=held, refused_code=LOST).update(upload_token="")
    image = Image(
        workspace=workspace,
        made_by=user,
        kind=ImageKind.UPLOADED,
        name=clean_name(name),
        raw_sha256=sha256,
        upload_token=held,
        due_at=timezone.now() + settings.IMAGE_LEASE,  # should this process die before the bytes are stored
        withheld_at=timezone.now() if looked_at_first(user, workspace) else None,  # its name, too, is seen by nobody
        **(rights.columns if rights else {}),
    )
    try:
        with transaction.atomic():
            _need_open(user, workspace)
            if keeps_one:
                _need_new_bytes(image)
            image.save(force_insert=True)
    except IntegrityError:  # sent twice at once; the other one stores the bytes
        return Image.objects.get(made_by=user, upload_token=held)
    try:
        _put_raw(image, file)
    except BucketUnavailable:
        image.refuse(LOST)
        raise
    if not image.swap({ImageState.RECEIVED}, due_at=timezone.now()):
        image.refresh_from_db()
        if image.refused_code == LOST:  # given up or purged meanwhile, which can't have found these bytes
            bucket.delete([keys.raw_key(image.pk)])
            return image
    rings.ring_image(image.pk)
    return image


def _need_open(user: User, workspace: Workspace) -> None:
    """Locked in the order of all who lock both: whoever purges the workspace sees the picture. Raises Closed."""
    active = User.objects.select_for_update(no_key=True).get(pk=user.pk).is_active
    if not (active and Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk).is_open):
        raise Closed(f"Nothing comes into {workspace.name} any more: it was archived or put into the trash.")


def _need_new_bytes(image: Image) -> None:
    """The workspace is locked. Raises AlreadyThere; not for what the same sending brought at the same time."""
    same = same_bytes(image.made_by, image.workspace, image.raw_sha256) if image.raw_sha256 else None
    sent_twice = same is not None and image.upload_token and same.upload_token == image.upload_token
    if same is not None and not sent_twice:
        raise AlreadyThere(same)


def _token_in(workspace: Workspace, token: str) -> str:
    """The same token names another sending in another workspace."""
    return hashlib.sha256(f"{workspace.pk} {token}".encode()).hexdigest() if token else ""


def _put_raw(image: Image, file: IO[bytes]) -> None:
    """Raises BucketUnavailable, also if other uploads keep it busy for too long."""
    if not _puts.acquire(timeout=PUT_PATIENCE):
        raise BucketUnavailable(f"busy for {PUT_PATIENCE:g} s with other uploads")
    try:
        bucket.put(keys.raw_key(image.pk), file, "application/octet-stream")
    finally:
        _puts.release()


def _need_room(user: User) -> None:
    """Raises TooMany."""
    uploads = Image.objects.filter(made_by=user, kind=ImageKind.UPLOADED)
    if uploads.filter(created_at__gte=timezone.now() - timedelta(days=1)).count() >= chosen.UPLOADS_PER_DAY:
        raise TooMany(f"That is {chosen.UPLOADS_PER_DAY} pictures in a day. Please go on tomorrow.")
    if uploads.filter(state=ImageState.RECEIVED).count() >= chosen.UPLOADS_WAITING:
        raise TooMany(
            f"{chosen.UPLOADS_WAITING} of your pictures are still being checked. Please go on in a few minutes.",
            retry_after=WAITING_RETRY,
        )


def clean_name(name: str) -> str:
    """A file's name for people's eyes: no path, no control or direction characters, 120 characters at most."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    return visible.strip()[:120]


def take_in(image: Image) -> bool:
    """Look at an upload, once, under a lease. True if this call decided about it."""
    if not image.claim({ImageState.RECEIVED}, settings.IMAGE_LEASE):
        return False
    image.swap({ImageState.RECEIVED}, tries=image.tries + 1)
    try:
        decided = _take_in(image, bucket.get(keys.raw_key(image.pk)))
    except Refused as refusal:
        decided = image.refuse(refusal.code)
    except Missing:
        decided = image.refuse(LOST)
    except DecoderDied as error:
        log.warning("Decoding picture %s ended badly (try %s): %s", image.pk, image.tries, error)
        last = error.timed_out or image.tries >= settings.IMAGE_TRIES
        decided = last and image.refuse(UNDECODABLE)
        if not decided:
            image.let_go(timezone.now() + RETRY * settings.TIME_SCALE)
    except BucketUnavailable as error:
        log.warning("Picture %s waits for the bucket: %s", image.pk, error)
        image.swap({ImageState.RECEIVED}, tries=image.tries - 1)  # not the picture's fault
        image.let_go(timezone.now() + RETRY * settings.TIME_SCALE)
        return False
    if decided and (not settings.RAW_KEPT or image.refused_code == REMOVED):
        _forget_raw(image)
    return decided


def opened(raw: bytes, directory: Path, *, crop: Sequence[int] | None = None) -> Decoded:
    """What the bytes hold, its files in `directory`. Asks neither database nor bucket. Raises Refused, DecoderDied."""
    return decode(
        raw,
        directory,
        max_bytes=settings.UPLOAD_MAX_BYTES,
        max_pixels=settings.UPLOAD_MAX_PIXELS,
        crop=(crop[0], crop[1], crop[2], crop[3]) if crop else None,
    )


def take_in_result(image: Image, decoded: Decoded, *, blank_code: str = "") -> bool:
    """Take in what the flux server made, as `opened` found it. A blank picture is refused with `blank_code`.

    The caller holds the lease of the job. Raises BucketUnavailable.
    """
    if decoded.blank and blank_code:
        return image.refuse(blank_code)
    with _stored(image, decoded):
        reasons = _reasons(image, decoded)
    return _finish(image, decoded, reasons)


def _reasons(image: Image, decoded: Decoded) -> list[Reason]:
    """Why somebody has to look at it before others see it. Raises Refused for an upload of a removed picture."""
    known = of_likeness(raw_sha256=decoded.raw_sha256, master_sha256=decoded.master_sha256, looks=decoded.phash)
    if image.kind == ImageKind.UPLOADED:
        if any(each.details["exact"] for each in known):
            raise Refused(REMOVED)
        return known + of_trust(image.made_by, image.workspace)
    sources = Image.objects.filter(used_by__job=image.job_id)  # asked for now: they may have been removed meanwhile
    return known + of_sources(list(sources)) + of_trust(image.made_by, image.workspace)


def _take_in(image: Image, raw: bytes) -> bool:
    with tempfile.TemporaryDirectory(prefix="retake-") as directory:
        decoded = opened(raw, Path(directory))
        reasons = _reasons(image, decoded)  # an upload of a removed picture is refused before anything is stored
        with _stored(image, decoded):
            pass
        return _finish(image, decoded, reasons, raw_size=len(raw) if settings.RAW_KEPT else 0)


def _finish(image: Image, decoded: Decoded, reasons: list[Reason], raw_size: int = 0) -> bool:
    """Its files are in the bucket: received → ready, unless it was decided about meanwhile."""
    done = _become_ready(
        image,
        reasons,
        width=decoded.width,
        height=decoded.height,
        byte_size=decoded.byte_size,
        copies_size=sum(path.stat().st_size for path in [*decoded.renditions.values(), decoded.init_path]),
        raw_size=raw_size,
        master_ext=decoded.master_ext,
        content_type=decoded.content_type,
        raw_sha256=decoded.raw_sha256,
        master_sha256=decoded.master_sha256,
        rendition_widths=sorted(decoded.renditions),
        thumbhash=decoded.thumbhash,
        **phash_columns(decoded.phash),
        init_width=decoded.init_width,
        init_height=decoded.init_height,
        init_crop=decoded.init_crop,
        frames_dropped=decoded.frames_dropped,
    )
    if done:
        classifier.look_at(image, decoded.renditions[min(decoded.renditions)].read_bytes())
    elif Image.objects.filter(pk=image.pk, state=ImageState.REFUSED).exists():
        bucket.delete([keys.raw_key(image.pk), *(key for key, _, _ in _files(image, decoded))])
    return done


def _become_ready(image: Image, reasons: list[Reason], **facts: Any) -> bool:
    """With its shape and its words, so that it is found from the first moment on; kept back if there are reasons."""
    with transaction.atomic():
        shape = Shape.of(facts["width"], facts["height"])
        done = image.become_ready(shape=shape, withheld_at=None, **facts)
        if done:
            index = index_words if image.kind == ImageKind.UPLOADED else index_result
            index(image)
            withhold(image, reasons)
            veils.inherit(image)
    return done


def _files(image: Image, decoded: Decoded) -> list[tuple[str, Path, str]]:
    """What there is to store: under which key, from where, as which type."""
    files = [(keys.rendition_key(image.pk, width), path, "image/webp") for width, path in decoded.renditions.items()]
    files.append((keys.master_key(image.pk, decoded.master_ext), decoded.master_path, decoded.content_type))
    return [*files, (keys.init_key(image.pk), decoded.init_path, "image/jpeg")]


@contextmanager
def _stored(image: Image, decoded: Decoded) -> Iterator[None]:
    """Its files are on their way while within, and in the bucket behind it. Raises BucketUnavailable."""
    files = _files(image, decoded)
    with ThreadPoolExecutor(len(files)) as pool:
        puts = pool.map(lambda file: bucket.put(*file), files)
        yield
        list(puts)  # which raises what went wrong


def _forget_raw(image: Image) -> None:
    try:
        bucket.delete([keys.raw_key(image.pk)])
    except BucketUnavailable:
        log.warning("The raw bytes of picture %s stay until the next clean-up.", image.pk)


def purge(image: Image) -> None:
    """Delete the bytes of a picture; its row stays as a tombstone. Raises BucketUnavailable."""
    # Refused first: whoever stores bytes at this moment sees it afterwards, and deletes them again.
    refused = {"state": ImageState.REFUSED, "refused_code": LOST, "due_at": None, "lease_until": None}
    Image.objects.filter(pk=image.pk, state=ImageState.RECEIVED).update(**refused, fence=F("fence") + 1)
    ChangeMap.objects.filter(pk=image.pk).update(state=ChangeState.NONE, reason=NoChangeMap.GONE)
    image.refresh_from_db()
    gone = [keys.raw_key(image.pk), keys.init_key(image.pk), keys.change_key(image.pk)]
    gone += [keys.rendition_key(image.pk, width) for width in image.rendition_widths]
    if image.master_ext:  # a refused picture never had a master
        gone.append(keys.master_key(image.pk, image.master_ext))
    bucket.delete(gone)
    Image.objects.filter(pk=image.pk).update(purged_at=timezone.now())
    Review.objects.filter(image=image.pk).end(None)  # nobody can answer any more
