"""A recipe that comes as a file: nothing of it is believed."""

import json
import math
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from editor.forms.edits import draw_form_token
from editor.forms.fields import RELOAD
from editor.forms.recipes import TOO_MANY_PLACEHOLDERS, RecipeForm, StepForm, workspace_field
from editor.jobs.creation import EditSpec
from editor.jobs.recipes import FORMAT, FORMAT_VERSION
from editor.jobs.steps import PLACEHOLDERS_MAX, STEPS_MAX, placeholders
from editor.models import Workspace

FILE_MAX = 512 * 1024  # bytes; the longest recipe there can be has fewer
ERRORS_SHOWN = 8
CHOOSE = "Choose a file that was exported from a recipe."
_TOP = {"format", "version", "name", "steps"}
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "prompt": ((str,), "text"),
    "negative_prompt": ((str,), "text"),
    "ratio": ((str,), "text, such as “match” or “3:2”"),
    "samples": ((int,), "a whole number"),
    "strength": ((int, float), "a number"),
    "seed": ((int, type(None)), "a whole number, or null"),
}


class NotARecipe(ValueError):  # noqa: N818  it says what is the matter
    """It is not what this portal exports; `sentences` say what to mend."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class FoundRecipe:
    name: str
    steps: list[EditSpec]


class ImportForm(forms.Form):
    """One file, and where the recipe goes."""

    file = forms.FileField(
        error_messages={
            "required": CHOOSE,
            "invalid": CHOOSE,
            "empty": "This file is empty.",
        }
    )
    form_token = forms.CharField(max_length=64, error_messages={"required": RELOAD, "max_length": RELOAD})

    def __init__(self, *args: Any, workspaces: list[Workspace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["workspace"] = workspace_field(workspaces)

    def clean_file(self) -> FoundRecipe:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > FILE_MAX:
            raise forms.ValidationError(f"This file is too large for a recipe: at most {FILE_MAX // 1024} KB, please.")
        try:
            return read(file.read(FILE_MAX + 1))
        except NotARecipe as problem:
            raise forms.ValidationError(list(problem.sentences)) from None


def read(data: bytes) -> FoundRecipe:
    """Raises NotARecipe."""
    top = _parsed(data)
    if not isinstance(top, dict) or top.get("format") != FORMAT:
        raise NotARecipe(f"This is no recipe of this portal: its “format” is not “{FORMAT}”.")
    version = top.get("version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise NotARecipe(f"This recipe has another version than {FORMAT_VERSION}, which is the one that is known here.")
    errors = _foreign(top, _TOP, "The recipe")
    name, name_errors = _name(top.get("name"))
    steps, step_errors = _steps(top.get("steps"))
    if errors := errors + name_errors + step_errors:
        more = [f"And {len(errors) - ERRORS_SHOWN} more of this kind."] if len(errors) > ERRORS_SHOWN else []
        raise NotARecipe(*errors[:ERRORS_SHOWN], *more)
    return FoundRecipe(name, steps)


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole, parse_constant=_no_number)
    except NotARecipe:
        raise
    except (ValueError, RecursionError):
        raise NotARecipe(f"This file can’t be read: it is not JSON. {CHOOSE}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotARecipe("This file says something twice, so it is not clear what holds.")
    return found


def _whole(text: str) -> int | float:
    """One with hundreds of digits is more than a field for numbers can look at: infinity is refused by its size."""
    number = int(text)
    return number if len(text) <= 300 else math.inf if number > 0 else -math.inf


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _foreign(found: dict[str, Any], known: set[str], whose: str) -> list[str]:
    names = sorted(found.keys() - known)
    return [f"{whose} has a field “{_short(name)}”, which is not known here. Take it out." for name in names]


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text[:40]) + ("…" if len(text) > 40 else "")


def _name(value: Any) -> tuple[str, list[str]]:
    if not isinstance(value, str):
        return "", ["“name” has to be text."]
    form = RecipeForm({"name": value, "form_token": draw_form_token()})
    return (form.cleaned_data["name"], []) if form.is_valid() else ("", [f"Name: {e}" for e in form.errors["name"]])


def _steps(value: Any) -> tuple[list[EditSpec], list[str]]:
    if not isinstance(value, list) or not 1 <= len(value) <= STEPS_MAX:
        return [], [f"“steps” has to be a list of one to {STEPS_MAX} steps."]
    specs, errors = [], []
    for number, row in enumerate(value, start=1):
        spec, problems = _step(row)
        specs += [spec] if spec else []
        errors += [f"Step {number}: {problem}" for problem in problems]
    if not errors and (found := len(placeholders(specs))) > PLACEHOLDERS_MAX:
        errors = [TOO_MANY_PLACEHOLDERS % found]
    return specs, errors


def _step(row: Any) -> tuple[EditSpec | None, list[str]]:
    if not isinstance(row, dict):
        return None, ["it has to be an object with a “prompt”."]
    errors = _foreign(row, set(_KINDS), "it")
    for name, (kinds, words) in _KINDS.items():
        if name in row and type(row[name]) not in kinds:
            errors.append(f"“{name}” has to be {words}.")
    if errors:
        return None, errors
    form = StepForm({name: value for name, value in row.items() if value is not None})
    if form.is_valid():
        return form.spec(), []
    return None, [f"“{name}”: {sentence}" for name, said in form.errors.items() for sentence in said]
