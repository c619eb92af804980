"""The image operations of the sandbox: each takes an RGB picture and a seeded source of chance, and returns another."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageMath, ImageOps

Operation = Callable[[Image.Image, random.Random], Image.Image]
Colour = tuple[int, int, int]


def watercolour(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Flat washes with wavering, slightly darker rims, on white paper with a grain."""
    size = picture.size
    unit = max(size) / 512
    strokes = detail = _wavering(picture, chance, cell=round(20 * unit), reach=1.8 * unit)
    for radius in (round(1.4 * unit) + 1, round(unit) + 1, round(unit) + 1, 2):
        strokes = _flattened(strokes, radius)
    # A finer brush goes over the broad one, or faces would lose their features.
    strokes = Image.blend(strokes, _flattened(detail, 2), 0.45).filter(ImageFilter.GaussianBlur(0.4 * unit))
    strokes = ImageEnhance.Color(ImageOps.autocontrast(strokes, cutoff=1)).enhance(1.5)
    # Thin paint lets the paper shine through: shadows lift, lights go to white.
    washed = strokes.point(_curve(((0, 52), (64, 118), (128, 186), (192, 236), (255, 255))))
    pools = noise(size, chance, cell=round(70 * unit)).point(lambda level: 205 + level // 5)
    pools = ImageChops.multiply(
        pools, noise(size, chance, cell=round(14 * unit)).point(lambda level: 232 + level // 11)
    )
    washed = ImageChops.multiply(washed, _grey(pools))
    washed = ImageChops.multiply(washed, _grey(_rims(strokes, unit)))
    paper = noise(size, chance, cell=1).filter(ImageFilter.GaussianBlur(0.7 * unit))
    washed = ImageChops.multiply(washed, _grey(paper.point(lambda level: 222 + level // 8)))
    sheet = Image.new("RGB", size, (252, 250, 245))
    return Image.composite(washed, sheet, _ragged_border(size, chance, unit))


def pencil(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A pencil drawing: dark where brightness changes, with light hatching in the shadows."""
    grey = ImageOps.autocontrast(picture.convert("L"), cutoff=1)
    unit = max(picture.size) / 512
    soft = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(5 * unit))
    lines = _dodged(grey, soft).point(lambda level: max(0, round((level - 60) * 255 / 195)))
    # Each stroke of the hatching covers as much as the picture is dark beneath it.
    light = grey.filter(ImageFilter.GaussianBlur(3 * unit)).point(lambda level: 90 + level * 165 // 255)
    shadow = ImageChops.add(light, _hatching(picture.size, chance, unit), offset=-70)
    drawn = ImageChops.multiply(lines, shadow.point(lambda level: 120 + level * 135 // 255))
    return ImageOps.colorize(drawn, (38, 38, 44), (250, 248, 242))


def posterise(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A print in few strong colours with dark outlines."""
    flat = _flattened(picture, 4)
    few = flat.quantize(9, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    few = ImageEnhance.Color(few).enhance(chance.uniform(1.7, 2.1))
    return ImageChops.multiply(
        few, _grey(_rims(flat, max(picture.size) / 512).point(lambda level: max(0, level * 2 - 255)))
    )


def black_and_white(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Black and white with contrast and a little grain."""
    grey = ImageOps.autocontrast(picture.convert("L"), cutoff=chance.uniform(0.5, 2))
    grain = noise(picture.size, chance, cell=1).point(lambda level: 118 + level * 20 // 255)
    return _grey(ImageChops.add(grey, grain, offset=-128))


def sepia(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Brown tones."""
    shift = chance.randint(-10, 10)
    grey = ImageOps.autocontrast(picture.convert("L"), cutoff=1)
    return ImageOps.colorize(grey, (34, 20, 10), (255, 240, 210), mid=(150 + shift, 110, 70 - shift))


def vintage(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Faded print: lifted shadows, yellowed lights, dark corners, grain."""
    faded = ImageEnhance.Color(picture).enhance(0.6).point(_curve(((0, 46), (128, 138), (255, 232))))
    toned = ImageChops.multiply(faded, Image.new("RGB", picture.size, (255, 238 + chance.randint(-6, 6), 200)))
    grain = _grey(noise(picture.size, chance, cell=2).point(lambda level: 112 + level * 32 // 255))
    return _dark_corners(ImageChops.add(toned, grain, offset=-128), 110)


def night(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Day turned to night: dark, blue, little colour."""
    dim = ImageEnhance.Color(picture).enhance(0.45).point(_curve(((0, 0), (128, 62), (210, 130), (255, 225))))
    tint = Image.new("RGB", picture.size, (120 + chance.randint(-15, 15), 150, 255))
    return _dark_corners(ImageChops.multiply(dim, tint), 90)


def warm(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Low, golden light that comes from one side."""
    toned = ImageEnhance.Color(ImageChops.multiply(picture, Image.new("RGB", picture.size, (255, 226, 176)))).enhance(
        1.2
    )
    light = Image.linear_gradient("L").rotate(chance.choice((90, 180, 270)), expand=True).resize(picture.size)
    glow = ImageOps.colorize(light, (0, 0, 0), (150, 82 + chance.randint(-12, 12), 10))
    return ImageChops.screen(toned, glow)


def cold(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Blue, pale light."""
    toned = ImageChops.multiply(picture, Image.new("RGB", picture.size, (188, 222 + chance.randint(-8, 8), 255)))
    return ImageChops.screen(ImageEnhance.Color(toned).enhance(0.8), Image.new("RGB", picture.size, (10, 24, 48)))


def soft_background(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Everything away from the middle goes out of focus."""
    width, height = picture.size
    far = picture.filter(ImageFilter.GaussianBlur(max(width, height) / 60))
    focus = Image.radial_gradient("L").resize((round(width * 1.2), round(height * 1.2)))
    left = round(width * (0.1 + chance.uniform(-0.04, 0.04)))
    top = round(height * (0.1 + chance.uniform(-0.04, 0.04)))
    mask = focus.crop((left, top, left + width, top + height))
    return Image.composite(far, picture, mask.point(lambda level: max(0, min(255, (level - 70) * 3))))


def sharpen(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Local contrast and crisp edges."""
    local = picture.filter(ImageFilter.UnsharpMask(radius=max(picture.size) / 40, percent=35, threshold=0))
    return local.filter(ImageFilter.UnsharpMask(radius=1.6, percent=chance.randint(130, 170), threshold=1))


def invert(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A photographic negative; the seed shifts its colours a little."""
    return _turned(ImageOps.invert(picture), chance.randint(-8, 8))


def brighten(picture: Image.Image, chance: random.Random) -> Image.Image:
    """More light, mostly in the shadows."""
    lift = chance.randint(40, 54)
    return picture.point(_curve(((0, 12), (64, 64 + lift), (128, 128 + lift), (200, 238), (255, 255))))


def darken(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Less light, deep shadows, dark corners."""
    drop = chance.randint(44, 58)
    return _dark_corners(picture.point(_curve(((0, 0), (64, 24), (128, 128 - drop), (255, 214)))), 120)


def vivid(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Strong colours."""
    return ImageEnhance.Color(ImageEnhance.Contrast(picture).enhance(1.15)).enhance(chance.uniform(1.8, 2.2))


def colour_grade(picture: Image.Image, chance: random.Random) -> Image.Image:
    """For prompts without a known word: shadows and lights get two colours that the seed draws, plainly visible."""
    hue = chance.randrange(256)
    other = (hue + chance.randint(90, 160)) % 256
    dark = Image.new("HSV", (1, 1), (hue, 190, 70)).convert("RGB").getpixel((0, 0))
    light = Image.new("HSV", (1, 1), (other, 90, 255)).convert("RGB").getpixel((0, 0))
    tones = ImageOps.colorize(ImageOps.autocontrast(picture.convert("L"), cutoff=1), dark, light)  # type: ignore[arg-type]
    return Image.blend(_turned(picture, chance.choice((-18, -12, 12, 18))), tones, 0.62)


def noise(size: tuple[int, int], chance: random.Random, cell: int) -> Image.Image:
    """Grey clouds whose lumps are about `cell` pixels wide; all levels from 0 to 255 occur."""
    columns, rows = size[0] // max(cell, 1) + 2, size[1] // max(cell, 1) + 2
    grains = Image.frombytes("L", (columns, rows), chance.randbytes(columns * rows))
    return grains if (columns, rows) == size else grains.resize(size, Image.Resampling.BICUBIC)


def _grey(levels: Image.Image) -> Image.Image:
    return Image.merge("RGB", (levels, levels, levels))


def _curve(points: tuple[tuple[int, int], ...]) -> list[int]:
    """A tone curve through (in, out) points, straight between them, for the three bands of an RGB picture."""
    table = []
    for (start, low), (end, high) in itertools.pairwise(points):
        table += [round(low + (high - low) * step / (end - start)) for step in range(end - start)]
    return [*table, points[-1][1]] * 3


def _turned(picture: Image.Image, angle: int) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda level: (level + angle) % 256), saturation, value)).convert("RGB")


def _flattened(picture: Image.Image, radius: int) -> Image.Image:
    """Kuwahara's filter: each pixel takes the mean of that one of four neighbourhoods which varies least.

    Areas become flat and edges stay sharp, which is what makes a photograph look painted.
    """
    mean = picture.filter(ImageFilter.BoxBlur(radius))
    grey = picture.convert("L")
    spread = ImageChops.difference(grey, grey.filter(ImageFilter.BoxBlur(radius))).filter(ImageFilter.BoxBlur(radius))
    result: Image.Image | None = None
    least = spread
    for across, down in ((radius, radius), (-radius, radius), (radius, -radius), (-radius, -radius)):
        moved, varied = _moved(mean, across, down), _moved(spread, across, down)
        if result is None:
            result, least = moved, varied
            continue
        calmer = ImageChops.subtract(least, varied).point(lambda level: 255 if level else 0)
        result = Image.composite(moved, result, calmer)
        least = ImageChops.darker(least, varied)
    return mean if result is None else result


def _moved(picture: Image.Image, across: int, down: int) -> Image.Image:
    """The picture shifted; at the sides where nothing comes in, it stays as it was."""
    moved = picture.copy()
    moved.paste(picture, (-across, -down))
    return moved


def _wavering(picture: Image.Image, chance: random.Random, cell: int, reach: float) -> Image.Image:
    """Push the picture about by up to `reach` pixels, smoothly, as a hand with a brush would."""
    width, height = picture.size
    xs = [*range(0, width, cell), width]
    ys = [*range(0, height, cell), height]

    def pushed(x: int, y: int) -> tuple[float, float]:
        inside = 0 < x < width and 0 < y < height
        return (x + chance.uniform(-reach, reach), y + chance.uniform(-reach, reach)) if inside else (x, y)

    corner = {(x, y): pushed(x, y) for y in ys for x in xs}
    mesh = [
        ((x, y, x2, y2), (*corner[x, y], *corner[x, y2], *corner[x2, y2], *corner[x2, y]))
        for y, y2 in itertools.pairwise(ys)
        for x, x2 in itertools.pairwise(xs)
    ]
    return picture.transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _rims(picture: Image.Image, unit: float) -> Image.Image:
    """White, with grey along the edges of areas, where pigment gathers as it dries."""
    grey = picture.convert("L").filter(ImageFilter.GaussianBlur(0.8 * unit))
    edges = ImageChops.difference(grey.filter(ImageFilter.MaxFilter(3)), grey.filter(ImageFilter.MinFilter(3)))
    return ImageOps.invert(edges.filter(ImageFilter.GaussianBlur(0.6 * unit)).point(lambda level: min(150, level * 2)))


def _ragged_border(size: tuple[int, int], chance: random.Random, unit: float) -> Image.Image:
    """A mask that ends before the picture does, with the wavering edge of a brush."""
    inset = round(11 * unit)
    mask = Image.new("L", size, 0)
    mask.paste(255, (inset, inset, size[0] - inset, size[1] - inset))
    mask = mask.filter(ImageFilter.GaussianBlur(7 * unit))
    mask = ImageChops.add(mask, noise(size, chance, cell=round(34 * unit)).point(lambda level: level // 2), offset=-64)
    mask = ImageChops.add(mask, noise(size, chance, cell=round(5 * unit)).point(lambda level: level // 9), offset=-14)
    return mask.point(lambda level: max(0, min(255, (level - 96) * 6)))


def _dark_corners(picture: Image.Image, depth: int) -> Image.Image:
    corners = (
        Image.radial_gradient("L").resize(picture.size).point(lambda level: 255 - max(0, level - 90) * depth // 165)
    )
    return ImageChops.multiply(picture, _grey(corners))


def _dodged(grey: Image.Image, blurred_negative: Image.Image) -> Image.Image:
    """Colour dodge: grey divided by the inverse of its blurred negative; only edges stay dark."""
    divided: Image.Image = ImageMath.lambda_eval(
        lambda bands: bands["convert"](bands["min"](bands["grey"] * 255 / (256 - bands["negative"]), 255), "L"),
        grey=grey.convert("F"),
        negative=blurred_negative.convert("F"),
    )
    return divided


def _hatching(size: tuple[int, int], chance: random.Random, unit: float) -> Image.Image:
    """Fine slanting strokes."""
    width, height = size
    side = round((width + height) * 0.8)
    columns, rows = side // round(16 * unit) + 2, side // max(1, round(1.5 * unit)) + 2
    strokes = Image.frombytes("L", (columns, rows), chance.randbytes(columns * rows))
    strokes = strokes.resize((side, side), Image.Resampling.BICUBIC).rotate(38, Image.Resampling.BICUBIC)
    left, top = (side - width) // 2, (side - height) // 2
    return strokes.crop((left, top, left + width, top + height))
