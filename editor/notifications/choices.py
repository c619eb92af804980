"""How people want to be told: in the portal, by mail, both or neither, for each thing that they may be told about."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction

from editor.models import About, Batch, Notification, ToldBy, User
from editor.notifications.seeing import lock

NOT_BY_MAIL = {About.BATCH}
"""Unless somebody chooses it: for a batch there is a box on its form."""


@dataclass(frozen=True)
class Choice:
    about: About
    in_portal: bool
    by_mail: bool


def choice_of(person: User, about: About) -> Choice:
    row = ToldBy.objects.filter(person=person, about=about).first()
    return Choice(about, row.in_portal, row.by_mail) if row else _usual(about)


def choices_of(person: User) -> list[Choice]:
    """All of them, in the order in which they are shown."""
    rows = {row.about: row for row in ToldBy.objects.filter(person=person)}
    return [
        Choice(about, rows[about].in_portal, rows[about].by_mail) if about in rows else _usual(about) for about in About
    ]


def choose(person: User, chosen: Mapping[About, tuple[bool, bool]]) -> None:
    """Write how the person is told from now on: in the portal, by mail."""
    for about, (in_portal, by_mail) in chosen.items():
        ToldBy.objects.update_or_create(
            person=person, about=about, defaults={"in_portal": in_portal, "by_mail": by_mail}
        )


def switch_mail(person: User, abouts: Collection[About], *, on: bool) -> None:
    """By mail, or no longer; whether it stands in the portal stays as it was. What waits to be mailed is not."""
    with transaction.atomic():
        lock(person.pk)
        for about in abouts:
            usual = _usual(about)
            ToldBy.objects.update_or_create(
                person=person,
                about=about,
                defaults={"by_mail": on},
                create_defaults={"by_mail": on, "in_portal": usual.in_portal},
            )
        if on:
            return
        waiting = Notification.objects.filter(person=person, about__in=abouts, seen_at=None, mail_due_at__isnull=False)
        waiting.update(mail_due_at=None)
        if About.BATCH in abouts:
            Batch.objects.filter(made_by=person, mail_due_at__isnull=False).update(mail_due_at=None)


def _usual(about: About) -> Choice:
    return Choice(about, in_portal=True, by_mail=about not in NOT_BY_MAIL)
