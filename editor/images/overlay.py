"""A map of changes as a picture to lay over the result: what stayed is veiled, what changed is tinted and has an edge.

Three signs for one thing, as no colour is seen by everybody, nor on every picture: light, hue, and the line between.
"""

import io
import zlib

from PIL import Image, ImageChops, ImageFilter

from editor.images.changes import FAINTEST
from editor.images.pixels import least_around, most_around

_TINTS = [30, 39, 49, 58, 67, 76, 86, 95]  # alpha, by strength
_STEPS = len(_TINTS)
_COLOURS = [
    (28, 27, 25, 150),  # what stayed; red, green, blue, alpha
    *((255, 0, 170, alpha) for alpha in _TINTS),
    (255, 255, 255, 255),  # the line,
    (28, 27, 25, 235),  # and what sets it off from what is as bright
]
_LINE, _AROUND = _STEPS + 1, _STEPS + 2
_FINER = 2  # times as many pixels a side as the map has, for a smooth line,
_THICK = 2  # pixels of these
_SMOOTH = ImageFilter.BoxBlur(1.5)
_BEYOND = 4  # pixels of the map that what is drawn reaches beyond what changed, at most


def draw(changes: Image.Image) -> bytes:
    """A PNG with a palette and transparency, twice the map's size (mode L: 0 unchanged, FAINTEST to 255 changed)."""
    picture = Image.new("P", (changes.width * _FINER, changes.height * _FINER))  # a veil all over
    changed = changes.point(_of_changed(255)).getbbox()
    if changed is not None:
        left, top, right, bottom = changed
        box = max(0, left - _BEYOND), max(0, top - _BEYOND), right + _BEYOND, bottom + _BEYOND
        box = (*box[:2], min(changes.width, box[2]), min(changes.height, box[3]))
        picture.paste(_drawn(changes.crop(box)), (box[0] * _FINER, box[1] * _FINER))
    picture.putpalette([part for colour in _COLOURS for part in colour[:3]])
    out = io.BytesIO()
    alpha = bytes(colour[3] for colour in _COLOURS)
    picture.save(out, "PNG", transparency=alpha, compress_level=1, compress_type=zlib.Z_RLE)  # in runs: small and quick
    return out.getvalue()


def _drawn(changes: Image.Image) -> Image.Image:
    """The numbers of its colours, at the size of what is drawn."""
    larger = changes.width * _FINER, changes.height * _FINER
    inside = changes.point(_of_changed(255)).filter(_SMOOTH).resize(larger, Image.Resampling.BILINEAR)
    inside = inside.point([0] * 128 + [255] * 128)
    width = (256 - FAINTEST) / _STEPS
    tints = [1 + max(0, int((v - FAINTEST) / width)) for v in range(256)]
    picture = changes.point(tints).resize(larger, Image.Resampling.NEAREST)
    picture.paste(0, mask=ImageChops.invert(inside))
    picture.paste(_AROUND, mask=ImageChops.subtract(most_around(inside, _THICK), inside))
    picture.paste(_LINE, mask=ImageChops.subtract(inside, least_around(inside, _THICK)))
    return picture


def _of_changed(value: int) -> list[int]:
    return [value if v >= FAINTEST else 0 for v in range(256)]
