"""The one place where input is checked. Whatever is wrong becomes a sentence beside its field."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from editor.accounts.addresses import AddressField
from editor.images.ingest import clean_name
from editor.images.rights import CREDIT_MAX, Rights
from editor.images.sizes import MATCH, RATIOS
from editor.jobs.creation import EditSpec
from editor.models import Consent, Licence, Role

PROMPT_MAX = 4000
SEED_MAX = 2**32 - 1
SAMPLES_MAX = 4
STRENGTH_DEFAULT = 0.7
NO_TEXT = "This holds characters that are no text. Please type it again."
RELOAD = "Please reload the page and try again."
PICK_ONE = {"invalid_choice": "Choose one of the list."}


def draw_form_token() -> str:
    """A new one for each form that is shown: sending the same form twice makes one job."""
    return secrets.token_urlsafe(16)


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


class PictureField(forms.UUIDField):
    """The id of a picture, spelt exactly as we spell it."""

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found is not None and str(value) != str(found):
            raise ValidationError("No such picture.", code="invalid")
        return found


class EditForm(forms.Form):
    """What is asked of an edit."""

    source = PictureField(error_messages={"required": "Choose a picture first.", "invalid": "No such picture."})
    second = PictureField(required=False, error_messages={"invalid": "No such picture."})
    prompt = ProseField(
        max_length=PROMPT_MAX,
        error_messages={
            "required": "Say what should change, in a sentence.",
            "max_length": "At most %(limit_value)d characters, please; these are %(show_value)d.",
            "null_characters_not_allowed": NO_TEXT,
        },
    )
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
    strength = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], "A number from 0 to 1, like 0.7."),
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=SEED_MAX,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], f"A whole number from 0 to {SEED_MAX}, or nothing for a random one."
        ),
    )
    form_token = forms.CharField(max_length=64, error_messages={"required": RELOAD})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        second = cleaned.get("second")
        if second is not None and second == cleaned.get("source"):
            self.add_error("second", "The second picture is the same as the first. Choose another one, or remove it.")
        return cleaned

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


class RunAgainForm(forms.Form):
    """Whether an edit that is run again keeps its seed (`same`, also if nothing is said) or draws a `new` one."""

    mode = forms.ChoiceField(required=False, choices=[("same", "Run again"), ("new", "Variation")])
    form_token = forms.CharField(max_length=64)

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


class NameField(forms.CharField):
    """A name on one line, without characters that can't be seen."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return " ".join(clean_name(text).split()) if text else text


class WorkspaceForm(forms.Form):
    name = NameField(
        max_length=80,
        error_messages={
            "required": "Give it a name.",
            "max_length": "At most %(limit_value)d characters, please; these are %(show_value)d.",
        },
    )


class RoleForm(forms.Form):
    """A role out of those that the person who gives it may give."""

    def __init__(self, roles: Iterable[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(choices=[(role.value, role.label) for role in roles])


class MemberLimitForm(forms.Form):
    """Pictures that a member may have made in a month; nothing takes the limit away."""

    pictures_per_month = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], "A whole number from 0 to 1000000, or nothing for no limit."
        ),
    )


class LeavingForm(forms.Form):
    """The end of an account: its address typed once more, and what becomes of what was made in teams."""

    STAYS, TRASH = "stays", "trash"

    email = forms.CharField(max_length=254, error_messages={"required": "Type your e-mail address to confirm."})
    made = forms.ChoiceField(
        required=False, choices=[(STAYS, "It stays with the teams"), (TRASH, "It goes into the teams’ trash")]
    )

    def __init__(self, address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"].strip().lower()
        if typed != self.address:
            raise ValidationError("That is not the e-mail address of this account.", code="other")
        return typed


class InvitationForm(RoleForm):
    """One address by mail, or without one a link: for whom, as what, how often and how long."""

    email = AddressField(label="E-mail address", required=False)
    days = forms.TypedChoiceField(
        label="Good for", coerce=int, choices=[(1, "a day"), (7, "a week"), (30, "a month")], initial=7
    )
    uses_max = forms.IntegerField(
        label="How many may come in by the link",
        required=False,
        min_value=1,
        max_value=200,
        initial=10,
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], "A number from 1 to 200."),
    )

    def __init__(self, roles: Iterable[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__([role for role in roles if role != Role.OWNER], *args, **kwargs)
        self.fields["role"].initial = Role.EDITOR

    def facts(self, now: datetime) -> dict[str, Any]:
        """The columns of the invitation. Only for a valid form."""
        said = self.cleaned_data
        return {
            "email": said["email"],
            "role": said["role"],
            "expires_at": now + timedelta(days=said["days"]),
            "uses_max": 1 if said["email"] else said["uses_max"] or 1,
        }


class LineField(ProseField):
    """Words on one line, without characters that can't be seen."""

    widget: Any = forms.TextInput

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return " ".join("".join(c if c.isprintable() else " " for c in text).split()) if text else text


TOO_LONG = {"max_length": "At most %(limit_value)d characters, please; these are %(show_value)d."}


class PictureForm(forms.Form):
    """What people say about a picture."""

    name = LineField(max_length=120, error_messages={"required": "Give it a name."} | TOO_LONG)
    description = ProseField(required=False, max_length=2000, error_messages=TOO_LONG)
    alt_text = LineField(required=False, max_length=300, error_messages=TOO_LONG)


class CollectionForm(forms.Form):
    name = LineField(max_length=80, error_messages={"required": "Give it a name."} | TOO_LONG)
    parent = PictureField(required=False, error_messages={"invalid": "There is no such collection."})


class TagForm(forms.Form):
    """A tag that is to be called something else."""

    old = forms.CharField(max_length=200)
    new = forms.CharField(max_length=200)


class RightsForm(forms.Form):
    """What may be done with a picture; nothing of it has to be said."""

    licence = forms.ChoiceField(
        label="Licence", required=False, choices=[("", "Not said"), *Licence.choices], error_messages=PICK_ONE
    )
    credit = LineField(
        label="Source or credit",
        required=False,
        max_length=CREDIT_MAX,
        error_messages=TOO_LONG,
    )
    consent = forms.ChoiceField(
        label="Consent of the people in it",
        required=False,
        choices=[("", "Not said"), *Consent.choices],
        error_messages=PICK_ONE,
    )
    usable_until = forms.DateField(
        label="May be edited until",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "A day like 2031-12-31, or nothing."},
    )

    @property
    def rights(self) -> Rights:
        """Only for a valid form."""
        return Rights(**{name: self.cleaned_data[name] for name in Rights.__dataclass_fields__})


class PictureRightsForm(RightsForm):
    """Those of one picture, and whether they go on to what was made of it."""

    to_results = forms.BooleanField(required=False)
