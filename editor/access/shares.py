"""Links for people outside: what members may do about them, and what whoever has one sees."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from editor.access.roles import RIGHTS, InArchive, Right, member_of
from editor.models import (
    ApprovalState,
    CollectionItem,
    Image,
    ImageState,
    Membership,
    Role,
    Share,
    ShareKind,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from editor.models import User
    from editor.models.images import ImageQuerySet


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


def is_guest_of(user: "User | AnonymousUser", share: Share) -> bool:
    """Whether it is somebody outside who looks at it. Members decide under their own names, as their role lets them."""
    if not user.is_authenticated:
        return True
    return not Membership.objects.filter(workspace=share.workspace_id, user=user.pk).exists()


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
    return items.select_related("image__job")


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
