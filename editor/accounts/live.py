"""Event streams end with the session that opened them, and begin anew when somebody sees more or less than before."""

from typing import Any

from django.http import HttpRequest

from editor import events
from editor.models import Membership, User


def end_with_session(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Receiver, while somebody signs out."""
    if user is not None and request.session.session_key is not None:
        events.end_streams_of_session(request.session.session_key)


def begin_anew(user: User, **kwargs: Any) -> None:
    """Receiver, after somebody changed their password, which ended their other sessions."""
    events.end_streams(user.pk)


def begin_anew_for_member(instance: Membership, **kwargs: Any) -> None:
    """Receiver, after somebody came into a workspace or left one. A role changes nothing of what they see."""
    events.end_streams(instance.user_id)


def end_of_inactive(instance: User, **kwargs: Any) -> None:
    """Receiver, after an account was saved: one that is switched off or deleted hears nothing more."""
    if not instance.is_active:
        events.end_streams(instance.pk)
