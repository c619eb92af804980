"""Rules that let old pictures go."""

from django import forms

from editor.forms.fields import PICK_ONE, RELOAD
from editor.models import Retained, Workspace

DAYS_MAX = 3_650


class RetentionForm(forms.Form):
    """What goes, how old, and in which workspace; in all of them if none is named."""

    what = forms.ChoiceField(choices=Retained.choices, error_messages={"required": "Choose what may go."} | PICK_ONE)
    days = forms.IntegerField(
        min_value=1,
        max_value=DAYS_MAX,
        error_messages=dict.fromkeys(
            ["required", "invalid", "min_value", "max_value"], f"A whole number of days, from 1 to {DAYS_MAX}."
        ),
    )
    workspace = forms.ModelChoiceField(
        Workspace.objects.filter(trashed_at=None), required=False, error_messages={"invalid_choice": RELOAD}
    )
