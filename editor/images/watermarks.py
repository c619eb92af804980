"""Renditions with words drawn all over them, for people who are to see nothing else. Held for a while, never stored."""

import asyncio
import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from editor.images import bucket
from editor.images.held import Held

_LARGEST = 50_000_000  # pixels of a rendition; there are none like that
_QUALITY = 82
_held = Held(most=48_000_000, largest=2_000_000)
_threads = ThreadPoolExecutor(2, thread_name_prefix="watermark")


def drawable(text: str) -> str:
    """What of it can be drawn: letters without accents, digits and signs: the font that Pillow brings has no more."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if c.isascii() and c.isprintable()).split())


async def marked(key: str, text: str) -> bytes:
    """A rendition as WebP with `text` over it. The caller has asked whether it may be seen.

    Raises Missing, BucketUnavailable.
    """
    name = f"{key}\n{text}"
    found = _held.get(name)
    if found is None:
        found = await asyncio.wrap_future(_threads.submit(_mark, key, text))
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


def drawn(picture: Pillow.Image, text: str) -> Pillow.Image:
    """The words in rows, turned, half transparent, light with a dark rim so that one of both shows everywhere."""
    letters = max(10, min(picture.size) // 16)
    font = ImageFont.load_default(letters)
    _, _, right, bottom = (int(side) for side in ImageDraw.Draw(picture).textbbox((0, 0), text, font, stroke_width=1))
    words = Pillow.new("RGBA", (right + 2 * letters, bottom + 2 * letters), (0, 0, 0, 0))
    ImageDraw.Draw(words).text(
        (letters, letters), text, fill=(255, 255, 255, 96), font=font, stroke_width=1, stroke_fill=(0, 0, 0, 96)
    )
    tile = words.rotate(30, Pillow.Resampling.BICUBIC, expand=True)
    layer = Pillow.new("RGBA", picture.size, (0, 0, 0, 0))
    for row, top in enumerate(range(-tile.height // 2, picture.height, max(1, tile.height * 2 // 3))):
        for left in range(-(row % 2) * tile.width // 2 - tile.width // 4, picture.width, tile.width):
            layer.paste(tile, (left, top), tile)
    return Pillow.alpha_composite(picture.convert("RGBA"), layer).convert(picture.mode)
