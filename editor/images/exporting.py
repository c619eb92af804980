"""From a master to the file that somebody asked for. Runs in the decoder's process only; `exports` gives the order."""

import io
import struct
from pathlib import Path
from typing import Any

from PIL import AvifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401  the savers
from PIL.PngImagePlugin import PngInfo

from editor.images.normalizing import normalize
from editor.images.profiles import profile
from editor.images.provenance import Making, exif_tags, png_text, xmp
from editor.images.watermark import drawn

_XMP_CHUNK = "XML:com.adobe.xmp"
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\x00"
_GAP = 3.0  # Lanczos from three times the size on is as good as from all pixels
_LARGE = 16_000_000  # pixels from which on a file may grow a little so that nobody waits for minutes
_MEDIUM = 4_000_000


def export(order: dict[str, Any]) -> dict[str, Any]:
    """Write the file `result`; gives its width and height. Raises Refused."""
    data = Path(order["raw"]).read_bytes()
    making = Making(**order["making"]) if order["making"] is not None else None
    out = Path(order["result"])
    if order["keep_pixels"]:
        out.write_bytes(_with_making(data, making or Making()))
        return {"width": order["width"], "height": order["height"]}
    image = normalize(data, order["max_pixels"]).image
    size = (order["width"], order["height"])
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_GAP)
    if image.mode == "RGBA" and order["format"] == "JPEG":
        image = _on(image, order["background"])
    if order["watermark"]:
        image = drawn(image, order["watermark"])
    image = _in_space(image, order["space"])
    image.info = {}
    image.save(out, **_options(image, order), **_metadata(order["format"], order["space"], making))
    return {"width": image.width, "height": image.height}


def _on(image: Image.Image, background: str) -> Image.Image:
    ground = Image.new("RGB", image.size, background)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _in_space(image: Image.Image, space: str) -> Image.Image:
    """Masters are in sRGB."""
    if space == "srgb":
        return image
    from PIL import ImageCms

    there, here = (ImageCms.ImageCmsProfile(io.BytesIO(profile(each))) for each in ("srgb", space))
    transform = ImageCms.buildTransform(
        there, here, image.mode, image.mode, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    return ImageCms.applyTransform(image, transform) or image


def _options(image: Image.Image, order: dict[str, Any]) -> dict[str, Any]:
    pixels, quality = image.width * image.height, order["quality"]
    match order["format"]:
        case "JPEG":
            sharp = {"subsampling": 0} if quality >= 90 else {}
            return {"format": "JPEG", "quality": quality, "progressive": True, "optimize": True, **sharp}
        case "PNG":
            return {"format": "PNG", "compress_level": 6 if pixels < _LARGE else 3}
        case "WEBP":
            return {"format": "WEBP", "quality": quality, "method": 4 if pixels < _LARGE else 2}
        case _:
            speed = 6 if pixels < _MEDIUM else 8 if pixels < _LARGE else 9
            return {"format": "AVIF", "quality": quality, "speed": speed}


def _metadata(kind: str, space: str, making: Making | None) -> dict[str, Any]:
    written: dict[str, Any] = {"icc_profile": profile(space)}
    if making is None:
        return written
    written["exif"] = _exif(making)
    if kind == "PNG":
        return written | {"pnginfo": _png_info(making)}
    return written | {"xmp": xmp(making)}


def _exif(making: Making) -> bytes:
    tags = Image.Exif()
    for tag, text in exif_tags(making).items():
        tags[tag] = text
    return tags.tobytes()


def _png_info(making: Making) -> PngInfo:
    info = PngInfo()
    info.add_itxt(_XMP_CHUNK, xmp(making).decode())
    for keyword, text in png_text(making):
        info.add_itxt(keyword, text)
    return info


def _with_making(data: bytes, making: Making) -> bytes:
    """The same file, its pixels untouched, with metadata put in where its format has them."""
    if data.startswith(b"\xff\xd8"):
        place = 2
        if data[2:4] == b"\xff\xe0":  # what says that it is a JFIF file has to come first
            place += 2 + struct.unpack(">H", data[4:6])[0]
        added = _segment(_exif(making)) + _segment(_XMP_SEGMENT + xmp(making))
    else:
        place = 8 + 25  # the signature and the first chunk, which says the size
        out = io.BytesIO()
        for kind, said, *_ in _png_info(making).chunks:
            PngImagePlugin.putchunk(out, kind, said)
        PngImagePlugin.putchunk(out, b"eXIf", _exif(making).removeprefix(b"Exif\x00\x00"))
        added = out.getvalue()
    return data[:place] + added + data[place:]


def _segment(said: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said
