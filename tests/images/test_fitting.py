"""JPEGs that are too large for where they go."""

import io
import os

import pytest
from PIL import Image

from editor.images.fitting import fitted


def noise(width: int, height: int) -> bytes:
    """The largest JPEG that an init image of this size can be."""
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def size_of(jpeg: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.format == "JPEG"
        picture.load()
        return picture.size


def test_what_fits_is_left_alone() -> None:
    jpeg = noise(256, 256)
    assert fitted(jpeg, len(jpeg)) is jpeg


def test_quality_goes_before_size() -> None:
    jpeg = noise(1024, 768)
    small = fitted(jpeg, len(jpeg) // 3)
    assert len(small) <= len(jpeg) // 3
    assert size_of(small) == (1024, 768)


@pytest.mark.parametrize("size", [(1024, 768), (1024, 256), (264, 1024)])
def test_then_it_gets_smaller_in_whole_steps(size: tuple[int, int]) -> None:
    jpeg = noise(*size)
    small = fitted(jpeg, len(jpeg) // 12)
    width, height = size_of(small)
    assert len(small) <= len(jpeg) // 12 or min(width, height) == 256
    assert width % 8 == height % 8 == 0
    assert min(width, height) >= 256
    assert abs(width / height - size[0] / size[1]) < 0.04 * size[0] / size[1]


def test_what_never_fits_is_as_small_as_it_gets() -> None:
    jpeg = noise(512, 512)
    small = fitted(jpeg, 100)
    assert size_of(small) == (256, 256)
    assert len(small) < len(jpeg) / 8
