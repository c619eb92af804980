"""Who is in a workspace, as what, and what that lets them do there."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404

from editor.models import (
    Membership,
    Role,
    Workspace,
)
from editor.models.workspaces import RANK

if TYPE_CHECKING:
    from editor.models import User
    from editor.models.workspaces import WorkspaceQuerySet


class InArchive(Http404):
    """The person may do this in the workspace, but for its lying in the archive. Who is not in it is told nothing."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(f"{workspace.name} is in the archive: nothing changes there. An owner can take it out.")


class Right(StrEnum):
    """What a role may do in a workspace, from the least to the most."""

    SEE = "see"  # pictures, edits and members; download
    EDIT = "edit"  # upload, edit, trash and put back
    MANAGE = "manage"  # rename, invite, change roles below an owner's, remove members
    OWN = "own"  # make owners, archive, delete


RIGHTS = {
    Role.VIEWER: {Right.SEE},
    Role.EDITOR: {Right.SEE, Right.EDIT},
    Role.ADMIN: {Right.SEE, Right.EDIT, Right.MANAGE},
    Role.OWNER: {Right.SEE, Right.EDIT, Right.MANAGE, Right.OWN},
}


def roles_with(right: Right) -> list[Role]:
    return [role for role, rights in RIGHTS.items() if right in rights]


MAY_EDIT = roles_with(Right.EDIT)


def member_of(user: "User", workspace_id: UUID, right: Right = Right.SEE) -> Membership:
    """The person's membership in a workspace where they may do this, archived ones included. Raises Http404."""
    memberships = Membership.objects.select_related("workspace").filter(user=user, workspace__trashed_at=None)
    found = memberships.filter(workspace=workspace_id, role__in=roles_with(right)).first()
    if found is None:
        raise Http404
    return found


def may_change(actor: Membership, other: Membership) -> bool:
    """Whether somebody may change another member's role or remove them: admins those below owners, owners all."""
    if Right.OWN in RIGHTS[Role(actor.role)]:
        return True
    return Right.MANAGE in RIGHTS[Role(actor.role)] and other.role != Role.OWNER


def roles_to_give(actor: Membership) -> list[Role]:
    """The roles that somebody may give: an admin's own and those below it; only owners make owners."""
    if Right.MANAGE not in RIGHTS[Role(actor.role)]:
        return []
    return [role for role in Role if RANK[role] <= actor.rank]


def workspace_for(user: "User", workspace_id: UUID) -> Workspace:
    """A workspace that the person is in. Raises Http404."""
    return member_of(user, workspace_id).workspace


def open_workspace_for(user: "User", workspace_id: UUID) -> Workspace:
    """One in which the person may change pictures now. Raises Http404, InArchive."""
    workspace = member_of(user, workspace_id, Right.EDIT).workspace
    if not workspace.is_open:
        raise InArchive(workspace)
    return workspace


def managed_workspace(user: "User", workspace_id: UUID) -> Membership:
    """The membership of somebody who may manage a workspace now. Raises Http404, InArchive."""
    me = member_of(user, workspace_id, Right.MANAGE)
    if not me.workspace.is_open:
        raise InArchive(me.workspace)
    return me


def editable_workspaces(user: "User") -> "WorkspaceQuerySet":
    """Where the person may upload and edit."""
    return Workspace.objects.filter(
        memberships__user=user, memberships__role__in=MAY_EDIT, archived_at=None, trashed_at=None
    )


def may_edit_as(role: str, workspace: Workspace) -> bool:
    """The same of a membership that is known already."""
    return role in MAY_EDIT and workspace.is_open


def may_edit_in(user: "User", workspace: Workspace) -> bool:
    return editable_workspaces(user).filter(pk=workspace.pk).exists()
