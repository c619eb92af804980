"""What an edit changed: one picture over another one, as a map of the differences that an eye would see.

Pillow alone, on our own renditions. `docs/changes.md` says how it works, what it can't see, and what it was tried on.

Both are brought to one small size, moved over each other, and compared twice: finely in lightness, for what is small
and strong, and coarsely in OKLab, where equal distances look equally different, for what is faint, large or of another
hue. What lies among the values around its place in the other picture counts as the same, so that edges that were only
saved again stay silent.
"""

from functools import cache
from typing import NamedTuple

from PIL import Image, ImageChops, ImageFilter

from editor.images.pixels import least_around, most_around
from editor.images.placing import STILL, Place, find_place, laid

METHOD = 1
"""Goes up when the same two pictures give another map."""

SIDE = 320  # pixels of the longer side at which pictures are compared, if they are not smaller
SHORTEST = 24  # pixels of the shorter one; less shows nothing
STRETCH = 0.04  # how much the shapes may differ: as much as rounding the size of an edit does

FAINTEST = 64  # the faintest change in a map; it is as strong as it gets at four times what counts as one
_FINE_LEAST, _COARSE_LEAST = 14, 7  # levels of 255 from which on a difference counts
_MOST_NOISE = 2.0  # times that, for pictures that differ a little everywhere
_FINE_BLUR, _COARSE_BLUR = 1.2, 1.5  # pixels; the coarse picture has half the side
_EVENED = (6, 2, 2)  # levels of lightness and colour by which all of a picture may differ without being changed
_REACH, _FAINT = 2, 0.3  # so near to something strong, less than this part of it is no change of its own
_CHROMA = 1.5  # how much more a level of OKLab's colour counts than one of its lightness
_FLARE = 0.02  # light that any screen sends back: without it, noise in the darkest parts would count most
_BLACK = (_FLARE / (1 + _FLARE)) ** (1 / 3)  # the lightness of black under it
_CLOSED = 3  # pixels; smaller holes are filled


class Changes(NamedTuple):
    """`map`: one byte a pixel (mode L), 0 unchanged, FAINTEST to 255 changed, in the result's shape, SIDE long at most.

    `share`: how much of the area changed, 0 to 1. `place`: how the source had to be laid.
    """

    map: Image.Image
    share: float
    place: Place


class Incomparable(Exception):  # noqa: N818  it says what is the matter
    """They can't be laid over each other. `reason`: "shape" or "small"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def changes(before: Image.Image, after: Image.Image) -> Changes:
    """What differs between two pictures in RGB, of whatever sizes. Raises Incomparable."""
    size = _size(before.size, after.size)
    old, new = (_averaged(each, size) for each in (before, after))
    place = find_place(old.convert("L"), new.convert("L"))
    if place != STILL:
        old = _laid_over(new, old, place)
    found = ImageChops.lighter(_fine(old, new), _coarse(old, new))
    found = _rounded(found)
    return Changes(found, sum(found.histogram()[1:]) / (size[0] * size[1]), place)


def _size(before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int]:
    """Of the map: in the shape of the result, no larger than either. Raises Incomparable."""
    stretch = before[0] * after[1] / (before[1] * after[0])
    if max(stretch, 1 / stretch) > 1 + STRETCH:
        raise Incomparable("shape")
    scale = min(SIDE, max(before), max(after)) / max(after)
    width, height = (max(1, round(side * scale)) for side in after)
    if min(width, height) < SHORTEST:
        raise Incomparable("small")
    return width, height


def _averaged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    factor = max(1, min(picture.width // size[0], picture.height // size[1]))
    return picture.reduce(factor).resize(size, Image.Resampling.BOX)


def _laid_over(new: Image.Image, old: Image.Image, place: Place) -> Image.Image:
    """What lies beside the moved source is not known, so it counts as unchanged."""
    known = laid(Image.new("L", old.size, 255), place).point([0] * 255 + [255])
    return Image.composite(laid(old, place), new, least_around(known))


def _fine(old: Image.Image, new: Image.Image) -> Image.Image:
    """In lightness, at full size."""
    blur = ImageFilter.GaussianBlur(_FINE_BLUR)
    before, after = (each.convert("L").filter(blur) for each in (old, new))
    return _beyond(_outside(_evened(before, after, _EVENED[0]), after), _FINE_LEAST)


def _coarse(old: Image.Image, new: Image.Image) -> Image.Image:
    """In lightness and colour, at half the size."""
    blur = ImageFilter.GaussianBlur(_COARSE_BLUR)
    before, after = (each.reduce(2).filter(_oklab()).filter(blur) for each in (old, new))
    bands = zip(before.split(), after.split(), _EVENED, strict=True)
    evened = Image.merge("RGB", [_evened(b, a, most) for b, a, most in bands])
    lightness, green_red, blue_yellow = _outside(evened, after).split()
    # Of three distances at right angles the largest one and half of the others: nearly the length, without a root.
    largest = ImageChops.lighter(ImageChops.lighter(green_red, blue_yellow), lightness)
    together = ImageChops.add(ImageChops.add(green_red, blue_yellow), lightness)
    length = ImageChops.add(largest, together, scale=2.0)
    found = _beyond(length, _COARSE_LEAST).resize(old.size, Image.Resampling.BILINEAR)
    return found.point([max(v, FAINTEST) if v >= FAINTEST / 2 else 0 for v in range(256)])


def _outside(one: Image.Image, other: Image.Image) -> Image.Image:
    """How far each pixel of one picture lies outside of what is around its place in the other, whichever is more."""
    return ImageChops.lighter(_outside_of(one, other), _outside_of(other, one))


def _outside_of(picture: Image.Image, other: Image.Image) -> Image.Image:
    above = ImageChops.subtract(picture, most_around(other))
    return ImageChops.lighter(above, ImageChops.subtract(least_around(other), picture))


def _beyond(strength: Image.Image, least: int) -> Image.Image:
    """The difference as it stands in a map; what nearly all of a picture has is noise."""
    floor = min(max(least, 3 * _percentile(strength, 0.3)), _MOST_NOISE * least)
    # Blurred, what is strong reaches beyond its edge.
    faint = most_around(strength, _REACH).point([round(v * _FAINT) for v in range(256)])
    strength = ImageChops.darker(strength, ImageChops.subtract(strength, faint).point([0] + [255] * 255))
    gain = (255 - FAINTEST) / (3 * floor)
    return strength.point([0 if v < floor else min(255, round(FAINTEST + (v - floor) * gain)) for v in range(256)])


def _percentile(picture: Image.Image, share: float) -> int:
    wanted = picture.width * picture.height * share
    for value, count in enumerate(picture.histogram()):
        wanted -= count
        if wanted <= 0:
            return value
    return 255


def _evened(before: Image.Image, after: Image.Image, most: int) -> Image.Image:
    """The picture before, by as much brighter or darker as most of the other one is, within so many levels."""
    counts = ImageChops.subtract(after, before, offset=128).histogram()
    span = range(-most, most + 1)
    common = max(span, key=lambda by: (sum(counts[128 + by - 1 : 128 + by + 2]), -abs(by)))
    return before.point([min(255, max(0, v + common)) for v in range(256)]) if common else before


def _rounded(found: Image.Image) -> Image.Image:
    """Without pixels that stand nearly alone, holes filled and edges smoothed: what an eye takes for one change."""
    marked = found.point([0] + [255] * 255)
    closed = least_around(most_around(marked, _CLOSED), _CLOSED)
    areas = closed.filter(ImageFilter.BoxBlur(2)).point([0] * 128 + [255] * 128)
    return ImageChops.darker(ImageChops.lighter(found, closed.point([min(v, FAINTEST) for v in range(256)])), areas)


@cache
def _oklab() -> ImageFilter.Color3DLUT:
    """From sRGB to OKLab (Björn Ottosson), its colours around the middle and stretched."""
    return ImageFilter.Color3DLUT.generate(17, _to_oklab)


def _to_oklab(*rgb: float) -> tuple[float, float, float]:
    linear = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb)
    r, g, b = ((v + _FLARE) / (1 + _FLARE) for v in linear)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return (lightness - _BLACK) / (1 - _BLACK), 0.5 + _CHROMA * green_red, 0.5 + _CHROMA * blue_yellow
