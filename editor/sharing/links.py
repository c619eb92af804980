"""Making, changing and revoking links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from editor import events
from editor.models import Collection, Image, Share, ShareKind, User, Workspace


@dataclass(frozen=True)
class What:
    """What a link shows: a picture, one with that before it, or a collection."""

    image: Image | None = None
    before: Image | None = None
    collection: Collection | None = None

    @property
    def kind(self) -> ShareKind:
        if self.collection is not None:
            return ShareKind.COLLECTION
        return ShareKind.BEFORE_AFTER if self.before is not None else ShareKind.PICTURE


@dataclass(frozen=True)
class Terms:
    """What whoever has a link may see and do, and until when. A `password` of None stays as it was, "" is none."""

    title: str = ""
    expires_at: datetime | None = None
    password: str | None = None
    may_download: bool = False
    shows_prompts: bool = False
    watermark: str = ""
    may_comment: bool = False
    may_decide: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        said = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "password"}
        if self.password is not None:
            said["password"] = make_password(self.password) if self.password else ""
        return said


def make(user: User, workspace: Workspace, what: What, terms: Terms, token: str) -> Share:
    """A new link; the same one for the same `token` of the form, however often that was sent.

    The caller knows that the person may share this.
    """
    known = uuid5(NAMESPACE_URL, f"share:{user.pk}:{token}")
    shown = {"kind": what.kind, "image": what.image, "before": what.before, "collection": what.collection}
    try:
        with transaction.atomic():
            share = Share.objects.create(pk=known, workspace=workspace, made_by=user, **shown, **terms.columns)
            tell(share)
    except IntegrityError:
        return Share.objects.get(pk=known)
    return share


def change(share: Share, terms: Terms) -> None:
    """Nothing of one that is revoked by now."""
    with transaction.atomic():
        if Share.objects.filter(pk=share.pk, revoked_at=None).update(**terms.columns):
            tell(share)


def revoke(share: Share, by: User) -> bool:
    """For good, from the next request on. False if it was already."""
    with transaction.atomic():
        done = bool(Share.objects.filter(pk=share.pk).revoke(by))
        tell(share)
    return done


def revoke_all(workspace: Workspace, by: User) -> int:
    """How many there were."""
    with transaction.atomic():
        open_ones = Share.objects.filter(workspace=workspace, revoked_at=None)
        images: list[UUID] = [pk for pk in open_ones.values_list("image_id", flat=True).distinct() if pk]
        many = open_ones.revoke(by)
        for image_id in images:
            events.talk_changed(image_id, workspace.pk)
    return many


def tell(share: Share) -> None:
    """The pages of members that list it."""
    if share.image_id is not None:
        events.talk_changed(share.image_id, share.workspace_id)
