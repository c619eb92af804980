"""The sandbox really edits: visibly, by the words of the prompt, and to the byte by the seed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from editor.flux.sandbox import operations
from editor.flux.sandbox.painting import chosen, fitted, paint

from ..conftest import drawn

SIZE = (320, 256)
SOURCE = drawn("firebrick")
OTHER = drawn("seagreen")
PROMPTS = [
    "make it look like a watercolour",
    "pencil sketch",
    "a comic poster",
    "black and white",
    "sepia",
    "vintage look",
    "at night",
    "warm golden light",
    "cold winter",
    "soft background",
    "sharper",
    "invert it",
    "brighter",
    "darker",
    "vivid",
    "put a hat on it",
]


def painted(*sources: bytes, **changes: Any) -> bytes:
    wanted: dict[str, Any] = {"prompt": "watercolour", "size": SIZE, "strength": 0.7, "seed": 1}
    return paint(sources or (SOURCE,), **(wanted | changes))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def distance(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of levels, from 0 to 255."""
    means: list[float] = ImageStat.Stat(ImageChops.difference(first, second)).mean
    return sum(means) / 3


@pytest.mark.parametrize("prompt", PROMPTS)
def test_edit_is_plainly_visible_and_the_seed_decides_every_byte(prompt: str) -> None:
    first = painted(prompt=prompt, seed=5)
    assert painted(prompt=prompt, seed=5) == first
    assert painted(prompt=prompt, seed=6) != first
    assert distance(opened(first), fitted(SOURCE, SIZE)) > 2
    assert opened(first).size == SIZE


@pytest.mark.parametrize("size", [(256, 1024), (1024, 256), (1024, 1024), (264, 256)])
@pytest.mark.parametrize("prompt", ["watercolour", "pencil", "hat"])
def test_result_has_exactly_the_wanted_size(size: tuple[int, int], prompt: str) -> None:
    assert opened(painted(prompt=prompt, size=size)).size == size


def test_input_keeps_its_shape_and_covers_the_frame() -> None:
    target = io.BytesIO()
    Image.linear_gradient("L").resize((800, 400)).convert("RGB").save(target, "JPEG")
    square = fitted(target.getvalue(), (256, 256))
    assert square.getpixel((0, 128)) == square.getpixel((255, 128))
    circle = fitted(drawn("red", (640, 256)), (256, 256))
    assert circle.size == (256, 256)


def test_more_strength_leaves_less_of_the_input() -> None:
    original = fitted(SOURCE, SIZE)
    away = [distance(opened(painted(prompt="invert", strength=strength)), original) for strength in (0, 0.3, 0.7, 1)]
    assert away == sorted(away)
    assert away[0] < 6 < 60 < away[3]


def test_merge_holds_both_pictures_and_equals_neither() -> None:
    merged = opened(painted(SOURCE, OTHER, prompt="together", strength=0))
    red, green = fitted(SOURCE, SIZE), fitted(OTHER, SIZE)
    assert min(distance(merged, red), distance(merged, green)) > 8
    corners = [merged.getpixel(place) for place in ((20, 240), (300, 240), (20, 60), (300, 60), (240, 20), (240, 240))]
    reddish = [isinstance(pixel, tuple) and pixel[0] > pixel[1] + 40 for pixel in corners]
    assert True in reddish
    assert False in reddish


def test_order_of_a_merge_matters() -> None:
    assert painted(SOURCE, OTHER) != painted(OTHER, SOURCE)


def test_several_words_are_done_in_their_order() -> None:
    assert chosen("a vivid watercolor at night") == [operations.vivid, operations.watercolour, operations.night]


def test_negative_prompt_takes_an_operation_away() -> None:
    assert chosen("vivid watercolour", "no watercolour please") == [operations.vivid]


def test_unknown_words_get_a_colour_grade() -> None:
    assert chosen("enlighten the knight's hat") == [operations.colour_grade]


def test_mark_is_in_the_lower_right_corner() -> None:
    plain = fitted(SOURCE, SIZE)
    marked = opened(painted(strength=0))
    box = ImageChops.difference(plain, marked).getbbox()
    assert box is not None
    assert box[0] > SIZE[0] // 2
    assert box[1] > SIZE[1] * 3 // 4


@pytest.mark.parametrize("junk", [b"", b"GIF89a", b"%!PS-Adobe", SOURCE[:200], b"<svg/>"])
def test_what_is_no_picture_is_said_to_be_none(junk: bytes) -> None:
    with pytest.raises(ValueError):
        painted(junk)
