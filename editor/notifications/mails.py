"""Mails about what people were told, bundled: one per person and subject after a quiet while, then one an hour.

A worker sends them. The rows say what is due, so a ring that is lost costs only time; one worker at a time has the
subject of a person, for as long as `sending_until` says. Should it die between sending and writing that down, the same
mail comes once more; should it die before, another worker sends it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from editor import rings
from editor.accounts.links import public_url
from editor.models import About, MailedSubject, Notification, ToldBy, User
from editor.notifications import shown, unsubscribing
from editor.notifications.seeing import lock, recount

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """What one worker mails now, and nobody else until `until`."""

    door: MailedSubject
    rows: Sequence[Notification]
    until: datetime


def due(now: datetime, most: int) -> list[tuple[int, str]]:
    """The ids of people, and the subjects of which there is something to mail to them."""
    rows = Notification.objects.filter(mail_due_at__lte=now).order_by("mail_due_at").values_list("person", "subject")
    return list(dict.fromkeys(rows[:most]))


def mail_told(person_id: str, subject: str) -> None:
    """The RQ entry point: one mail about all that waits, if it is due and none was sent within the hour."""
    rings.answered(rings.MAIL_TOLD, person_id, subject)
    person = User.objects.filter(pk=int(person_id)).first()
    if person is None:
        return
    recount(person.pk)  # whoever told them may have died before
    claim = _claim(person, subject, timezone.now())
    if claim is None:
        return
    lines = _lines(person, claim.rows)
    if not lines:
        _settle(claim, sent=False)
    elif send(person, lines):
        _settle(claim, sent=True)
    else:
        _put_off(claim)


def send(person: User, lines: Sequence[shown.Line]) -> bool:
    """False if the mail server fails."""
    abouts = [About(line.newest.about) for line in lines]
    unsubscribe = unsubscribing.address_for(person, set(abouts))
    context = {
        "lines": [(" ".join(line.sentence.split()), _address(line.newest)) for line in lines],
        "title": shown.title_of(lines[0].newest),
        "workspace": lines[0].newest.workspace,
        "abouts": [about.label for about in dict.fromkeys(abouts)],
        "choices_url": public_url("notifications_choices"),
        "unsubscribe_url": unsubscribe,
    }
    headers = unsubscribing.headers_for(unsubscribe)
    return bool(get_adapter().send_mail("account/email/notifications", person.email, context, headers))


def _address(row: Notification) -> str:
    return public_url("notifications_open", notification_id=row.pk)


def _claim(person: User, subject: str, now: datetime) -> Claim | None:
    with transaction.atomic():
        lock(person.pk)
        MailedSubject.objects.get_or_create(person=person, subject=subject)
        door = MailedSubject.objects.select_for_update(no_key=True).get(person=person, subject=subject)
        waiting = _waiting(person, subject)
        if not waiting.filter(mail_due_at__lte=now).exists():
            return None
        free_at = max(filter(None, [door.at and door.at + settings.TOLD_EVERY, door.sending_until]), default=now)
        if free_at > now:
            waiting.filter(mail_due_at__lt=free_at).update(mail_due_at=free_at)
            return None
        rows = list(waiting.select_related(*shown.RELATED).order_by("-created_at", "-pk"))
        until = now + settings.TOLD_RETRY
        _of(rows).update(mail_due_at=until)
        MailedSubject.objects.filter(pk=door.pk).update(sending_until=until)
    return Claim(door, rows, until)


def _waiting(person: User, subject: str) -> "QuerySet[Notification]":
    return Notification.objects.filter(person=person, subject=subject, seen_at=None, mail_due_at__isnull=False)


def _of(rows: Sequence[Notification]) -> "QuerySet[Notification]":
    return Notification.objects.filter(pk__in=[row.pk for row in rows])


def _lines(person: User, rows: Sequence[Notification]) -> list[shown.Line]:
    """What is still to be said: of what they may see, still want by mail, and did not see meanwhile."""
    if not person.is_active or person.anonymised_at is not None:
        return []
    unwanted = set(ToldBy.objects.filter(person=person, by_mail=False).values_list("about", flat=True))
    wanted = [row for row in rows if row.about not in unwanted and shown.is_worth_a_mail(row)]
    return [line for group in shown.grouped(person, wanted) for line in group.lines if line.is_shown]


def _settle(claim: Claim, *, sent: bool) -> None:
    mine = MailedSubject.objects.filter(pk=claim.door.pk)
    with transaction.atomic():
        lock(claim.door.person_id)
        mine.filter(sending_until=claim.until).update(sending_until=None)
        if sent:
            mine.update(at=timezone.now())
        _of(claim.rows).update(mail_due_at=None)


def _put_off(claim: Claim) -> None:
    """Try again later those that are not too old."""
    given_up = [row for row in claim.rows if row.created_at < timezone.now() - settings.TOLD_PATIENCE]
    with transaction.atomic():
        lock(claim.door.person_id)
        MailedSubject.objects.filter(pk=claim.door.pk, sending_until=claim.until).update(sending_until=None)
        _of(given_up).update(mail_due_at=None)
    if given_up:
        log.error("%s notifications of person %s were not mailed.", len(given_up), claim.door.person_id)
