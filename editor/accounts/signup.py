"""Who may sign up: SIGNUP is `open`, `domain:a.com,b.com` or `invite`. An invitation opens all of them."""

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from editor.accounts.addresses import ascii_domain
from editor.accounts.links import public_url
from editor.models import Invitation
from editor.models.chosen import chosen

INVITATION_DAYS = 14
SESSION_KEY = "invitation"
_SALT = "retake.invitation"


def domains() -> list[str]:
    """The domains whose addresses may sign up, in ASCII; empty if SIGNUP names none."""
    kind, _, names = chosen.SIGNUP.partition(":")
    return [ascii_domain(name) for name in names.split(",") if name.strip()] if kind == "domain" else []


def is_by_invitation() -> bool:
    return bool(chosen.SIGNUP == "invite")


def admits(address: str) -> bool:
    """Whether this (normal) address may sign up without an invitation."""
    if is_by_invitation():
        return False
    named = domains()
    return not named or address.rpartition("@")[2] in named


def policy() -> str:
    """One sentence for the sign-up page; empty where everybody may."""
    if is_by_invitation():
        return "Sign-up is by invitation."
    named = domains()
    return f"For addresses at {' or '.join(named)}." if named else ""


def invitation_link(invitation: Invitation) -> str:
    """The address of the sign-up page for this invitation. Whoever has it has read the invited mailbox."""
    token = signing.dumps([invitation.pk, invitation.email], salt=_SALT)
    return public_url("account_signup", query={"invitation": token})


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The open invitation that this visitor came with, by the link itself or remembered in the session."""
    token = request.GET.get("invitation", "")
    if token and _find(token):
        request.session[SESSION_KEY] = token
    return _find(request.session.get(SESSION_KEY, ""))


def accept(request: HttpRequest, address: str) -> None:
    """Close the invitation of this address after its sign-up."""
    request.session.pop(SESSION_KEY, None)
    open_invitations().filter(email=address).update(accepted_at=timezone.now())


def open_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, invited_by__suspended_at=None)


def _find(token: str) -> Invitation | None:
    try:
        pk, email = signing.loads(token, salt=_SALT, max_age=INVITATION_DAYS * 86_400)
    except signing.BadSignature:
        return None
    return open_invitations().filter(pk=pk, email=email).first()
