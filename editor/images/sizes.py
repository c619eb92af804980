"""The size of an edit: pure arithmetic, shared by the pages, the requests to the flux server and the decoder.

The flux server takes 256 to 1024 pixels a side, in multiples of 8. It imports next to nothing, because the decoder's
process must start fast.
"""

from typing import NamedTuple

STEP = 8
SHORTEST = 256
LONGEST = 1024
STEEPEST = LONGEST // SHORTEST
"""Shapes beyond 4:1 do not fit between the two limits: they are padded to 4:1."""

RATIOS: dict[str, tuple[int, int]] = {
    "1:1": (1, 1),
    "4:3": (4, 3),
    "3:4": (3, 4),
    "3:2": (3, 2),
    "2:3": (2, 3),
    "16:9": (16, 9),
    "9:16": (9, 16),
}
MATCH = "match"
"""Beside the fixed ratios: the shape of the source."""

_TOLERANCE = 0.005  # a stretch of half a percent is not seen


class EditSize(NamedTuple):
    """A canvas of `width` × `height` pixels; the picture lies in the box `left`, `top`, `right`, `bottom` of it."""

    width: int
    height: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """What to cut out of a result: (left, top, right, bottom), as Pillow's `crop` takes it."""
        return self.left, self.top, self.right, self.bottom

    @property
    def padded(self) -> bool:
        """Whether the canvas is larger than the picture on it, so that results must be cut back."""
        return self.box != (0, 0, self.width, self.height)


def edit_size(width: int, height: int) -> EditSize:
    """The size at which a picture of `width` × `height` pixels is edited.

    It keeps the picture's own size where that is possible, else its shape. Raises ValueError for sizes below one pixel.
    """
    if width < 1 or height < 1:
        raise ValueError(f"not a size: {width}×{height}")
    if height > width:
        turned = edit_size(height, width)
        return EditSize(turned.height, turned.width, turned.top, turned.left, turned.bottom, turned.right)
    if width > STEEPEST * height:
        thickness = max(1, round(LONGEST * height / width))
        top = (SHORTEST - thickness) // 2
        return EditSize(LONGEST, SHORTEST, 0, top, LONGEST, top + thickness)
    long, short = _closest(width, height)
    return EditSize(long, short, 0, 0, long, short)


def size_for_ratio(ratio: str, source_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of an edit in one of `RATIOS` or `MATCH`, about as long as the source's own edit would be.

    Raises KeyError for an unknown ratio.
    """
    own = edit_size(*source_size)
    if ratio == MATCH:
        return own.width, own.height
    across, down = RATIOS[ratio]
    scale = max(own.width, own.height) / max(across, down)
    found = edit_size(round(across * scale), round(down * scale))
    return found.width, found.height


def _closest(long: int, short: int) -> tuple[int, int]:
    """Of all allowed sizes the nearest one whose shape is right within the tolerance, or the one with the best shape.

    Rounding each side by itself would stretch a picture by up to three percent.
    """
    scale = min(1.0, LONGEST / long)
    scale = max(scale, SHORTEST / short)
    wanted = long * scale

    def distortion(size: tuple[int, int]) -> float:
        ratio = size[0] * short / (size[1] * long)
        return max(ratio, 1 / ratio) - 1

    def rank(size: tuple[int, int]) -> tuple[float, float]:
        return max(distortion(size), _TOLERANCE), abs(size[0] - wanted) + abs(size[1] - short * scale)

    return min(_candidates(wanted, long / short), key=rank)


def _candidates(wanted: float, ratio: float) -> list[tuple[int, int]]:
    middle = round(wanted / STEP) * STEP
    longs = (middle + STEP * offset for offset in range(-4, 5))
    return [
        (long, min(LONGEST, max(SHORTEST, round(long / ratio / STEP) * STEP)))
        for long in longs
        if SHORTEST <= long <= LONGEST
    ]
