"""The same words for many pictures."""

from django import forms

from editor.forms.edits import EditForm


class BatchForm(EditForm):
    """What is asked of an edit, but for its pictures; and whether to mail when all of them have ended."""

    # None is how Django leaves out a field of the form above.
    source = None  # type: ignore[assignment]
    second = None  # type: ignore[assignment]
    mail = forms.BooleanField(required=False)
