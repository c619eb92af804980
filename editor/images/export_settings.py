"""What can be asked for of a picture that is given out: checked, and kept as JSON."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from django.conf import settings as portal

from editor.images.export_names import DEFAULT, problem_of
from editor.models import Image

SIDE_MIN, SIDE_MAX = 16, 16_000  # pixels; a WebP has at most 16,383
QUALITY_MIN, QUALITY_MAX = 30, 100
PIXELS_MAX = 50_000_000  # of what is written
WATERMARK_MAX = 60
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class Format(StrEnum):
    AS_IS = "as-is"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"


class Size(StrEnum):
    AS_IS = "as-is"
    LONG = "long"  # the longer side has `side` pixels
    BOX = "box"  # it fits into `width` × `height`, its shape kept


class Space(StrEnum):
    SRGB = "srgb"
    P3 = "p3"
    A98 = "a98"


_ENDINGS = {Format.JPEG: "jpg", Format.PNG: "png", Format.WEBP: "webp", Format.AVIF: "avif"}
_MASTERS = {"jpg": Format.JPEG, "png": Format.PNG}
LOSSY = {Format.JPEG, Format.WEBP, Format.AVIF}


class BadSettings(ValueError):  # noqa: N818  it says what is the matter
    """`field` of the settings is wrong; `sentence` says so to whoever set it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


@dataclass(frozen=True)
class ExportSettings:
    """How a picture is given out. Made only with values that make sense: raises BadSettings otherwise.

    `side`, `width` and `height` in pixels, as `size` asks for them; nothing is enlarged unless `enlarge`. `quality`
    (30 to 100) for JPEG, WebP and AVIF. `background` (#rrggbb) takes the place of transparency in a JPEG. `making`:
    whether it is told how the picture was made. `pattern` as in `export_names`. `watermark`: words drawn all over it.
    """

    format: Format = Format.AS_IS
    quality: int = 85
    size: Size = Size.AS_IS
    side: int | None = None
    width: int | None = None
    height: int | None = None
    enlarge: bool = False
    space: Space = Space.SRGB
    background: str = "#ffffff"
    making: bool = False
    pattern: str = DEFAULT
    watermark: str = ""

    def __post_init__(self) -> None:
        for name, kind in (("format", Format), ("size", Size), ("space", Space)):
            if getattr(self, name) not in set(kind):
                raise BadSettings(name, "Choose one of the list.")
            object.__setattr__(self, name, kind(getattr(self, name)))
        _whole(self.quality, "quality", QUALITY_MIN, QUALITY_MAX)
        for name in {Size.AS_IS: (), Size.LONG: ("side",), Size.BOX: ("width", "height")}[self.size]:
            _whole(getattr(self, name), name, SIDE_MIN, SIDE_MAX)
        if not isinstance(self.background, str) or not _COLOUR.fullmatch(self.background):
            raise BadSettings("background", "Choose a colour, like #ffffff.")
        if problem := problem_of(self.pattern):
            raise BadSettings("pattern", problem)
        if len(self.watermark) > WATERMARK_MAX:
            raise BadSettings("watermark", f"At most {WATERMARK_MAX} characters, please.")
        if self.watermark and not drawable(self.watermark):
            raise BadSettings("watermark", "Only Latin letters, digits and signs can be drawn.")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ExportSettings":
        """What `to_row` gave, perhaps by another version: what is not known is passed over. Raises BadSettings."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in row.items() if name in known})

    def to_row(self) -> dict[str, Any]:
        """For JSON."""
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}

    def format_of(self, master_ext: str) -> Format:
        return _MASTERS.get(master_ext, Format.PNG) if self.format == Format.AS_IS else self.format

    def ending_of(self, master_ext: str) -> str:
        """Of the file's name, without its dot."""
        return _ENDINGS[self.format_of(master_ext)]

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """What a picture of this size is given out with; at least one pixel each way."""
        scale = self._scale(width, height)
        if scale == 1 or (scale > 1 and not self.enlarge):
            return width, height
        return max(1, round(width * scale)), max(1, round(height * scale))

    def would_enlarge(self, width: int, height: int) -> bool:
        """Whether it is asked for larger than it is."""
        return self._scale(width, height) > 1

    def _scale(self, width: int, height: int) -> float:
        if self.size == Size.LONG:
            return (self.side or 0) / max(width, height)
        if self.size == Size.BOX:
            return min((self.width or 0) / width, (self.height or 0) / height)
        return 1

    def keeps_pixels(self, image: Image) -> bool:
        """Whether its pixels stay exactly as they are."""
        here = (image.width or 1, image.height or 1)
        same = self.format_of(image.master_ext) == _MASTERS.get(image.master_ext) and self.size_of(*here) == here
        return same and self.format == Format.AS_IS and self.space == Space.SRGB and not self.watermark

    def leaves(self, image: Image) -> bool:
        """Whether this is the master itself, byte by byte."""
        return self.keeps_pixels(image) and not self.making


def _whole(value: object, field: str, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadSettings(field, f"A whole number from {least} to {most:,}, please.")


def drawable(text: str) -> str:
    """What of it can be drawn as a watermark: letters without accents, digits and signs; Pillow's font has no more."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if c.isascii() and c.isprintable()).split())


def problem_with(image: Image, settings: ExportSettings) -> str:
    """Why this picture can't be given out like this, in a sentence; empty if it can."""
    if settings.keeps_pixels(image):
        return ""
    width, height = settings.size_of(image.width or 1, image.height or 1)
    largest = max(PIXELS_MAX, portal.UPLOAD_MAX_PIXELS)
    if width * height > largest:
        return f"That would be {width:,} × {height:,} pixels, and {largest // 1_000_000} megapixels are the most."
    kind = settings.format_of(image.master_ext)
    if kind in {Format.WEBP, Format.AVIF} and max(width, height) > SIDE_MAX:
        return f"Files of this kind ({kind.name}) can’t have {max(width, height):,} pixels on a side. Ask for fewer."
    return ""
