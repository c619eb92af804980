"""Names of downloaded files: whatever is typed or was called so, no file system is harmed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editor.images.export_names import beginning, harmless, name_without_ending, problem_of, stem_of

VALUES = {"name": "Owl", "seed": None, "width": 640, "height": 480, "prompt": "a moon/../etc", "date": "2026-01-02"}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{name}", "Owl"),
        ("{date} {name} {width}x{height}", "2026-01-02 Owl 640x480"),
        ("{name}-{seed}", "Owl"),
        ("{NAME} { seed }", "Owl"),
        ("{seed}", "picture"),
        ("../../{name}", "Owl"),
        ("a/b\\c:d|e", "a-b-c-d-e"),
        ("／etc／passwd", "etc-passwd"),
        ("{name}.exe", "Owl-exe"),
        ("{name}\u202egpj.exe\x00\r\n", "Owlgpj-exe"),
        ("{prompt}", "a moon-etc"),
        ("CON", "CON picture"),
        ("com¹", "com1 picture"),
        ("猫 ñandú", "猫 ñandú"),
        ("-rf {name}", "rf Owl"),
    ],
)
def test_pattern_becomes_a_harmless_name(pattern: str, name: str) -> None:
    assert stem_of(pattern, VALUES) == name


@pytest.mark.parametrize("pattern", ["{secret}", "x" * 121, "///", "{}", "", "\u202e"])
def test_what_is_no_pattern_is_said(pattern: str) -> None:
    assert problem_of(pattern)


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_made_harmless(text: str) -> None:
    name = harmless(text)
    assert not set(name) & set('/\\:*?"<>|.\x00\n\r\t')
    assert all(c.isprintable() for c in name)
    assert len(name.encode()) <= 130
    assert name == name.strip()
    assert not name.startswith("-")


def test_values_are_not_looked_through_again() -> None:
    assert stem_of("{name}", {"name": "{seed}", "seed": 5}) == "seed"


def test_words_are_cut_between_words() -> None:
    assert beginning("make it look\nlike a watercolour of the old harbour") == "make it look like a watercolour of the"
    assert len(beginning("x" * 500)) == 40


def test_only_the_ending_of_a_picture_goes() -> None:
    assert [name_without_ending(name) for name in ("owl.JPG", "Dr. Owl", "v1.2", "a.png.html")] == [
        *("owl", "Dr. Owl", "v1.2", "a.png.html")
    ]
