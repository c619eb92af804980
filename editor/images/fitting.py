"""Making a JPEG of ours small enough for an address that takes only so many bytes."""

import io
from collections.abc import Iterator

from PIL import Image, JpegImagePlugin  # noqa: F401  registers the saver

from editor.images.sizes import SHORTEST, STEP

_QUALITIES = (90, 80, 70, 60)
"""Below the last one blocks are seen; a smaller picture loses less."""
_SMALLER = 0.8


def fitted(jpeg: bytes, max_bytes: int) -> bytes:
    """The same picture in at most `max_bytes`, untouched if it fits.

    First its quality goes down at the same size, then its size, in multiples of 8 and with at least 256 pixels a side.
    If even that is too large, the smallest that was found.
    """
    if len(jpeg) <= max_bytes:
        return jpeg
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as opened:
        picture = opened.convert("RGB")
    smallest = jpeg
    for width, height in _sizes(*picture.size):
        image = picture.resize((width, height), Image.Resampling.LANCZOS)  # at its own size this is a copy
        for quality in _QUALITIES:
            out = io.BytesIO()
            image.save(out, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
            smallest = min(smallest, out.getvalue(), key=len)
            if len(smallest) <= max_bytes:
                return smallest
    return smallest


def _sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Its own size, and from there down to where the shorter side is the shortest of an edit; never another shape."""
    yield width, height
    least = SHORTEST / min(width, height)
    scale = _SMALLER
    while scale > least:
        yield _side(width, scale), _side(height, scale)
        scale *= _SMALLER
    if least < 1:
        yield _side(width, least), _side(height, least)


def _side(pixels: int, scale: float) -> int:
    return max(SHORTEST, round(pixels * scale / STEP) * STEP)
