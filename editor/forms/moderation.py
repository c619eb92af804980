"""What people tell moderators: a report, an appeal."""

from django import forms

from editor.forms.fields import TOO_LONG, StatementField
from editor.models import ReportReason

WORDS_MAX = 2000


class ReportForm(forms.Form):
    """What is wrong with a picture."""

    reason = forms.ChoiceField(
        label="What is wrong with it?",
        choices=ReportReason.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what is wrong with it."),
    )
    words = StatementField(
        label="What should we know?",
        required=False,
        max_length=WORDS_MAX,
        widget=forms.Textarea({"rows": 4}),
        error_messages=TOO_LONG,
    )


class AppealForm(forms.Form):
    """Why somebody thinks that a decision is wrong."""

    words = StatementField(
        label="Why is it wrong?",
        max_length=WORDS_MAX,
        widget=forms.Textarea({"rows": 6}),
        error_messages={"required": "Say why you think that it is wrong."} | TOO_LONG,
    )
