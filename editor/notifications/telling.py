"""Writing down what somebody is to be told; in the transaction of what happened, so that neither is without the other."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from editor import events
from editor.models import About, Notification, ToldBy, User


def tell(person: User, about: About, subject: str, words: str, **what: Any) -> None:
    """Tell `person`, as they chose for `about`; nothing to somebody about what they did themselves.

    `subject` is what mails are bundled by ("image:<id>"). `what` are the columns that say more: by, guest_name,
    workspace, image, comment, review, share, batch.
    """
    if what.get("by") == person or not person.is_active:
        return
    chosen = ToldBy.objects.filter(person=person, about=about).first() or ToldBy(person=person, about=about)
    if not chosen.in_portal and not chosen.by_mail:
        return
    with transaction.atomic():
        Notification.objects.create(
            person=person,
            about=about,
            subject=subject,
            words=words,
            in_portal=chosen.in_portal,
            mail_due_at=timezone.now() if chosen.by_mail else None,
            **what,
        )
        if chosen.in_portal:
            User.objects.filter(pk=person.pk).update(notifications_unseen=F("notifications_unseen") + 1)
    events.person_told(person.pk)
