"""Telling that a batch is over: in the portal, and by a mail of its own to who wanted one, for this batch or for all.

A worker does it; a mail may come twice, and never not at all. In the portal it is told once, mail or not.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import Truncator

from editor import rings
from editor.accounts.links import public_url
from editor.jobs import batches
from editor.models import About, Batch
from editor.notifications import choices, telling, unsubscribing

log = logging.getLogger(__name__)

RETRY = timedelta(minutes=5)
PATIENCE = timedelta(days=1)


def mail_batch(batch_id: str) -> None:
    """The RQ entry point: tell and try to mail once, if it is due and nothing of it is under way again."""
    rings.answered(rings.MAIL_BATCH, batch_id)
    now = timezone.now()
    rows = Batch.objects.filter(pk=UUID(batch_id))
    for batch in rows.filter(pk__in=batches.to_be_told(now)).select_related("made_by", "workspace"):
        tell(batch, now)
    if not rows.filter(pk__in=batches.to_be_mailed(now)).update(mail_due_at=now + RETRY):
        return
    batch = rows.select_related("made_by", "workspace").get()
    if not _is_shown(batch) or send(batch):
        rows.update(mail_due_at=None)
    elif _ended_at(batch) < now - PATIENCE:
        log.error("Nobody could be told that batch %s is over.", batch.pk)
        rows.update(mail_due_at=None)


def _is_shown(batch: Batch) -> bool:
    """To its maker, at this moment: whoever left the workspace is mailed nothing of it."""
    there = {"workspace__memberships__user": batch.made_by, "workspace__trashed_at": None, "made_by__is_active": True}
    return Batch.objects.filter(pk=batch.pk, **there).exists()


def _ended_at(batch: Batch) -> datetime:
    """When its last edit ended: a large batch may take days."""
    last: datetime | None = batch.jobs.aggregate(last=Max("finished_at"))["last"]
    return last or batch.created_at


def tell(batch: Batch, now: datetime) -> None:
    """In the portal, once; and from now on a mail is due if its maker chose so for all batches."""
    chosen = choices.choice_of(batch.made_by, About.BATCH)
    rows = Batch.objects.filter(pk=batch.pk, tell_due_at__isnull=False)
    mail = {"mail_due_at": Coalesce("mail_due_at", now)} if chosen.by_mail else {}
    with transaction.atomic():
        if not rows.update(tell_due_at=None, **mail):
            return
        about = {"workspace": batch.workspace, "batch": batch}
        subject, words = f"batch:{batch.pk}", _words(batch)
        telling.write(batch.made_by, About.BATCH, subject, words, in_portal=chosen.in_portal, by_mail=False, **about)


def _words(batch: Batch) -> str:
    standing, name = batches.standing_of(batch), Truncator(batch.prompt).chars(60)
    if standing.looking:
        return f"“{name}”: {standing.looking} of {standing.total} wait for you to look at them"
    return f"“{name}” is finished: {standing.done} of {standing.total} done"


def send(batch: Batch) -> bool:
    """False if the mail server fails."""
    unsubscribe = unsubscribing.address_for(batch.made_by, [About.BATCH])
    context = {
        "batch": batch,
        "standing": batches.standing_of(batch),
        "batch_url": public_url("batch", batch_id=batch.pk),
        "unsubscribe_url": unsubscribe,
    }
    headers = unsubscribing.headers_for(unsubscribe)
    return bool(get_adapter().send_mail("account/email/batch", batch.made_by.email, context, headers))
