"""From clean pixels to files: master, renditions, init image, placeholder. Runs in the decoder's process only."""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import thumbhash
from PIL import Image, ImageFilter, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401  registers the savers

from editor.images.hashing import perceptual_hash
from editor.images.normalizing import Normalized
from editor.images.sizes import edit_size

_JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}  # 4:4:4: sharp also when saved again
_PNG: dict[str, Any] = {"format": "PNG", "compress_level": 1, "compress_type": zlib.Z_RLE}  # smaller than by default
_WEBP: dict[str, Any] = {"format": "WEBP", "quality": 80, "method": 2}
_GAP = 1.5  # how many times larger than wanted a cheap box filter may leave it before Lanczos does the rest
_PLACEHOLDER = 16  # pixels: thumbhash is written in Python and keeps far less than that


def write_outputs(picture: Normalized, out_dir: Path, widths: Sequence[int]) -> dict[str, Any]:
    """Write all files into `out_dir` and describe them, in what JSON can say."""
    image = picture.image
    with ThreadPoolExecutor(1) as beside:  # savers let go of the interpreter's lock
        master = beside.submit(_write_master, image, picture.lossless, out_dir)
        renditions = _write_renditions(image, out_dir, widths)
        init = _write_init(image, renditions.values(), out_dir)
        smallest = renditions[min(renditions)]
        return {
            "width": image.width,
            "height": image.height,
            "rendition_widths": sorted(renditions),
            "thumbhash": _placeholder(smallest),
            "phash": perceptual_hash(_on_white(smallest)),
            "frames_dropped": picture.frames_dropped,
            "source_format": picture.source_format,
            "blank": _is_blank(smallest) and _is_blank(image),
            **init,
            **master.result(),
        }


def _write_master(image: Image.Image, lossless: bool, out_dir: Path) -> dict[str, Any]:
    as_png = lossless or image.mode == "RGBA"
    extension, content_type = ("png", "image/png") if as_png else ("jpg", "image/jpeg")
    path = out_dir / f"master.{extension}"
    image.save(path, **(_PNG if as_png else _JPEG))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "master_ext": extension,
        "content_type": content_type,
        "byte_size": path.stat().st_size,
        "master_sha256": sha256,
    }


def _write_renditions(image: Image.Image, out_dir: Path, widths: Sequence[int]) -> dict[int, Image.Image]:
    """Each from the next larger one. A picture narrower than the widest gets one of its own width, to be seen sharp."""
    chosen = [width for width in widths if width < image.width] + [min(image.width, max(widths))]
    renditions: dict[int, Image.Image] = {}
    current = image
    for width in sorted(set(chosen), reverse=True):
        height = max(1, round(image.height * width / image.width))
        current = renditions[width] = current.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=_GAP)
        current.save(out_dir / f"{width}.webp", **_WEBP)
    return renditions


def _write_init(image: Image.Image, renditions: Iterable[Image.Image], out_dir: Path) -> dict[str, Any]:
    """A JPEG, as that is the safest format for the flux server; it knows no transparency, so that becomes white."""
    size = edit_size(*image.size)
    across, down = size.right - size.left, size.bottom - size.top
    large_enough = [found for found in renditions if found.width >= across and found.height >= down]
    source = min(large_enough, key=lambda found: found.width, default=image)
    init = _on_white(source.resize((across, down), Image.Resampling.LANCZOS, reducing_gap=_GAP))
    if size.padded:
        # A blurred stretch of the picture itself: nothing there for the model to take up, and no foreign colours.
        canvas = init.resize((size.width, size.height)).filter(ImageFilter.GaussianBlur(24))
        canvas.paste(init, size.box[:2])
        init = canvas
    init.save(out_dir / "init.jpg", **_JPEG)
    return {"init_width": size.width, "init_height": size.height, "init_crop": size.box if size.padded else None}


def _placeholder(image: Image.Image) -> str:
    """A thumbhash (evanw.github.io/thumbhash) in base64, about 25 bytes. No alpha: the library gets that wrong."""
    small = _on_white(image)
    small.thumbnail((_PLACEHOLDER, _PLACEHOLDER))
    values = thumbhash.rgba_to_thumb_hash(small.width, small.height, list(small.convert("RGBA").tobytes()))
    return base64.b64encode(bytes(values)).decode()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.copy()
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _is_blank(image: Image.Image) -> bool:
    """Whether every pixel has the same colour."""
    return all(lowest == highest for lowest, highest in cast("Sequence[tuple[int, int]]", image.getextrema()))
