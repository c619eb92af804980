"""What is kept of a history's filters."""

from django import forms

from editor.forms.fields import TOO_LONG, LineField, PictureField


class SavedFilterForm(forms.Form):
    """`query` is that of an address, `workspace` the id of the one whose history it is."""

    name = LineField(max_length=60, error_messages={"required": "Give it a name."} | TOO_LONG)
    query = forms.CharField(required=False, max_length=800)
    workspace = PictureField(required=False, error_messages={"invalid": "There is no such workspace."})
