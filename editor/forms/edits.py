"""What is asked of an edit, and a file to upload."""

import secrets
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator

from editor.forms.fields import NO_TEXT, RELOAD, PictureField, ProseField
from editor.images.sizes import MATCH, RATIOS
from editor.jobs.creation import EditSpec

PROMPT_MAX = 4000
SEED_MAX = 2**32 - 1
SAMPLES_MAX = 4
STRENGTH_DEFAULT = 0.7


PLAIN = RegexValidator(r"\A[\w-]+\Z", RELOAD)
"""What `draw_form_token` draws; a dot stands in the tokens of edits that are made together, with a number behind it."""


def draw_form_token() -> str:
    """A new one for each form that is shown: sending the same form twice makes one job."""
    return secrets.token_urlsafe(16)


def prompt_field(*, required: bool) -> ProseField:
    return ProseField(
        required=required,
        max_length=PROMPT_MAX,
        error_messages={
            "required": "Say what should change, in a sentence.",
            "max_length": "At most %(limit_value)d characters, please; these are %(show_value)d.",
            "null_characters_not_allowed": NO_TEXT,
        },
    )


def strength_field() -> forms.FloatField:
    return forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], "A number from 0 to 1, like 0.7."),
    )


def seed_field() -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=0,
        max_value=SEED_MAX,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"A whole number from 0 to {SEED_MAX}, or nothing for a random one."
        ),
    )


class SpecForm(forms.Form):
    """Words and parameters of an edit, without its pictures."""

    prompt = prompt_field(required=True)
    negative_prompt = ProseField(
        required=False,
        max_length=PROMPT_MAX,
        error_messages={
            "max_length": "At most %(limit_value)d characters, please; these are %(show_value)d.",
            "null_characters_not_allowed": NO_TEXT,
        },
    )
    ratio = forms.ChoiceField(
        required=False,
        choices=[(MATCH, "Match source"), *((ratio, ratio) for ratio in RATIOS)],
        error_messages={"invalid_choice": "Choose one of the shapes."},
    )
    samples = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=SAMPLES_MAX,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], "One to four pictures at a time."),
    )
    strength = strength_field()
    seed = seed_field()

    def spec(self) -> EditSpec:
        """Only for a valid form."""
        words = self.cleaned_data
        strength = words["strength"]
        return EditSpec(
            prompt=words["prompt"],
            negative_prompt=words["negative_prompt"],
            ratio=words["ratio"] or MATCH,
            samples=words["samples"] or 1,
            strength=STRENGTH_DEFAULT if strength is None else strength,
            seed=words["seed"],
        )


class EditForm(SpecForm):
    """What is asked of an edit."""

    source = PictureField(error_messages={"required": "Choose a picture first.", "invalid": "No such picture."})
    second = PictureField(required=False, error_messages={"invalid": "No such picture."})
    keep_seed = forms.BooleanField(required=False)  # the next edit is to have the same one
    joined = PictureField(required=False)  # what several edits made that this one asks for at once, to compare both
    form_token = forms.CharField(max_length=64, validators=[PLAIN], error_messages={"required": RELOAD})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        second = cleaned.get("second")
        if second is not None and second == cleaned.get("source"):
            self.add_error("second", "The second picture is the same as the first. Choose another one, or remove it.")
        return cleaned


class RunAgainForm(forms.Form):
    """Whether an edit that is run again keeps its seed (`same`, also if nothing is said) or draws a `new` one.

    `second`: what lies in the studio's second slot and is to stay there; the edit takes no part in it.
    """

    mode = forms.ChoiceField(required=False, choices=[("same", "Run again"), ("new", "Variation")])
    second = PictureField(required=False)
    form_token = forms.CharField(max_length=64, validators=[PLAIN])

    @property
    def draws_new_seed(self) -> bool:
        """Only for a valid form."""
        return bool(self.cleaned_data["mode"] == "new")


class UploadForm(forms.Form):
    """One file; whether it is a picture is found out by looking at its bytes, later."""

    token = forms.CharField(required=False, max_length=64, error_messages={"max_length": RELOAD})
    same = forms.ChoiceField(required=False, choices=[("one", "Keep one"), ("both", "Keep both")])
    file = forms.FileField(
        error_messages={
            "required": "Choose a picture to upload.",
            "invalid": "Choose a picture to upload.",
            "empty": "This file is empty.",
        }
    )

    @property
    def picture(self) -> "UploadedFile[bytes]":
        """Only for a valid form."""
        picture: UploadedFile[bytes] = self.cleaned_data["file"]
        return picture
