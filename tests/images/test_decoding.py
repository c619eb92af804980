"""What comes out of a good picture: master, renditions, init image, placeholder."""

import base64
import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, ImageChops, ImageStat

from editor.images import decoding, warm_decoder
from editor.images.decoding import Decoded, DecoderDied, Refused, decode
from project.embedded.keeper import all_pids, has_ended
from tests.images.conftest import Clean
from tests.images.hostile_files import animation, flat_png, opened, oriented, saved, scene
from tests.portal import wait_until

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "static" / "samples"


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255, after bringing both to one size."""
    size = (150, 100)
    parts = ImageChops.difference(left.convert("RGB").resize(size), right.convert("RGB").resize(size))
    return sum(ImageStat.Stat(parts).mean) / 3


def files_of(decoded: Decoded) -> list[Path]:
    return [decoded.master_path, decoded.init_path, *decoded.renditions.values()]


def test_phone_picture_comes_out_upright_and_without_gps(clean: Clean) -> None:
    stored = opened(SAMPLES / "phone.jpg")
    assert stored.height > stored.width
    assert stored.getexif().get_ifd(0x8825)
    decoded = clean(SAMPLES / "phone.jpg")
    assert (decoded.width, decoded.height) == (stored.height, stored.width)
    coffee = opened(SAMPLES / "coffee.jpg")
    for path in files_of(decoded):
        picture = opened(path)
        assert difference(picture, coffee) < 4
        assert difference(picture.transpose(Image.Transpose.ROTATE_180), coffee) > 20
        assert not picture.getexif()
        assert b"Exif" not in path.read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(clean: Clean, kind: str, orientation: int) -> None:
    decoded = clean(oriented(orientation, kind))
    assert difference(opened(decoded.master_path), scene()) < 8


def test_facts_fit_the_files(clean: Clean) -> None:
    raw = (SAMPLES / "cat.jpg").read_bytes()
    decoded = clean(raw)
    master = decoded.master_path.read_bytes()
    assert (decoded.master_ext, decoded.content_type, decoded.source_format) == ("jpg", "image/jpeg", "JPEG")
    assert opened(decoded.master_path).size == (decoded.width, decoded.height) == (451, 300)
    assert decoded.byte_size == len(master)
    assert decoded.master_sha256 == hashlib.sha256(master).hexdigest()
    assert decoded.raw_sha256 == hashlib.sha256(raw).hexdigest()
    assert not any((decoded.blank, decoded.frames_dropped, decoded.padded))


@pytest.mark.parametrize(("kind", "ext"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg"), ("AVIF", "jpg")])
def test_master_is_lossless_where_its_source_was(clean: Clean, kind: str, ext: str) -> None:
    picture = opened(SAMPLES / "cat.jpg")
    raw = saved(picture, kind)
    decoded = clean(raw)
    assert decoded.master_ext == ext
    assert decoded.source_format == kind
    assert difference(opened(decoded.master_path), picture) < (0.01 if kind == "PNG" else 3)


def test_lossless_png_keeps_every_pixel(clean: Clean) -> None:
    picture = scene(200, 100).effect_spread(30)
    master = opened(clean(saved(picture, "PNG")).master_path)
    assert master.tobytes() == picture.tobytes()


def test_same_bytes_in_give_same_bytes_out(clean: Clean) -> None:
    first, second = clean(SAMPLES / "astronaut.jpg"), clean(SAMPLES / "astronaut.jpg")
    assert [path.read_bytes() for path in files_of(first)] == [path.read_bytes() for path in files_of(second)]
    assert first.thumbhash == second.thumbhash


def test_renditions_are_webp_and_never_enlarged(clean: Clean) -> None:
    decoded = clean(SAMPLES / "rocket.jpg")
    assert sorted(decoded.renditions) == [320, 640]
    for width, path in decoded.renditions.items():
        rendition = opened(path)
        assert rendition.format == "WEBP"
        assert rendition.size == (width, round(427 * width / 640))


def test_picture_narrower_than_all_renditions_has_one_of_its_own_width(clean: Clean) -> None:
    decoded = clean(saved(scene(100, 90), "PNG"))
    assert list(decoded.renditions) == [100]
    assert opened(decoded.renditions[100]).size == (100, 90)


def test_init_image_is_a_jpeg_of_the_size_of_the_edit(clean: Clean) -> None:
    decoded = clean(SAMPLES / "phone.jpg")
    init = opened(decoded.init_path)
    assert (init.format, init.mode) == ("JPEG", "RGB")
    assert init.size == (decoded.init_width, decoded.init_height) == (1024, 680)
    assert decoded.init_crop is None


@pytest.mark.parametrize("turned", [False, True])
def test_long_picture_is_padded_and_can_be_cut_back(clean: Clean, turned: bool) -> None:
    picture = scene(1600, 200)
    if turned:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    decoded = clean(saved(picture, "PNG"))
    init = opened(decoded.init_path)
    assert init.size == ((256, 1024) if turned else (1024, 256))
    assert decoded.padded
    assert decoded.init_crop is not None
    assert difference(init.crop(decoded.init_crop), picture) < 3


def test_transparency_is_kept_in_the_master_and_white_in_the_init_image(clean: Clean) -> None:
    picture = scene(400, 300).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 200, 150))
    decoded = clean(saved(picture, "WEBP"))
    assert decoded.master_ext == "png"
    master = opened(decoded.master_path)
    assert cast("tuple[int, ...]", master.getpixel((50, 50)))[3] == 0
    assert cast("tuple[int, ...]", opened(decoded.init_path).getpixel((50, 50))) >= (250, 250, 250)
    assert cast("tuple[int, ...]", opened(decoded.renditions[320]).getpixel((20, 20)))[3] == 0


def test_placeholder_fits_a_column_and_tells_the_colour(clean: Clean) -> None:
    decoded = clean(saved(Image.new("RGB", (300, 200), (200, 20, 20)), "PNG"))
    packed = base64.b64decode(decoded.thumbhash, validate=True)
    assert 5 <= len(packed) <= 40
    header = int.from_bytes(packed[:3], "little")
    luma, yellow, red = header & 63, (header >> 6) & 63, (header >> 12) & 63
    assert luma / 63 == pytest.approx(0.31, abs=0.03)
    assert yellow > 32 < red


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_of_one_colour_is_blank(clean: Clean, kind: str) -> None:
    assert clean(saved(Image.new("RGB", (512, 512)), kind)).blank


def test_picture_with_one_other_pixel_is_not_blank(clean: Clean) -> None:
    picture = Image.new("RGB", (512, 512))
    picture.putpixel((300, 200), (0, 0, 1))
    assert not clean(saved(picture, "PNG")).blank


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_400_frames_the_first_is_taken_and_said_so(clean: Clean, kind: str) -> None:
    decoded = clean(animation(kind))
    assert decoded.frames_dropped
    assert difference(opened(decoded.master_path), scene()) < 8


def test_exactly_at_the_limits_survives(clean: Clean) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        raw = saved(scene(97, 65), kind)
        assert clean(raw, max_bytes=len(raw), max_pixels=97 * 65).width == 97


def test_40_megapixels_survive(clean: Clean) -> None:
    decoded = clean(flat_png(7_300, 5_500, 16, 6), max_pixels=40_150_000)
    assert (decoded.width, decoded.height) == (7_300, 5_500)


def test_smallest_useful_picture_survives(clean: Clean) -> None:
    decoded = clean(saved(scene(32, 32), "PNG"))
    assert (decoded.width, decoded.init_width, decoded.init_height) == (32, 256, 256)


def put_in_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Let this code do what the decoder's work is."""
    path = tmp_path / "program.py"
    begin = f"import sys; sys.path.append({str(ROOT)!r})\nfrom editor.images import decoder"
    path.write_text(f"{begin}\ndef work(order):\n    {code}\n    return 0\nsys.exit(decoder.serve(work))\n")
    monkeypatch.setattr(warm_decoder, "PROGRAM", path)


def test_decoder_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(DecoderDied, match="no answer within") as caught:
        decode(SAMPLES / "phone.jpg", tmp_path, max_bytes=10**7, max_pixels=10**8, timeout=0.01)
    assert caught.value.timed_out


def test_decoder_that_hangs_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import json, time; raw = open('raw').read(); time.sleep(60 * len(raw)); print(json.dumps({'refused': 'no'}))"
    )
    put_in_place(monkeypatch, tmp_path, code)
    for name in ("hangs", "goes on"):
        (tmp_path / name).mkdir()
    with ThreadPoolExecutor(1) as beside:
        hangs = beside.submit(decode, b"x", tmp_path / "hangs", max_bytes=10, max_pixels=10, timeout=3)
        wait_until(lambda: (tmp_path / "hangs" / "raw").exists(), 10, "An order")
        with pytest.raises(Refused):
            decode(b"", tmp_path / "goes on", max_bytes=10, max_pixels=10)
        assert not hangs.done()
        with pytest.raises(DecoderDied, match="no answer within 3 s"):
            hangs.result()


def test_decoder_that_uses_up_its_processor_time_is_out_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_place(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    with pytest.raises(DecoderDied, match="SIGXCPU") as caught:
        decode(b"x", tmp_path, max_bytes=10, max_pixels=10)
    assert caught.value.timed_out


def test_decoder_that_takes_too_much_memory_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MEMORY_PER_PIXEL", 0)
    monkeypatch.setattr(decoding, "_BASE_MEMORY", 100_000_000)
    with pytest.raises(DecoderDied, match="out of memory"):
        decode(flat_png(9_000, 5_000, 8, 2), tmp_path, max_bytes=10**6, max_pixels=10**8)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("raise RuntimeError('a mistake')", "a mistake"),
        ("print('no json')", "no JSON"),
    ],
)
def test_decoder_that_breaks_down_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    put_in_place(monkeypatch, tmp_path, program)
    with pytest.raises(DecoderDied, match=reason) as caught:
        decode(b"x", tmp_path, max_bytes=10, max_pixels=10)
    assert not caught.value.timed_out


def test_decoder_is_told_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUX_API_KEY", "secret")
    put_in_place(monkeypatch, tmp_path, "import json, os; print(json.dumps({'refused': ' '.join(os.environ)}))")
    with pytest.raises(Refused) as caught:
        decode(b"x", tmp_path, max_bytes=10, max_pixels=10)
    assert set(caught.value.code.split()) <= {"MALLOC_ARENA_MAX", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


def test_each_picture_has_a_process_of_its_own_without_what_another_left_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import json, os, sys; print(json.dumps({'refused': f'{os.getpid()} {hasattr(sys, chr(120))}'})); sys.x = 1"
    put_in_place(monkeypatch, tmp_path, code)
    found = []
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            decode(b"x", tmp_path, max_bytes=10, max_pixels=10)
        found.append(caught.value.code.split())
    assert found[0][0] != found[1][0]
    assert [left for _, left in found] == ["False", "False"]


def standing_by() -> int:
    """The process that was made ahead for the next picture."""
    waiting = warm_decoder._held.running
    assert waiting is not None
    found: list[int] = []

    def there() -> bool:
        found[:] = [pid for pid in all_pids() if parent_of(pid) == waiting.process.pid and not has_ended(pid)]
        return len(found) == 1

    wait_until(there, 10, "A process ahead of the next picture")
    return found[0]


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_process_that_stands_by_gets_one_picture_like_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import json, os, sys; print(json.dumps({'refused': f'{os.getpid()} {hasattr(sys, chr(120))}'})); sys.x = 1"
    put_in_place(monkeypatch, tmp_path, code)
    warm_decoder._running()
    for _ in range(2):
        ready = standing_by()
        for expected in (True, False):
            with pytest.raises(Refused) as caught:
                decode(b"x", tmp_path, max_bytes=10, max_pixels=10)
            pid, left = caught.value.code.split()
            assert (int(pid) == ready, left) == (expected, "False")


def test_process_that_stands_by_keeps_to_time_and_memory_and_may_be_killed(
    clean: Clean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = saved(scene(), "PNG")
    before = clean(raw).master_sha256
    killed = standing_by()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: has_ended(killed), 10, "Its end")
    assert clean(raw).master_sha256 == before
    standing_by()
    with pytest.raises(DecoderDied, match="no answer within"):
        decode(SAMPLES / "phone.jpg", tmp_path, max_bytes=10**7, max_pixels=10**8, timeout=0.01)
    standing_by()
    monkeypatch.setattr(decoding, "_MEMORY_PER_PIXEL", 0)
    monkeypatch.setattr(decoding, "_BASE_MEMORY", 100_000_000)
    with pytest.raises(DecoderDied, match="out of memory"):
        decode(flat_png(9_000, 5_000, 8, 2), tmp_path, max_bytes=10**6, max_pixels=10**8)


def test_decoder_that_was_killed_while_it_waited_is_started_again(clean: Clean) -> None:
    raw = saved(scene(), "PNG")
    before = clean(raw).master_sha256
    waiting = warm_decoder._held.running
    assert waiting is not None
    waiting.process.kill()
    assert clean(raw).master_sha256 == before


def test_waiting_decoder_ends_with_the_process_that_it_is_for(tmp_path: Path) -> None:
    program = """if True:
    import os, pathlib, sys, time
    sys.path.append(sys.argv[1])
    from editor.images import warm_decoder
    from editor.images.decoding import decode
    decode(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), max_bytes=10**7, max_pixels=10**7)
    time.sleep(1)  # until a process stands by
    waiting = warm_decoder._held.running.process.pid
    stats = [path.read_text() for path in pathlib.Path("/proc").glob("[0-9]*/stat")]
    forks = [stat.split()[0] for stat in stats if stat.rpartition(")")[2].split()[1] == str(waiting)]
    print(waiting, *forks, flush=True)
    os.kill(os.getpid(), 9)
    """
    command = [sys.executable, "-c", program, str(ROOT), str(SAMPLES / "coffee.jpg"), str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    waiting = [int(pid) for pid in done.stdout.split()]
    assert len(waiting) == 2
    wait_until(lambda: all(pid not in all_pids() or has_ended(pid) for pid in waiting), 10, "Their end")


@pytest.mark.parametrize(
    "name",
    ["a.png.html", "quote'\"`$(x).jpg", "line\r\nbreak.png", "\u202egnp.exe", "🖼️ ☕.webp", "-rf", "x" * 200, "no type"],
)
def test_name_of_the_file_plays_no_part(clean: Clean, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved(scene(), "PNG"))
    decoded = clean(path)
    assert {file.name for file in files_of(decoded)} == {"master.png", "init.jpg", "96.webp"}
    assert {file.parent for file in files_of(decoded)} == {decoded.master_path.parent}


def test_result_of_a_padded_edit_is_cut_back(tmp_path: Path) -> None:
    picture = scene(1024, 128)
    canvas = Image.new("RGB", (1024, 256))
    canvas.paste(picture, (0, 64))
    box = (0, 64, 1024, 192)
    decoded = decode(saved(canvas, "PNG"), tmp_path, max_bytes=10**7, max_pixels=10**7, crop=box)
    assert (decoded.width, decoded.height) == (1024, 128)
    assert opened(decoded.master_path).tobytes() == picture.tobytes()


def test_result_that_the_box_misses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        decode(saved(scene(), "PNG"), tmp_path, max_bytes=10**7, max_pixels=10**7, crop=(0, 64, 1024, 192))
