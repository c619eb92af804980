"""Renditions with words drawn all over them, for people who are to see nothing else. Held for a while, never stored."""

import asyncio
import io
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image as Pillow

from editor.images import bucket
from editor.images.export_settings import drawable
from editor.images.held import Held
from editor.images.watermark import drawn

_LARGEST = 50_000_000  # pixels of a rendition; there are none like that
_QUALITY = 82
_held = Held(most=48_000_000, largest=2_000_000)
_coming: dict[str, Future[bytes]] = {}  # what is being drawn now, once for all who ask meanwhile
_threads = ThreadPoolExecutor(2, thread_name_prefix="watermark")


async def marked(key: str, text: str) -> bytes:
    """A rendition as WebP with `text` over it. The caller has asked whether it may be seen.

    Raises Missing, BucketUnavailable.
    """
    name = f"{key}\n{text}"
    found = _held.get(name)
    if found is not None:
        return found
    coming = _coming.get(name)
    if coming is None:
        coming = _coming[name] = _threads.submit(_mark_and_hold, name, key, text)
        coming.add_done_callback(lambda _: _coming.pop(name, None))
    return await asyncio.shield(asyncio.wrap_future(coming))  # whoever leaves takes it from nobody else


def _mark_and_hold(name: str, key: str, text: str) -> bytes:
    found = _mark(key, text)
    _held.put(name, found)
    return found


def _mark(key: str, text: str) -> bytes:
    """A rendition is ours and clean: nothing untrusted is decoded here."""
    with Pillow.open(io.BytesIO(bucket.get(key)), formats=["WEBP", "JPEG"]) as opened:
        if opened.width * opened.height > _LARGEST:
            raise ValueError(f"{opened.size} is no rendition")
        picture = opened.convert("RGBA" if opened.mode == "RGBA" else "RGB")
    out = io.BytesIO()
    drawn(picture, drawable(text) or "-").save(out, "WEBP", quality=_QUALITY, method=3)
    return out.getvalue()
