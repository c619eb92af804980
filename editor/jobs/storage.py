"""What the pictures take, counted by the clock, some workspaces at a time, so that no page has to count.

The row of all changes with each workspace's by the difference, in the same transaction: it is their sum at any moment.
"""

import time
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from editor.models import Image, ImageState, Mark, StorageUse, Workspace

ROUND, TURN = "storage", "storage-turn"  # marks
EVERY = timedelta(minutes=10)  # from the end of a round to the next
TURNS = timedelta(seconds=5)
AT_ONCE = 100  # workspaces
MOST_SECONDS = 0.4  # of a turn: what is due waits behind it
NUMBERS = (
    *("uploads", "uploads_size", "results", "results_size", "copies_size", "trash", "trash_size"),
    *("quarantine", "quarantine_size", "unmeasured", "size"),
)


def keep(now: datetime) -> int:
    """For the clock: go on with the round, or begin one. Returns how many workspaces were counted."""
    mark = Mark.objects.filter(pk=ROUND).first()
    if mark is not None and not mark.value and mark.at > now - EVERY:
        return 0
    if not Mark.objects.leave(TURN, at_most_every=TURNS):
        return 0
    counted, after, enough = 0, mark.value if mark else "", time.monotonic() + MOST_SECONDS
    while True:
        rows = Workspace.objects.order_by("pk")
        some = list((rows.filter(pk__gt=UUID(after)) if after else rows).values_list("pk", flat=True)[:AT_ONCE])
        count(some)
        counted += len(some)
        after = str(some[-1]) if len(some) == AT_ONCE else ""
        Mark.objects.leave(ROUND, after)
        if not after or time.monotonic() > enough:
            return counted


def count_all() -> None:
    """At once, for a command or a test."""
    count(list(Workspace.objects.values_list("pk", flat=True)))


@transaction.atomic
def count(workspaces: list[UUID]) -> None:
    """Count the pictures of these workspaces anew."""
    together, _ = StorageUse.objects.get_or_create(workspace=None)
    together = StorageUse.objects.select_for_update().get(pk=together.pk)  # one after the other
    found = _found(workspaces)
    known = {use.workspace_id: use for use in StorageUse.objects.filter(workspace__in=workspaces)}
    now, changed, fresh = timezone.now(), [], []
    for workspace_id in workspaces:
        numbers, use = found.get(workspace_id), known.get(workspace_id)
        if numbers is None and use is None:
            continue  # most people never had a picture
        if use is None:
            use = StorageUse(workspace_id=workspace_id)
            fresh.append(use)
        else:
            changed.append(use)
        use.counted_at = now
        for name in NUMBERS:
            value = numbers[name] if numbers else 0
            setattr(together, name, max(getattr(together, name) + value - getattr(use, name), 0))
            setattr(use, name, value)
    StorageUse.objects.bulk_create(fresh)
    StorageUse.objects.bulk_update(changed, [*NUMBERS, "counted_at"], batch_size=50)
    together.counted_at = now
    together.save()


def _found(workspaces: list[UUID]) -> dict[UUID, dict[str, int]]:
    place = Case(
        When(removed_at__isnull=False, then=Value("quarantine")),
        When(trashed_at__isnull=False, then=Value("trash")),
        When(kind="uploaded", then=Value("uploads")),
        default=Value("results"),
    )
    unmeasured = Q(state=ImageState.READY, copies_size=None)
    rows = Image.objects.filter(workspace__in=workspaces, purged_at=None).values("workspace", place=place)
    found: dict[UUID, dict[str, int]] = defaultdict(lambda: dict.fromkeys(NUMBERS, 0))
    for row in rows.annotate(
        pictures=Count("pk"),
        masters=Coalesce(Sum("byte_size"), 0),
        others=Coalesce(Sum("copies_size"), 0) + Coalesce(Sum("raw_size"), 0),
        unknown=Count("pk", filter=unmeasured),
    ):
        numbers, where = found[row["workspace"]], row["place"]
        numbers[where] = row["pictures"]
        apart = where in {"trash", "quarantine"}
        numbers[f"{where}_size"] = row["masters"] + (row["others"] if apart else 0)
        numbers["copies_size"] += 0 if apart else row["others"]
        numbers["unmeasured"] += row["unknown"]
        numbers["size"] += row["masters"] + row["others"]
    return found


def largest(after: "StorageUse | None", most: int) -> list[StorageUse]:
    """The workspaces that take the most, behind this one."""
    rows = StorageUse.objects.filter(workspace__isnull=False, size__gt=0).select_related("workspace__personal_for")
    if after is not None:
        rows = rows.filter(Q(size__lt=after.size) | Q(size=after.size, pk__lt=after.pk), size__lte=after.size)
    return list(rows.order_by(F("size").desc(), F("id").desc())[:most])
