"""Who of the staff signed in, and how, for the audit log."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest

from editor.accounts.roles import belongs_to_staff
from editor.models import User
from editor.moderation import audit


def record_staff(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Receiver, after somebody signed in."""
    if not belongs_to_staff(user):
        return
    ways = sorted({str(record.get("method", "")) for record in get_authentication_records(request, user)})
    audit.record(user, "staff.signed_in", user, f"With {' and '.join(ways)}." if ways else "", ways=ways)
