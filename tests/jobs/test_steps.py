"""The steps of a recipe, and what is filled into them."""

from unittest.mock import Mock

import pytest

from editor.jobs import steps as steps_module
from editor.jobs.creation import EditSpec
from editor.jobs.steps import fill, from_rows, longest_filled, placeholders, to_rows


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


def test_lengths_are_those_of_what_is_filled_in() -> None:
    steps = [EditSpec("{{plain}} {A} {a} {Straße} {strasse}", "{no}"), EditSpec("{b}{b}{b}", "{{open} {} {a}")]
    rows = [{}, {"a": "red", "STRASSE": "x" * 20}, {"b": "{a}" * 9}, {"A": "", "no": "z" * 80}]
    written = [max(len(text) for step in fill(steps, row) for text in step.words) for row in rows]
    assert longest_filled(steps, rows) == written


def test_words_are_read_once_however_many_rows_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(wraps=steps_module._counted)
    monkeypatch.setattr(steps_module, "_counted", counted)
    monkeypatch.setattr(steps_module, "fill", None)  # nothing is written for it
    words = "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}" * 100
    rows = [dict.fromkeys("abcdefghijkl", "red")] * 1_000
    assert longest_filled([EditSpec(words, words)] * 8, rows) == [3_600] * 1_000
    assert counted.call_count == 16


def test_what_was_written_is_read_as_it_was() -> None:
    steps = [EditSpec("a", "b", "1:1", 2, 0.3, 7), EditSpec("c")]
    assert from_rows(to_rows(steps)) == steps
