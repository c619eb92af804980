"""Who is in a workspace: roles, removing, leaving, handing over; inviting by mail and by link, and joining."""

from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from editor.access import Right, managed_workspace, may_change, member_of, roles_to_give
from editor.accounts import signup
from editor.accounts.links import public_url
from editor.accounts.mails import send_removed, send_workspace_invitation
from editor.forms import LinkInvitationForm, MailInvitationForm, RoleForm
from editor.models import Invitation, LastOwner, Membership, WorkspaceInvitation
from editor.templatetags.retake import a_role
from editor.views.frame import JOIN_KEY, PersonRequest, choose_workspace, signed_in
from editor.views.workspaces import workspace_page

LAST_OWNER = "Somebody must own this workspace. Make another member an owner first."


@require_POST
@signed_in
def member_role(request: PersonRequest, workspace_id: UUID, member_id: int) -> HttpResponse:
    me = member_of(request.user, workspace_id, Right.MANAGE)
    other = _other(me, member_id)
    form = RoleForm(roles_to_give(me), request.POST)
    if not form.is_valid():
        messages.error(request, "That role is not yours to give.")
        return redirect("workspace", workspace_id)
    try:
        me.workspace.change_role(other, form.cleaned_data["role"])
        messages.success(request, f"{other.user.get_short_name()} is now {a_role(form.cleaned_data['role'])}.")
    except LastOwner:
        messages.error(request, LAST_OWNER)
    return redirect("workspace", workspace_id)


@require_POST
@signed_in
def member_remove(request: PersonRequest, workspace_id: UUID, member_id: int) -> HttpResponse:
    me = member_of(request.user, workspace_id, Right.MANAGE)
    other = _other(me, member_id)
    try:
        me.workspace.remove(other)
        if other.pk != me.pk:
            send_removed(other.user, me.workspace)
        messages.success(request, f"{other.user.get_short_name()} is no longer in {me.workspace.name}.")
    except LastOwner:
        messages.error(request, LAST_OWNER)
    gone = not me.workspace.memberships.filter(pk=me.pk).exists()  # who removed themselves
    return redirect("workspaces") if gone else redirect("workspace", workspace_id)


@require_POST
@signed_in
def workspace_leave(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    me = member_of(request.user, workspace_id)
    if me.workspace.is_personal:
        messages.error(request, "This is your own workspace: there is no leaving it.")
        return redirect("workspace", workspace_id)
    try:
        me.workspace.remove(me)
    except LastOwner:
        messages.error(request, LAST_OWNER)
        return redirect("workspace", workspace_id)
    messages.success(request, f"You left {me.workspace.name}. What you made there stays there.")
    return redirect("workspaces")


@require_POST
@signed_in
def workspace_hand_over(request: PersonRequest, workspace_id: UUID, member_id: int) -> HttpResponse:
    me = member_of(request.user, workspace_id, Right.OWN)
    other = _other(me, member_id)
    if other.pk != me.pk:
        try:
            me.workspace.hand_over(me, other)
        except LastOwner:
            messages.error(request, f"Nothing was handed over: that member has just left {me.workspace.name}.")
            return redirect("workspace", workspace_id)
        messages.success(
            request, f"{other.user.get_short_name()} owns {me.workspace.name} now; you are an admin in it."
        )
    return redirect("workspace", workspace_id)


@require_POST
@signed_in
def invitation_create(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """By mail if an address is asked for, even an empty one; else by link."""
    me = _host(request, workspace_id)
    return (_invite_by_mail if "email" in request.POST else _invite_by_link)(request, me)


def _invite_by_mail(request: PersonRequest, me: Membership) -> HttpResponse:
    form = MailInvitationForm(roles_to_give(me), request.POST, auto_id="mail-%s")
    if not form.is_valid():
        return workspace_page(request, me, by_mail=form)
    if me.workspace.memberships.filter(user__email=form.cleaned_data["email"]).exists():
        form.add_error("email", "Whoever has this address is in the workspace already.")
        return workspace_page(request, me, by_mail=form)
    invitation = WorkspaceInvitation(workspace=me.workspace, invited_by=request.user, **form.facts(timezone.now()))
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError:
        form.add_error("email", "There is an open invitation for this address. Revoke it first to send another one.")
        return workspace_page(request, me, by_mail=form)
    if send_workspace_invitation(invitation):
        messages.success(request, f"The invitation went to {invitation.email}.")
    return redirect("workspace", me.workspace_id)


def _invite_by_link(request: PersonRequest, me: Membership) -> HttpResponse:
    form = LinkInvitationForm(roles_to_give(me), request.POST, auto_id="link-%s")
    if not form.is_valid():
        return workspace_page(request, me, by_link=form)
    WorkspaceInvitation.objects.create(workspace=me.workspace, invited_by=request.user, **form.facts(timezone.now()))
    messages.success(request, "The link is below. Give it to whom you want in.")
    return redirect("workspace", me.workspace_id)


@require_POST
@signed_in
def invitation_revoke(request: PersonRequest, workspace_id: UUID, invitation_id: UUID) -> HttpResponse:
    me = member_of(request.user, workspace_id, Right.MANAGE)
    invitation = WorkspaceInvitation.objects.filter(workspace=me.workspace, pk=invitation_id).first()
    if invitation is None:
        raise Http404
    if invitation.revoke():
        messages.success(request, "Revoked: nobody comes in by it any more.")
    return redirect("workspace", workspace_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads. Whoever is signed out signs in or up first, and is brought back here."""
    invitations = WorkspaceInvitation.objects.select_related("workspace", "invited_by")
    good = invitations.unused(timezone.now()).filter(workspace__trashed_at=None, invited_by__suspended_at=None)
    invitation = good.filter(token=token).first()
    if invitation is None:
        return render(request, "workspaces/join_gone.html", status=404)
    space = invitation.workspace
    if request.user.is_authenticated and space.memberships.filter(user=request.user).exists():
        choose_workspace(request, space)
        messages.info(request, f"You are in {space.name} already.")
        return redirect("workspace", space.pk)
    if not space.is_open:
        return render(request, "workspaces/join_archived.html", {"invitation": invitation}, status=404)
    if not request.user.is_authenticated:
        request.session[JOIN_KEY] = token
        return render(
            request, "workspaces/join_sign_in.html", {"invitation": invitation, "signup": _signup(invitation)}
        )
    if invitation.email and invitation.email != request.user.email:
        return render(request, "workspaces/join_other.html", {"invitation": invitation}, status=403)
    if invitation.is_from_before(request.user):
        return render(request, "workspaces/join_before.html", {"invitation": invitation}, status=403)
    if request.method != "POST":
        return render(request, "workspaces/join.html", {"invitation": invitation})
    if not invitation.accept(request.user):
        return render(request, "workspaces/join_gone.html", status=404)
    choose_workspace(request, space)
    messages.success(request, f"You are in {space.name}.")
    return redirect("studio")


def _signup(invitation: WorkspaceInvitation) -> str:
    """Where to make an account: a mailed invitation proves its address, and opens a sign-up that is by invitation."""
    if not invitation.email:
        return public_url("account_signup")
    defaults = {"invited_by": invitation.invited_by}
    own, _ = Invitation.objects.get_or_create(email=invitation.email, defaults=defaults)
    return public_url("account_signup") if own.accepted_at else signup.invitation_link(own)


def _host(request: PersonRequest, workspace_id: UUID) -> Membership:
    """Somebody who may invite; nobody into a personal, archived or trashed workspace. Raises Http404, InArchive."""
    me = managed_workspace(request.user, workspace_id)
    if me.workspace.is_personal:
        raise Http404
    return me


def _other(me: Membership, member_id: int) -> Membership:
    """A member whom the person may change. Raises Http404."""
    other = me.workspace.memberships.select_related("user").filter(pk=member_id).first()
    if other is None or me.workspace.is_personal or not may_change(me, other):
        raise Http404
    return other
