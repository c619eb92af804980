"""The size of an edit: always one that the flux server takes, always the source's shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.images.sizes import MATCH, RATIOS, edit_size, size_for_ratio

SIDE = st.integers(1, 60_000)


@given(SIDE, SIDE)
def test_every_size_is_one_that_the_flux_server_takes(width: int, height: int) -> None:
    size = edit_size(width, height)
    for side in (size.width, size.height):
        assert 256 <= side <= 1024
        assert side % 8 == 0


@given(SIDE, SIDE)
def test_shape_is_kept_within_rounding(width: int, height: int) -> None:
    size = edit_size(width, height)
    across, down = size.right - size.left, size.bottom - size.top
    # The picture's own box is off by no more than half a step on the short side.
    slack = 0.5 if size.padded else 4
    assert abs(min(across, down) - max(across, down) * min(width, height) / max(width, height)) <= slack + 1e-6 or (
        min(across, down) == 1
    )


@given(st.integers(300, 60_000), st.integers(300, 60_000))
def test_pictures_are_hardly_stretched(width: int, height: int) -> None:
    size = edit_size(width, height)
    if not size.padded:
        stretch = size.width * height / (size.height * width)
        assert 0.985 < stretch < 1.015


@given(SIDE, SIDE)
def test_turning_the_picture_turns_the_size(width: int, height: int) -> None:
    lying, standing = edit_size(width, height), edit_size(height, width)
    assert (lying.width, lying.height) == (standing.height, standing.width)
    assert (lying.left, lying.top, lying.right, lying.bottom) == (
        standing.top,
        standing.left,
        standing.bottom,
        standing.right,
    )


@given(SIDE, SIDE)
def test_size_of_a_result_is_its_own_edit_size(width: int, height: int) -> None:
    size = edit_size(width, height)
    again = edit_size(size.width, size.height)
    assert (again.width, again.height) == (size.width, size.height)


@given(SIDE, SIDE)
def test_only_shapes_beyond_four_to_one_are_padded(width: int, height: int) -> None:
    size = edit_size(width, height)
    assert size.padded == (max(width, height) > 4 * min(width, height))
    assert 0 <= size.left < size.right <= size.width
    assert 0 <= size.top < size.bottom <= size.height


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((4000, 3000), (1024, 768)),
        ((3000, 4000), (768, 1024)),
        ((512, 512), (512, 512)),
        ((600, 400), (600, 400)),
        ((32, 32), (256, 256)),
        ((5000, 1000), (1024, 256)),
    ],
)
def test_known_sizes(source: tuple[int, int], expected: tuple[int, int]) -> None:
    size = edit_size(*source)
    assert (size.width, size.height) == expected


def test_panorama_lies_in_the_middle_of_its_padding() -> None:
    assert edit_size(8000, 1000).box == (0, 64, 1024, 192)


@given(st.sampled_from([*RATIOS, MATCH]), SIDE, SIDE)
def test_every_ratio_gives_a_size_that_the_flux_server_takes(ratio: str, width: int, height: int) -> None:
    size = size_for_ratio(ratio, (width, height))
    assert all(256 <= side <= 1024 and side % 8 == 0 for side in size)


@given(st.sampled_from(sorted(RATIOS)), SIDE, SIDE)
def test_chosen_ratio_is_met(ratio: str, width: int, height: int) -> None:
    across, down = size_for_ratio(ratio, (width, height))
    wanted = RATIOS[ratio]
    assert across / down == pytest.approx(wanted[0] / wanted[1], rel=0.016)


def test_matching_follows_the_source() -> None:
    assert size_for_ratio("match", (4000, 3000)) == (1024, 768)


def test_nothing_has_no_size() -> None:
    with pytest.raises(ValueError, match="not a size"):
        edit_size(0, 100)


def test_unknown_ratio_is_an_error() -> None:
    with pytest.raises(KeyError):
        size_for_ratio("5:1", (100, 100))
