"""The mail to a notice. A worker sends it, so that no moderator waits for a mail server.

The row says when to try (again); a mail may come twice if a worker dies in the middle, and never not at all.
"""

import logging
from datetime import timedelta
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.utils import timezone

from editor import rings
from editor.accounts.links import public_url
from editor.desk import appeals
from editor.models import Notice

log = logging.getLogger(__name__)

RETRY = timedelta(minutes=5)
PATIENCE = timedelta(days=3)
"""How long to try; what nobody could deliver until then stands in the portal all the same."""


def mail_notice(notice_id: str) -> None:
    """The RQ entry point: try once, if it is due."""
    rings.answered(rings.MAIL_NOTICE, notice_id)
    now = timezone.now()
    rows = Notice.objects.filter(pk=UUID(notice_id))
    if not rows.filter(mail_due_at__lte=now).update(mail_due_at=now + RETRY):
        return
    notice = rows.select_related("person", "decision").get()
    gone = notice.person.anonymised_at is not None
    if gone or send(notice):
        rows.update(mail_due_at=None)
    elif notice.created_at < now - PATIENCE:
        log.error("Notice %s was not mailed in %s.", notice.pk, PATIENCE)
        rows.update(mail_due_at=None)


def send(notice: Notice) -> bool:
    """False if the mail server fails."""
    context = {"headline": notice.headline, "words": notice.words, "notices_url": "", "appeal_url": ""}
    if notice.person.is_active:
        context["notices_url"] = public_url("notices")
    if notice.may_appeal and notice.decision is not None:
        context["appeal_url"] = public_url("appeal_by_link", token=appeals.token_for(notice.decision))
    return bool(get_adapter().send_mail("account/email/notice", notice.person.email, context))
