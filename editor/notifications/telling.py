"""Writing down what somebody is to be told, in the transaction of what happened: neither is without the other."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator

from editor import events
from editor.models import About, Image, Membership, Notification, User
from editor.notifications.choices import choice_of
from editor.notifications.seeing import recount

WORDS_MAX = 200


def tell(person: User, about: About, subject: str, words: str, **what: Any) -> None:
    """Tell `person`, as they chose for `about`; nothing to somebody about what they did themselves or may not see.

    `subject` is what mails are bundled by ("image:<id>"). `what` are the columns that say more: by, guest_name,
    workspace, image, comment, review, share, batch; picture and workspace follow from the others.
    """
    chosen = choice_of(person, about)
    write(person, about, subject, words, in_portal=chosen.in_portal, by_mail=chosen.by_mail, **what)


def write(person: User, about: About, subject: str, words: str, *, in_portal: bool, by_mail: bool, **what: Any) -> None:
    """The same, whatever they chose."""
    what = _whole(what)
    if what.get("by") == person or not person.is_active or not (in_portal or by_mail) or not _may_know(person, what):
        return
    now = timezone.now()
    Notification.objects.create(
        person=person,
        about=about,
        subject=subject,
        words=Truncator(" ".join(words.split())).chars(WORDS_MAX),
        in_portal=in_portal,
        created_at=now,
        mail_due_at=now + settings.TOLD_QUIET if by_mail else None,
        **what,
    )
    if in_portal:
        # Not in this transaction: two that tell the same people in another order would wait for each other's rows.
        transaction.on_commit(partial(recount, person.pk), robust=True)
        events.person_told(person.pk)


def _whole(what: dict[str, Any]) -> dict[str, Any]:
    """With the picture and the workspace, which say who may see it, also where the caller named neither."""
    said = what.get("comment") or what.get("review")
    image = what.get("image") or (said.image if said else None)
    owned = image or what.get("batch") or what.get("share")
    return {**what, "image": image, "workspace": what.get("workspace") or (owned.workspace if owned else None)}


def _may_know(person: User, what: dict[str, Any]) -> bool:
    image, workspace = what.get("image"), what.get("workspace")
    if image is not None:
        return Image.objects.visible_to(person).filter(pk=image.pk).exists()
    if workspace is not None:
        return Membership.objects.filter(user=person, workspace=workspace, workspace__trashed_at=None).exists()
    return True
