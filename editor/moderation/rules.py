"""Rules on prompts: what fits, where, and what follows.

Patterns run on RE2, whose time grows with the length of the text alone, and only if they are small: whatever a rule and
a prompt say, a look at them is over in a moment.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import re2

from editor.models import GenerationJob, PromptRule, RuleAction, RuleKind
from editor.moderation.folding import Folded, after_gap, fold, is_whole

log = logging.getLogger(__name__)

MOST_FOUND = 5  # places of one rule in one text
MOST_NEWEST = 1000  # prompts of the database, when a rule is tried
LARGEST = 2000
"""RE2 instructions of a pattern. The slowest found of this size takes 0.2 s for a prompt of 4,000 characters."""

STRICTNESS = [RuleAction.NOTE, RuleAction.HOLD, RuleAction.BLOCK]

_PATTERN_MEMORY = 1_000_000  # bytes
_BETWEEN_WORDS = re.compile(r" |(?<=\w)[-\u2010-\u2015](?=\w)")
_SINGLE_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")  # half a letter is none

Span = tuple[int, int]
Finder = Callable[[Folded], Iterator[Span]]


class Unusable(ValueError):  # noqa: N818  a sentence for whoever writes the rule
    """A rule that can't be; the text says why."""


@dataclass(frozen=True)
class Fit:
    """A rule that fits, and the words that it found, as they were typed."""

    rule: PromptRule
    words: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What the rules say about a prompt; `fits` has the strictest first."""

    fits: tuple[Fit, ...] = ()

    @property
    def action(self) -> RuleAction | None:
        """What follows: the strictest of all. None: nothing."""
        return RuleAction(self.fits[0].rule.action) if self.fits else None

    @property
    def rule(self) -> PromptRule:
        """The one that decides. Raises IndexError if none fits."""
        return self.fits[0].rule


@dataclass(frozen=True)
class Tried:
    """A text, and from where to where a rule found something in it."""

    text: str
    found: tuple[Span, ...]

    @property
    def fits(self) -> bool:
        return bool(self.found)

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in pieces, for showing it: each with whether it was found."""
        pieces, place = [], 0
        for start, end in self.found:
            pieces += [(self.text[place:start], False), (self.text[start:end], True)]
            place = end
        return [piece for piece in [*pieces, (self.text[place:], False)] if piece[0]]


def look_at_prompt(prompt: str, negative_prompt: str = "") -> Verdict:
    """What the active rules say about the words of an edit, those that it should avoid included. One query."""
    return look_at_prompts([(prompt, negative_prompt)])[prompt, negative_prompt]


def look_at_prompts(asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Verdict]:
    """The same of many edits, by their words. One query for all, and one look at each text."""
    asked, rules = list(asked), list(PromptRule.objects.filter(is_active=True))
    if not rules:
        return dict.fromkeys(asked, Verdict())
    texts = dict.fromkeys(text for words in asked for text in words if text)
    found = {text: _found_in(fold(text), rules) for text in texts}
    return {words: _verdict(rules, [found[text] for text in words if text]) for words in asked}


def _verdict(rules: list[PromptRule], found: list[list[list[str]]]) -> Verdict:
    """`found`: for each text what each of the rules found in it."""
    fits = []
    for place, rule in enumerate(rules):
        if words := tuple(dict.fromkeys(word for of_text in found for word in of_text[place])):
            fits.append(Fit(rule, words))
    return Verdict(tuple(sorted(fits, key=lambda fit: (-STRICTNESS.index(RuleAction(fit.rule.action)), fit.rule.name))))


def _found_in(text: Folded, rules: list[PromptRule]) -> list[list[str]]:
    """The words that each of these rules finds, as they were typed."""
    return [_words_found(rule, text) for rule in rules]


def _words_found(rule: PromptRule, text: Folded) -> list[str]:
    try:
        find = _finder(rule.kind, rule.text)
    except Unusable as problem:  # written past `problem_of`: it must not stop everybody's edits
        log.error("The rule “%s” on prompts is of no use: %s", rule.name, problem)
        return []
    return [text.typed[start:end][:80] for start, end in islice(find(text), MOST_FOUND)]


def problem_of(kind: str, text: str) -> str:
    """Why this can be no rule, in a sentence for whoever writes it; empty if it can."""
    try:
        _finder(kind, text)
    except Unusable as problem:
        return str(problem)
    return ""


def try_rule(kind: str, text: str, prompts: Iterable[str]) -> list[Tried]:
    """What a rule would find in each of these, without saving it. Raises Unusable."""
    find = _finder(kind, text)
    return [Tried(prompt, _apart(islice(find(fold(prompt)), MOST_FOUND))) for prompt in prompts]


def newest_prompts(most: int = MOST_NEWEST) -> list[str]:
    """What people asked for lately, the newest first, each once; for trying a rule."""
    jobs = GenerationJob.objects.exclude(prompt="").order_by("-created_at", "-id")
    return list(dict.fromkeys(jobs.values_list("prompt", flat=True)[: min(most, MOST_NEWEST)]))


def _apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, without what lies in another one."""
    apart: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return tuple(apart)


@lru_cache(maxsize=256)
def _finder(kind: str, text: str) -> Finder:
    """Raises Unusable."""
    return _pattern_finder(text) if kind == RuleKind.PATTERN else _term_finder(text)


def _term_finder(text: str) -> Finder:
    """Whole words, or several in a row; one or more of them, with commas or line breaks between."""
    terms = [term for part in re.split(r"[,\n]", text) if (term := fold(part).text.strip())]
    if not terms:
        raise Unusable("Write at least one word.")

    rows = [[word for word in _BETWEEN_WORDS.split(term) if word] or [term] for term in terms]

    def find(folded: Folded) -> Iterator[Span]:
        for words in rows:
            for start, end in _in_a_row(folded.text, words):
                if is_whole(folded.text, start, end):
                    yield folded.span(start, end)

    return find


def _in_a_row(text: str, words: list[str]) -> Iterator[Span]:
    """Where these stand one after the other, whatever stands between: spaces, hyphens, dots."""
    first, *others = words
    start = text.find(first)
    while start >= 0:
        end = start + len(first)
        for word in others:
            place = after_gap(text, end, word)
            if place is None:
                break
            end = place
        else:
            yield start, end
        start = text.find(first, start + 1)


def _pattern_finder(text: str) -> Finder:
    pattern = _compiled(text)

    def find(folded: Folded) -> Iterator[Span]:
        found = set()
        for start, end in _matches(pattern, folded.text):
            found.add(folded.span(start, end))
            yield folded.span(start, end)
        for span in _matches(pattern, folded.typed):  # letters that look different once evened out, such as ß and é
            if span not in found:
                yield span

    return find


def _matches(pattern: "re2._Regexp", text: str) -> Iterator[Span]:
    return (match.span() for match in pattern.finditer(text) if match.group())


def _compiled(text: str) -> "re2._Regexp":
    if not text.strip():
        raise Unusable("Write a pattern.")
    if _SINGLE_BYTE.search(text):
        raise Unusable(r"\C stands for a part of a letter. Use . instead.")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    try:
        pattern = re2.compile(text, options)
    except re2.error as error:
        raise Unusable(_words_of(error)) from error
    if pattern.programsize > LARGEST:
        raise Unusable("This pattern is too large: write it with fewer or smaller repetitions, or as several rules.")
    if any(pattern.search(anything) and not pattern.search(anything).group() for anything in ("", "a b", "1")):
        raise Unusable("This pattern fits every prompt, even one without words.")
    return pattern


def _words_of(error: re2.error) -> str:
    said = error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if "too large" in said:
        return "This pattern is too large: write it with fewer or smaller repetitions, or as several rules."
    return f"RE2 does not understand this pattern: {said}. It has no look-around and no back-references."
