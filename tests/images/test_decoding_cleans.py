"""What must survive: the picture comes out right, and nothing else that was in the file comes out at all."""

import io
import subprocess
import sys
import zlib
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from editor.images.decoding import Decoded
from tests.images.conftest import Clean
from tests.images.hostile_files import (
    SECRET,
    archive,
    flat_png,
    opened,
    saved,
    scene,
    swapped_profile,
    with_chunk,
    with_large_profile,
    with_metadata,
    with_segment,
    ycck_jpeg,
)

Colour = tuple[int, int, int]
GREY: Colour = (128, 128, 128)


def assert_nothing_else(decoded: Decoded) -> None:
    """None of the files holds the script, nor metadata of any kind, nor anything behind the picture."""
    for path in (decoded.master_path, decoded.init_path, *decoded.renditions.values()):
        data = path.read_bytes()
        for trace in (
            SECRET,
            b"<script",
            b"Exif",
            b"xmpmeta",
            b"8BIM",
            b"iCCP",
            b"ICC_PROFILE",
            b"PK\x03\x04",
            b"tEXt",
        ):
            assert trace not in data
        assert data.endswith((b"\xff\xd9", b"IEND\xaeB`\x82")) or len(data) == int.from_bytes(data[4:8], "little") + 8
        assert set(opened(path).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background"}


def colour_of(decoded: Decoded, at: tuple[int, int] = (8, 8)) -> tuple[int, ...]:
    return cast("tuple[int, ...]", opened(decoded.master_path).getpixel(at))


def assert_colour(decoded: Decoded, expected: tuple[int, ...], tolerance: int = 3) -> None:
    found = colour_of(decoded)
    assert len(found) == len(expected)
    assert all(abs(one - other) <= tolerance for one, other in zip(found, expected, strict=True)), (found, expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_scripts_and_gps_in_metadata_are_gone(clean: Clean, kind: str) -> None:
    raw = with_metadata(kind)
    assert SECRET in raw
    assert_nothing_else(clean(raw))


@pytest.mark.parametrize("tail", [b"<html>" + SECRET, archive(), b"\0" * 1_000_000], ids=["html", "zip", "zeros"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_what_lies_behind_the_picture_is_gone(clean: Clean, kind: str, tail: bytes) -> None:
    decoded = clean(saved(scene(), kind) + tail)
    assert (decoded.width, decoded.height) == (96, 64)
    assert_nothing_else(decoded)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_10_mb_of_profile_are_gone(clean: Clean, kind: str) -> None:
    raw = with_large_profile(kind)
    decoded = clean(raw)
    assert_nothing_else(decoded)
    assert_colour(decoded, (200, 30, 30), tolerance=8)


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_bomb_in_a_text_chunk_is_never_inflated(clean: Clean, name: bytes) -> None:
    bomb = zlib.compress(SECRET + bytes(500_000_000), 1)
    head = b"bomb\0\1\0\0\0" if name == b"iTXt" else b"bomb\0\0"
    decoded = clean(with_chunk(saved(scene(), "PNG"), name, head + bomb))
    assert_nothing_else(decoded)
    assert_colour(decoded, (200, 30, 30))


def test_profile_is_applied_and_then_gone(clean: Clean) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "AVIF"):
        raw = saved(Image.new("RGB", (64, 64), (200, 30, 30)), kind, icc_profile=swapped_profile())
        decoded = clean(raw)
        found = colour_of(decoded)
        assert found[1] > 150 > 90 > found[0]
        assert_nothing_else(decoded)


def test_profile_is_applied_beside_transparency(clean: Clean) -> None:
    picture = Image.new("RGBA", (64, 64), (200, 30, 30, 100))
    found = colour_of(clean(saved(picture, "PNG", icc_profile=swapped_profile())))
    assert found[1] > 150 > 90 > found[0]
    assert found[3] == 100


def test_profile_of_another_colour_space_is_ignored(clean: Clean) -> None:
    assert_colour(clean(saved(Image.new("L", (64, 64), 128), "JPEG", icc_profile=swapped_profile())), GREY)
    cmyk = saved(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", icc_profile=swapped_profile())
    assert_colour(clean(cmyk), (255, 0, 0))


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 60, b"Exif\0\0"])
def test_broken_exif_is_no_reason_to_refuse(clean: Clean, exif: bytes) -> None:
    decoded = clean(with_segment(saved(scene(), "JPEG"), 0xE1, exif))
    assert (decoded.width, decoded.height) == (96, 64)
    assert_nothing_else(decoded)


def test_multi_picture_file_of_a_phone_is_a_jpeg(clean: Clean) -> None:
    buffer = io.BytesIO()
    scene().save(buffer, format="MPO", save_all=True, append_images=[Image.new("RGB", (48, 32))])
    decoded = clean(buffer.getvalue())
    assert (decoded.source_format, decoded.width) == ("JPEG", 96)
    # A broken index of the other pictures, as some programs leave behind.
    clean(with_segment(saved(scene(), "JPEG"), 0xE2, b"MPF\0II*\0\xff\xff\xff\xff"))


def test_cmyk_jpeg_looks_right(clean: Clean) -> None:
    assert_colour(clean(saved(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", quality=95)), (255, 0, 0))
    assert_colour(clean(saved(Image.new("CMYK", (64, 64), (0, 0, 0, 127)), "JPEG", quality=95)), GREY)


def test_ycck_jpeg_looks_right(clean: Clean) -> None:
    raw = ycck_jpeg((0, 200, 255, 0))
    assert_colour(clean(raw), (255, 55, 0), tolerance=6)
    assert_colour(clean(ycck_jpeg((255, 0, 0, 0))), (0, 255, 255), tolerance=6)


@pytest.mark.parametrize(
    ("colour_type", "row", "expected"),
    [
        (0, b"\x80\x00", GREY),
        (0, b"\xff\xff", (255, 255, 255)),
        (2, b"\xc8\x00\x1e\x00\x80\xff", (200, 30, 128)),
        (4, b"\x80\x00\x40\x00", (128, 128, 128, 64)),
        (6, b"\xc8\x00\x1e\x00\x80\x00\x40\x00", (200, 30, 128, 64)),
    ],
    ids=["grey", "white", "rgb", "grey and alpha", "rgb and alpha"],
)
def test_16_bit_png_looks_right(clean: Clean, colour_type: int, row: bytes, expected: tuple[int, ...]) -> None:
    decoded = clean(flat_png(64, 64, 16, colour_type, row * 64))
    assert_colour(decoded, expected, tolerance=1)


def test_16_bit_png_with_a_transparent_colour_survives(clean: Clean) -> None:
    raw = with_chunk(flat_png(64, 64, 16, 2, b"\xc8\x00\x1e\x00\x80\x00" * 64), b"tRNS", b"\xc8\x00\x1e\x00\x80\x00")
    assert_colour(clean(raw), (200, 30, 128), tolerance=1)


def test_palette_with_alpha_looks_right(clean: Clean) -> None:
    picture = scene().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    raw = saved(picture, "PNG", transparency=bytes([64, 64, 64, 64]))
    assert_colour(clean(raw), (200, 30, 30, 64))
    assert_colour(clean(saved(picture, "PNG")), (200, 30, 30))


def test_transparent_colour_of_a_palette_and_of_grey_is_kept(clean: Clean) -> None:
    for mode in ("P", "L", "1"):
        picture = scene().convert("L").point(lambda value: 255 if value > 200 else 0).convert(mode)
        index = cast("int", picture.getpixel((8, 8)))
        decoded = clean(saved(picture, "PNG", transparency=index))
        assert colour_of(decoded)[3] == 0
        assert colour_of(decoded, (90, 60)) == (255, 255, 255, 255)


def test_1_bit_png_looks_right(clean: Clean) -> None:
    picture = Image.new("1", (64, 64), 1)
    picture.paste(0, (0, 0, 32, 64))
    decoded = clean(saved(picture, "PNG"))
    assert colour_of(decoded, (8, 8)) == (0, 0, 0)
    assert colour_of(decoded, (50, 8)) == (255, 255, 255)


def test_grey_with_alpha_looks_right(clean: Clean) -> None:
    assert_colour(clean(saved(Image.new("LA", (64, 64), (128, 64)), "PNG")), (128, 128, 128, 64))
    assert_colour(clean(saved(Image.new("LA", (64, 64), (128, 255)), "PNG")), GREY)
    assert_colour(clean(saved(Image.new("L", (64, 64), 128), "JPEG")), GREY)


def test_interlaced_and_progressive_pictures_survive(clean: Clean) -> None:
    assert_colour(clean(saved(scene(), "JPEG", progressive=True, quality=95)), (200, 30, 30))
    assert_colour(clean(saved(scene(), "WEBP", lossless=True)), (200, 30, 30), tolerance=0)


def test_decoder_starts_without_django() -> None:
    root = Path(__file__).resolve().parents[2]
    program = "import sys; sys.path.append(sys.argv[1]); import editor.images.outputs; print('django' in sys.modules)"
    command = [sys.executable, "-I", "-c", program, str(root)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "False"
