"""What tells two edits apart."""

import pytest

from editor.jobs.differences import compare_words, differences, name_by, other_sources
from editor.models import JobState, User
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db


def marked(text: str, other: str) -> list[str]:
    return [piece.text for piece in compare_words(text, other)[0] if piece.only_here]


def test_words_are_marked_one_by_one() -> None:
    a, b = compare_words("a red car in the warm sun", "a blue car in the sun")
    assert [piece.text for piece in a if piece.only_here] == ["red", " warm"]
    assert [piece.text for piece in b if piece.only_here] == ["blue"]
    assert "".join(piece.text for piece in a) == "a red car in the warm sun"
    assert "".join(piece.text for piece in b) == "a blue car in the sun"


def test_neighbouring_words_that_differ_read_as_one() -> None:
    assert marked("like a pencil sketch", "like an oil painting") == ["a pencil sketch"]


def test_same_words_have_no_mark() -> None:
    assert marked("blue sky, please", "blue sky, please") == []


@pytest.mark.parametrize("words", ["a " * 2000, "." * 4000, "a b " * 1000])
def test_longest_prompts_are_compared_at_once(words: str) -> None:
    a, _ = compare_words(words, words[:1000] + " blue " + words[1000:])
    assert "".join(piece.text for piece in a) == words


def test_texts_made_to_take_minutes_are_called_different_as_a_whole() -> None:
    signs = [chr(0x2190 + place) for place in range(97)]
    a = "".join(signs[place % 97] for place in range(4000))
    b = "".join(signs[49 * place % 97] for place in range(4000))
    assert [piece.only_here for piece in compare_words(a, b)[0]] == [False, True]
    assert [piece.only_here for piece in compare_words("blue " + a, "red " + a)[0]] == [True, False]


def test_only_parameters_that_differ_are_listed(alice: User) -> None:
    image = make_image(alice)
    a = make_job(alice, image, strength=0.5, seed=1)
    b = make_job(alice, image, strength=0.7, seed=2, negative_prompt="fog")
    assert [each.label for each in differences(a, b)] == ["To avoid", "Strength", "Seed"]
    assert differences(a, a) == []
    assert other_sources(a, b) is None


def test_pixels_that_are_not_known_yet_are_no_difference(alice: User) -> None:
    image = make_image(alice)
    a, b = make_job(alice, image), make_job(alice, image, state=JobState.PROCESSING)
    assert differences(a, b) == []


def test_other_pictures_and_another_order_differ(alice: User) -> None:
    first, second = make_image(alice), make_image(alice)
    a, b = make_job(alice, first, second), make_job(alice, second, first)
    assert other_sources(a, b) == ([first, second], [second, first])


def test_variation_is_called_by_what_differs(alice: User) -> None:
    image = make_image(alice)
    base = make_job(alice, image, prompt="a red car", strength=0.7, seed=7, samples=4)

    def name(**fields: object) -> str:
        return name_by(make_job(alice, image, **{"prompt": "a red car", **fields}), base)

    assert name(strength=0.5) == "strength 0.5"
    assert name(seed=123) == "seed 123"
    assert name(strength=1, seed=8) == "strength 1, seed 8"
    assert name(prompt="a blue car") == "“blue”"
    assert name(prompt="a car") == "without “red”"
    assert name() == ""
