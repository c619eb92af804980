"""What lights up in a map of changes, and what must not. The figures stand in docs/changes.md."""

import io
import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from editor.images.changes import FAINTEST, SIDE, Changes, Incomparable, changes
from editor.images.overlay import draw
from editor.images.pixels import most_around
from editor.images.placing import STILL
from project.embedded.programs import ROOT

PHOTOS = ("astronaut", "cat", "coffee", "rocket", "phone")
HARMLESS, HARMLESS_TOGETHER = 0.005, 0.01  # of the area
Picture = Image.Image


@cache
def photo(name: str) -> Picture:
    with Image.open(ROOT / "static" / "samples" / f"{name}.jpg") as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((1024, 1024))
    return picture


def again(picture: Picture, kind: str, quality: int) -> Picture:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return Image.open(out).convert("RGB")


def rendition(picture: Picture) -> Picture:
    """As the portal would read it from the bucket."""
    width = min(640, picture.width)
    smaller = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    return again(smaller, "WEBP", 80)


def compared(before: Picture, after: Picture) -> Changes:
    return changes(rendition(before), rendition(after))


# What does no harm ---------------------------------------------------------------------------------------------------


def noisy(picture: Picture, sigma: float) -> Picture:
    bands = [ImageChops.add(band, Image.effect_noise(picture.size, sigma), offset=-128) for band in picture.split()]
    return Image.merge("RGB", bands)


def sized(picture: Picture, factor: float) -> Picture:
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)


def shifted(picture: Picture, across: float, down: float) -> Picture:
    """What comes in at an edge is much like what was there before."""
    wider = picture.resize((picture.width + 8, picture.height + 8))
    wider.paste(picture, (4, 4))
    matrix = (1, 0, 4 - across, 0, 1, 4 - down)
    return wider.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def brighter(picture: Picture, gamma: float) -> Picture:
    return picture.point([round(255 * (v / 255) ** gamma) for v in range(256)] * 3)


def trimmed(picture: Picture, by: int) -> Picture:
    """Cut by so many pixels on each side and drawn to its size again, as by an edit that zooms a little."""
    inside = picture.crop((by, by, picture.width - by, picture.height - by))
    return inside.resize(picture.size, Image.Resampling.LANCZOS)


def dusty(picture: Picture) -> Picture:
    """With a hundred specks of three pixels, black on what is bright and white on what is dark."""
    spoiled, grey, dice = picture.copy(), picture.convert("L"), random.Random(7)
    pen = ImageDraw.Draw(spoiled)
    for _ in range(100):
        x, y = dice.randrange(picture.width), dice.randrange(picture.height)
        dark = grey.getpixel((x, y)) < 128  # type: ignore[operator]
        pen.ellipse((x, y, x + 2, y + 2), fill=(250, 250, 250) if dark else (5, 5, 5))
    return spoiled


Spoil = Callable[[Picture], Picture]
HARM: dict[str, Spoil] = {
    "JPEG 95": lambda p: again(p, "JPEG", 95),
    "JPEG 75": lambda p: again(p, "JPEG", 75),
    "JPEG 60": lambda p: again(p, "JPEG", 60),
    "WebP 60": lambda p: again(p, "WEBP", 60),
    "noise 3": lambda p: noisy(p, 3),
    "noise 6": lambda p: noisy(p, 6),
    "half the size": lambda p: sized(p, 0.5),
    "half the size and back": lambda p: sized(p, 0.5).resize(p.size, Image.Resampling.BICUBIC),
    "two thirds": lambda p: sized(p, 2 / 3),
    "twice the size": lambda p: sized(p, 2),
    "1 pixel right": lambda p: shifted(p, 1, 0),
    "3 pixels": lambda p: shifted(p, 3, -2),
    "half a pixel": lambda p: shifted(p, 0.5, 1.5),
    "zoomed by 2 %": lambda p: trimmed(p, 4),
    "gamma 0.9": lambda p: brighter(p, 0.9),
    "gamma 1.1": lambda p: brighter(p, 1.1),
    "sharpened": lambda p: p.filter(ImageFilter.UnsharpMask(1, 60, 0)),
    "dust": dusty,
}


def together(picture: Picture) -> Picture:
    """All of it at once."""
    return again(noisy(sized(brighter(shifted(picture, 2, 1), 1.04), 0.8), 4), "JPEG", 75)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("harm", HARM)
def test_what_saving_does_to_a_picture_does_not_light_up(name: str, harm: str) -> None:
    assert compared(photo(name), HARM[harm](photo(name))).share <= HARMLESS


@pytest.mark.parametrize("name", PHOTOS)
def test_nor_does_all_of_it_together(name: str) -> None:
    assert compared(photo(name), together(photo(name))).share <= HARMLESS_TOGETHER


def test_the_same_picture_is_the_same() -> None:
    found = compared(photo("cat"), photo("cat"))
    assert (found.share, found.map.getextrema(), found.place) == (0, (0, 0), STILL)


# What is a change ----------------------------------------------------------------------------------------------------


class Painted(NamedTuple):
    picture: Picture
    mask: Picture  # white where it was painted


def disc(picture: Picture, share: float, x: float = 0.4, y: float = 0.55) -> Picture:
    """A mask with an ellipse over that share of the area."""
    across, down = (side * math.sqrt(share / math.pi) for side in picture.size)
    middle = picture.width * x, picture.height * y
    mask = Image.new("L", picture.size)
    box = (middle[0] - across, middle[1] - down, middle[0] + across, middle[1] + down)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def painted(picture: Picture, other: Picture, mask: Picture) -> Painted:
    return Painted(Image.composite(other, picture, mask.filter(ImageFilter.GaussianBlur(1))), mask)


def turned(picture: Picture, by: int = 90) -> Picture:
    """In other hues, as bright as before."""
    hue, *rest = picture.convert("HSV").split()
    return Image.merge("HSV", (hue.point([(v + by) % 256 for v in range(256)]), *rest)).convert("RGB")


def next_to(name: str) -> Picture:
    return photo(PHOTOS[(PHOTOS.index(name) + 1) % len(PHOTOS)]).resize(photo(name).size)


REPAINTED: dict[str, Callable[[str], Picture]] = {
    "another thing": next_to,
    "one colour": lambda name: Image.new("RGB", photo(name).size, (200, 40, 60)),
    "other hues": lambda name: turned(photo(name)),
}


class Overlap(NamedTuple):
    union: float  # what both have of what either has
    found: float  # of what was painted
    right: float  # of what was found


def pixels(mask: Picture) -> int:
    return sum(mask.histogram()[128:])


def overlap(found: Changes, mask: Picture) -> Overlap:
    wanted = mask.resize(found.map.size, Image.Resampling.BOX).point([0] * 128 + [255] * 128)
    lit = found.map.point([0] + [255] * 255)
    both = pixels(ImageChops.darker(lit, wanted))
    return Overlap(
        both / pixels(ImageChops.lighter(lit, wanted)), both / pixels(wanted), both / pixels(lit) if both else 0
    )


BOUNDS = {0.01: Overlap(0.6, 0.85, 0.65), 0.05: Overlap(0.65, 0.7, 0.8), 0.25: Overlap(0.7, 0.75, 0.9)}


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("kind", REPAINTED)
@pytest.mark.parametrize("share", BOUNDS)
def test_what_was_repainted_lights_up_there_and_nowhere_else(name: str, kind: str, share: float) -> None:
    after, mask = painted(photo(name), REPAINTED[kind](name), disc(photo(name), share))
    found = compared(photo(name), again(after, "JPEG", 90))
    here, least = overlap(found, mask), BOUNDS[share]
    assert here.union >= least.union
    assert here.found >= least.found
    assert here.right >= least.right
    assert found.share == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("name", PHOTOS)
def test_also_in_a_picture_that_was_spoiled_as_a_whole(name: str) -> None:
    after, mask = painted(photo(name), next_to(name), disc(photo(name), 0.05))
    here = overlap(compared(photo(name), together(after)), mask)
    assert here.union >= 0.7
    assert here.found >= 0.9


@pytest.mark.parametrize("name", PHOTOS)
def test_what_was_removed_lights_up(name: str) -> None:
    picture = photo(name)
    after, mask = painted(picture, picture.filter(ImageFilter.GaussianBlur(30)), disc(picture, 0.06, 0.5, 0.5))
    here = overlap(compared(picture, again(after, "JPEG", 90)), mask)
    assert here.union >= 0.5
    assert here.right >= 0.9


@pytest.mark.parametrize("name", PHOTOS)
def test_what_is_painted_in_pieces_is_one_area(name: str) -> None:
    picture, mask = photo(name), disc(photo(name), 0.05)
    tiles = Image.new("L", picture.size)
    for x in range(0, picture.width, 30):
        for y in range(0, picture.height, 30):
            tiles.paste(255, (x, y, x + 21, y + 21))
    after = Image.composite(Image.new("RGB", picture.size, (200, 40, 60)), picture, ImageChops.darker(mask, tiles))
    here = overlap(compared(picture, again(after, "JPEG", 95)), mask)
    assert here.found >= 0.85
    assert here.right >= 0.85


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_what_is_strong_does_not_reach_far_beyond_its_edge(name: str, share: float) -> None:
    picture, mask = photo(name), disc(photo(name), share)
    after = painted(picture, Image.new("RGB", picture.size, "white"), mask).picture
    found = compared(picture, again(after, "JPEG", 90))
    near = most_around(mask.resize(found.map.size, Image.Resampling.BOX).point([0] * 128 + [255] * 128), 4)
    assert ImageChops.darker(found.map, ImageChops.invert(near)).getbbox() is None


LETTERS = {0.03: Overlap(0.5, 0.5, 0.5), 0.08: Overlap(0.6, 0.7, 0.7)}  # by their height, a part of the picture's


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("height", LETTERS)
def test_letters_light_up(name: str, height: float) -> None:
    picture = photo(name).copy()
    place, font = (picture.width * 0.3, picture.height * 0.7), ImageFont.load_default(picture.height * height)
    pen = ImageDraw.Draw(picture)
    box = pen.textbbox(place, "SALE 50 %", font=font)
    pen.text(place, "SALE 50 %", font=font, fill=(255, 255, 255))
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rectangle(box, fill=255)
    here, least = overlap(compared(photo(name), again(picture, "JPEG", 90)), mask), LETTERS[height]
    assert all(value >= bound for value, bound in zip(here, least, strict=True))


@pytest.mark.parametrize("name", PHOTOS)
def test_another_background_lights_up_and_what_stands_before_it_does_not(name: str) -> None:
    mask = ImageChops.invert(disc(photo(name), 0.4, 0.5, 0.5))
    after = painted(photo(name), next_to(name), mask).picture
    assert overlap(compared(photo(name), again(after, "JPEG", 90)), mask).union >= 0.9


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("whole", ["other hues", "darker"])
def test_a_change_of_all_is_a_change(name: str, whole: str) -> None:
    after = turned(photo(name)) if whole == "other hues" else ImageEnhance.Brightness(photo(name)).enhance(0.7)
    assert compared(photo(name), after).share >= 0.3


# The map -------------------------------------------------------------------------------------------------------------


def shapes() -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    yield (600, 400), (600, 600), "shape"
    yield (600, 400), (600, 440), "shape"
    yield (600, 20), (1024, 34), "small"


@pytest.mark.parametrize(("before", "after", "reason"), shapes())
def test_what_can_not_be_laid_over_each_other_says_why(
    before: tuple[int, int], after: tuple[int, int], reason: str
) -> None:
    with pytest.raises(Incomparable) as caught:
        changes(Image.new("RGB", before), Image.new("RGB", after))
    assert caught.value.reason == reason


@pytest.mark.parametrize(("size", "expected"), [((1024, 680), (SIDE, 212)), ((680, 1024), (212, SIDE))])
def test_the_map_has_the_shape_of_the_result(size: tuple[int, int], expected: tuple[int, int]) -> None:
    picture = photo("coffee").resize(size)
    found = changes(picture.resize((600, 400) if size[0] > size[1] else (400, 600)), turned(picture))
    assert found.map.size == expected
    assert not any(found.map.histogram()[1:FAINTEST])


def test_it_is_drawn_as_a_small_picture_that_lets_the_result_through() -> None:
    after = painted(photo("cat"), next_to("cat"), disc(photo("cat"), 0.05)).picture
    found = compared(photo("cat"), after)
    data = draw(found.map)
    drawn = Image.open(io.BytesIO(data)).convert("RGBA")
    assert len(data) < 20_000
    assert drawn.size == (2 * found.map.width, 2 * found.map.height)
    veil, tint = drawn.getpixel((5, 5)), drawn.getpixel((round(drawn.width * 0.4), round(drawn.height * 0.55)))
    assert veil == (28, 27, 25, 150)
    assert tint[:3] == (255, 0, 170)  # type: ignore[index]
    assert 0 < tint[3] < 100  # type: ignore[index]
