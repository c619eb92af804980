"""A map of changes as a picture to lay over the result: what stayed is veiled, what changed is tinted and has an edge.

Three signs for one thing, as no colour is seen by everybody, nor on every picture: light, hue, and the line between.
"""

import io

from PIL import Image, ImageChops

from editor.images.pixels import least_around, most_around

_VEIL = (28, 27, 25, 150)  # red, green, blue, alpha
_TINT = (255, 0, 170)
_FAINTEST, _STRONGEST = 36, 140  # alpha of the tint
_LINE, _AROUND = (255, 255, 255, 255), (28, 27, 25, 235)
_STEPS = 12  # of strength
_CHANGED = 64  # the faintest change in a map


def draw(changes: Image.Image) -> bytes:
    """A PNG with a palette and transparency, of the map's size (mode L: 0 unchanged, _CHANGED to 255 changed)."""
    line, around = _STEPS + 1, _STEPS + 2
    width = (256 - _CHANGED) / _STEPS
    picture = changes.point([0 if v < _CHANGED else 1 + int((v - _CHANGED) / width) for v in range(256)])
    inside = changes.point([0 if v < _CHANGED else 255 for v in range(256)])
    picture.paste(around, mask=ImageChops.subtract(most_around(inside), inside))
    picture.paste(line, mask=ImageChops.subtract(inside, least_around(inside)))
    tints = [_FAINTEST + round((_STRONGEST - _FAINTEST) * step / (_STEPS - 1)) for step in range(_STEPS)]
    colours = [_VEIL, *((*_TINT, alpha) for alpha in tints), _LINE, _AROUND]
    picture.putpalette([part for colour in colours for part in colour[:3]])
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=bytes(colour[3] for colour in colours), compress_level=6)
    return out.getvalue()
