"""The map of what changed in a picture of one megapixel, beside reading and writing that picture once."""

import io
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from editor.images.change_maps import opened
from editor.images.changes import changes
from editor.images.overlay import draw
from project.embedded.programs import ROOT
from tests.bench.stage import Stage, alternately
from tests.bench.table import Row, median, milliseconds

ROUNDS = 40
MOST = 3.0  # times
SIZE = (1024, 1024)
PNG = {"compress_level": 1, "compress_type": zlib.Z_RLE}  # as masters are written
JPEG = {"quality": 95, "subsampling": 0}


def measure(stage: Stage) -> list[Row]:
    before = photo(ROOT / "static" / "samples" / "phone.jpg")
    after = before.copy()
    ImageDraw.Draw(after).ellipse((300, 300, 600, 560), fill=(40, 160, 90))
    after = after.filter(ImageFilter.GaussianBlur(0.6))
    pair = rendition(before), rendition(after)
    as_png, as_jpeg = saved(after, "PNG", **PNG), saved(after, "JPEG", **JPEG)
    measures: dict[str, Callable[[], float]] = {
        "map": lambda: timed(lambda: draw(changes(opened(pair[0]), opened(pair[1])).map)),
        "png": lambda: timed(lambda: saved(read(as_png), "PNG", **PNG)),
        "jpeg": lambda: timed(lambda: saved(read(as_jpeg), "JPEG", **JPEG)),
    }
    alternately(3, measures)
    found = {name: median(times) for name, times in alternately(ROUNDS, measures).items()}
    as_often = {name: found["map"] / found[name] for name in ("png", "jpeg")}
    control = f"{milliseconds(found['png'])} to read and write it as PNG, {as_often['png']:.1f} ×"
    control += f"; {milliseconds(found['jpeg'])} as JPEG, {as_often['jpeg']:.1f} ×"
    held = max(as_often.values()) <= MOST
    return [Row("changes: the map for one megapixel", milliseconds(found["map"]), control, f"≤ {MOST:g} × both", held)]


def photo(path: Path) -> Image.Image:
    with Image.open(path) as opened_file:
        return opened_file.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


def rendition(picture: Image.Image) -> bytes:
    return saved(picture.resize((640, 640), Image.Resampling.LANCZOS), "WEBP", quality=80, method=2)


def saved(picture: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
