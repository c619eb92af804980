"""What templates say about the rights of a picture, and which pictures look like it."""

from dataclasses import dataclass
from datetime import timedelta

from django import template

from editor.images import likeness
from editor.images.rights import expired, today
from editor.models import Consent, Image, Licence, User

register = template.Library()

SOON = timedelta(days=14)


@dataclass(frozen=True)
class Mark:
    """A word beside a picture; `tone` is a colour of states: bad, ask, or nothing."""

    words: str
    tone: str = ""


@register.filter
def rights_marks(image: Image) -> list[Mark]:
    """What somebody who is about to use the picture should see; nothing where nothing limits it."""
    marks = []
    if (until := image.usable_until) is not None:
        if until < today():
            marks.append(Mark(f"Expired on {until.day} {until:%b %Y}", "bad"))
        elif until <= today() + SOON:
            marks.append(Mark(f"Until {until.day} {until:%b %Y}", "ask"))
    if image.licence in {Licence.EDITORIAL, Licence.INTERNAL}:
        marks.append(Mark(Licence(image.licence).label))
    if image.consent == Consent.REFUSED:
        marks.append(Mark("No consent", "bad"))
    return marks


@register.filter
def is_expired(image: Image | None) -> bool:
    """Whether it may not be edited any more."""
    return image is not None and expired([image]) is not None


@register.filter
def looks_like(image: Image, user: User) -> list[Image]:
    """Others in its workspace that the person sees, the most alike first. One query."""
    return likeness.alike(user, [image]).get(image.pk, []) if image.is_ready else []
