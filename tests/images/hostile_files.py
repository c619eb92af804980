"""Makes the pictures that must bounce, and those that must survive. Everything is generated: no file lies in wait."""

import io
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

SECRET = b"<script>alert('not-in-what-is-served')</script>"
PNG_START = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def opened(path: Path) -> Image.Image:
    """The picture in a file that is closed again."""
    return Image.open(io.BytesIO(path.read_bytes()))


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """Four quarters: red, green over blue, white. So every turn and mirror image of it is another picture."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 160, 30), (width // 2, 0, width, height // 2))
    image.paste((30, 30, 200), (0, height // 2, width // 2, height))
    image.paste((250, 250, 250), (width // 2, height // 2, width, height))
    return image


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@cache
def flat_png(width: int, height: int, depth: int = 8, colour: int = 0, row: bytes | None = None) -> bytes:
    """A PNG with the same row throughout: huge in pixels, tiny in bytes. Colour types: 0 grey, 2 RGB, 4 grey+alpha."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    line = b"\0" + (row or bytes((width * channels * depth + 7) // 8))
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(line) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """The PNG with one more chunk right behind its header."""
    return png[:33] + chunk(name, body) + png[33:]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """The JPEG with one more segment right behind its start."""
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def with_scans(jpeg: bytes, count: int) -> bytes:
    """The progressive JPEG with its last scan once more, so many times."""
    at = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[at:-2] * count + jpeg[-2:]


def oriented(orientation: int, kind: str = "JPEG") -> bytes:
    """`scene()` stored so that it is upright once its EXIF orientation is applied."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image.transpose(undo[orientation]) if orientation in undo else image
    return saved(stored, kind, exif=exif, quality=95)


def with_metadata(kind: str) -> bytes:
    """EXIF with GPS, XMP and a comment, each with a script in it."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 17.0)})
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    extra = {"comment": SECRET} if kind == "JPEG" else {}
    data = saved(scene(), kind, exif=exif.tobytes(), xmp=xmp, **extra)
    if kind == "JPEG":
        iptc = (
            b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET) + 5) + b"\x1c\x02\x78\0\x30" + SECRET
        )
        data = with_segment(data, 0xED, iptc)
    return data


def with_large_profile(kind: str) -> bytes:
    """10 MB that call themselves an ICC profile."""
    profile = (b"\0\0\0\0" + SECRET) * 190_000
    if kind == "PNG":
        return with_chunk(saved(scene(), "PNG"), b"iCCP", b"big\0\0" + zlib.compress(profile))
    return saved(scene(), kind, icc_profile=profile)


def swapped_profile() -> bytes:
    """An ICC profile like sRGB's, but its red means green: whoever ignores it shows the wrong colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def ycck_jpeg(colour: tuple[int, int, int, int], size: tuple[int, int] = (64, 64)) -> bytes:
    """One CMYK colour as Photoshop writes it: inverted, and turned into luma and chroma (Adobe transform 2)."""
    luma, blue, red = Image.new("RGB", (1, 1), colour[:3]).convert("YCbCr").getpixel((0, 0))  # type: ignore[misc]
    # Pillow inverts what it writes, so what shall be stored is handed over inverted.
    image = Image.new("CMYK", size, (255 - luma, 255 - blue, 255 - red, colour[3]))
    data = bytearray(saved(image, "JPEG", quality=95, subsampling=0))
    at = data.index(b"Adobe")
    data[at + 11] = 2
    return bytes(data)


def animation(kind: str, frames: int = 400) -> bytes:
    """The first frame is `scene()`, the others are grey."""
    others = [Image.new("RGB", (96, 64), (shade % 256,) * 3) for shade in range(frames - 1)]
    return saved(scene(), kind, save_all=True, append_images=others)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("index.html", SECRET)
    return buffer.getvalue()


def foreign_files() -> dict[str, bytes]:
    """What is no picture here, or none that is accepted, by name of its kind."""
    image = scene()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90">%s</svg>'
    return {
        **{kind.lower(): saved(image, kind) for kind in ("EPS", "PDF", "TIFF", "ICO", "GIF", "BMP", "PPM", "TGA")},
        "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 96, 8, 3) + bytes(14) + bytes(3 * 96 * 64),
        "svg-script": svg % SECRET,
        "svg-foreign-object": svg % (b"<foreignObject><body>" + SECRET + b"</body></foreignObject>"),
        "html": b"<!doctype html>" + SECRET,
        "javascript-as-gif": b"GIF89a=1;" + SECRET,
        "zip": archive(),
        "json": b'{"status": "processing"}',
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(64),
    }


def disguised_files() -> dict[str, bytes]:
    """HTML and JavaScript behind a picture's first bytes."""
    return {
        "html-as-png": PNG_START + b"<html>" + SECRET,
        "html-as-jpeg": b"\xff\xd8\xff\xe0<html>" + SECRET,
        "javascript-as-jpeg": b"\xff\xd8\xff\xe0/*" + SECRET * 300,
        "html-as-webp": b"RIFF\x90\0\0\0WEBP" + SECRET * 3,
        "html-as-avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + SECRET,
    }
