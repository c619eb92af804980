"""Tags, collections and favourites: what people put pictures under. Each call takes pictures of one workspace."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from editor.library.words import index_words
from editor.models import (
    Collection,
    CollectionItem,
    Favourite,
    GenerationJob,
    Image,
    ImageState,
    ImageTag,
    Membership,
    Role,
    Tag,
    User,
    Workspace,
)

COLLECTIONS_MAX = 500  # of one workspace
TAGS_MAX = 2_000
RENAMED_MAX = 5_000  # pictures whose words change with a tag
_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotPossible(Exception):  # noqa: N818  a sentence for the person
    """Nothing was changed; the text says why."""


def add_tags(workspace: Workspace, images: Sequence[Image], names: Sequence[str]) -> None:
    """Tags that are new to the workspace are made. `names` are clean. Raises NotPossible."""
    with transaction.atomic():
        tags = [_tag(workspace, name) for name in names]
        for tag in tags:
            rows = [ImageTag(tag=tag, image=image, image_created_at=image.created_at) for image in images]
            ImageTag.objects.bulk_create(rows, ignore_conflicts=True)
        index_words(*images)


def remove_tags(workspace: Workspace, images: Sequence[Image], names: Sequence[str]) -> None:
    """A tag that no picture has any more is gone."""
    with transaction.atomic():
        tags = list(Tag.objects.filter(workspace=workspace, name__in=names))
        ImageTag.objects.filter(tag__in=tags, image__in=images).delete()
        for tag in tags:
            if not tag.image_tags.exists():
                tag.delete()
        index_words(*images)


def rename_tag(workspace: Workspace, old: str, new: str) -> None:
    """On all its pictures; if the new one is there already, the two become one. Raises NotPossible."""
    with transaction.atomic():
        tag = Tag.objects.select_for_update().filter(workspace=workspace, name=old).first()
        if tag is None or old == new:
            return
        ids = list(tag.image_tags.values_list("image_id", flat=True)[: RENAMED_MAX + 1])
        if len(ids) > RENAMED_MAX:
            raise NotPossible(f"More than {RENAMED_MAX:,} pictures have this tag: too many to rename it at once.")
        into = Tag.objects.filter(workspace=workspace, name=new).first()
        if into is None:
            Tag.objects.filter(pk=tag.pk).update(name=new)
        else:
            has_it = ImageTag.objects.filter(tag=into, image__in=ids).values_list("image_id", flat=True)
            tag.image_tags.exclude(image__in=list(has_it)).update(tag=into)
            tag.delete()
        for begin in range(0, len(ids), _BATCH):
            index_words(*Image.objects.filter(pk__in=ids[begin : begin + _BATCH]))


def collect(user: User, collection: Collection, images: Sequence[Image]) -> None:
    CollectionItem.objects.bulk_create(
        (
            CollectionItem(collection=collection, image=image, added_by=user, image_created_at=image.created_at)
            for image in images
        ),
        ignore_conflicts=True,
    )


def take_out(collection: Collection, images: Sequence[Image]) -> None:
    CollectionItem.objects.filter(collection=collection, image__in=images).delete()


def new_collection(user: User, workspace: Workspace, name: str, parent: Collection | None = None) -> Collection:
    """Raises NotPossible where the name is taken, the parent lies in another one, or there are too many."""
    if parent is not None and parent.parent_id is not None:
        raise NotPossible(f"{parent.name} lies in a collection already: one level is all there is.")
    if _too_many(Collection.objects.filter(workspace=workspace), COLLECTIONS_MAX):
        raise NotPossible(f"A workspace has room for {COLLECTIONS_MAX} collections. Delete one first.")
    try:
        with transaction.atomic():
            return Collection.objects.create(workspace=workspace, parent=parent, name=name, made_by=user)
    except IntegrityError:
        raise NotPossible(f"There is a collection {name} already.") from None


def collection_named(user: User, workspace: Workspace, name: str) -> Collection:
    """The one that somebody typed, in small letters or not; made if there is none. Raises NotPossible."""
    found = Collection.objects.filter(workspace=workspace, name__iexact=name)
    return found.order_by(F("parent").asc(nulls_first=True), "name").first() or new_collection(user, workspace, name)


def rename_collection(collection: Collection, name: str) -> None:
    """Raises NotPossible."""
    try:
        with transaction.atomic():
            Collection.objects.filter(pk=collection.pk).update(name=name)
    except IntegrityError:
        raise NotPossible(f"There is a collection {name} already.") from None


def add_favourites(user: User, images: Sequence[Image]) -> None:
    rows = [
        Favourite(
            user=user,
            image=image,
            image_created_at=image.created_at,
            job=image.job,
            job_created_at=image.job.created_at if image.job else None,
        )
        for image in images
    ]
    Favourite.objects.bulk_create(rows, ignore_conflicts=True)


def remove_favourites(user: User, images: Sequence[Image]) -> None:
    Favourite.objects.filter(user=user, image__in=images).delete()


class Trashed(NamedTuple):
    """`moment` is what they are put back by, in microseconds since 1970. Locked pictures stayed."""

    moment: int
    pictures: int
    edits: int
    locked: int


def trash(images: Sequence[Image], edits: Sequence[GenerationJob] = ()) -> Trashed:
    """Into the trash, and these edits out of all lists, all in one moment. What is approved and locked stays."""
    now = timezone.now()
    with transaction.atomic():
        free = Image.objects.filter(pk__in=[image.pk for image in images]).hold_unlocked()
        Image.objects.filter(pk__in=free, trashed_at=None).update(trashed_at=now)
        GenerationJob.objects.filter(pk__in=[job.pk for job in edits], put_away_at=None).update(put_away_at=now)
    return Trashed((now - _EPOCH) // timedelta(microseconds=1), len(free), len(edits), len(images) - len(free))


def made_nothing(jobs: Iterable[GenerationJob]) -> list[GenerationJob]:
    """Those that are over and have no picture, so that they can only be put away."""
    ended = [job for job in jobs if job.is_final]
    with_results = set(Image.objects.filter(job__in=ended, state=ImageState.READY).values_list("job_id", flat=True))
    return [job for job in ended if job.pk not in with_results]


def put_back(user: User, workspace: Workspace | None, moment: int) -> tuple[int, int]:
    """What was put into the trash in that moment and is not gone for good or removed: how many pictures and edits.

    Without a workspace: of all in which the person may do so.
    """
    try:
        when = _EPOCH + timedelta(microseconds=moment)
    except OverflowError:
        return 0, 0
    edits = GenerationJob.objects.filter(put_away_at=when)
    if workspace is None:
        rows = Image.objects.trashed_of(user).filter(trashed_at=when)
        ids = list(rows.values_list("pk", flat=True))
        mine = Membership.objects.filter(user=user).exclude(role=Role.VIEWER)
        edits = edits.filter(workspace__in=mine.values("workspace"), workspace__archived_at=None)
        pictures = Image.objects.filter(pk__in=ids).update(trashed_at=None)
    else:
        rows = Image.objects.there_for(user).filter(workspace=workspace, trashed_at=when, purged_at=None)
        edits = edits.filter(workspace=workspace)
        pictures = rows.update(trashed_at=None)
    return pictures, edits.update(put_away_at=None)


def _tag(workspace: Workspace, name: str) -> Tag:
    found = Tag.objects.filter(workspace=workspace, name=name).first()
    if found is None:
        if _too_many(Tag.objects.filter(workspace=workspace), TAGS_MAX):
            raise NotPossible(f"A workspace has room for {TAGS_MAX:,} tags. Use one that is there.")
        found, _ = Tag.objects.get_or_create(workspace=workspace, name=name)
    return found


def _too_many(rows: QuerySet[Any], most: int) -> bool:
    return rows.order_by()[most - 1 : most].exists()
