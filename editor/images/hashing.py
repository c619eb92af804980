"""A perceptual hash: 64 bits that stay (nearly) the same while a picture is scaled, saved again or made brighter.

Pillow alone, as it runs in the decoder's process, under its limits of memory and time.
"""

from collections.abc import Sequence
from functools import cache
from math import cos, pi
from operator import mul
from statistics import median
from typing import cast

from PIL import Image

_SIDE = 32  # pixels of the small grey picture
_WAVES = 8  # the slowest ones, across and down
_FLATTEST = 4  # levels of grey between its darkest and its brightest pixel; below that there is only noise to hash
_NOISE = 16  # what rounding and saving as JPEG do to the strength of a wave: such a bit says nothing
_STANDING_OUT = 32  # waves that must be stronger or weaker than that; of photographs and ninths of them at least 48 are

Parts = tuple[int, int, int, int]


def perceptual_hash(picture: Image.Image) -> Parts | None:
    """Of an RGB picture, as four numbers of 16 bits. None for one in which there is nothing to see.

    That are plain backgrounds, too, with a gradient or a vignette: they would all look like each other.

    Each bit says whether one of the 64 slowest waves (of a cosine transform) is stronger than half of them: what is
    coarse in a picture, not its edges, its brightness or its noise.
    """
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    darkest, brightest = cast("tuple[int, int]", small.getextrema())
    if brightest - darkest < _FLATTEST:
        return None
    values = small.tobytes()
    across = [[_strength(values[y : y + _SIDE], wave) for wave in _waves()] for y in range(0, _SIDE**2, _SIDE)]
    down = [_strength([row[u] for row in across], wave) for wave in _waves() for u in range(_WAVES)]
    middle = median(down[1:])  # the first one is the brightness
    if sum(abs(strength - middle) > _NOISE for strength in down) < _STANDING_OUT:
        return None
    bits = "".join("1" if strength > middle else "0" for strength in down)
    return int(bits[:16], 2), int(bits[16:32], 2), int(bits[32:48], 2), int(bits[48:], 2)


def _strength(values: Sequence[float], wave: Sequence[float]) -> float:
    strength: float = sum(map(mul, values, wave))
    return strength


@cache
def _waves() -> list[list[float]]:
    return [[cos(pi * (2 * x + 1) * u / (2 * _SIDE)) for x in range(_SIDE)] for u in range(_WAVES)]
