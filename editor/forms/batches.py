"""The same words, or the steps of a recipe, for many pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from editor.forms.batch_rows import BYTES_MAX, VALUE_MAX, BadRows, match, read_rows, text_of
from editor.forms.edits import PROMPT_MAX, EditForm
from editor.forms.fields import NO_TEXT, TOO_LONG, LineField, ProseField
from editor.jobs.creation import EditSpec
from editor.jobs.steps import fill, placeholders
from editor.models import Image

PASTED_MAX = 50_000  # characters; a file may have more


class BatchForm(EditForm):
    """What is asked of an edit, but for its pictures; what fills its placeholders; and how it goes.

    With `steps`, those of a recipe, its own words are not asked for.
    """

    # None is how Django leaves out a field of the form above.
    source = None  # type: ignore[assignment]
    second = None  # type: ignore[assignment]
    mail = forms.BooleanField(required=False)
    gate = forms.BooleanField(required=False)
    rows = ProseField(
        required=False,
        max_length=PASTED_MAX,
        error_messages={**TOO_LONG, "null_characters_not_allowed": NO_TEXT},
        strip=False,
    )
    table = forms.FileField(required=False, allow_empty_file=True)

    def __init__(self, *args: Any, steps: Sequence[EditSpec] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps = list(steps)
        self.fields["prompt"].required = not self.steps

    def wanted(self) -> list[str]:
        """The placeholders, of the recipe or of what was typed so far."""
        if self.steps:
            return placeholders(self.steps)
        prompt, negative_prompt = (str(self[name].value() or "") for name in ("prompt", "negative_prompt"))
        return placeholders([EditSpec(prompt, negative_prompt)])

    def blanks(self) -> list[tuple[str, str, str]]:
        """A field for each placeholder: its name on the form, what it is called, and what was typed there."""
        return [
            (f"value-{place}", name, self.data.get(f"value-{place}", "")) for place, name in enumerate(self.wanted())
        ]

    def asked(self) -> list[EditSpec]:
        """The steps with their placeholders; only for a valid form."""
        return self.steps or [self.spec()]

    def filled(self, images: Sequence[Image]) -> tuple[list[Image], list[dict[str, str]]]:
        """The pictures with what fills the placeholders of each; only for a valid form. Raises BadRows."""
        names = placeholders(self.asked())
        text = self._table()
        if not names:
            if text.strip():
                raise BadRows("There is nothing to fill in: write the name of a column in braces, like {colour}.")
            return list(images), []
        given = self._given(names)
        if text.strip():
            pairs = match(read_rows(text, names), names, images, given)
        else:
            lacking = [name for name in names if not given[name]]
            if lacking:
                raise BadRows(f"Say what to put for {', '.join(f'{{{name}}}' for name in lacking)}.")
            pairs = [(image, given) for image in images]
        self._check_lengths([values for _, values in pairs])
        return [image for image, _ in pairs], [values for _, values in pairs]

    def _table(self) -> str:
        """Raises BadRows."""
        sent = self.cleaned_data.get("table")
        if sent is not None and sent.size:
            return text_of(sent.read(BYTES_MAX + 1))
        return str(self.cleaned_data.get("rows") or "")

    def _given(self, names: Sequence[str]) -> dict[str, str]:
        """Raises BadRows."""
        typed = LineField(required=False, max_length=VALUE_MAX)
        found = {}
        for place, name in enumerate(names):
            try:
                found[name] = str(typed.clean(self.data.get(f"value-{place}", "")) or "")
            except forms.ValidationError as problem:
                raise BadRows(f"{{{name}}}: {' '.join(problem.messages)}") from None
        return found

    def _check_lengths(self, values: Sequence[Mapping[str, str]]) -> None:
        steps = self.asked()
        for number, each in enumerate(values, start=1):
            longest = max(len(text) for step in fill(steps, each) for text in step.words)
            if longest > PROMPT_MAX:
                raise BadRows(
                    f"With the words of row {number} a prompt has {longest:,} characters; at most {PROMPT_MAX:,}."
                )
