"""This picture, these settings: bytes, a name and a type. For downloads, ZIPs and links alike.

    exported = await export(image, settings, stem="owl-2026", making=facts)
    response = StreamingHttpResponse(exported, content_type=exported.content_type)
    response["Content-Length"] = str(exported.length)

The caller has asked `access` whether the person may have the picture's bytes, and what of its making they may know.
What is asked for as it is comes straight from the bucket. All else is decoded and written by the decoder's process,
under its limits, a few at once (a `Lane`), never by the process that serves pages.
"""

import asyncio
import json
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import IO, TypeVar
from weakref import WeakSet

from django.conf import settings as portal

from editor.images import bucket, keys
from editor.images.decoding import DecoderDied, answer_to
from editor.images.export_settings import BadSettings, ExportSettings, Format, Size, Space, drawable, problem_with
from editor.images.provenance import Making
from editor.models import Image

__all__ = [
    "SINGLES",
    "ZIPS",
    "BadSettings",
    "Busy",
    "ExportSettings",
    "Exported",
    "Format",
    "Kept",
    "Lane",
    "Making",
    "NotExported",
    "Size",
    "Space",
    "export",
]

Answer = TypeVar("Answer")

TIMEOUT = 60.0
"""Seconds of the clock and of the processor; the slowest that was measured takes 16 (noise as PNG, 50 megapixels)."""

_BASE_MEMORY, _MEMORY_PER_PIXEL = 400_000_000, 40  # bytes; an AVIF of 50 megapixels takes most
_CHUNK = 256 * 1024
_KEPT = 40  # files that wait to be sent, or are being sent, at once
_TYPES = {Format.JPEG: "image/jpeg", Format.PNG: "image/png", Format.WEBP: "image/webp", Format.AVIF: "image/avif"}


class NotExported(Exception):  # noqa: N818  it says what is the matter
    """It can't be written like this; the sentence says why and what to do. Trying again would not help."""


class Busy(Exception):  # noqa: N818  it says what is the matter
    """As many are being written as the machine should bear; worth trying again in some seconds."""


class Lane:
    """A number of threads that have files written, and how many may wait for one of them; None: all who come."""

    def __init__(self, at_once: int, waiting: int | None) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="export")
        self._most = None if waiting is None else at_once + waiting
        self._taken: Counter[object] = Counter()
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], Answer], unwanted: Callable[[Answer], None], who: object = None) -> Answer:
        """In a thread; `unwanted` takes what nobody waits for any more. Raises Busy, and what `work` does.

        `who` it is for may have half of the lane, so that there is room for others.
        """
        with self._lock:
            if self._is_full(who):
                raise Busy
            self._taken[who] += 1
        running = self._threads.submit(work)
        running.add_done_callback(lambda _: self._give_back(who))
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:  # the browser went away: what has not begun never does
            running.add_done_callback(lambda done: _pass_on(done, unwanted))
            running.cancel()
            raise

    @property
    def taken(self) -> int:
        """How many are under way or wait."""
        return self._taken.total()

    def _is_full(self, who: object) -> bool:
        if self._most is None:
            return False
        greedy = who is not None and self._taken[who] >= self._most // 2
        return greedy or self.taken >= self._most or len(_open) >= _KEPT

    def _give_back(self, who: object) -> None:
        with self._lock:
            self._taken -= Counter([who])


def _pass_on(done: Future[Answer], unwanted: Callable[[Answer], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        unwanted(done.result())


SINGLES = Lane(at_once=2, waiting=6)
"""For single files, in each web process."""

ZIPS = Lane(at_once=2, waiting=None)
"""For ZIPs, each of which has one picture under way; `export_zips` says how many there may be."""


class Exported:
    """A file that is read once, in chunks, and closed at its end or by `close`; nothing of it stays on the disk."""

    def __init__(self, file: IO[bytes], name: str, content_type: str, size: tuple[int, int]) -> None:
        self._file, self.name, self.content_type = file, name, content_type
        self.width, self.height = size  # pixels
        self.length = file.seek(0, 2)  # bytes
        file.seek(0)
        _open.add(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await asyncio.to_thread(self._file.read, _CHUNK):
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        self._file.close()
        _open.discard(self)


class Kept:
    """The same of a master, straight from the bucket."""

    def __init__(self, found: bucket.Streamed, name: str, content_type: str, size: tuple[int, int]) -> None:
        self._found, self.name, self.content_type = found, name, content_type
        self.width, self.height = size
        self.length, self.close = found.length, found.close

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._found)


_open: WeakSet[Exported] = WeakSet()


async def export(
    image: Image,
    settings: ExportSettings,
    *,
    stem: str,
    making: Making | None = None,
    lane: Lane = SINGLES,
    who: object = None,
) -> Exported | Kept:
    """The picture as the settings ask for it; iterate it asynchronously for its bytes, or close it.

    `image`: a ready one, with its size. `stem`: the file's name without its ending, from `export_names.stem_of`.
    `making` is written only if the settings want it. `lane`: what it waits in; `who` asks (a person's id, a link's),
    of whom no more than some are served at once.

    Raises NotExported (its text is for people), Busy, Missing and BucketUnavailable.
    """
    name = f"{stem}.{settings.ending_of(image.master_ext)}"
    size = settings.size_of(image.width or 1, image.height or 1)
    if settings.leaves(image):
        found = await bucket.open_stream_soon(keys.master_key(image.pk, image.master_ext))
        return Kept(found, name, image.content_type, size)
    if problem := problem_with(image, settings):
        raise NotExported(problem)
    told = (making or Making()) if settings.making else None
    return await lane.run(lambda: _write(image, settings, name, size, told), Exported.close, who)


def _write(image: Image, settings: ExportSettings, name: str, size: tuple[int, int], making: Making | None) -> Exported:
    """In a thread: from the bucket through the decoder's process to a file that is open and has no name any more."""
    format_ = settings.format_of(image.master_ext)
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        directory = Path(folder)
        raw, asked, result = directory / "master", directory / "asked.json", directory / "result"
        raw.write_bytes(bucket.get(keys.master_key(image.pk, image.master_ext)))
        most = max(portal.UPLOAD_MAX_PIXELS, (image.width or 1) * (image.height or 1))
        words = {
            "result": str(result),
            "format": format_.name,
            "quality": settings.quality,
            "width": size[0],
            "height": size[1],
            "max_pixels": most,
            "space": settings.space.value,
            "background": settings.background,
            "watermark": drawable(settings.watermark),
            "making": None if making is None else asdict(making),
            "keep_pixels": settings.keeps_pixels(image),
        }
        asked.write_text(json.dumps(words))
        pixels = max(size[0] * size[1], (image.width or 1) * (image.height or 1))
        order = {
            "export": str(asked),
            "raw": str(raw),
            "out_dir": folder,
            "memory": _BASE_MEMORY + _MEMORY_PER_PIXEL * pixels + 3 * raw.stat().st_size,
            "cpu": int(TIMEOUT),
        }
        try:
            answer = answer_to(order, directory, TIMEOUT)
        except DecoderDied as death:
            raise NotExported(_died(death)) from death
        if "refused" in answer:
            raise NotExported("The picture could not be read. Take it as it is.")
        return Exported(result.open("rb"), name, _TYPES[format_], (answer["width"], answer["height"]))


def _died(death: DecoderDied) -> str:
    if death.timed_out:
        return "Writing this file took too long. Ask for a smaller one, or for another format."
    return "The file could not be written. Try again, or take the picture as it is."
