"""The mail that a batch is over, for who wanted one. A worker sends it; it may come twice, and never not at all."""

import logging
from datetime import timedelta
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.utils import timezone

from editor import rings
from editor.accounts.links import public_url
from editor.jobs import batches
from editor.models import Batch

log = logging.getLogger(__name__)

RETRY = timedelta(minutes=5)
PATIENCE = timedelta(days=1)


def mail_batch(batch_id: str) -> None:
    """The RQ entry point: try once, if it is due and nothing of it is under way again."""
    rings.answered(rings.MAIL_BATCH, batch_id)
    now = timezone.now()
    rows = Batch.objects.filter(pk=UUID(batch_id))
    if not rows.filter(pk__in=batches.to_be_mailed(now)).update(mail_due_at=now + RETRY):
        return
    batch = rows.select_related("made_by", "workspace").get()
    if not batch.made_by.is_active or send(batch):
        rows.update(mail_due_at=None)
    elif batch.created_at < now - PATIENCE:
        log.error("Nobody could be told that batch %s is over.", batch.pk)
        rows.update(mail_due_at=None)


def send(batch: Batch) -> bool:
    """False if the mail server fails."""
    context = {
        "batch": batch,
        "standing": batches.standing_of(batch),
        "batch_url": public_url("batch", batch_id=batch.pk),
    }
    return bool(get_adapter().send_mail("account/email/batch", batch.made_by.email, context))
