"""The steps of a recipe, and what is filled into them."""

from editor.jobs.creation import EditSpec
from editor.jobs.steps import fill, from_rows, placeholders, to_rows


def test_each_placeholder_is_asked_for_once_in_the_order_of_reading() -> None:
    steps = [EditSpec("make the {Colour} sofa {fabric}", "no {shadow}"), EditSpec("a {colour} wall")]
    assert placeholders(steps) == ["Colour", "fabric", "shadow"]


def test_other_braces_are_text() -> None:
    assert placeholders([EditSpec("a {} b {1} c {{ d } { e\nf } {" + "g" * 41 + "}")]) == []


def test_values_stand_where_their_names_stood_in_all_steps() -> None:
    steps = fill([EditSpec("a {COLOUR} sofa", "no {colour}"), EditSpec("{other}")], {"colour": "blue {other}"})
    assert [step.words for step in steps] == [("a blue {other} sofa", "no blue {other}"), ("{other}", "")]


def test_doubled_braces_are_meant_as_they_stand() -> None:
    steps = [EditSpec("write {{colour}} in {colour}", "{{{text}}} {{1}} {{open}")]
    assert placeholders(steps) == ["colour", "open"]
    filled = fill(steps, {"colour": "{{red}}", "text": "no"})[0]
    assert filled.words == ("write {colour} in {{red}}", "{{text}} {{1}} {{open}")


def test_what_was_written_is_read_as_it_was() -> None:
    steps = [EditSpec("a", "b", "1:1", 2, 0.3, 7), EditSpec("c")]
    assert from_rows(to_rows(steps)) == steps
