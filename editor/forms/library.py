"""What people say about pictures: words, tags, collections, rights."""

from django import forms

from editor.forms.fields import PICK_ONE, TOO_LONG, LineField, PictureField, ProseField
from editor.images.rights import CREDIT_MAX, Rights
from editor.models import Consent, Licence


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
