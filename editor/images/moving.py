"""Pictures go from one workspace to another. Nothing that stays shows what went, and the other way round.

A moved upload takes along every version that was made from it, and the edits whose pictures all go. Where an edit
stays behind, the tie is cut: its source there becomes a tombstone, and its result here an upload of its own, which
keeps the words that made it as its description.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from editor import events
from editor.library.shelves import add_tags
from editor.library.words import index_words
from editor.models import (
    OPEN,
    Approval,
    ApprovalState,
    CollectionItem,
    EditTerm,
    Favourite,
    GenerationJob,
    Image,
    ImageKind,
    ImageTag,
    ImageWord,
    JobSource,
    Recipe,
    Review,
    Share,
    Tag,
    User,
    Workspace,
)
from editor.moderation.first_looks import withhold_moved

MOVED_MAX = 2_000  # pictures at once, versions included
_LEFT = (
    "name",
    "state",
    "refused_code",
    "width",
    "height",
    "master_ext",
    "master_sha256",
    "ready_at",
    "created_at",
)  # by a tombstone


@dataclass(frozen=True)
class Moved:
    """How many went, and how many stayed: because an edit still works with them, or since they are locked."""

    went: int
    busy: int
    locked: int


class TooMany(Exception):  # noqa: N818  it says what is the matter
    """With their versions these are more than MOVED_MAX pictures."""


def move(user: User, images: Sequence[Image], to: Workspace) -> Moved:
    """Pictures of one workspace to another one. The caller knows that the person may edit in both. Raises TooMany.

    Versions that wait for a look and are somebody else's stay, as the person does not know of them.
    """
    with transaction.atomic():
        origin = images[0].workspace
        chosen = _with_versions(user, origin.pk, images)
        locked = _locked(chosen)
        busy = _busy(chosen) - locked
        going = {image.pk: image for image in chosen.values() if _family(image) not in busy | locked}
        jobs = _whole_jobs(going)
        _cut(going, jobs)
        _leave_tombstones(going, jobs)
        Image.objects.filter(pk__in=going).update(workspace=to)
        GenerationJob.objects.filter(pk__in=jobs).update(workspace=to)
        EditTerm.objects.filter(job__in=jobs).update(workspace=to)
        _settle_in(going, to)
        _end_reviews(user, going, origin)
        if origin.is_personal:  # nobody else has seen them so far
            withhold_moved(user, going.values(), to)
    stay = [_family(image) in locked for image in chosen.values() if image.pk not in going]
    return Moved(len(going), stay.count(False), stay.count(True))


def _with_versions(user: User, origin: UUID, images: Sequence[Image]) -> dict[UUID, Image]:
    """Locked, so that no edit begins with one of them meanwhile. Raises TooMany."""
    ids = [image.pk for image in images]
    ids += Image.objects.filter(root__in=ids, workspace=origin).values_list("pk", flat=True)[: MOVED_MAX + 1]
    if len(set(ids)) > MOVED_MAX:
        raise TooMany
    known = Q(withheld_at=None) | Q(made_by=user)
    rows = Image.objects.select_for_update().filter(known, pk__in=ids, workspace=origin).order_by("pk")
    return {image.pk: image for image in rows}


def _family(image: Image) -> UUID:
    return image.root_id or image.pk


def _busy(chosen: dict[UUID, Image]) -> set[UUID]:
    """Families of which an open edit uses or makes a picture: they stay together."""
    used = set(JobSource.objects.filter(image__in=chosen, job__state__in=OPEN).values_list("image_id", flat=True))
    used |= set(Image.objects.filter(pk__in=chosen, job__state__in=OPEN).values_list("pk", flat=True))
    return {_family(chosen[image_id]) for image_id in used}


def _whole_jobs(going: dict[UUID, Image]) -> set[UUID]:
    """Edits all of whose sources and results go."""
    jobs = {image.job_id for image in going.values() if image.job_id is not None}
    jobs |= set(JobSource.objects.filter(image__in=going).values_list("job_id", flat=True))
    stay = set(JobSource.objects.filter(job__in=jobs).exclude(image__in=going).values_list("job_id", flat=True))
    results = Image.objects.filter(job__in=jobs).exclude(pk__in=going)
    return jobs - stay - {job_id for job_id in results.values_list("job_id", flat=True) if job_id is not None}


def _locked(chosen: dict[UUID, Image]) -> set[UUID]:
    """Families of which a picture is approved and locked."""
    found = Approval.objects.filter(image__in=chosen, locked_at__isnull=False).values_list("image_id", flat=True)
    return {_family(chosen[image_id]) for image_id in found}


def _cut(going: dict[UUID, Image], jobs: set[UUID]) -> None:
    """Of what goes: results of edits that stay become uploads, and every root is one that goes, too."""
    sources = JobSource.objects.filter(job__in=jobs, position=0).values_list("job_id", "image_id")
    source_of: dict[UUID | None, UUID] = dict(sources)
    prompts = dict(
        GenerationJob.objects.filter(pk__in={image.job_id for image in going.values()}).values_list("pk", "prompt")
    )
    for image in going.values():
        top = image
        while top.job_id in jobs:
            top = going[source_of[top.job_id]]
        root = top.root_id if top.root_id in going else top.pk
        image.root_id = None if root == image.pk else root
    for image in going.values():
        if image.job_id is not None and image.job_id not in jobs:
            image.description = image.description or prompts[image.job_id][:2000]
            image.job, image.position, image.kind = None, 0, ImageKind.UPLOADED
    Image.objects.bulk_update(going.values(), ["root", "job", "position", "kind", "description"], batch_size=200)
    GenerationJob.objects.filter(pk__in=jobs).exclude(rerun_of__in=jobs).update(rerun_of=None)
    GenerationJob.objects.filter(rerun_of__in=jobs).exclude(pk__in=jobs).update(rerun_of=None)


def _leave_tombstones(going: dict[UUID, Image], jobs: set[UUID]) -> None:
    """Edits that stay keep a source, of which nothing but name and size is left."""
    sources = list(JobSource.objects.filter(image__in=going).exclude(job__in=jobs))
    now = timezone.now()
    stones = {
        image_id: Image(
            workspace_id=image.workspace_id,
            made_by_id=image.made_by_id,
            kind=ImageKind.UPLOADED,
            trashed_at=now,
            purged_at=now,
            removed_at=image.removed_at,
            **{name: getattr(image, name) for name in _LEFT} | ({"name": ""} if image.withheld_at else {}),
        )
        for image_id, image in going.items()
        if any(source.image_id == image_id for source in sources)
    }
    Image.objects.bulk_create(stones.values())
    for source in sources:
        source.image = stones[source.image_id]
    JobSource.objects.bulk_update(sources, ["image"], batch_size=200)


def _settle_in(going: dict[UUID, Image], to: Workspace) -> None:
    """Tags go along by name. Collections, covers, pictures of recipes and favourites of people not there do not.

    Links to them are over.
    """
    for image in going.values():
        image.workspace = to
    tagged: dict[str, list[Image]] = defaultdict(list)
    tags = set()
    for tag_id, name, image_id in ImageTag.objects.filter(image__in=going).values_list("tag", "tag__name", "image"):
        tagged[name].append(going[image_id])
        tags.add(tag_id)
    ImageTag.objects.filter(image__in=going).delete()
    Tag.objects.filter(pk__in=tags, image_tags=None).delete()
    CollectionItem.objects.filter(image__in=going).delete()
    marks = Favourite.objects.filter(image__in=going)
    marks.exclude(user__memberships__workspace=to).delete()
    marks.filter(image__job=None).update(job=None, job_created_at=None)
    Workspace.objects.filter(cover__in=going).update(cover=None)
    Recipe.objects.filter(picture__in=going).update(picture=None)
    Share.objects.filter(Q(image__in=going) | Q(before__in=going)).revoke()
    ImageWord.objects.filter(image__in=going).update(workspace=to)
    for name, images in tagged.items():
        add_tags(to, images, [name])
    index_words(*going.values())


def _end_reviews(user: User, going: dict[UUID, Image], origin: Workspace) -> None:
    """Where they go nobody said anything of them yet: they are drafts there, and nobody is asked any more."""
    changed = set(Review.objects.filter(Q(image__in=going) | Q(replaces__in=going)).end(user))
    approvals = Approval.objects.filter(image__in=going)
    changed |= set(approvals.values_list("image_id", flat=True))
    approvals.delete()
    # What was to replace one of them, and stays, is nobody's question any more.
    Approval.objects.filter(image__in=changed, state=ApprovalState.IN_REVIEW).update(state=ApprovalState.DRAFT, why="")
    for image_id in changed:
        events.talk_changed(image_id, origin.pk)
