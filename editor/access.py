"""Who may see and do what. The only permission code; strangers get a 404, never a hint."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404

from editor.models import GenerationJob, Image, ImageState, Membership, Role, Workspace

if TYPE_CHECKING:
    from editor.models import User

MAY_EDIT = {Role.EDITOR, Role.ADMIN, Role.OWNER}


def image_for(user: "User", image_id: UUID) -> Image:
    """A picture that the person may see. Raises Http404."""
    image = Image.objects.visible_to(user).filter(pk=image_id).first()
    if image is None:
        raise Http404
    return image


def trashed_image_for(user: "User", image_id: UUID) -> Image:
    """A picture that the person may put back, in the trash or not. Raises Http404."""
    editable = Workspace.objects.filter(memberships__user=user, memberships__role__in=MAY_EDIT)
    image = Image.objects.filter(workspace__in=editable, pk=image_id).first()
    if image is None:
        raise Http404
    return image


def source_for(user: "User", image_id: UUID) -> Image | None:
    """A picture that the person may edit in its workspace: not refused, not in the trash. None otherwise."""
    editable = Workspace.objects.filter(memberships__user=user, memberships__role__in=MAY_EDIT)
    images = Image.objects.filter(workspace__in=editable, trashed_at=None).exclude(state=ImageState.REFUSED)
    return images.filter(pk=image_id).select_related("workspace").first()


def job_for(user: "User", job_id: UUID) -> GenerationJob:
    """An edit that the person may see. Raises Http404."""
    job = GenerationJob.objects.visible_to(user).with_pictures().filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job


def own_job_for(user: "User", job_id: UUID) -> GenerationJob:
    """An edit that the person made, so that they may cancel it or send it again. Raises Http404."""
    job = job_for(user, job_id)
    if job.made_by_id != user.pk:
        raise Http404
    return job


def may_edit_in(user: "User", workspace: Workspace) -> bool:
    return Membership.objects.filter(user=user, workspace=workspace, role__in=MAY_EDIT).exists()
