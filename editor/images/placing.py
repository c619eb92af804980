"""How one picture lies over another one: a shift and a stretch of a few percent, as edits bring them along."""

from operator import mul
from typing import NamedTuple

from PIL import Image, ImageChops

_FARTHEST = 0.03  # of the longer side: how far one may lie beside the other
_SMALL = 96  # pixels of the longer side of the copy in which that is looked for first
_PARTS_FARTHEST = 3  # pixels that a half may lie beside the other half: by stretching
_CLIPPED = 32  # levels; what differs more was painted over, and says nothing about where it lies
_WEIGHTS = [min(level, _CLIPPED) ** 2 for level in range(256)]
_GAIN = 0.97  # a move has to make them this much more alike

Box = tuple[int, int, int, int]


class Place(NamedTuple):
    """How a source lies under its result: moved, in pixels of the map, and stretched about its middle."""

    across: float
    down: float
    wide: float
    high: float


STILL = Place(0, 0, 1, 1)
"""Where it is."""


def find_place(before: Image.Image, after: Image.Image) -> Place:
    """How the picture before has to be moved and stretched to lie as the other one does. In grey."""
    across, down = _whole_shift(before, after)
    width, height = after.size
    left, right = (0, 0, width // 2, height), (width - width // 2, 0, width, height)
    top, bottom = (0, 0, width, height // 2), (0, height - height // 2, width, height)
    one, other = _part_shifts(before, after, (left, right), (across, down), (1, 0))
    upper, lower = _part_shifts(before, after, (top, bottom), (across, down), (0, 1))
    wide, high = 1 + (other - one) / (width / 2), 1 + (lower - upper) / (height / 2)
    # About the middle of the picture.
    found = Place(across + (one + other) / 2, down + (upper + lower) / 2, wide, high)
    still, whole = _cost(before, after), _cost(ImageChops.offset(before, across, down), after)
    exactly = _cost(laid(before, found), after)
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


def _part_shifts(
    before: Image.Image, after: Image.Image, boxes: tuple[Box, Box], by: tuple[int, int], way: tuple[int, int]
) -> list[float]:
    """How much farther each of two parts has to move one way, in parts of a pixel."""
    span = range(-_PARTS_FARTHEST, _PARTS_FARTHEST + 1)
    moved = [ImageChops.offset(before, by[0] + way[0] * step, by[1] + way[1] * step) for step in span]
    parts = [(after.crop(box), [each.crop(box) for each in moved]) for box in boxes]
    return [_lowest(span, [_cost(each, part) for each in there]) for part, there in parts]


def _lowest(span: range, costs: list[int]) -> float:
    """The step between the ends at which they are lowest, in parts of one."""
    best = min(range(1, len(costs) - 1), key=lambda at: costs[at])
    less, here, more = costs[best - 1 : best + 2]
    curve = less - 2 * here + more
    return span[best] + (max(-0.5, min(0.5, (less - more) / (2 * curve))) if curve > 0 else 0)


def _cost(before: Image.Image, after: Image.Image) -> int:
    """How badly two pictures lie over each other; what was painted over counts little."""
    counts = ImageChops.difference(before, after).histogram()
    return sum(map(mul, _WEIGHTS, counts))


def laid(picture: Image.Image, place: Place) -> Image.Image:
    """A picture moved and stretched so; what it does not reach is black."""
    x, y = picture.width / 2, picture.height / 2
    across, down = 1 / place.wide, 1 / place.high
    matrix = (across, 0, x - (x + place.across) * across, 0, down, y - (y + place.down) * down)
    return picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
