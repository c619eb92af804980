"""What a moderator decides."""

from django import forms

from editor.forms.fields import TOO_LONG, LineField, StatementField
from editor.models import Action, Cause

OTHER = ""  # the preset that stands for one's own words

REASONS = (
    "It shows a child in danger, or in a sexual way.",
    "It is against the law.",
    "It shows somebody who did not agree.",
    "It is hateful or violent.",
    "It is sexual.",
    "It is somebody else’s work.",
    "It is like a picture that was removed before.",
    "The words ask for something that is not allowed here.",
    "It happened again after a warning.",
)
"""What people are told, one digit each. The same digit means the same for every case: hands learn it."""

ANSWERS = (
    "We looked again and think the same.",
    "We looked again: the first decision was wrong.",
    "What you wrote changed our mind.",
    "What you wrote does not change what can be seen in it.",
    "It happened more than once.",
)
"""The same for appeals."""


def reasons_for(cause: str) -> tuple[str, ...]:
    return ANSWERS if cause == Cause.APPEAL else REASONS


class DecisionForm(forms.Form):
    """Actions, the reason that the person is told (one of ours, or the moderator's own), a note for colleagues."""

    actions = forms.MultipleChoiceField(
        choices=Action.choices,
        error_messages={"required": "Choose what to do.", "invalid_choice": "Choose what to do."},
    )
    preset = forms.ChoiceField(
        required=False,
        choices=[(OTHER, "In your own words"), *((each, each) for each in (*REASONS, *ANSWERS))],
        error_messages={"invalid_choice": "Choose a reason."},
    )
    words = LineField(required=False, max_length=200, error_messages=TOO_LONG)
    note = StatementField(required=False, max_length=2000, error_messages=TOO_LONG)

    @property
    def reason(self) -> str:
        """Of a form that is valid. One's own words go before ours."""
        return str(self.cleaned_data["words"] or self.cleaned_data["preset"])

    @property
    def problem(self) -> str:
        """The first thing that is wrong, in a sentence."""
        return next((str(error) for errors in self.errors.values() for error in errors), "")
