"""Who may see and do what. The only permission code; strangers get a 404, never a hint.

`docs/roles.md` says the same in words, and a test compares the two.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F, Q
from django.http import Http404
from django.utils import timezone

from editor.models import (
    Approval,
    ApprovalState,
    Batch,
    BatchItem,
    Collection,
    CollectionItem,
    Comment,
    Culling,
    DownloadPreset,
    GenerationJob,
    Image,
    ImageState,
    JobSource,
    Membership,
    Notification,
    Recipe,
    Replacement,
    Review,
    ReviewState,
    Role,
    Share,
    ShareKind,
    Workspace,
)
from editor.models.workspaces import RANK

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import User
    from editor.models.images import ImageQuerySet
    from editor.models.recipes import RecipeQuerySet
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


def known_edits(user: "User", images: Iterable[Image]) -> set[UUID]:
    """Of the edits that made these pictures those that the person may see: of others a download says nothing."""
    jobs = {image.job_id for image in images if image.job_id}
    return set(GenerationJob.objects.visible_to(user).filter(pk__in=jobs).values_list("pk", flat=True))


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


def talked_image_for(user: "User", image_id: UUID) -> Image:
    """A picture about which the person may say something now: members of every role. Raises Http404, InArchive."""
    image = image_for(user, image_id)
    if not image.workspace.is_open:
        raise InArchive(image.workspace)
    return image


def comment_for(user: "User", comment_id: UUID) -> Comment:
    """One that the person may read, about a picture that still lies where it was written. Raises Http404."""
    there = Comment.objects.filter(image__in=Image.objects.visible_to(user), workspace=F("image__workspace"))
    rows = there.filter(pk=comment_id, deleted_at=None)
    comment = rows.select_related("image__workspace", "thread", "made_by").first()
    if comment is None:
        raise Http404
    return comment


def settled_thread_for(user: "User", comment_id: UUID) -> Comment:
    """The first comment of a thread that the person may settle and open again now. Raises Http404, InArchive."""
    there = Comment.objects.filter(image__in=Image.objects.visible_to(user), workspace=F("image__workspace"))
    first = there.filter(pk=comment_id, thread=None).select_related("image__workspace").first()
    if first is None:
        raise Http404
    return _talked(first)


def own_comment_for(user: "User", comment_id: UUID) -> Comment:
    """One that the person wrote, so that they may change it now. Raises Http404, InArchive."""
    comment = comment_for(user, comment_id)
    if comment.made_by_id != user.pk:
        raise Http404
    return _talked(comment)


def removable_comment_for(user: "User", comment_id: UUID) -> Comment:
    """One that the person wrote, or that lies where they manage. Raises Http404, InArchive."""
    comment = comment_for(user, comment_id)
    if comment.made_by_id != user.pk:
        member_of(user, comment.workspace_id, Right.MANAGE)
    return _talked(comment)


def _talked(comment: Comment) -> Comment:
    if not comment.image.workspace.is_open:
        raise InArchive(comment.image.workspace)
    return comment


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


def own_item_for(user: "User", batch_id: UUID, number: int) -> BatchItem:
    """A picture of a batch that the person made, with its present edit. Raises Http404."""
    batch = own_batch_for(user, batch_id)
    found = BatchItem.objects.of(batch).filter(number=number).select_related("job", "image", "source", "kept").first()
    if found is None:
        raise Http404
    found.batch = batch
    return found


def decidable_image_for(user: "User", image_id: UUID) -> Image:
    """A picture that the person may approve, reject and lock without being asked. Raises Http404, InArchive."""
    image = image_for(user, image_id)
    managed_workspace(user, image.workspace_id)
    return image


def may_decide_as(role: str, workspace: Workspace) -> bool:
    """The same of a membership that is known already."""
    return role in roles_with(Right.MANAGE) and workspace.is_open


def reopenable_image_for(user: "User", image_id: UUID) -> Image:
    """One that the person may take back to draft. Raises Http404, InArchive."""
    image = image_for(user, image_id)
    member = member_of(user, image.workspace_id)
    if not may_reopen_as(member.role, user, Approval.objects.filter(image=image, workspace=image.workspace_id).first()):
        raise Http404
    if not member.workspace.is_open:
        raise InArchive(member.workspace)
    return image


def may_reopen_as(role: str, user: "User", approval: Approval | None) -> bool:
    """Who may edit, of what was rejected; of what was approved who decided so, and who manages the workspace."""
    if role in roles_with(Right.MANAGE):
        return True
    if approval is None or role not in MAY_EDIT:
        return False
    return approval.state == ApprovalState.REJECTED or approval.by_id == user.pk


def reviews_for(user: "User") -> "QuerySet[Review]":
    """Rounds about pictures that the person may see where they were begun: of one that moved away, nothing."""
    shown = Q(image__withheld_at=None) | Q(image__made_by=user)
    here = {"workspace__memberships__user": user, "workspace__trashed_at": None, "image__workspace": F("workspace")}
    rows = Review.objects.filter(shown, **here, image__trashed_at=None, image__removed_at=None)
    return rows.select_related("image__made_by", "workspace", "asked_by", "decided_by")


def review_for(user: "User", review_id: UUID) -> Review:
    """Raises Http404."""
    found = reviews_for(user).filter(pk=review_id).first()
    if found is None:
        raise Http404
    return found


def asked_review_for(user: "User", review_id: UUID) -> Review:
    """A round in which the person was asked, so that they may answer. Raises Http404, InArchive."""
    found = review_for(user, review_id)
    if not found.reviewers.filter(user=user).exists():
        raise Http404
    if not found.workspace.is_open:
        raise InArchive(found.workspace)
    return found


def reviews_to_answer(user: "User", image_ids: Iterable[UUID]) -> "QuerySet[Review]":
    """Open rounds about these pictures in which the person was asked, answered or not."""
    return reviews_for(user).filter(image__in=image_ids, state=ReviewState.OPEN, reviewers__user=user)


def withdrawable_review_for(user: "User", review_id: UUID) -> Review:
    """A round that the person asked for, or any where they manage the workspace. Raises Http404, InArchive."""
    found = review_for(user, review_id)
    if not may_withdraw_as(member_of(user, found.workspace_id).role, user, found):
        raise Http404
    if not found.workspace.is_open:
        raise InArchive(found.workspace)
    return found


def may_withdraw_as(role: str, user: "User", review: Review) -> bool:
    return review.asked_by_id == user.pk or role in roles_with(Right.MANAGE)


def culling_for(user: "User", culling_id: UUID) -> Culling:
    """Pictures that the person goes through, in a workspace that they are in. Raises Http404."""
    mine = Culling.objects.filter(user=user, workspace__memberships__user=user, workspace__trashed_at=None)
    found = mine.filter(pk=culling_id).select_related("workspace").first()
    if found is None:
        raise Http404
    return found


def notification_for(user: "User", notification_id: int) -> Notification:
    """Something that the person was told; what it is about they may see no more. Raises Http404."""
    found = Notification.objects.filter(person=user, pk=notification_id)
    row = found.select_related("by", "workspace", "image", "comment", "review", "share", "batch").first()
    if row is None:
        raise Http404
    return row


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


def replacement_for(user: "User", replacement_id: UUID) -> Replacement:
    """One that the person may take back: who decided on it, and who manages. Raises Http404, InArchive."""
    found = Replacement.objects.select_related("old", "new", "workspace").filter(pk=replacement_id).first()
    if found is None or not Image.objects.visible_to(user).filter(pk=found.old_id).exists():
        raise Http404
    membership = member_of(user, found.workspace_id)
    if found.by_id != user.pk and Right.MANAGE not in RIGHTS[Role(membership.role)]:
        raise Http404
    if not found.workspace.is_open:
        raise InArchive(found.workspace)
    return found


# Links for people outside: what members may do about them, and what whoever has one sees.


def share_for(user: "User", share_id: UUID) -> tuple[Share, Membership]:
    """A link of a workspace where the person may make some, and their membership there. Raises Http404."""
    share = (
        Share.objects.filter(pk=share_id)
        .select_related("workspace", "made_by", "image", "before", "collection")
        .first()
    )
    if share is None:
        raise Http404
    return share, member_of(user, share.workspace_id, Right.EDIT)


def may_revoke_share_as(me: Membership, share: Share) -> bool:
    """Whoever made it, and who manages the workspace; in the archive as well."""
    return share.made_by_id == me.user_id or Right.MANAGE in RIGHTS[Role(me.role)]


def revocable_share_for(user: "User", share_id: UUID) -> Share:
    """Raises Http404."""
    share, me = share_for(user, share_id)
    if not may_revoke_share_as(me, share):
        raise Http404
    return share


def changeable_share_for(user: "User", share_id: UUID) -> Share:
    """One whose settings the person may change. Raises Http404, InArchive."""
    share = revocable_share_for(user, share_id)
    if not share.workspace.is_open:
        raise InArchive(share.workspace)
    return share


def share_of_token(token: str) -> Share:
    """The link with this token, if it opens anything now; its password is asked for elsewhere. Raises Http404."""
    rows = Share.objects.open_at(timezone.now()).filter(token=token, made_by__is_active=True)
    share = rows.select_related("workspace", "made_by").first()
    if share is None or (share.kind == ShareKind.COLLECTION and share.collection_id is None):
        raise Http404
    return share


def shown_by(share: Share) -> "ImageQuerySet":
    """What whoever has an open link may see now; to be asked anew each time. What waits for a look is not shown."""
    there = Image.objects.filter(_open_to_guests(share))
    if share.kind == ShareKind.COLLECTION:
        return there.filter(collection_items__collection=share.collection_id)
    return there.filter(pk__in=[pk for pk in (share.image_id, share.before_id) if pk])


def items_shown_by(share: Share) -> "QuerySet[CollectionItem]":
    """The same of a link to a collection, in the order in which collections are read."""
    items = CollectionItem.objects.filter(_open_to_guests(share, "image__"), collection=share.collection_id)
    return items.select_related("image")


def _open_to_guests(share: Share, prefix: str = "") -> Q:
    asked: dict[str, Any] = {
        "workspace": share.workspace_id,
        "state": ImageState.READY,
        "trashed_at": None,
        "purged_at": None,
        "withheld_at": None,
        "removed_at": None,
    }
    if share.workspace.shares_approved_only:
        asked |= {"approval__state": ApprovalState.APPROVED, "approval__workspace": share.workspace_id}
    return Q(**{f"{prefix}{name}": value for name, value in asked.items()})


def shared_image(share: Share, image_id: UUID) -> Image:
    """One of them. Of a before and after neither is shown without the other. Raises Http404."""
    pair = (share.image_id, share.before_id) if share.kind == ShareKind.BEFORE_AFTER else ()
    asked = {image_id, *(pk for pk in pair if pk is not None)}
    found = {image.pk: image for image in shown_by(share).filter(pk__in=asked).select_related("job")}
    if len(found) != len(asked):
        raise Http404
    return found[image_id]
