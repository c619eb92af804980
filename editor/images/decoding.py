"""Untrusted bytes in, clean files out: has a process decode each picture and believes only what it must.

Nothing here decodes: whatever a hostile file does, it does to a small process of its own under limits of memory, time
and file size, with an empty environment.
"""

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.images import warm_decoder
from editor.images.decoder import OUT_OF_MEMORY
from editor.images.keys import RENDITION_WIDTHS
from editor.images.refusals import REFUSALS, Refused
from editor.images.warm_decoder import NoDecoder

__all__ = ["REFUSALS", "Decoded", "DecoderDied", "Refused", "decode"]

TIMEOUT = 20.0
"""Seconds that one picture may take, of the clock and of the processor.

Measured at 50 megapixels on two cores with twice as much to do: 1 to 5, and 7.4 for a WebP of noise with transparency.
"""

# Address space in bytes. Measured at 50 megapixels: 360 to 620 MB for JPEG and PNG, 780 for AVIF and 890 for WebP with
# transparency, of which 300 MB are there with the smallest picture (libraries, stacks, arenas; hardly any of it used).
_BASE_MEMORY = 300_000_000
_MEMORY_PER_PIXEL = 16
_COPIES_OF_FILE = 3


class DecoderDied(Exception):  # noqa: N818  it says what happened
    """The process ended at a limit or by a signal. That may be the machine's fault: worth a third try, not a fourth.

    `timed_out` says that it used up its time. That is the picture's fault, and each further try would cost as much.
    """

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


@dataclass(frozen=True)
class Decoded:
    """A picture that was found good, as files in the directory given to `decode`."""

    master_path: Path
    master_ext: str
    content_type: str  # of the master
    width: int
    height: int
    byte_size: int  # of the master
    raw_sha256: str
    master_sha256: str
    renditions: dict[int, Path]  # by width in pixels; WebP
    init_path: Path  # JPEG, the size of the edit
    init_width: int
    init_height: int
    init_crop: tuple[int, int, int, int] | None  # where the picture lies in a padded init image
    thumbhash: str  # base64
    phash: tuple[int, int, int, int] | None  # a perceptual hash, 16 bits each; None where there is nothing to see
    frames_dropped: bool
    source_format: str  # JPEG, PNG, WEBP, AVIF, HEIF
    blank: bool  # every pixel has the same colour, as in what the flux server gives for a blocked result

    @property
    def padded(self) -> bool:
        return self.init_crop is not None


def decode(
    raw: Path | bytes,
    out_dir: Path,
    *,
    max_bytes: int,
    max_pixels: int,
    widths: Sequence[int] = RENDITION_WIDTHS,
    crop: tuple[int, int, int, int] | None = None,
    timeout: float = TIMEOUT,
) -> Decoded:
    """Check and clean one picture; its files are written into `out_dir`, an existing directory that the caller removes.

    `crop` (left, top, right, bottom) cuts the picture before anything is written: the result of a padded edit.

    Raises Refused for what must bounce, DecoderDied where the process ended by a limit, a signal or a mistake of ours.
    """
    if isinstance(raw, bytes):
        # Never more than one byte too many: the decoder says what is wrong with it.
        data, raw = raw[: max_bytes + 1], out_dir / "raw"
        raw.write_bytes(data)
    order = {
        "raw": str(raw.resolve()),
        "out_dir": str(out_dir.resolve()),
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "widths": sorted(set(widths)),
        "crop": crop,
        "memory": _BASE_MEMORY + _MEMORY_PER_PIXEL * max_pixels + _COPIES_OF_FILE * max_bytes,
        "cpu": max(1, int(timeout)),
    }
    answer = answer_to(order, out_dir, timeout)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return _decoded(answer, out_dir)


def answer_to(order: dict[str, Any], out_dir: Path, timeout: float) -> dict[str, Any]:
    """Have the decoder's process do one order. Raises DecoderDied."""
    try:
        end = warm_decoder.decode(order, out_dir, timeout)
    except NoDecoder as error:
        raise DecoderDied(str(error)) from None
    if end.expired:
        raise DecoderDied(f"no answer within {timeout:g} s", timed_out=True)
    if end.returncode == 0:
        try:
            answer: dict[str, Any] = json.loads(end.out)
        except ValueError:
            raise DecoderDied("its answer is no JSON") from None
        return answer
    raise DecoderDied(_reason(end.returncode, end.err), timed_out=end.returncode == -signal.SIGXCPU)


def _reason(returncode: int, err: bytes) -> str:
    if returncode == OUT_OF_MEMORY:
        return "out of memory"
    if returncode < 0:
        return f"ended by {signal.Signals(-returncode).name}"
    last = err.decode(errors="replace").strip().rpartition("\n")[2]
    return f"ended with {returncode}: {last[:300]}"


def _decoded(answer: dict[str, Any], out_dir: Path) -> Decoded:
    widths = answer.pop("rendition_widths")
    crop = answer.pop("init_crop")
    phash = answer.pop("phash")
    return Decoded(
        master_path=out_dir / f"master.{answer['master_ext']}",
        renditions={width: out_dir / f"{width}.webp" for width in widths},
        init_path=out_dir / "init.jpg",
        init_crop=tuple(crop) if crop else None,
        phash=tuple(phash) if phash else None,
        **answer,
    )
