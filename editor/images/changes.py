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

METHOD = 1
"""Goes up when the same two pictures give another map."""

SIDE = 320  # pixels of the longer side at which pictures are compared, if they are not smaller
SHORTEST = 24  # pixels of the shorter one; less shows nothing
STRETCH = 0.04  # how much the shapes may differ: as much as rounding the size of an edit does

_CHANGED = 64  # the faintest change in a map; it is as strong as it gets at four times what counts as one
_FINE_LEAST, _COARSE_LEAST = 14, 7  # levels of 255 from which on a difference counts
_MOST_NOISE = 2.0  # times that, for pictures that differ a little everywhere
_FINE_BLUR, _COARSE_BLUR = 1.2, 1.5  # pixels; the coarse picture has half the side
_EVENED = 6  # levels by which all of a picture may have become brighter or of another hue without being changed
_FARTHEST = 0.03  # of the longer side: how far a result may lie beside its source
_SMALL = 96  # pixels of the longer side of the copy in which that is looked for
_PARTS_FARTHEST = 3  # pixels that a half may lie beside the other one: by stretching
_REACH = 2
_FAINT = 0.3
_CLIPPED = 32  # levels; what differs more says nothing about how two pictures lie over each other
_GAIN = 0.97  # a move has to make them this much more alike
_CHROMA = 1.5  # how much more a level of OKLab's colour counts than one of its lightness
_FLARE = 0.02  # light that any screen sends back: without it, noise in the darkest parts would count most
_BLACK = (_FLARE / (1 + _FLARE)) ** (1 / 3)  # the lightness of black under it
_LONELY = 0.2  # of the pixels around it have to be changed, too, or it is a speck


class Place(NamedTuple):
    """How a source lies under its result: moved, in pixels of the map, and stretched about its middle."""

    across: float
    down: float
    wide: float
    high: float


STILL = Place(0, 0, 1, 1)


class Changes(NamedTuple):
    """`map`: one byte a pixel (mode L), 0 unchanged, _CHANGED to 255 changed, in the result's shape, SIDE long at most.

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
    old, new = (each.resize(size, Image.Resampling.BOX, reducing_gap=2.0) for each in (before, after))
    place = _place(*(each.convert("L") for each in (old, new)))
    if place != STILL:
        old = _laid(old, place)
    found = ImageChops.lighter(_fine(old, new), _coarse(old, new))
    if place != STILL:
        found = _without_rim(found, place)
    found = _without_specks(found)
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


def _fine(old: Image.Image, new: Image.Image) -> Image.Image:
    """In lightness, at full size."""
    blur = ImageFilter.GaussianBlur(_FINE_BLUR)
    before, after = (each.convert("L").filter(blur) for each in (old, new))
    return _beyond(_outside(_evened(before, after), after), _FINE_LEAST)


def _coarse(old: Image.Image, new: Image.Image) -> Image.Image:
    """In lightness and colour, at half the size."""
    blur = ImageFilter.GaussianBlur(_COARSE_BLUR)
    before, after = (each.reduce(2).filter(_oklab()).filter(blur).split() for each in (old, new))
    parts = [_outside(_evened(b, a), a) for b, a in zip(before, after, strict=True)]
    # Of three distances at right angles the largest one and half of the others: nearly the length, without a root.
    largest = ImageChops.lighter(ImageChops.lighter(*parts[:2]), parts[2])
    together = ImageChops.add(ImageChops.add(parts[0], parts[1]), parts[2])
    length = ImageChops.add(largest, together, scale=2.0)
    return _beyond(length, _COARSE_LEAST).resize(old.size, Image.Resampling.BILINEAR)


def _outside(one: Image.Image, other: Image.Image) -> Image.Image:
    """How far each pixel of one picture lies outside of what is around its place in the other, whichever is more."""
    return ImageChops.lighter(_outside_of(one, other), _outside_of(other, one))


def _outside_of(picture: Image.Image, other: Image.Image) -> Image.Image:
    above = ImageChops.subtract(picture, most_around(other))
    return ImageChops.lighter(above, ImageChops.subtract(least_around(other), picture))


def _beyond(strength: Image.Image, least: int) -> Image.Image:
    """The difference as it stands in a map; what nearly all of a picture has is noise."""
    floor = min(max(least, 3 * _percentile(strength, 0.3)), _MOST_NOISE * least)
    # Blurred, what is strong reaches beyond its edge; what is much weaker than its neighbours is not its own change.
    faint = most_around(strength, _REACH).point([round(v * _FAINT) for v in range(256)])
    strength = ImageChops.darker(strength, ImageChops.subtract(strength, faint).point([0] + [255] * 255))
    gain = (255 - _CHANGED) / (3 * floor)
    return strength.point([0 if v < floor else min(255, round(_CHANGED + (v - floor) * gain)) for v in range(256)])


def _percentile(picture: Image.Image, share: float) -> int:
    wanted = picture.width * picture.height * share
    for value, count in enumerate(picture.histogram()):
        wanted -= count
        if wanted <= 0:
            return value
    return 255


def _evened(before: Image.Image, after: Image.Image) -> Image.Image:
    """The picture before, by as much brighter or darker as most of the other one is, within _EVENED levels."""
    counts = ImageChops.subtract(after, before, offset=128).histogram()
    span = range(-_EVENED, _EVENED + 1)
    common = max(span, key=lambda by: (sum(counts[128 + by - 1 : 128 + by + 2]), -abs(by)))
    return before.point([min(255, max(0, v + common)) for v in range(256)]) if common else before


def _place(before: Image.Image, after: Image.Image) -> Place:
    """How the picture before has to be moved and stretched to lie as the other one does; both at half the size."""
    across, down = _whole_shift(before, after)
    width, height = after.size
    left, right = (0, 0, width // 2, height), (width - width // 2, 0, width, height)
    top, bottom = (0, 0, width, height // 2), (0, height - height // 2, width, height)
    one, other = (_part_shift(before, after, box, (across, down), (1, 0)) for box in (left, right))
    upper, lower = (_part_shift(before, after, box, (across, down), (0, 1)) for box in (top, bottom))
    wide, high = 1 + (other - one) / (width / 2), 1 + (lower - upper) / (height / 2)
    # About the middle of the picture.
    found = Place(across + (one + other) / 2, down + (upper + lower) / 2, wide, high)
    still, whole = _cost(before, after), _cost(ImageChops.offset(before, across, down), after)
    exactly = _cost(_laid(before, found), after)
    if exactly < min(whole, still) * _GAIN:
        return found
    return Place(across, down, 1, 1) if whole < still * _GAIN else STILL


def _whole_shift(before: Image.Image, after: Image.Image) -> tuple[int, int]:
    """In whole pixels: found in a small copy, then more and more exactly."""
    levels = [(before, after)]
    while max(levels[-1][0].size) > _SMALL:
        levels.append((levels[-1][0].reduce(2), levels[-1][1].reduce(2)))
    x = y = 0
    reach = max(1, round(max(levels[-1][0].size) * _FARTHEST))
    for old, new in reversed(levels):
        span = range(-reach, reach + 1)
        places = [(2 * x + i, 2 * y + j) for i in span for j in span]
        x, y = min(places, key=lambda at: (_cost(ImageChops.offset(old, *at), new), abs(at[0]) + abs(at[1])))
        reach = 1
    return x, y


def _part_shift(
    before: Image.Image, after: Image.Image, box: tuple[int, int, int, int], by: tuple[int, int], way: tuple[int, int]
) -> float:
    """How much farther a part has to move one way, in parts of a pixel."""
    part = after.crop(box)
    span = range(-_PARTS_FARTHEST, _PARTS_FARTHEST + 1)
    moved = (ImageChops.offset(before, by[0] + way[0] * step, by[1] + way[1] * step).crop(box) for step in span)
    costs = [_cost(each, part) for each in moved]
    best = min(range(1, len(costs) - 1), key=lambda at: costs[at])
    less, here, more = costs[best - 1 : best + 2]
    curve = less - 2 * here + more
    return span[best] + (max(-0.5, min(0.5, (less - more) / (2 * curve))) if curve > 0 else 0)


def _cost(before: Image.Image, after: Image.Image) -> int:
    """How badly two pictures lie over each other; what was painted over counts little."""
    counts = ImageChops.difference(before, after).histogram()
    return sum(min(level, _CLIPPED) ** 2 * count for level, count in enumerate(counts))


def _laid(picture: Image.Image, place: Place) -> Image.Image:
    x, y = picture.width / 2, picture.height / 2
    across, down = 1 / place.wide, 1 / place.high
    matrix = (across, 0, x - (x + place.across) * across, 0, down, y - (y + place.down) * down)
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _without_rim(found: Image.Image, place: Place) -> Image.Image:
    """What lies beside the moved source is not known, so it is not called a change."""
    known = _laid(Image.new("L", found.size, 255), place).point([0] * 255 + [255])
    return ImageChops.darker(found, least_around(known))


def _without_specks(found: Image.Image) -> Image.Image:
    """Without pixels that stand nearly alone."""
    marked = found.point([0] + [255] * 255)
    company = marked.filter(ImageFilter.BoxBlur(3)).point([0 if v < 255 * _LONELY else 255 for v in range(256)])
    return ImageChops.darker(found, most_around(company))


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
