"""Text as rules see it: what looks the same to people is the same, and what can't be seen is not there.

Unicode's compatibility forms (ｎｕｄｅ), case, accents, any kind of space, and characters without a width are evened
out. What is left knows where each of its letters stands in the text as it was typed.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_UNSEEN = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5"}  # fillers and joiners that are letters
_UNSEEN |= {chr(code) for start, end in ((0x180B, 0x1810), (0xFE00, 0xFE10)) for code in range(start, end)}
_BLANKS = {"\u2800", "\u3164", "\uffa0"}  # a Braille cell without dots, Korean letters that are empty
_ALPHABETS = "\u0590"  # before it: Latin, Greek, Cyrillic and Armenian, where any mark is an accent
# Elsewhere some marks are parts of words: vowels and what silences one (Indic), what makes another letter (kana).
_MARKS_OF_WORDS = {0, 7, 8, 9}
# Scripts that write words without spaces between them: Thai to Tibetan, Myanmar, Khmer, kana and Han.
_UNSPACED = [(0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF)]
_UNSPACED += [(0xF900, 0xFAFF), (0x20000, 0x3FFFF)]


@dataclass(frozen=True)
class Folded:
    """`text` is what rules look at; `places` holds, for each of its characters, from where to where it was `typed`."""

    typed: str
    text: str
    places: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of `text`, which is not empty, stands in what was typed."""
        return self.places[start][0], self.places[end - 1][1]


def fold(typed: str) -> Folded:
    """In time that grows with the length alone."""
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    for start, end, piece in _pieces(typed):
        for letter in _even(piece):
            seen = " " if letter.isspace() else letter
            if seen == " " and letters and letters[-1] == " ":
                continue
            letters.append(seen)
            places.append((start, end))
    return Folded(typed, "".join(letters), tuple(places))


def _even(piece: str) -> str:
    if piece.isascii():
        return piece.lower()
    if piece[0] in _BLANKS:
        return " "
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", piece).casefold())
    plain = apart[:1] < _ALPHABETS
    return unicodedata.normalize("NFKC", "".join(letter for letter in apart if not _is_accent(letter, plain)))


def _is_accent(letter: str, plain: bool) -> bool:
    """Whether a mark says nothing about which word it is; of a `plain` letter, any."""
    kind = unicodedata.category(letter)
    if plain:
        return kind[0] == "M"
    return kind == "Me" or (kind == "Mn" and unicodedata.combining(letter) not in _MARKS_OF_WORDS)


def _pieces(typed: str) -> Iterator[tuple[int, int, str]]:
    """Letters with the marks that belong to them, and where they stand. What can't be seen is left out."""
    piece, start, end = "", 0, 0
    for place, letter in enumerate(typed):
        if not letter.isascii() and _continues(letter):
            piece, end = piece + letter, place + 1
        elif not _unseen(letter):
            if piece:
                yield start, end, piece
            piece, start, end = letter, place, place + 1
    if piece:
        yield start, end, piece


def _continues(letter: str) -> bool:
    """An accent or another mark, or a part of a Korean syllable."""
    return (unicodedata.category(letter)[0] == "M" or "\u1161" <= letter <= "\u11ff") and not _unseen(letter)


def _unseen(letter: str) -> bool:
    if letter.isascii():
        return not letter.isprintable() and not letter.isspace()
    return letter in _UNSEEN or "\U000e0000" <= letter <= "\U000e0fff" or unicodedata.category(letter) in {"Cf", "Cc"}


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether this part of a folded text begins and ends where words do."""
    return not (_joined(text, start) or _joined(text, end))


def after_gap(text: str, place: int, word: str) -> int | None:
    """The end of this word of a phrase, if it follows here after a space or, between letters, any signs; else None."""
    start = place
    if _of_a_word(text[place - 1]) and _of_a_word(word[0]):
        while start < len(text) and unicodedata.category(text[start])[0] not in "LNM":
            start += 1
    elif text[place : place + 1] == " ":
        start += 1
    return start + len(word) if start > place and text.startswith(word, start) else None


def _joined(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place belong to one word."""
    if not 0 < place < len(text):
        return False
    return all(_of_a_word(letter) for letter in text[place - 1 : place + 1])


def _of_a_word(letter: str) -> bool:
    if any(first <= ord(letter) <= last for first, last in _UNSPACED):
        return False
    return unicodedata.category(letter)[0] in "LNM"
