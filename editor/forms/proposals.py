"""Proposing a picture as the next version of another one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from editor.forms.fields import TOO_LONG, ProseField
from editor.models import WHY_MAX, Image, User


class ProposeForm(forms.Form):
    """`images`: what it may replace; `people`: who may be asked. Both from the caller, who knows what may be seen."""

    note = ProseField(required=False, max_length=WHY_MAX, error_messages={**TOO_LONG})

    def __init__(self, *args: Any, images: Sequence[Image], people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.images = {str(image.pk): image for image in images}
        self.people = {str(person.pk): person for person in people}
        self.fields["replaces"] = forms.ChoiceField(
            choices=[(pk, image.name) for pk, image in self.images.items()],
            error_messages={
                "required": "Choose the picture that it is to replace.",
                "invalid_choice": "That picture is not there any more. Choose again.",
            },
        )
        self.fields["reviewers"] = forms.MultipleChoiceField(
            choices=[(pk, person.get_short_name()) for pk, person in self.people.items()],
            required=False,
            error_messages={"invalid_choice": "Somebody you chose is not in this workspace any more. Choose again."},
        )

    @property
    def replaced(self) -> Image:
        """Only of a valid form."""
        return self.images[self.cleaned_data["replaces"]]

    @property
    def asked(self) -> list[User]:
        """Only of a valid form."""
        return [self.people[pk] for pk in self.cleaned_data["reviewers"]]

    def offered(self) -> list[tuple[UUID, Image, bool]]:
        """What it may replace, and which of it is chosen: what was sent, else the first."""
        sent = str(self["replaces"].value() or next(iter(self.images), ""))
        return [(image.pk, image, pk == sent) for pk, image in self.images.items()]
