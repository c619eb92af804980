"""The same words, or the steps of a recipe, for many pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms

from editor.forms.batch_rows import BYTES_MAX, VALUE_MAX, BadRows, match, read_rows, text_of
from editor.forms.edits import PROMPT_MAX, EditForm
from editor.forms.fields import NO_TEXT, TOO_LONG, LineField, ProseField
from editor.jobs.creation import EditSpec
from editor.jobs.steps import longest_filled, placeholders
from editor.models import Image

PASTED_MAX = 50_000  # characters; a file may have more


class Blank(NamedTuple):
    """The field of a placeholder."""

    id: str
    field: str  # its name on the form
    name: str
    value: str  # what was typed
    wrong: bool


class Count(NamedTuple):
    """How many edits of a step are asked for; by a table, its rows, and what is wrong with it, if anything is."""

    items: int
    by_table: bool = False
    left_out: int = 0  # pictures that no row names
    problem: str = ""


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
        self.blank_error = ""
        self._wrong_blanks: set[str] = set()

    def wanted(self) -> list[str]:
        """The placeholders, of the recipe or of what was typed so far; of far too many words, those of the first."""
        if self.steps:
            return placeholders(self.steps)
        prompt, negative_prompt = (str(self[name].value() or "")[:PROMPT_MAX] for name in ("prompt", "negative_prompt"))
        return placeholders([EditSpec(prompt, negative_prompt)])

    def blanks(self) -> list[Blank]:
        """A field for each placeholder, called after it, so that what is typed stays with it when the words change."""
        names = enumerate(self.wanted())
        return [
            Blank(
                f"value-{place}", field_of(name), name, self._typed(place, name), field_of(name) in self._wrong_blanks
            )
            for place, name in names
        ]

    def asked(self) -> list[EditSpec]:
        """The steps with their placeholders; only for a valid form."""
        return self.steps or [self.spec()]

    def filled(self, images: Sequence[Image]) -> tuple[list[Image], list[dict[str, str]]]:
        """The pictures with what fills the placeholders of each; only for a valid form. Raises BadRows."""
        names = placeholders(self.asked())
        pairs = self._by_table(names, images)
        if pairs is None:
            given = self._given(names)
            lacking = [name for name in names if not given[name]]
            if lacking:
                raise BadRows(_say_what(lacking), *map(field_of, lacking))
            pairs = [(image, given) for image in images]
        self._check_lengths([values for _, values in pairs])
        return [image for image, _ in pairs], [values for _, values in pairs] if names else []

    def count(self, images: Sequence[Image]) -> Count:
        """What these pictures would come to as the form stands, be it finished or not."""
        if not self.is_bound:
            return Count(len(images))
        self.is_valid()  # whatever it says: what was read is looked at
        try:
            pairs = self._by_table(self.wanted(), images)
        except BadRows as problem:
            return Count(len(images), problem=str(problem))
        if pairs is None:
            return Count(len(images))
        return Count(len(pairs), True, len(images) - len({image.pk for image, _ in pairs}))

    def tell(self, problem: BadRows) -> None:
        """Say it where it is to be mended."""
        place = next((name for name in problem.fields if name in self.fields), None)
        if place is None and problem.fields:
            self.blank_error = str(problem)
            self._wrong_blanks |= set(problem.fields)
        else:
            self.add_error(place, str(problem))

    def _by_table(self, names: Sequence[str], images: Sequence[Image]) -> list[tuple[Image, dict[str, str]]] | None:
        """The rows of the table with their pictures; None without one. Raises BadRows."""
        sent = self.cleaned_data.get("table")
        place = "table" if sent is not None and sent.size else "rows"
        try:
            text = _read(sent) if place == "table" else str(self.cleaned_data.get("rows") or "")
            if not text.strip():
                return None
            if not names:
                raise BadRows("There is nothing to fill in: write the name of a column in braces, like {colour}.")
            return match(read_rows(text, names), names, images, self._given(names))
        except BadRows as problem:
            raise BadRows(str(problem), *(problem.fields or [place])) from None

    def _typed(self, place: int, name: str) -> str:
        return str(self.data.get(field_of(name), self.data.get(f"value-{place}", "")))

    def _given(self, names: Sequence[str]) -> dict[str, str]:
        """Raises BadRows."""
        typed = LineField(required=False, max_length=VALUE_MAX)
        found = {}
        for place, name in enumerate(names):
            try:
                found[name] = str(typed.clean(self._typed(place, name)) or "")
            except forms.ValidationError as problem:
                raise BadRows(f"{{{name}}}: {' '.join(problem.messages)}", field_of(name)) from None
        return found

    def _check_lengths(self, values: Sequence[Mapping[str, str]]) -> None:
        for number, longest in enumerate(longest_filled(self.asked(), values), start=1):
            if longest > PROMPT_MAX:
                raise BadRows(
                    f"With the words of row {number} a prompt has {longest:,} characters; at most {PROMPT_MAX:,}."
                )


def field_of(name: str) -> str:
    """What the field of a placeholder is called on the form."""
    return f"value-{name.casefold()}"


def _read(sent: Any) -> str:
    """Raises BadRows."""
    sent.seek(0)
    return text_of(sent.read(BYTES_MAX + 1))


def _say_what(lacking: Sequence[str]) -> str:
    names = ", ".join(f"{{{name}}}" for name in lacking)
    return f"Say what to put for {names}. If the braces are meant as they stand, double them: {{{{{lacking[0]}}}}}."
