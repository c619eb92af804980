"""A recipe that is written by hand, and the dock with what a recipe put into it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet, formset_factory
from django.http import QueryDict

from editor.forms.edits import PROMPT_MAX, EditForm, SpecForm, seed_field
from editor.forms.fields import PICK_ONE, RELOAD, TOO_LONG, LineField, PictureField
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import NAME_MAX, with_seeds
from editor.jobs.steps import PLACEHOLDERS_MAX, STEPS_MAX, fill, placeholders
from editor.models import Workspace

if TYPE_CHECKING:
    BaseStepForms = BaseFormSet["StepForm"]
else:
    BaseStepForms = BaseFormSet

VALUE_MAX = 200  # characters in the place of a placeholder
STEP_FIELDS = ("prompt", "negative_prompt", "ratio", "samples", "strength", "seed", "drawn")
TOO_MANY_PLACEHOLDERS = (
    f"A recipe has at most {PLACEHOLDERS_MAX} placeholders, and these are %d. Write some of them as plain words, "
    "or double their braces if they are meant as they stand."
)


def workspace_field(workspaces: Sequence[Workspace]) -> forms.ChoiceField:
    choices = [(str(each.pk), each.name) for each in workspaces]
    return forms.ChoiceField(choices=choices, error_messages=PICK_ONE | {"required": "Choose a workspace."})


class RecipeForm(forms.Form):
    """All of a recipe but its steps. `workspaces`: where it may be made; empty where it stays in its own."""

    name = LineField(max_length=NAME_MAX, error_messages={"required": "Give it a name."} | TOO_LONG)
    shared = forms.BooleanField(required=False)
    picture = PictureField(required=False, error_messages={"invalid": "No such picture."})
    no_picture = forms.BooleanField(required=False)
    keep_seeds = forms.BooleanField(required=False)  # those of the edits that it was saved from
    form_token = forms.CharField(max_length=64, error_messages={"required": RELOAD, "max_length": RELOAD})

    def __init__(self, *args: Any, workspaces: Sequence[Workspace] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if workspaces:
            self.fields["workspace"] = workspace_field(workspaces)


class StepForm(SpecForm):
    """One step. `drawn`: the seed of the edit that it was saved from, in case the seeds are to be kept."""

    drawn = seed_field()


class BaseSteps(BaseStepForms):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        # A step that says nothing is a mistake, no empty line to be passed over.
        return {**super().get_form_kwargs(index), "empty_permitted": False}

    def clean(self) -> None:
        if any(form.errors for form in self.forms):
            return
        found = len(placeholders(self._specs()))
        if found > PLACEHOLDERS_MAX:
            raise ValidationError(TOO_MANY_PLACEHOLDERS % found)

    def specs(self, *, keep_seeds: bool = False) -> list[EditSpec]:
        """Only for valid ones."""
        specs = self._specs()
        return with_seeds(specs, [form.cleaned_data["drawn"] for form in self.forms]) if keep_seeds else specs

    def _specs(self) -> list[EditSpec]:
        return [form.spec() for form in self.forms]


_Steps = cast(
    "type[BaseSteps]",
    formset_factory(
        StepForm,
        formset=BaseSteps,
        extra=0,
        min_num=1,
        max_num=STEPS_MAX,
        absolute_max=STEPS_MAX,
        validate_min=True,
        validate_max=True,
    ),
)
_SAID = {
    "missing_management_form": RELOAD,
    "too_many_forms": f"A recipe has {STEPS_MAX} steps at most.",
    "too_few_forms": "A recipe has one step at least.",
}


def steps_form(data: Mapping[str, Any] | None = None, initial: list[dict[str, Any]] | None = None) -> BaseSteps:
    """The steps as they were sent, or as they are shown first."""
    return _Steps(data, prefix="step", initial=initial, error_messages=_SAID)


def rows_in(data: QueryDict) -> list[dict[str, Any]]:
    """The steps of a form as they came, unchecked: to show them again in another order."""
    text = data.get("step-TOTAL_FORMS", "")
    total = int(text) if text and text.isascii() and text.isdigit() and len(text) < 3 else 1
    numbers = range(min(total, STEPS_MAX))
    return [{name: data.get(f"step-{number}-{name}", "") for name in STEP_FIELDS} for number in numbers]


def rearranged(rows: list[dict[str, Any]], deed: str) -> tuple[list[dict[str, Any]], int]:
    """After `add`, `remove-N`, `up-N` or `down-N` (N from 0), and which step to go on with; else as it was."""
    what, _, text = deed.partition("-")
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1
    rows = list(rows)
    if what == "add" and len(rows) < STEPS_MAX:
        return [*rows, {}], len(rows)
    if not 0 <= place < len(rows):
        return rows, 0
    if what == "remove" and len(rows) > 1:
        del rows[place]
        return rows, min(place, len(rows) - 1)
    to = place + {"up": -1, "down": 1}.get(what, 0)
    if 0 <= to < len(rows):
        rows[place], rows[to] = rows[to], rows[place]
        return rows, to
    return rows, place


class _Pairs(forms.Widget):
    """Fields that come again and again: `placeholder` and beside each the `value` for it."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        if not isinstance(data, QueryDict):
            return []
        values = data.getlist("value")
        names = data.getlist("placeholder")[:PLACEHOLDERS_MAX]
        return [(each, values[number] if number < len(values) else "") for number, each in enumerate(names)]


class FilledField(forms.Field):
    """What a person fills in for the placeholders of a recipe: {name: value}, an empty value where nothing is said."""

    widget = _Pairs

    def clean(self, value: Any) -> dict[str, str]:
        line = LineField(required=False, max_length=VALUE_MAX, error_messages=TOO_LONG)
        found: dict[str, str] = {}
        for name, text in value or []:
            if placeholders([EditSpec(f"{{{name}}}")]) != [name]:
                raise ValidationError(RELOAD)
            try:
                found[name] = line.clean(text)
            except ValidationError as error:
                raise ValidationError([f"{name}: {sentence}" for sentence in error.messages]) from None
        return found


class DockForm(EditForm):
    """The studio's: the words may have placeholders of a recipe, with fields beside them."""

    filled = FilledField(required=False)

    @property
    def to_fill(self) -> list[tuple[str, str]]:
        """For the page: (name, value) of each field."""
        return list(self["filled"].value() or [])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        asked: dict[str, str] = cleaned.get("filled") or {}
        if not asked or "prompt" not in cleaned:
            return cleaned
        spec = EditSpec(cleaned["prompt"], cleaned.get("negative_prompt", ""))
        ours = {name.casefold() for name in asked}
        empty = {name.casefold() for name, value in asked.items() if not value}
        open_ones = [name for name in placeholders([spec]) if name.casefold() in ours & empty]
        if open_ones:
            what = ("is to be, or take it" if len(open_ones) == 1 else "are to be, or take them") + " out of the words."
            literal = f"If the braces are meant as they stand, double them: {{{{{open_ones[0]}}}}}."
            self.add_error("filled", f"Say what {in_words(open_ones)} {what} {literal}")
            return cleaned
        full = fill([spec], {name: value for name, value in asked.items() if value})[0]
        for name, text in (("prompt", full.prompt), ("negative_prompt", full.negative_prompt)):
            if len(text) > PROMPT_MAX:
                sentence = f"With what is filled in these are {len(text)} characters; {PROMPT_MAX} are the most."
                self.add_error("filled", sentence)
            else:
                cleaned[name] = text
        return cleaned


def in_words(names: list[str]) -> str:
    """`{colour}` and `{object}`."""
    braced = [f"{{{name}}}" for name in names]
    return braced[0] if len(braced) == 1 else f"{', '.join(braced[:-1])} and {braced[-1]}"
