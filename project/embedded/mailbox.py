"""Mail of a portal without a mail server: into the log, and onto a page that only the embedded start has.

The page needs no sign-in, so whoever reaches it could take over every account whose mail it shows. Mail to people of
the administration is therefore in the log alone.
"""

import json
import logging
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from editor.models import User

log = logging.getLogger(__name__)

KEPT = 100  # mails
ID = re.compile(r"[0-9]{20}-[0-9a-f]{8}")  # nanoseconds since 1970, so that ids sort by age, and chance


@dataclass(frozen=True)
class Mail:
    """One mail as the page shows it."""

    id: str
    subject: str
    to: list[str]
    body: str

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id.split("-")[0]) / 1e9, UTC)


def directory() -> Path:
    """Where mails are kept; nobody else on the machine reads it."""
    place = Path(settings.VAR_DIR) / "mailbox"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


class Backend(BaseEmailBackend):
    """Django's door for mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            write_to_log(message)
            if not staff_among(message.recipients()):
                keep(message)
        return len(email_messages)


def write_to_log(message: EmailMessage) -> None:
    # The bar before each line keeps a mail from looking like lines of the log.
    body = "".join(f"\n  | {line}" for line in str(message.body).splitlines())
    log.info("Mail to %s: %s%s", ", ".join(message.recipients()), message.subject, body)


def staff_among(addresses: Iterable[str]) -> bool:
    """Whether one of these addresses belongs to the administration, also one that is not confirmed yet."""
    known = {address.strip().lower() for address in addresses}
    staff = Q(is_staff=True) | Q(is_superuser=True)
    ids = EmailAddress.objects.filter(email__in=known).values("user")
    return User.objects.filter(staff).filter(Q(email__in=known) | Q(pk__in=ids)).exists()


def keep(message: EmailMessage) -> None:
    """Write one mail, whole or not at all, and forget the oldest."""
    mail = Mail(
        id=f"{time.time_ns():020d}-{secrets.token_hex(4)}",
        subject=str(message.subject),
        to=message.recipients(),
        body=str(message.body),
    )
    draft = directory() / f"{mail.id}.draft"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(mail)))
    draft.rename(draft.with_suffix(".json"))
    for old in sorted(directory().glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


def read(mail_id: str) -> Mail | None:
    """A kept mail. None if there is none by this id, or if it is the administration's by now."""
    if not ID.fullmatch(mail_id):
        return None
    try:
        mail = Mail(**json.loads((directory() / f"{mail_id}.json").read_text()))
    except FileNotFoundError:
        return None
    return None if staff_among(mail.to) else mail


@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """All kept mails, newest first."""
    names = sorted((entry.stem for entry in directory().glob("*.json")), reverse=True)
    mails = [mail for mail in map(read, names) if mail]
    return render(request, "mailbox/list.html", {"mails": mails})


@require_safe
@never_cache
def mailbox_message(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One mail. Raises Http404."""
    mail = read(mail_id)
    if mail is None:
        raise Http404
    return render(request, "mailbox/message.html", {"mail": mail})


urlpatterns: list[URLPattern] = [
    path("mailbox/", mailbox, name="mailbox"),
    path("mailbox/<str:mail_id>/", mailbox_message, name="mailbox_message"),
]
