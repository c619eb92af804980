"""Rules on prompts: what fits, whatever is done to hide it, and what a rule may look like."""

import time
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from editor.models import PromptRule, RuleAction, RuleKind, User
from editor.moderation.rules import Unusable, look_at_prompt, newest_prompts, problem_of, try_rule
from tests.makers import make_job, make_user


def term(text: str, *prompts: str) -> list[bool]:
    return [tried.fits for tried in try_rule(RuleKind.TERM, text, prompts)]


def pattern(text: str, *prompts: str) -> list[bool]:
    return [tried.fits for tried in try_rule(RuleKind.PATTERN, text, prompts)]


def rule(name: str, text: str = "nude", **fields: Any) -> PromptRule:
    return PromptRule.objects.create(**({"name": name, "text": text, "action": RuleAction.HOLD} | fields))


@pytest.mark.parametrize(
    "prompt",
    [
        "nude",
        "Make her NUDE, please",
        "ｎｕｄｅ",
        "nu\u200bde",
        "n\u00adu\u2060d\ufeffe",
        "nu\ufe0fde",
        "nu\u034fde",
        "nu\x00de",
        "(nude)",
        "a nude_woman",
        "𝓷𝓾𝓭𝓮",
        "ⓝⓤⓓⓔ",
        "n\u0336ude",
        "nu\u0301de",
        "nudé",
        "n\u20ddude",
        "n\u0e34ude",
    ],
)
def test_word_is_found_however_it_is_dressed_up(prompt: str) -> None:
    assert term("nude", prompt) == [True]


@pytest.mark.parametrize("prompt", ["denuded hills", "nudes", "nudés", "n u d e", "NUDE2", ""])
def test_other_words_do_not_fit(prompt: str) -> None:
    assert term("nude", prompt) == [False]


@pytest.mark.parametrize(
    "space", [" ", "  ", "\n", "\t", "\u00a0", "\u3000", "\u2003", "\u2028", "\u2800", "\u3164", "\uffa0", " \u200b "]
)
def test_words_in_a_row_fit_over_any_space(space: str) -> None:
    assert term("take  off", f"TAKE{space}off her coat", f"take{space}her off") == [True, False]


@pytest.mark.parametrize("between", ["-", "\u2011", " – ", ".", "... ", "_", "/", "🍆"])
def test_words_in_a_row_fit_over_any_sign(between: str) -> None:
    assert term("take off", f"TAKE{between}off her coat", f"retake{between}off") == [True, False]
    assert term("take-off", f"take{between}off", "take off", "takeoff") == [True, True, False]


def test_accents_of_a_term_and_of_a_prompt_are_the_same_without() -> None:
    assert term("déjà vu, Füße", "DÉJÀ VU", "deja\u0300 vu", "deja vu", "füsse") == [True, True, True, True]
    assert term("голый", "голый", "ГОЛЫИ\u0306") == [True, True]


def test_marks_that_make_another_word_are_kept() -> None:
    assert term("か", "が", "か") == [False, True]
    assert term("कम", "कुम") == [False]


def test_one_rule_may_name_several_words() -> None:
    assert term("nude, take off\nGewalt", "gewalt!", "Take off", "off", "NUDE") == [True, True, False, True]


def test_case_and_composition_are_evened_out_in_every_alphabet() -> None:
    assert term("STRASSE", "straße") == [True]
    assert term("голая", "ГОЛАЯ женщина", "голаяя") == [True, False]
    assert term("é", "e\u0301", "E\u0301") == [True, True]
    assert term("각", "\u1100\u1161\u11a8") == [True]
    assert term("ﬁst", "FIST") == [True]


def test_words_are_whole_in_scripts_whose_vowels_are_marks() -> None:
    assert term("कम", "कम रोशनी", "कमा") == [True, False]


def test_where_no_spaces_are_written_a_word_is_found_among_others() -> None:
    assert term("裸体", "一个裸体的人", "一个人") == [True, False]
    assert term("เปลือย", "ผู้หญิงเปลือยกาย") == [True]


def test_signs_are_words_too() -> None:
    assert term("🍆", "a🍆b", "🍅") == [True, False]
    assert term("+ +, C++ code", "+ +", "c++ code", "c++code") == [True, True, False]


def test_a_find_says_where_it_stands_in_what_was_typed() -> None:
    prompt = "Straße: a ｎｕ\u200bｄｅ man, and a NUDE hat"
    tried = try_rule(RuleKind.TERM, "nude", [prompt])[0]
    assert [prompt[start:end] for start, end in tried.found] == ["ｎｕ\u200bｄｅ", "NUDE"]
    assert [part for part, found in tried.parts if found] == ["ｎｕ\u200bｄｅ", "NUDE"]
    assert "".join(part for part, _ in tried.parts) == prompt


def test_overlapping_finds_are_shown_once() -> None:
    tried = try_rule(RuleKind.TERM, "take off, off her, take off her coat", ["take off her coat"])[0]
    assert tried.parts == [("take off her coat", True)]


def test_pattern_is_found_in_any_case_and_dress() -> None:
    assert pattern(r"\bn[u4]de\b", "N4DE", "ｎｕｄｅ", "nu\u200bde", "denuded") == [True, True, True, False]
    assert pattern("straße", "Straße", "a street") == [True, False]
    assert pattern(r"\d{6,}", "call １２３４５６７", "12345") == [True, False]


def test_pattern_finds_each_place_once() -> None:
    tried = try_rule(RuleKind.PATTERN, "é|z", ["an é and a z"])[0]
    assert [tried.text[start:end] for start, end in tried.found] == ["é", "z"]


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (RuleKind.TERM, "", "at least one word"),
        (RuleKind.TERM, " , \u200b\n", "at least one word"),
        (RuleKind.PATTERN, "  ", "Write a pattern"),
        (RuleKind.PATTERN, "(nude", r"missing \)"),
        (RuleKind.PATTERN, "nude(?=s)", "look-around"),
        (RuleKind.PATTERN, r"(a)\1", "back-references"),
        (RuleKind.PATTERN, "a{2000}", "RE2"),
        (RuleKind.PATTERN, r"\p{L}{300}", "too large"),
        (RuleKind.PATTERN, "(a|b)*a(a|b){1000}c", "too large"),
        (RuleKind.PATTERN, "n*", "fits every prompt"),
        (RuleKind.PATTERN, "nude|", "fits every prompt"),
        (RuleKind.PATTERN, r"\b", "fits every prompt"),
        (RuleKind.PATTERN, r"a\Cb", "part of a letter"),
    ],
)
def test_what_can_be_no_rule_is_refused_with_a_reason(kind: str, text: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        try_rule(kind, text, [])
    assert problem_of(kind, text)


@pytest.mark.parametrize(("kind", "text"), [("term", "C++"), ("pattern", r"\\C:"), ("pattern", r"\p{Cyrillic}+")])
def test_what_can_be_a_rule_has_no_problem(kind: str, text: str) -> None:
    assert problem_of(kind, text) == ""


@pytest.mark.parametrize("text", ["(x+x+)+y", "(?:a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)Z", "(a|b)*a(a|b){300}c"])
def test_no_pattern_takes_long_on_any_prompt(text: str) -> None:
    assert not problem_of(RuleKind.PATTERN, text)
    started = time.monotonic()
    try_rule(RuleKind.PATTERN, text, ["a" * 4000, "x" * 4000, "ab" * 2000, "🍆a" * 2000])
    assert time.monotonic() - started < 3


@pytest.mark.django_db
class TestVerdict:
    def test_strictest_of_all_that_fit_decides(self) -> None:
        rule("a note", "hat", action=RuleAction.NOTE)
        rule("a hold", "nude", action=RuleAction.HOLD)
        block = rule("a block", r"n.de", kind=RuleKind.PATTERN, action=RuleAction.BLOCK)
        verdict = look_at_prompt("a NUDE with a hat")
        assert (verdict.action, verdict.rule) == (RuleAction.BLOCK, block)
        told = [(fit.rule.name, fit.words) for fit in verdict.fits]
        assert told == [("a block", ("NUDE",)), ("a hold", ("NUDE",)), ("a note", ("hat",))]

    def test_words_to_avoid_are_looked_at_as_well(self) -> None:
        rule("a hold")
        assert look_at_prompt("a hat", "nude").action == RuleAction.HOLD
        assert look_at_prompt("a hat", "ugly").action is None

    def test_rule_that_is_switched_off_finds_nothing(self) -> None:
        rule("off", is_active=False)
        assert not look_at_prompt("nude").fits

    def test_one_query_however_many_rules(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            look_at_prompt("nude " * 800)
        for number in range(30):
            rule(f"rule {number}", f"word{number}, nude")
        with django_assert_num_queries(1):
            assert len(look_at_prompt("nude " * 800, "nude").fits) == 30

    def test_broken_rule_stops_no_other(self, caplog: pytest.LogCaptureFixture) -> None:
        rule("broken", "(nude", kind=RuleKind.PATTERN)
        rule("whole")
        assert [fit.rule.name for fit in look_at_prompt("nude").fits] == ["whole"]
        assert "broken" in caplog.text

    def test_changed_rule_counts_at_once(self) -> None:
        changed = rule("one")
        assert look_at_prompt("nude").fits
        PromptRule.objects.filter(pk=changed.pk).update(text="hat")
        assert not look_at_prompt("nude").fits


@pytest.mark.django_db
def test_rules_can_be_tried_on_what_people_asked_for_lately() -> None:
    alice: User = make_user()
    for prompt in ["a nude hat", "a blue hat", "a blue hat", ""]:
        make_job(alice, prompt=prompt)
    assert newest_prompts() == ["a blue hat", "a nude hat"]
    assert [one.text for one in try_rule("term", "nude", newest_prompts()) if one.fits] == ["a nude hat"]
