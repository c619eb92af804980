"""Pictures, by themselves and in collections."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q
from django.http import Http404

from editor.access.roles import InArchive, Right, editable_workspaces, open_workspace_for, roles_with, workspace_for
from editor.models import (
    Collection,
    DownloadPreset,
    Image,
    ImageState,
    JobSource,
    Workspace,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import User


def image_for(user: "User", image_id: UUID) -> Image:
    """A picture that the person may see. Raises Http404."""
    rows = Image.objects.visible_to(user).select_related("workspace", "root", "change_map")
    image = rows.filter(pk=image_id).first()
    if image is None:
        raise Http404
    return image


def deliverable_to(user: "User", image_ids: Iterable[UUID]) -> list[Image]:
    """Of these pictures those whose bytes the person may have, with no more than what it takes to find the bytes."""
    there = Image.objects.visible_to(user).filter(pk__in=image_ids, state=ImageState.READY, purged_at=None)
    return list(there.only("name", "master_ext", "master_sha256", "rendition_widths"))


def exportable_for(user: "User", image_id: UUID) -> Image:
    """A picture whose bytes the person may have, with all that a download says of it. Raises Http404."""
    there = Image.objects.visible_to(user).filter(pk=image_id, state=ImageState.READY, purged_at=None)
    image = there.select_related("workspace", "job").first()
    if image is None:
        raise Http404
    return image


def compared_for(user: "User", image_id: UUID) -> Image:
    """A result whose source the person may see as well: what changed shows something of both. Raises Http404."""
    image = image_for(user, image_id)
    source = JobSource.objects.filter(job=image.job_id, position=0).select_related("image").first()
    if image.job_id is None or source is None:
        raise Http404
    before = source.image
    if not before.is_shown_to(user) or any(not each.is_ready or each.purged_at for each in (image, before)):
        raise Http404
    return image


def trashed_image_for(user: "User", image_id: UUID) -> Image:
    """A picture that the person may put back, in the trash or not. Raises Http404, InArchive."""
    image = Image.objects.there_for(user).filter(pk=image_id).first()
    if image is None:
        raise Http404
    open_workspace_for(user, image.workspace_id)
    return image


def source_for(user: "User", image_id: UUID) -> Image | None:
    """A picture that the person may edit in its workspace: not refused, not in the trash. None otherwise."""
    images = Image.objects.shown_to(user).filter(workspace__in=editable_workspaces(user))
    return images.exclude(state=ImageState.REFUSED).filter(pk=image_id).select_related("workspace").first()


def pictures_for(
    user: "User", workspace_id: UUID, ids: Iterable[UUID], right: Right = Right.SEE
) -> tuple[Workspace, list[Image]]:
    """Of these pictures those that lie in the workspace, if the person may do this there.

    The others, a stranger's as well as those that never were, are left out. Raises Http404 if none is left, InArchive.
    """
    workspace = (open_workspace_for if right == Right.EDIT else workspace_for)(user, workspace_id)
    rows = Image.objects.shown_to(user).filter(workspace=workspace, pk__in=ids).select_related("job")
    images = list(rows.exclude(state=ImageState.REFUSED).order_by("-created_at", "-id"))
    if not images:
        raise Http404
    return workspace, images


def collection_for(user: "User", collection_id: UUID, right: Right = Right.SEE) -> tuple[Collection, list[Collection]]:
    """A collection and those inside it, in one query. Raises Http404, InArchive."""
    mine = Q(workspace__memberships__user=user, workspace__memberships__role__in=roles_with(right))
    family = Collection.objects.filter(mine, Q(pk=collection_id) | Q(parent=collection_id), workspace__trashed_at=None)
    rows = list(family.select_related("workspace", "parent"))
    found = next((each for each in rows if each.pk == collection_id), None)
    if found is None:
        raise Http404
    if right == Right.EDIT and not found.workspace.is_open:
        raise InArchive(found.workspace)
    return found, [each for each in rows if each is not found]


def presets_of(user: "User", workspace_id: UUID) -> "QuerySet[DownloadPreset]":
    """The ways of downloading that a workspace keeps, for whoever is in it."""
    theirs = DownloadPreset.objects.filter(workspace__memberships__user=user, workspace__trashed_at=None)
    return theirs.filter(workspace=workspace_id)


def preset_for(user: "User", preset_id: UUID, right: Right = Right.SEE) -> DownloadPreset:
    """A way of downloading of a workspace in which the person may do this. Raises Http404, InArchive."""
    mine = Q(workspace__memberships__user=user, workspace__memberships__role__in=roles_with(right))
    found = DownloadPreset.objects.filter(mine, pk=preset_id, workspace__trashed_at=None)
    preset = found.select_related("workspace").first()
    if preset is None:
        raise Http404
    if right != Right.SEE and not preset.workspace.is_open:
        raise InArchive(preset.workspace)
    return preset
