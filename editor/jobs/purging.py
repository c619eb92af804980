"""Workspaces whose time in the trash is over: their pictures go for good, a batch at a time, and then their words.

What stays are rows that say nothing about anybody's work: edits, pictures without bytes, requests and the ledger, so
that lineage and cost remain true.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from editor.images import ingest, quarantine
from editor.models import (
    Approval,
    ApprovalEvent,
    Attempt,
    Batch,
    BatchItem,
    Collection,
    Comment,
    Culling,
    DownloadPreset,
    EditTerm,
    Favourite,
    FormerMember,
    GenerationJob,
    Image,
    ImageWord,
    Membership,
    Recipe,
    Review,
    SavedFilter,
    Share,
    Tag,
    WebhookEvent,
    Workspace,
    WorkspaceInvitation,
)
from editor.models.chosen import chosen

log = logging.getLogger(__name__)

MOST_PICTURES = 50  # at a go; the clock has other things to do in between


def purge_workspaces() -> int:
    """Go on with the one that has lain in the trash for the longest; returns how many pictures went.

    One with edits under way waits for them.
    """
    before = timezone.now() - timedelta(days=chosen.TRASH_DAYS)
    purged = 0
    for workspace in Workspace.objects.filter(trashed_at__lte=before, purged_at=None).order_by("trashed_at"):
        if GenerationJob.objects.unfinished().filter(workspace=workspace).exists():
            continue
        left = Image.objects.filter(workspace=workspace, purged_at=None, removed_at=None)
        for image in left.order_by("pk")[: MOST_PICTURES - purged]:
            purged += _purge(image)
        if purged >= MOST_PICTURES:
            break
        if not left.exists():
            _forget(workspace)
    return purged


def _purge(image: Image) -> bool:
    """One picture that can't be purged now keeps none of the others; the workspace comes again."""
    try:
        ingest.purge(image)
    except Exception:
        log.exception("Picture %s of a workspace in the trash stays for now.", image.pk)
        return False
    return True


def purge_quarantine() -> int:
    """Removed pictures whose time is over go, with what was written about them if their workspace is gone already."""
    purged = quarantine.purge_quarantine()
    for workspace in {image.workspace for image in purged if image.workspace.purged_at is not None}:
        _forget(workspace)
    return len(purged)


def purge_recipes() -> None:
    """Those that were deleted TRASH_DAYS ago; their place is free since then."""
    before = timezone.now() - timedelta(days=chosen.TRASH_DAYS)
    Recipe.objects.filter(put_away_at__lte=before).delete()


@transaction.atomic
def _forget(workspace: Workspace) -> None:
    """What people wrote, and who they were here. Of removed pictures it stays as long as their bytes do."""
    of_the_library = (Collection, Tag, ImageWord, EditTerm, SavedFilter, Recipe, DownloadPreset)
    written = (*of_the_library, ApprovalEvent, Review, Approval, Culling)
    for rows in (*written, WorkspaceInvitation, Membership, FormerMember):
        rows.objects.filter(workspace=workspace).delete()
    links = Share.objects.filter(workspace=workspace)
    links.revoke()
    links.update(title="", watermark="", password="")
    images = Image.objects.filter(workspace=workspace)
    Favourite.objects.filter(image__in=images).delete()
    kept = images.filter(removed_at__isnull=False, purged_at=None)
    Comment.objects.filter(workspace=workspace).exclude(image__in=kept.values("pk")).delete()
    images.exclude(pk__in=kept.values("pk")).update(
        name="", description="", alt_text="", credit="", thumbhash="", trashed_at=timezone.now()
    )
    jobs = GenerationJob.objects.filter(workspace=workspace)
    jobs = jobs.exclude(pk__in=kept.filter(job__isnull=False).values("job"))
    jobs.update(prompt="", negative_prompt="", failure_detail="")
    Batch.objects.filter(workspace=workspace).update(prompt="", steps=[])
    items = BatchItem.objects.filter(batch__workspace=workspace)
    items.update(values={})
    items.exclude(said="").update(said="Its workspace is gone.")
    WebhookEvent.objects.filter(attempt__job__in=jobs).update(body={})
    Attempt.objects.filter(job__in=jobs).update(answer=None, last_answer=None, outputs=[], message="")
    Workspace.objects.filter(pk=workspace.pk, purged_at=None).update(purged_at=timezone.now(), cover=None)
