"""Keys follow from the picture's id and from nothing else."""

from uuid import UUID

import pytest

from editor.images.keys import RENDITION_WIDTHS, init_key, master_key, raw_key, rendition_key

IMAGE = UUID("8c5a8b0e-6a53-4a58-9d2c-0a7f2b0c9b11")


def test_keys_follow_from_the_id() -> None:
    assert raw_key(IMAGE) == f"incoming/{IMAGE}"
    assert master_key(IMAGE, "png") == f"images/{IMAGE}/master.png"
    assert rendition_key(IMAGE, RENDITION_WIDTHS[0]) == f"images/{IMAGE}/320.webp"
    assert init_key(IMAGE) == f"images/{IMAGE}/init.jpg"


def test_any_spelling_of_an_id_gives_one_key() -> None:
    assert raw_key(str(IMAGE).upper()) == raw_key(IMAGE)


@pytest.mark.parametrize("name", ["../secret", "a.png", "", "x" * 300, "a\r\nb", "8c5a8b0e/../x"])
def test_file_name_never_becomes_a_key(name: str) -> None:
    with pytest.raises(ValueError):
        raw_key(name)


def test_extension_never_becomes_a_path() -> None:
    with pytest.raises(ValueError, match="extension"):
        master_key(IMAGE, "png/../../x")
