"""Fields that several forms have: words, names, lines, pictures."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

NO_TEXT = "This holds characters that are no text. Please type it again."
RELOAD = "Please reload the page and try again."
PICK_ONE = {"invalid_choice": "Choose one of the list."}
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
TOO_LONG = {"max_length": "At most %(limit_value)d characters, please; these are %(show_value)d."}


class ProseField(forms.CharField):
    """Words of a person: line ends made one kind (so that they count once), no half characters.

    Half a character that came as bytes was made U+FFFD by whoever decoded them, which stands for "this was no text".
    """

    widget: Any = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not isinstance(text, str):
            return text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError(NO_TEXT, code="surrogates") from None
        if "\ufffd" in text:
            raise ValidationError(NO_TEXT, code="replacement_characters")
        return text


class StatementField(ProseField):
    """Words that stand among ours, without what turns the direction of all text after it."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.translate(_DIRECTIONS).strip() if isinstance(text, str) else text


class LineField(ProseField):
    """Words on one line, without characters that can't be seen."""

    widget: Any = forms.TextInput

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return line_of(text) if text else text


def line_of(text: str) -> str:
    """On one line, without characters that can't be seen, such as those that turn the direction of text."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class PictureField(forms.UUIDField):
    """The id of a picture, spelt exactly as we spell it."""

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found is not None and str(value) != str(found):
            raise ValidationError("No such picture.", code="invalid")
        return found
