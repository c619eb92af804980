"""Up to four variations of one edit: of its strength, its seed or its words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from editor.forms.edits import prompt_field, seed_field, strength_field
from editor.forms.fields import RELOAD
from editor.jobs.creation import EditSpec, draw_seed

VARIATIONS_MAX = 4
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
KINDS = {"strength": "Strength", "seed": "Seed", "prompt": "Words"}


class VariationsForm(forms.Form):
    """What differs (`what`), and up to four values of it; those of the other kinds are not looked at.

    A value that is left empty makes no variation, and neither do words that are left as they are.
    """

    what = forms.ChoiceField(choices=list(KINDS.items()), error_messages={"required": RELOAD, "invalid_choice": RELOAD})
    # The edits have tokens of their own: this one, with a number behind it.
    form_token = forms.CharField(max_length=60, error_messages={"required": RELOAD, "max_length": RELOAD})

    def __init__(self, base: EditSpec, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base = base
        self.initial.setdefault("what", "strength")
        offered: dict[str, list[Any]] = {
            "strength": strengths_beside(base.strength),
            "seed": [draw_seed() for _ in range(VARIATIONS_MAX)],
            "prompt": [base.prompt, base.prompt],
        }
        makers: dict[str, Callable[[], forms.Field]] = {
            "strength": strength_field,
            "seed": seed_field,
            "prompt": partial(prompt_field, required=False),
        }
        for kind, maker in makers.items():
            for number in range(VARIATIONS_MAX):
                field = maker()
                field.initial = offered[kind][number] if number < len(offered[kind]) else None
                field.disabled = self.is_bound and self.what_is_asked != kind
                self.fields[f"{kind}_{number}"] = field

    @property
    def what_is_asked(self) -> str:
        """Of a form that was sent, as it came."""
        return str(self.data.get("what", ""))

    @property
    def of_kinds(self) -> list[tuple[str, str, list[BoundField]]]:
        """For the page: (kind, its word, its fields)."""
        return [(kind, word, list(self._fields_of(kind))) for kind, word in KINDS.items()]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("what")
        if kind is None or any(field.errors for field in self._fields_of(kind)):
            return cleaned
        seen: dict[Any, str] = {}
        for field in self._fields_of(kind):
            value = cleaned[field.name]
            if value is None or value == "" or (kind == "prompt" and value == self.base.prompt):
                continue
            if value == getattr(self.base, kind):
                self.add_error(field.name, f"{value} is what the edit had. Choose another one.")
            elif value in seen:
                self.add_error(field.name, "This one stands there twice.")
            seen[value] = field.name
        cleaned["values"] = list(seen)
        if not seen:
            what = "Change the words of one at least." if kind == "prompt" else "Fill in one at least."
            self.add_error(None, f"Nothing would be made of this. {what}")
        return cleaned

    def specs(self) -> list[EditSpec]:
        """One for each variation, in the order of the form. Only for a valid form."""
        kind = self.cleaned_data["what"]
        return [replace(self.base, samples=1, **{kind: value}) for value in self.cleaned_data["values"]]

    def _fields_of(self, kind: str) -> Iterator[BoundField]:
        return (self[f"{kind}_{number}"] for number in range(VARIATIONS_MAX))


def strengths_beside(strength: float) -> list[float]:
    """The four round ones that are nearest to it, without itself, from little to much."""
    others = sorted((each for each in STRENGTHS if abs(each - strength) > 0.01), key=lambda each: abs(each - strength))
    return sorted(others[:VARIATIONS_MAX])
