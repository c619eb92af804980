"""What the portal writes to people about their accounts, outside of allauth's own mails."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from editor.accounts.links import public_url
from editor.accounts.signup import INVITATION_DAYS, invitation_link
from editor.models import Invitation, User, Workspace, WorkspaceInvitation


def send_invitation(invitation: Invitation) -> bool:
    """Mail the link that lets this address sign up. False if it could not be sent."""
    context = {
        "invited_by": invitation.invited_by.get_full_name(),
        "signup_url": invitation_link(invitation),
        "days": INVITATION_DAYS,
    }
    return bool(get_adapter().send_mail("account/email/invitation", invitation.email, context))


def send_welcome(user: User) -> bool:
    """Mail a link to choose a password to somebody whose account an administrator made."""
    key = default_token_generator.make_token(user)
    link = public_url("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=key)
    return bool(get_adapter().send_mail("account/email/welcome", user.email, {"password_reset_url": link}))


def send_workspace_invitation(invitation: WorkspaceInvitation) -> bool:
    """Mail the link that lets this address into a workspace. False if it could not be sent."""
    context = {
        "invited_by": invitation.invited_by.get_full_name(),
        "workspace": invitation.workspace.name,
        "role": invitation.get_role_display().lower(),
        "join_url": public_url("join", token=invitation.token),
        "expires_at": invitation.expires_at,
    }
    return bool(get_adapter().send_mail("account/email/workspace_invitation", invitation.email, context))


def send_removed(user: User, workspace: Workspace) -> bool:
    """Tell somebody that they were removed from a workspace. False if it could not be sent."""
    context = {"workspace": workspace.name, "studio_url": public_url("studio")}
    return bool(get_adapter().send_mail("account/email/workspace_removed", user.email, context))
