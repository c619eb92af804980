"""Edits pictures the way a stand-in can: the words of the prompt choose operations, the seed decides the details.

Same pictures, words, numbers and seed give the same bytes. Nothing here looks at the network or the disk.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from . import operations
from .operations import Operation

_MAX_PIXELS = 16_000_000
_MAX_OPERATIONS = 3
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")

_BY_WORDS: tuple[tuple[str, Operation], ...] = tuple(
    (rf"\b(?:{words})", operation)
    for words, operation in (
        (r"water\s?colou?r|aquarell?e?|painting|painted|gouache", operations.watercolour),
        (r"pencil|sketch|drawing|drawn|line art|charcoal", operations.pencil),
        (r"poster|cartoon|comic|pop art|flat colou?rs?", operations.posterise),
        (r"black[ -](?:and|&)[ -]white|b&w|monochrome|greyscale|grayscale|noir", operations.black_and_white),
        (r"sepia", operations.sepia),
        (r"vintage|retro|old photo|faded|film|polaroid|analog", operations.vintage),
        (r"night|moon|midnight", operations.night),
        (r"warm|golden|sunset|sunrise|autumn|summer", operations.warm),
        (r"cold|cool|winter|snow|ice|icy|frost", operations.cold),
        (r"blur|soft(?:en)?\b|dreamy|bokeh|out of focus", operations.soft_background),
        (r"sharp|crisp|detailed|clarity", operations.sharpen),
        (r"invert|negative", operations.invert),
        (r"bright|lighten|lighter|sunny", operations.brighten),
        (r"dark|moody|shadow", operations.darken),
        (r"vivid|colou?rful|saturat|vibrant", operations.vivid),
    )
)


def paint(
    sources: Sequence[bytes],
    *,
    prompt: str,
    negative_prompt: str = "",
    size: tuple[int, int],
    strength: float,
    seed: int,
) -> bytes:
    """Edit one picture, or merge two and edit the result; returns a PNG of exactly `size` (width, height in pixels).

    Raises ValueError if a source is no picture.
    """
    words = f"{seed} {prompt}".encode("utf-8", "replace")
    chance = random.Random(words)  # noqa: S311  # a seed that reproduces is the point
    pictures = [fitted(source, size) for source in sources]
    original = pictures[0] if len(pictures) == 1 else _merged(pictures[0], pictures[1], chance)
    edited = original
    for operation in chosen(prompt, negative_prompt):
        edited = operation(edited, chance)
    # Most of the edit shows at the usual 0.7; at 1 nothing of the original shines through.
    result = Image.blend(original, edited, 1 - (1 - strength) ** 2)
    return png(_marked(result))


def chosen(prompt: str, negative_prompt: str = "") -> list[Operation]:
    """The operations that the prompt names, in the order of their words, without those of the negative prompt."""
    wanted = prompt.lower()
    unwanted = negative_prompt.lower()
    found: list[tuple[int, Operation]] = []
    for words, operation in _BY_WORDS:
        match = re.search(words, wanted)
        if match and not re.search(words, unwanted):
            found.append((match.start(), operation))
    found.sort(key=lambda place: place[0])
    return [operation for _, operation in found[:_MAX_OPERATIONS]] or [operations.colour_grade]


def fitted(source: bytes, size: tuple[int, int]) -> Image.Image:
    """Decode a picture and let it cover `size`: its shape is kept, what stands over is cut off evenly."""
    check(source)
    try:
        with Image.open(io.BytesIO(source), formats=_FORMATS) as picture:
            picture.draft("RGB", (size[0] * 2, size[1] * 2))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError("not a picture") from error
    return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)


def check(source: bytes) -> None:
    """Raise ValueError unless the bytes begin like a picture of a bearable size."""
    try:
        with Image.open(io.BytesIO(source), formats=_FORMATS) as picture:
            pixels = picture.width * picture.height
    except (OSError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError("not a picture") from error
    if pixels > _MAX_PIXELS:
        raise ValueError("too many pixels")


def blank(size: tuple[int, int]) -> bytes:
    """The picture that stands for a blocked one."""
    return png(Image.new("RGB", size, "black"))


def png(picture: Image.Image) -> bytes:
    """The picture as PNG, written fast rather than small."""
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=1)
    return target.getvalue()


def _merged(first: Image.Image, second: Image.Image, chance: random.Random) -> Image.Image:
    """Two pictures side by side in one frame, with a soft and wavering seam where they grow into each other."""
    size = first.size
    ramp = Image.linear_gradient("L").rotate(90 * chance.choice((0, 1, 2, 3))).resize(size)
    waver = operations.noise(size, chance, cell=max(size) // 6)
    mask = ImageChops.add(ramp, waver, scale=1, offset=-128)
    steep: Callable[[int], int] = lambda level: max(0, min(255, round((level - 128) * 3.2 + 128)))  # noqa: E731
    return Image.composite(first, second, mask.point(steep))


def _marked(picture: Image.Image) -> Image.Image:
    """The picture with a small "sandbox" in its lower right corner, readable on every ground."""
    font = ImageFont.load_default(size=max(12, picture.width // 50))
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    left, top, right, bottom = draw.textbbox((0, 0), "sandbox", font=font)
    gap = (bottom - top) // 2 + 2
    width, height = right - left + 2 * gap, bottom - top + 2 * gap
    x, y = picture.width - width - gap, picture.height - height - gap
    draw.rounded_rectangle((x, y, x + width, y + height), radius=height // 2, fill=(0, 0, 0, 130))
    draw.text((x + gap - left, y + gap - top), "sandbox", font=font, fill=(255, 255, 255, 235))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")
