"""What is said about a picture."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from editor.forms.fields import NO_TEXT, RELOAD, TOO_LONG, StatementField
from editor.models import COMMENT_MAX

EMPTY = "Write something first."
CALLED_MAX = 100  # ids that a form may bring along


class WordsField(StatementField):
    """Plain text in which something can be seen: no characters but those, spaces and line ends."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not isinstance(text, str):
            return text
        text = "".join(c for c in text if c in "\n\t\0" or ord(c) >= 32).strip()
        if not any(c.isprintable() and not c.isspace() and c not in _BLANK for c in text):
            raise ValidationError(EMPTY, code="required")
        return text


_RELOAD = dict.fromkeys(["invalid", "min_value", "max_value"], RELOAD)
# Letters and marks by their names, of which nothing can be seen.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\ufe0e\ufe0f")


class CommentForm(forms.Form):
    """Words, and perhaps a point from the upper left corner, in parts of the picture's sides (0 to 1)."""

    text = WordsField(
        max_length=COMMENT_MAX, error_messages={"required": EMPTY, "null_characters_not_allowed": NO_TEXT} | TOO_LONG
    )
    x = forms.FloatField(required=False, min_value=0, max_value=1, error_messages=_RELOAD)
    y = forms.FloatField(required=False, min_value=0, max_value=1, error_messages=_RELOAD)
    form_token = forms.CharField(max_length=64, required=False)

    @property
    def point(self) -> tuple[float, float] | None:
        """Of a valid form: both, or none."""
        x, y = self.cleaned_data.get("x"), self.cleaned_data.get("y")
        return (x, y) if x is not None and y is not None else None

    @property
    def called(self) -> list[int]:
        """The ids of people who were chosen from the list of suggestions."""
        sent = self.data.getlist("called") if hasattr(self.data, "getlist") else []
        return [int(each) for each in sent[:CALLED_MAX] if each.isascii() and each.isdigit() and len(each) < 19]

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        return next((str(message) for errors in self.errors.values() for message in errors), "")
