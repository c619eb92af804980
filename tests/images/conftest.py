"""What the tests of pictures share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from editor.images.decoding import Decoded, Refused, decode

MAX_BYTES = 30_000_000
MAX_PIXELS = 50_000_000

Clean = Callable[..., Decoded]


@pytest.fixture
def clean(tmp_path: Path) -> Clean:
    """`decode` with everyday limits, into a directory of its own each time."""

    def run(raw: bytes | Path, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Decoded:
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        return decode(raw, out, max_bytes=max_bytes, max_pixels=max_pixels)

    return run


@pytest.fixture
def refusal(clean: Clean) -> Callable[..., str]:
    """The code with which a picture bounces."""

    def run(raw: bytes | Path, **limits: int) -> str:
        with pytest.raises(Refused) as caught:
            clean(raw, **limits)
        assert caught.value.sentence
        return caught.value.code

    return run
