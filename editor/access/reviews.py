"""What is said and decided about pictures, and who is told of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, Q
from django.http import Http404

from editor.access.pictures import image_for
from editor.access.roles import MAY_EDIT, RIGHTS, InArchive, Right, managed_workspace, member_of, roles_with
from editor.models import (
    Approval,
    ApprovalState,
    Comment,
    Culling,
    Image,
    Notification,
    Replacement,
    Review,
    ReviewState,
    Role,
    Workspace,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import User


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
