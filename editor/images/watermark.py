"""Words over a whole picture, so that nobody takes it for the one that was meant to be kept. For the decoder alone."""

from PIL import Image, ImageChops, ImageDraw, ImageFont

_RIM, _INK = 110, 120  # of 255: how much of a dark rim, and of light letters in it; one shows on whatever lies below
_ANGLE = 30  # degrees, against the clock
_SMALLEST, _LARGEST = 10, 160  # pixels of the letters
_PART = 14  # letters are so many times smaller than the picture's shorter side


def drawn(image: Image.Image, text: str) -> Image.Image:
    """The picture with the words all over it, half transparent; RGB or RGBA as before."""
    letters, around = _spread(_tile(text, image.size), image.size)
    dark, light = (around.point(lambda v: v * _RIM // 255), letters.point(lambda v: v * _INK // 255))
    colours = image.convert("RGB")
    colours.paste((0, 0, 0), mask=dark)
    colours.paste((255, 255, 255), mask=light)
    if image.mode == "RGBA":
        colours.putalpha(ImageChops.lighter(image.getchannel("A"), ImageChops.lighter(dark, light)))
    return colours


def _spread(tile: tuple[Image.Image, Image.Image], size: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
    """The tile's masks again and again over the whole size, every other row shifted by half."""
    letters, around = (Image.new("L", size, 0) for _ in tile)
    across, down = tile[0].width, max(1, tile[0].height * 3 // 4)
    for row, top in enumerate(range(-down // 2, size[1], down)):
        for left in range(-across // 4 - (row % 2) * across // 2, size[0], across):
            for whole, part in ((letters, tile[0]), (around, tile[1])):
                whole.paste(255, (left, top), mask=part)
    return letters, around


def _tile(text: str, size: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
    """Masks of the words once, turned, without and with their rim; short enough to be read whole somewhere."""
    letters = max(_SMALLEST, min(_LARGEST, min(size) // _PART))
    room = max(size) * 2 / 3
    while True:
        font, rim = ImageFont.load_default(letters), max(1, letters // 14)
        left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=rim)
        if right - left <= room or letters <= _SMALLEST:
            break
        letters = max(_SMALLEST, min(letters - 1, int(letters * room / (right - left))))
    gap = letters // 2
    place, whole = (gap - left, gap - top), (int(right - left) + 2 * gap, int(bottom - top) + 2 * gap)
    masks = []
    for width in (0, rim):
        mask = Image.new("L", whole, 0)
        ImageDraw.Draw(mask).text(place, text, fill=255, font=font, stroke_width=width, stroke_fill=255)
        masks.append(mask.rotate(_ANGLE, Image.Resampling.BICUBIC, expand=True))
    return masks[0], masks[1]
