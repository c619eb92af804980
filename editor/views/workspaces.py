"""Workspaces: the list, a workspace's own page, and what its admins and owners change about it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from editor.access import RIGHTS, Right, image_for, managed_workspace, may_change, member_of, roles_to_give
from editor.forms import CoverForm, LinkInvitationForm, MailInvitationForm, WorkspaceForm
from editor.jobs.abandoned import cancel_in
from editor.models import OWNED_MAX, Membership, Role, TooManyWorkspaces, Workspace, WorkspaceInvitation
from editor.models.chosen import chosen
from editor.notifications.activity import new_since
from editor.views.activity import number_words
from editor.views.frame import PersonRequest, choose_workspace, signed_in, way_back

MEMBERS_SHOWN = 200


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def workspaces(request: PersonRequest) -> HttpResponse:
    """All that the person is in, and a form for a new one."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            workspace = Workspace.objects.found(request.user, form.cleaned_data["name"])
            choose_workspace(request, workspace)
            messages.success(request, f"{workspace.name} is yours. Invite the others.")
            return redirect("workspace", workspace.pk)
        except TooManyWorkspaces:
            form.add_error("name", f"You own {OWNED_MAX} workspaces already. Hand one over or delete one first.")
    memberships = Membership.objects.filter(user=request.user, workspace__trashed_at=None).select_related(
        "workspace__cover"
    )
    context = {
        "form": form,
        "memberships": memberships.order_by("-workspace__personal_for", "workspace__archived_at", "workspace__name"),
        "trashed": Workspace.objects.trashed_of(request.user),
        "days": chosen.TRASH_DAYS,
    }
    return render(request, "workspaces/list.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
@signed_in
def workspace(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    me = member_of(request.user, workspace_id)
    choose_workspace(request, me.workspace)  # whoever opens it goes on in it
    return workspace_page(request, me)


def workspace_page(
    request: PersonRequest,
    me: Membership,
    by_mail: MailInvitationForm | None = None,
    by_link: LinkInvitationForm | None = None,
    name: WorkspaceForm | None = None,
) -> HttpResponse:
    """Who is in it and what the reader may change; forms that were refused come back with what is wrong."""
    space = me.workspace
    rights = RIGHTS[Role(me.role)]
    given = roles_to_give(me)
    members = [
        {"membership": other, "may_change": may_change(me, other) and not space.is_personal, "is_me": other.pk == me.pk}
        for other in space.memberships.select_related("user").order_by("created_at")[:MEMBERS_SHOWN]
    ]
    invitations = WorkspaceInvitation.objects.unused(timezone.now()).filter(workspace=space)
    context = {
        "workspace": space,
        "me": me,
        "members": members,
        "roles": given,
        "may_manage": Right.MANAGE in rights and space.is_open,
        "may_own": Right.OWN in rights,
        "invitations": invitations.select_related("invited_by").order_by("-created_at")
        if Right.MANAGE in rights
        else [],
        "by_mail": by_mail or MailInvitationForm(given, auto_id="mail-%s"),
        "by_link": by_link or LinkInvitationForm(given, auto_id="link-%s"),
        "name_form": name or WorkspaceForm(initial={"name": space.name}),
        "news": number_words(new_since(request.user, space, me.activity_seen_at)) if me.activity_seen_at else "",
    }
    refused = any(form is not None and form.errors for form in (by_mail, by_link, name))
    return render(request, "workspaces/workspace.html", context, status=422 if refused else 200)


@require_POST
@signed_in
def workspace_open(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Work in it from now on: the switcher."""
    choose_workspace(request, member_of(request.user, workspace_id).workspace)
    return way_back(request.POST.get("next", ""), reverse("studio"))


@require_POST
@signed_in
def workspace_rename(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    me = managed_workspace(request.user, workspace_id)
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return workspace_page(request, me, name=form)
    Workspace.objects.filter(pk=me.workspace_id).update(name=form.cleaned_data["name"])
    messages.success(request, "Renamed.")
    return redirect("workspace", workspace_id)


@require_POST
@signed_in
def workspace_cover(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """One of its pictures as its own, or with an empty `picture` none."""
    me = managed_workspace(request.user, workspace_id)
    form = CoverForm(request.POST)
    if not form.is_valid():
        raise Http404
    wanted = form.cleaned_data["picture"]
    picture = image_for(request.user, wanted) if wanted else None
    if picture and (picture.workspace_id != me.workspace_id or not picture.is_ready):
        raise Http404
    if picture and (picture.sensitive or picture.withheld_at is not None):
        why = "is marked as sensitive" if picture.sensitive else "waits for a look by a moderator"
        messages.error(request, f"This picture {why}, so it can't stand for the workspace. Choose another one.")
        return redirect("picture", picture.pk)
    Workspace.objects.filter(pk=me.workspace_id).update(cover=picture)
    messages.success(request, "That is its picture now." if picture else "It has no picture any more.")
    return redirect("picture", picture.pk) if picture else redirect("workspace", workspace_id)


@require_POST
@signed_in
def workspace_archive(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    """Into the archive, or out of it with `reopen`."""
    space = member_of(request.user, workspace_id, Right.OWN).workspace
    if request.POST.get("reopen"):
        if space.reopen():
            messages.success(request, "Open again: everybody in it may work in it.")
    elif space.archive():
        messages.success(request, "In the archive: it can be looked at, and nothing in it changes.")
    return redirect("workspace", workspace_id)


@require_POST
@signed_in
def workspace_trash(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    space = member_of(request.user, workspace_id, Right.OWN).workspace
    if space.is_personal:
        messages.error(request, "Your own workspace goes only with your account.")
        return redirect("workspace", workspace_id)
    if space.trash():
        cancel_in(space)
        undo = reverse("workspace_restore", args=[space.pk])
        words = f"{space.name} is in the trash for {chosen.TRASH_DAYS} days; nobody sees it meanwhile."
        messages.success(request, words, extra_tags=f"undo={undo} trash={reverse('workspaces')}")
    return redirect("workspaces")


@require_POST
@signed_in
def workspace_restore(request: PersonRequest, workspace_id: UUID) -> HttpResponse:
    space = Workspace.objects.trashed_of(request.user).filter(pk=workspace_id).first()
    if space is None:
        raise Http404
    if space.restore():
        messages.success(request, f"{space.name} is back.")
    return redirect("workspace", workspace_id)
