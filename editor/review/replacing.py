"""A picture takes another one's place wherever that is used: in collections, as a cover, behind shared links.

Both pictures stay what they are. What was changed is written down place by place, so that one click takes it back and
touches nothing that somebody did since.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.jobs.lineage import row_to
from editor.library.shelves import NotPossible, add_tags
from editor.models import (
    ApprovalEvent,
    CollectionItem,
    Image,
    ReplacedUse,
    Replacement,
    Review,
    Share,
    Tag,
    User,
    Workspace,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

_GONE = "One of the two pictures is not in this library any more, so nothing was replaced."
CHAIN_MAX = 100  # replacements one after the other that are followed


def replaceable_by(image: Image, user: User) -> list[Image]:
    """The pictures that `image` was made from, step by step, the upload first: it may be the next version of each.

    Those that the person sees, in the same workspace; of one that was replaced already, what stands in its place.
    """
    sources = {source.pk: source for edit in row_to(image, user, {}).edits for source in edit.sources}
    found = {current.pk: current for current in _current_of(image.workspace_id, sources).values()}
    found.pop(image.pk, None)
    here = (each for each in found.values() if each.workspace_id == image.workspace_id and each.is_ready)
    return [each for each in here if each.purged_at is None and each.is_shown_to(user)]


def current_of(image: Image) -> Image:
    """What stands in the place of this picture now: itself, or the last one of those that replaced it."""
    return _current_of(image.workspace_id, {image.pk: image})[image.pk]


def _current_of(workspace_id: UUID, images: Mapping[UUID, Image]) -> dict[UUID, Image]:
    """The same of many."""
    current = dict(images)
    for _ in range(CHAIN_MAX):
        rows = _current(workspace_id).filter(old__in={each.pk for each in current.values()}).select_related("new")
        by = {row.old_id: row.new for row in rows}
        if not by:
            break
        current = {pk: by.get(each.pk, each) for pk, each in current.items()}
    return current


def _current(workspace_id: UUID) -> "QuerySet[Replacement]":
    return Replacement.objects.filter(workspace=workspace_id, undone_at=None)


def replace(review: Review, by: User) -> Replacement | None:
    """What an approved proposal brings about, in the transaction of the approval. None: it stands there already.

    Raises NotPossible if one of the two is not there any more.
    """
    return put_in_place(review.replaces, review.image, by, review) if review.replaces is not None else None


def put_in_place(old: Image, new: Image, by: User, review: Review | None = None) -> Replacement | None:
    """`new` is used from now on wherever `old` is, or what stands in its place by now. Raises NotPossible."""
    with transaction.atomic():
        old, new = _both(current_of(old), new)
        if old.pk == new.pk:
            return None
        if _current(old.workspace_id).filter(old=old).exists():
            raise NotPossible("Another picture took that place in this moment. Look at that one first.")
        # It was replaced itself, and comes back: what stood in its place since does so no more.
        _current(old.workspace_id).filter(old=new).update(undone_at=timezone.now(), undone_by=by)
        made = Replacement.objects.create(workspace=old.workspace, review=review, old=old, new=new, by=by)
        ReplacedUse.objects.bulk_create([*_collections(made), *_cover(made), *_shares(made)])
        tags = Tag.objects.filter(image_tags__image=old).values_list("name", flat=True)
        add_tags(old.workspace, [new], list(tags))
        _tell(made, ApprovalEvent.Kind.REPLACED, by)
    return made


def _both(old: Image, new: Image) -> tuple[Image, Image]:
    """Locked, in the order in which several pictures are. Raises NotPossible."""
    rows = Image.objects.select_for_update(of=("self",)).select_related("workspace")
    found = {each.pk: each for each in rows.filter(pk__in=[old.pk, new.pk]).order_by("pk")}
    if len(found) < len({old.pk, new.pk}):  # moved while it was waited for
        raise NotPossible(_GONE)
    old, new = found[old.pk], found[new.pk]
    open_ones = new.trashed_at is None and new.withheld_at is None and new.is_ready
    if not open_ones or old.purged_at is not None or old.workspace_id != new.workspace_id:
        raise NotPossible(_GONE)
    return old, new


def _collections(made: Replacement) -> Iterable[ReplacedUse]:
    has_new = set(CollectionItem.objects.filter(image=made.new).values_list("collection_id", flat=True))
    for item in CollectionItem.objects.filter(image=made.old).select_related("collection"):
        yield ReplacedUse(
            replacement=made,
            place=ReplacedUse.Place.COLLECTION,
            collection=item.collection,
            had_both=item.collection_id in has_new,
        )
    items = CollectionItem.objects.filter(image=made.old)
    items.filter(collection__in=has_new).delete()
    items.update(image=made.new, image_created_at=made.new.created_at)


def _cover(made: Replacement) -> Iterable[ReplacedUse]:
    if made.new.sensitive:  # everybody sees a cover without asking to
        return
    if Workspace.objects.filter(pk=made.workspace_id, cover=made.old).update(cover=made.new):
        yield ReplacedUse(replacement=made, place=ReplacedUse.Place.COVER)


def _shares(made: Replacement) -> Iterable[ReplacedUse]:
    links = list(Share.objects.filter(workspace=made.workspace_id, image=made.old, revoked_at=None))
    Share.objects.filter(pk__in=[link.pk for link in links]).update(image=made.new)
    for link in links:
        yield ReplacedUse(replacement=made, place=ReplacedUse.Place.SHARE, share=link)


def take_back(made: Replacement, by: User) -> bool:
    """The old picture stands where it stood again, as far as the new one still does. False if it was done already.

    Raises NotPossible if the new one was replaced itself since, or the old one is gone.
    """
    with transaction.atomic():
        made.new, made.old = _both(made.new, made.old)
        if not _current(made.workspace_id).filter(pk=made.pk).exists():
            return False  # pressed twice
        if _current(made.workspace_id).filter(old=made.new_id).exists():
            raise NotPossible("It was replaced itself since. Take that back first.")
        for use in made.uses.select_related("collection", "share"):
            _put_back(made, use)
        Replacement.objects.filter(pk=made.pk).update(undone_at=timezone.now(), undone_by=by)
        _tell(made, ApprovalEvent.Kind.TAKEN_BACK, by)
    return True


def _put_back(made: Replacement, use: ReplacedUse) -> None:
    if use.place == ReplacedUse.Place.COVER:
        Workspace.objects.filter(pk=made.workspace_id, cover=made.new).update(cover=made.old)
    elif use.share is not None:
        Share.objects.filter(pk=use.share.pk, image=made.new).update(image=made.old)
    elif use.collection is not None:
        there = CollectionItem.objects.filter(collection=use.collection, image=made.new).first()
        if there is None:  # somebody took it out since
            return
        values = {"added_by": there.added_by, "image_created_at": made.old.created_at}
        CollectionItem.objects.get_or_create(collection=use.collection, image=made.old, defaults=values)
        if not use.had_both:
            there.delete()


def _tell(made: Replacement, kind: ApprovalEvent.Kind, by: User) -> None:
    for image in (made.old, made.new):
        ApprovalEvent.objects.create(image=image, workspace_id=made.workspace_id, kind=kind, by=by, review=made.review)
        events.talk_changed(image.pk, made.workspace_id)
        events.image_changed(image.pk, image.made_by_id, made.workspace_id)


def history_of(image: Image) -> list[Replacement]:
    """Of this picture and another one, those that stand: what it stands in for, and what stands in for it."""
    rows = _current(image.workspace_id).select_related("old", "new", "by")
    return [*rows.filter(new=image).order_by("-at"), *rows.filter(old=image)]
