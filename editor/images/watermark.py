"""Words over a whole picture, so that nobody takes it for the one that was bought. In the decoder's process only."""

from PIL import Image, ImageDraw, ImageFont

_INK, _RIM = (255, 255, 255, 96), (0, 0, 0, 96)  # one of them shows on whatever lies below
_ANGLE = 30  # degrees, against the clock
_SMALLEST, _LARGEST = 10, 160  # pixels of the letters
_PART = 16  # letters are so many times smaller than the picture's shorter side


def drawn(image: Image.Image, text: str) -> Image.Image:
    """The picture with the words all over it, half transparent; RGB or RGBA as before."""
    tile = _tile(text, image.size)
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    step_x, step_y = tile.width, max(1, tile.height * 2 // 3)
    for row, top in enumerate(range(-tile.height // 2, image.height, step_y)):
        for left in range(-(row % 2) * step_x // 2 - step_x // 4, image.width, step_x):
            layer.paste(tile, (left, top), tile)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert(image.mode)


def _tile(text: str, size: tuple[int, int]) -> Image.Image:
    """The words once, turned; never longer than two thirds of the picture, so that they can be read whole somewhere."""
    letters = max(_SMALLEST, min(_LARGEST, min(size) // _PART))
    room = max(size) * 2 / 3
    while True:
        font = ImageFont.load_default(letters)
        rim = max(1, letters // 16)
        left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=rim)
        if right - left <= room or letters <= _SMALLEST:
            break
        letters = max(_SMALLEST, int(letters * room / (right - left)))
    gap = letters
    words = Image.new("RGBA", (int(right - left) + 2 * gap, int(bottom - top) + 2 * gap), (0, 0, 0, 0))
    ImageDraw.Draw(words).text((gap - left, gap - top), text, fill=_INK, font=font, stroke_width=rim, stroke_fill=_RIM)
    return words.rotate(_ANGLE, Image.Resampling.BICUBIC, expand=True)
