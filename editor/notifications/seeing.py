"""What a person has seen, and the number beside the bell, which follows from the rows whenever somebody looks."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from editor import events
from editor.models import About, MailedSubject, Notification, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_COUNTED = 100
"""The number beside the bell goes no further: then it is "99+", and nobody waits for a count of thousands."""
KEPT = timedelta(days=180)
AT_ONCE = 1_000  # rows forgotten by one go


def unseen(person_id: int) -> "QuerySet[Notification]":
    return Notification.objects.filter(person=person_id, seen_at=None, in_portal=True)


def see(person_id: int, subject: str | None = None) -> int:
    """They have seen all about this subject, or everything, and are not mailed about it; returns how much is left."""
    with transaction.atomic():
        lock(person_id)
        rows = Notification.objects.filter(person=person_id, seen_at=None)
        changed = (rows if subject is None else rows.filter(subject=subject)).update(
            seen_at=timezone.now(), mail_due_at=None
        )
        left = _count(person_id)
    if changed:
        events.person_told(person_id)
    return left


def see_review(person_id: int, review_id: UUID) -> None:
    """They answered, so they know that they were asked; in the transaction of the answer: no mail asks again."""
    with transaction.atomic():
        lock(person_id)
        asked = Notification.objects.filter(person=person_id, about=About.REVIEW_ASKED, review=review_id, seen_at=None)
        changed = asked.update(seen_at=timezone.now(), mail_due_at=None)
        if changed:
            _count(person_id)
    if changed:
        events.person_told(person_id)


def recount(person_id: int) -> int:
    """Write the number of what is unseen."""
    with transaction.atomic():
        lock(person_id)
        return _count(person_id)


def number_of(person_id: int) -> int:
    """How much is unseen, up to MOST_COUNTED."""
    return unseen(person_id).order_by()[:MOST_COUNTED].count()


def counted(person: User) -> int:
    """The number of what is unseen; written if the person's row says something else."""
    number = number_of(person.pk)
    return number if number == person.notifications_unseen else recount(person.pk)


def wrong_numbers() -> list[int]:
    """The ids of people whose number is not that of their rows."""
    rows = Notification.objects.filter(seen_at=None, in_portal=True).order_by().values_list("person")
    true = {pk: min(number, MOST_COUNTED) for pk, number in rows.annotate(Count("pk"))}
    written = dict(User.objects.filter(notifications_unseen__gt=0).values_list("pk", "notifications_unseen"))
    return sorted(pk for pk in true.keys() | written.keys() if true.get(pk, 0) != written.get(pk, 0))


def forget_old(now: datetime) -> int:
    """Delete what was told long ago; returns how many."""
    MailedSubject.objects.filter(at__lt=now - timedelta(days=1), sending_until=None).delete()
    oldest = list(Notification.objects.order_by("pk").values_list("pk", "created_at", "person", "seen_at")[:AT_ONCE])
    old = [row for row in oldest if row[1] < now - KEPT]
    Notification.objects.filter(pk__in=[row[0] for row in old]).delete()
    for person_id in {row[2] for row in old if row[3] is None}:
        recount(person_id)
    return len(old)


def lock(person_id: int) -> None:
    """Whoever changes rows that somebody was told does it one after the other, until the end of the transaction.

    Before counting it is a statement of its own: what others commit meanwhile is then seen by the count.
    """
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person_id)


def _count(person_id: int) -> int:
    number = number_of(person_id)
    User.objects.filter(pk=person_id).exclude(notifications_unseen=number).update(notifications_unseen=number)
    return number
