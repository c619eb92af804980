"""What must bounce: with a code, fast, and without taking memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from editor.images.refusals import REFUSALS
from tests.images.conftest import Clean
from tests.images.hostile_files import (
    animation,
    chunk,
    disguised_files,
    flat_png,
    foreign_files,
    saved,
    scene,
    with_chunk,
    with_scans,
)

Refusal = Callable[..., str]
ROOT = Path(__file__).resolve().parents[2]
MEASURE = """
import json, pathlib, resource, sys
sys.path.append(sys.argv[1])
from editor.images import warm_decoder
from editor.images.decoding import Refused, decode
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    outcome = decode(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), max_bytes=30_000_000, max_pixels=50_000_000)
except Refused as refusal:
    outcome = refusal.code
warm_decoder.stop()  # whose processes are counted then
child, ours = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([str(outcome), child.ru_maxrss, ours.ru_maxrss - before, child.ru_utime + child.ru_stime]))
"""
KILOBYTES = 1 if sys.platform != "darwin" else 1024


def measured(raw: bytes, directory: Path) -> tuple[str, float, float, float]:
    """Outcome, peak MB of the decoder, growth of its parent in MB, CPU seconds; seen by a process of its own."""
    path = directory / "hostile.png"
    path.write_bytes(raw)
    command = [sys.executable, "-c", MEASURE, str(ROOT), str(path), str(directory)]
    outcome, child, ours, seconds = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return outcome, child / KILOBYTES / 1024, ours / KILOBYTES / 1024, seconds


@pytest.mark.parametrize(
    ("width", "height", "depth", "colour", "code"),
    [
        (9_400, 9_400, 8, 2, "too-many-pixels"),
        (13_300, 13_300, 8, 0, "too-many-pixels"),
        (30_000, 30_000, 1, 0, "too-many-pixels"),
        (1, 60_000, 8, 0, "too-thin"),
        (60_000, 1, 8, 0, "too-thin"),
    ],
    ids=["88 megapixels", "177 megapixels", "30,000²", "1 × 60,000", "60,000 × 1"],
)
def test_huge_picture_in_few_bytes_bounces_without_memory(
    tmp_path: Path, width: int, height: int, depth: int, colour: int, code: str
) -> None:
    raw = flat_png(width, height, depth, colour)
    assert len(raw) < 400_000
    outcome, decoder, parent, seconds = measured(raw, tmp_path)
    assert outcome == code
    assert decoder < 150
    assert parent < 150
    assert seconds < 1


def test_88_megapixel_webp_and_jpeg_bounce_without_memory(tmp_path: Path) -> None:
    jpeg = bytearray(saved(scene(), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = (9_400).to_bytes(2, "big") * 2
    webp = bytearray(saved(scene(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = (16_000).to_bytes(3, "little") * 2
    for raw in (jpeg, webp):
        outcome, decoder, parent, _ = measured(bytes(raw), tmp_path)
        assert outcome == "too-many-pixels"
        assert max(decoder, parent) < 150


def test_zero_bytes_bounce(refusal: Refusal) -> None:
    assert refusal(b"") == "empty"


def test_one_byte_over_the_limit_bounces(refusal: Refusal) -> None:
    raw = saved(scene(), "PNG")
    assert refusal(raw, max_bytes=len(raw) - 1) == "too-many-bytes"


def test_one_pixel_over_the_limit_bounces(refusal: Refusal) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        assert refusal(saved(scene(97, 64), kind), max_pixels=97 * 64 - 1) == "too-many-pixels"


@pytest.mark.parametrize("side", [1, 2, 31])
def test_picture_below_the_smallest_useful_size_is_told_so(refusal: Refusal, side: int) -> None:
    assert refusal(flat_png(side, side)) == "too-small"
    assert "32 pixels" in REFUSALS["too-small"]


@pytest.mark.parametrize(("name", "raw"), foreign_files().items(), ids=foreign_files())
def test_foreign_kind_bounces_also_when_named_png(refusal: Refusal, tmp_path: Path, name: str, raw: bytes) -> None:
    path = tmp_path / f"{name}.png"
    path.write_bytes(raw)
    # Where HEIC's optional decoder is installed, it finds no picture in this one.
    assert refusal(path) in ({"unsupported", "damaged"} if name == "heic" else {"unsupported"})


@pytest.mark.parametrize(("name", "raw"), disguised_files().items(), ids=disguised_files())
def test_script_behind_a_pictures_first_bytes_bounces(refusal: Refusal, name: str, raw: bytes) -> None:
    assert refusal(raw) == "damaged"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_picture_bounces(refusal: Refusal, kind: str, share: float) -> None:
    noisy = scene(300, 200).effect_spread(40)
    raw = saved(noisy, kind)
    assert refusal(raw[: int(len(raw) * share)]) == "damaged"


def test_png_with_a_wrong_checksum_bounces(refusal: Refusal) -> None:
    raw = bytearray(saved(scene(), "PNG"))
    raw[raw.index(b"IDAT") + 10] ^= 0xFF
    assert refusal(bytes(raw)) == "damaged"


def test_png_of_endless_tiny_chunks_bounces_at_once(tmp_path: Path) -> None:
    png = flat_png(64, 64)
    raw = png[:33] + chunk(b"tIME", b"") * 2_000_000 + png[33:]
    outcome, decoder, _, seconds = measured(raw, tmp_path)
    assert outcome == "damaged"
    assert decoder < 150
    assert seconds < 1


def test_jpeg_of_endless_scans_bounces_at_once(tmp_path: Path) -> None:
    raw = with_scans(saved(scene(6_700, 6_700), "JPEG", progressive=True), 2_000)
    outcome, decoder, _, seconds = measured(raw, tmp_path)
    assert outcome == "damaged"
    assert decoder < 150
    assert seconds < 1


def test_scans_are_counted_to_the_end_of_the_picture(clean: Clean, refusal: Refusal) -> None:
    jpeg = saved(scene(), "JPEG", progressive=True)
    assert clean(with_scans(jpeg, 80)).width == 96
    assert clean(jpeg + b"\xff\xda\0\2" * 200).width == 96  # a film behind it, as some phones append
    # What looks like the end, inside a comment between two scans, is none.
    at = jpeg.rindex(b"\xff\xda")
    hidden = jpeg[:at] + b"\xff\xfe\0\4\xff\xd9" + jpeg[at:]
    assert refusal(with_scans(hidden, 200)) == "damaged"


def test_chunk_that_claims_more_than_there_is_bounces(refusal: Refusal) -> None:
    raw = bytearray(with_chunk(flat_png(64, 64), b"tEXt", b"hello"))
    raw[33:37] = b"\x7f\xff\xff\xff"
    assert refusal(bytes(raw)) == "damaged"


def test_animated_gif_bounces_as_unsupported(refusal: Refusal) -> None:
    assert refusal(animation("GIF", 20)) == "unsupported"


def test_every_refusal_says_what_to_do() -> None:
    for code, sentence in REFUSALS.items():
        assert len(code) <= 30
        assert sentence.endswith(".")
        assert sentence[0].isupper()
