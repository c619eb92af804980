"""From untrusted bytes to pixels: upright, sRGB, eight bits. Runs in the decoder's process only."""

import importlib
import io
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from editor.images.containers import Stripped, strip
from editor.images.refusals import SMALLEST_SIDE, THINNEST, Refused

_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PLUGINS = {"JPEG": "JpegImagePlugin", "PNG": "PngImagePlugin", "WEBP": "WebPImagePlugin", "AVIF": "AvifImagePlugin"}
_SPACES = {"L": "GRAY", "LA": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}


class Normalized(NamedTuple):
    """Pixels in mode RGB, or RGBA where any of them is transparent, without any metadata."""

    image: Image.Image
    source_format: str  # JPEG, PNG, WEBP, AVIF, HEIF
    lossless: bool  # whether the source was
    frames_dropped: bool


def normalize(data: bytes, max_pixels: int, crop: Sequence[int] | None = None) -> Normalized:
    """Decode the first frame of a picture of at most `max_pixels` and cut it to the box `crop`. Raises Refused."""
    stripped = strip(data)
    try:
        whole = _decoded(stripped, max_pixels)
        return whole if crop is None else whole._replace(image=_cropped(whole.image, crop))
    except (Refused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("too-many-pixels") from None
    except Exception as error:
        # Hostile files make decoders raise whatever they like; all of it says the same about the file.
        raise Refused("damaged") from error


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises Refused for sizes that are not worth decoding, or not safe to."""
    long, short = max(width, height), min(width, height)
    if width * height > max_pixels:
        raise Refused("too-many-pixels")
    if long > THINNEST * short:
        raise Refused("too-thin")
    if short < SMALLEST_SIDE:
        raise Refused("too-small")


def _decoded(stripped: Stripped, max_pixels: int) -> Normalized:
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    # Pillow raises above twice this number, before any decoder of it takes memory for a canvas.
    Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2
    _register(stripped.kind)
    with Image.open(io.BytesIO(stripped.data), formats=[stripped.kind]) as opened:
        check_size(*opened.size, max_pixels)
        opened.load()
        exif = stripped.exif or opened.info.get("exif", b"")
        profile = stripped.profile or opened.info.get("icc_profile", b"")
        animated = stripped.animated or getattr(opened, "n_frames", 1) > 1
        image = _in_colour(opened, profile)
    image.info = {}  # savers write some of it into the file
    turn = _TURNS.get(_orientation(exif))
    upright = image if turn is None else image.transpose(turn)
    return Normalized(upright, stripped.kind, stripped.lossless, animated)


def _cropped(image: Image.Image, crop: Sequence[int]) -> Image.Image:
    """The part of the picture inside the box; the flux server may have sent a smaller one than it was asked for."""
    left, top, right, bottom = crop
    box = (max(0, left), max(0, top), min(image.width, right), min(image.height, bottom))
    check_size(box[2] - box[0], box[3] - box[1], image.width * image.height)
    return image.crop(box)


def _register(kind: str) -> None:
    """Import the one plugin that is needed; left to itself, Pillow imports all of them."""
    if kind == "HEIF":
        try:
            importlib.import_module("pillow_heif").register_heif_opener()
        except ImportError:
            raise Refused("unsupported") from None
    else:
        importlib.import_module(f"PIL.{_PLUGINS[kind]}")


def _orientation(exif: bytes) -> int:
    tags = Image.Exif()
    try:
        tags.load(exif)
        return int(tags.get(_ORIENTATION, 1))
    except Exception:
        return 1  # a broken EXIF block is no reason to refuse the picture


def _in_colour(image: Image.Image, profile: bytes) -> Image.Image:
    """The same pixels in sRGB, as RGB or RGBA."""
    if image.mode.startswith("I"):  # 16-bit grey, which `convert` alone would cut off at 255
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "1":
        image = image.convert("LA" if "transparency" in image.info else "L")
    elif image.mode == "PA" or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "P":
        image = image.convert("RGB")
    if profile:
        image = _through_profile(image, profile)
    if image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGBA" if image.mode == "LA" else "RGB")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    return image


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert to sRGB; a profile that is broken or belongs to another colour space is ignored, as browsers do."""
    from PIL import ImageCms  # here, as most pictures have no need of it and it costs time to load

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        description = ImageCms.getProfileDescription(source).strip()
        if source.profile.xcolor_space.strip() != _SPACES[image.mode] or description.startswith("sRGB"):
            return image
        alpha = image.getchannel("A") if image.mode == "LA" else None
        colours = image.getchannel("L") if alpha else image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), colours.mode, mode)
        converted = ImageCms.applyTransform(colours, transform)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted
