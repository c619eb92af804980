"""What lies around the pixels of a file: its kind, told by its bytes, and its metadata, taken off before decoding.

JPEG and PNG files are taken apart at their segments and chunks (ITU T.81 annex B, W3C PNG section 5) and put together
again with only what decides the pixels. So no bomb in a text chunk, malformed multi-picture index or odd EXIF block
reaches Pillow, which would warn about it or refuse the picture; what is needed of them is handed on separately.
WebP and AVIF stay whole: Pillow hands their metadata out as plain bytes.
"""

import re
import zlib
from typing import NamedTuple

from editor.images.refusals import Refused

LARGEST_PROFILE = 4_000_000
"""Bytes of an ICC profile. The largest of print shops have about 3 MB; what is larger is ignored."""

MOST_SCANS = 100
"""Scans of a JPEG: programs write about ten. Every scan passes over all the pixels, however few bytes it has itself."""

_MOST_PARTS = 50_000
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_JPEG_KEPT = {
    *range(0xC0, 0xD0),
    0xDB,
    0xDD,
    0xE0,
    0xEE,
}  # frames, tables, restart interval, JFIF, Adobe's colour transform
_JPEG_BARE = {0x00, 0x01, *range(0xD0, 0xD8)}  # markers without a length
_START_OF_SCAN, _END_OF_IMAGE, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_BETWEEN_SCANS = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # a marker that is no part of the coded pixels


class Stripped(NamedTuple):
    """A file without its metadata, and of that what decides how the pixels look."""

    kind: str  # as Pillow names formats: JPEG, PNG, WEBP, AVIF, HEIF
    data: bytes
    exif: bytes = b""
    profile: bytes = b""
    animated: bool = False
    lossless: bool = False


def strip(data: bytes) -> Stripped:
    """Tell the kind by the bytes alone and take the metadata off. Raises Refused: unsupported, damaged."""
    kind = _kind(data)
    if kind == "JPEG":
        return _strip_jpeg(data)
    if kind == "PNG":
        return _strip_png(data)
    return Stripped(kind, data, lossless=data[12:16] == b"VP8L")


def _kind(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_START):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        size = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, size, 4))}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    raise Refused("unsupported")


def _strip_jpeg(data: bytes) -> Stripped:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    exif = b""
    profile: dict[int, bytes] = {}
    at = 2
    for _ in range(_MOST_PARTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            raise Refused("damaged")
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            _count_scans(data, at)
            kept.append(view[at:])
            return Stripped("JPEG", b"".join(kept), exif, _joined(profile))
        if marker == 0xFF or marker in _JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _END_OF_IMAGE or end < at + 4 or end > len(data):
            raise Refused("damaged")
        if marker in _JPEG_KEPT:
            kept.append(view[at:end])
        elif marker == _APP1 and not exif and data.startswith(b"Exif\0\0", at + 4):
            exif = data[at + 4 : end]
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", at + 4) and end - at > 18:
            profile[data[at + 16]] = data[at + 18 : end]
        at = end
    raise Refused("damaged")


def _count_scans(data: bytes, at: int) -> None:
    """Walk from the first scan to the end of the picture, as decoders do. Raises Refused: damaged."""
    scans = 0
    for _ in range(_MOST_PARTS):
        found = _BETWEEN_SCANS.search(data, at)
        marker = found.group()[1] if found else _END_OF_IMAGE
        if found is None or marker == _END_OF_IMAGE:
            return
        scans += marker == _START_OF_SCAN
        if scans > MOST_SCANS:
            raise Refused("damaged")
        # A length counts its own two bytes; decoders take a smaller one for nothing.
        at = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
    raise Refused("damaged")


def _joined(parts: dict[int, bytes]) -> bytes:
    profile = b"".join(parts[number] for number in sorted(parts))
    return profile if len(profile) <= LARGEST_PROFILE else b""


def _strip_png(data: bytes) -> Stripped:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [_PNG_START]
    exif = profile = b""
    animated = False
    deep = data[24:25] == b"\x10"
    at = len(_PNG_START)
    for _ in range(_MOST_PARTS):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise Refused("damaged")
        name = data[at + 4 : at + 8]
        # Pillow reads 16 bits as 8, but leaves the transparent colour at 16: it would fit no pixel.
        if name in _PNG_KEPT and not (deep and name == b"tRNS"):
            kept.append(view[at:end])
        elif name == b"eXIf":
            exif = data[at + 8 : end - 4]
        elif name == b"iCCP":
            profile = _inflated(data[at + 8 : end - 4])
        elif name == b"acTL":
            animated = int.from_bytes(data[at + 8 : at + 12], "big") > 1
        if name == b"IEND":
            return Stripped("PNG", b"".join(kept), exif, profile, animated, lossless=True)
        at = end
    raise Refused("damaged")


def _inflated(chunk: bytes) -> bytes:
    """The profile in an iCCP chunk (name, zero, method, deflated bytes), or nothing if it is broken or too large."""
    _, _, packed = chunk.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], LARGEST_PROFILE + 1)
    except zlib.error:
        return b""
    return profile if len(profile) <= LARGEST_PROFILE else b""
