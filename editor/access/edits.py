"""Edits, batches and recipes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404

from editor.access.roles import MAY_EDIT, InArchive, Right, member_of, roles_with
from editor.models import (
    Batch,
    BatchItem,
    GenerationJob,
    Image,
    ImageState,
    Recipe,
    Workspace,
)

if TYPE_CHECKING:
    from editor.models import User
    from editor.models.recipes import RecipeQuerySet


def known_edits(user: "User", images: Iterable[Image]) -> set[UUID]:
    """Of the edits that made these pictures those that the person may see: of others a download says nothing."""
    jobs = {image.job_id for image in images if image.job_id}
    return set(GenerationJob.objects.visible_to(user).filter(pk__in=jobs).values_list("pk", flat=True))


def edits_for(user: "User", ids: Iterable[UUID], right: Right = Right.SEE) -> list[GenerationJob]:
    """Of these edits those that lie where the person may do this now, newest first.

    The others, a stranger's as well as those that never were, are left out. Raises Http404 if none is left, InArchive.
    """
    mine = {"workspace__memberships__user": user, "workspace__memberships__role__in": roles_with(right)}
    rows = GenerationJob.objects.filter(**mine, workspace__trashed_at=None, pk__in=ids).select_related("workspace")
    jobs = list(rows.order_by("-created_at", "-id"))
    if not jobs:
        raise Http404
    there = [job for job in jobs if right == Right.SEE or job.workspace.is_open]
    if not there:
        raise InArchive(jobs[0].workspace)
    return there


def results_of(user: "User", jobs: Iterable[GenerationJob]) -> list[Image]:
    """The ready pictures of these edits that are shown to the person, newest first; with their edits and workspaces."""
    images = Image.objects.shown_to(user).filter(job__in=list(jobs), state=ImageState.READY, purged_at=None)
    return list(images.select_related("job", "workspace").order_by("-job__created_at", "-job", "-position"))


def job_for(user: "User", job_id: UUID) -> GenerationJob:
    """An edit that the person may see. Raises Http404."""
    job = GenerationJob.objects.visible_to(user).with_pictures().filter(pk=job_id).select_related("workspace").first()
    if job is None:
        raise Http404
    return job


def own_job_for(user: "User", job_id: UUID) -> GenerationJob:
    """An edit that the person made, so that they may cancel it or send it again. Raises Http404."""
    job = job_for(user, job_id)
    if job.made_by_id != user.pk:
        raise Http404
    return job


def batch_for(user: "User", batch_id: UUID) -> Batch:
    """A batch whose edits the person may see. Raises Http404."""
    mine = Batch.objects.filter(workspace__memberships__user=user, workspace__trashed_at=None)
    batch = mine.filter(pk=batch_id).select_related("workspace", "made_by").first()
    if batch is None:
        raise Http404
    return batch


def own_batch_for(user: "User", batch_id: UUID) -> Batch:
    """One that the person made, so that they may stop it or run it again. Raises Http404."""
    batch = batch_for(user, batch_id)
    if batch.made_by_id != user.pk:
        raise Http404
    return batch


def recipe_for(user: "User", recipe_id: UUID) -> Recipe:
    """A recipe that the person may use: their own, or a shared one. Raises Http404."""
    recipe = Recipe.objects.visible_to(user).newest_first().filter(pk=recipe_id).first()
    if recipe is None:
        raise Http404
    return recipe


def changeable_recipe_for(user: "User", recipe_id: UUID) -> Recipe:
    """One that the person may change, delete and put back, be it put away or not. Raises Http404, InArchive."""
    recipe = Recipe.objects.known_to(user).newest_first().filter(pk=recipe_id).first()
    if recipe is None or not may_change_recipe_as(member_of(user, recipe.workspace_id).role, user, recipe):
        raise Http404
    if not recipe.workspace.is_open:
        raise InArchive(recipe.workspace)
    return recipe


def own_recipe_for(user: "User", recipe_id: UUID) -> Recipe:
    """One that the person made and may change, so that they may share it. Raises Http404, InArchive."""
    recipe = changeable_recipe_for(user, recipe_id)
    if recipe.made_by_id != user.pk:
        raise Http404
    return recipe


def may_change_recipe_as(role: str, user: "User", recipe: Recipe) -> bool:
    """Of a recipe that the person may see, with their role in its workspace: its maker, and of shared ones who manages.

    Whether the workspace lies in the archive is not asked here.
    """
    if recipe.made_by_id == user.pk:
        return role in MAY_EDIT
    return recipe.shared and role in roles_with(Right.MANAGE)


def recipes_of(user: "User", workspace: Workspace) -> "RecipeQuerySet":
    """The recipes of a workspace that the person may use: their own, and shared ones."""
    return Recipe.objects.visible_to(user).filter(workspace=workspace).order_by("name", "pk")


def own_item_for(user: "User", batch_id: UUID, number: int) -> BatchItem:
    """A picture of a batch that the person made, with its present edit. Raises Http404."""
    batch = own_batch_for(user, batch_id)
    found = BatchItem.objects.of(batch).filter(number=number).select_related("job", "image", "source", "kept").first()
    if found is None:
        raise Http404
    found.batch = batch
    return found
