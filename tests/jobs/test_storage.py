"""What the pictures take: counted by the clock, and the row of all is always the sum of the others."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from editor.jobs import storage
from editor.models import Image, StorageUse, User, Workspace
from tests.makers import make_image
from tests.people import charlie, quick_passwords

__all__ = ["charlie", "quick_passwords"]

pytestmark = pytest.mark.django_db


def of_all() -> StorageUse:
    together = StorageUse.objects.get(workspace=None)
    sums = StorageUse.objects.filter(workspace__isnull=False).aggregate(size=Sum("size"), trash=Sum("trash_size"))
    assert (together.size, together.trash_size) == (sums["size"] or 0, sums["trash"] or 0)
    return together


def test_each_kind_is_counted_where_it_lies(alice: User, charlie: User) -> None:
    now = timezone.now()
    make_image(alice, byte_size=1_000, copies_size=300, raw_size=50)
    make_image(alice, byte_size=2_000, copies_size=None)
    make_image(alice, byte_size=500, copies_size=100, trashed_at=now)
    make_image(alice, byte_size=700, copies_size=10, trashed_at=now, removed_at=now)
    make_image(alice, byte_size=9_000, trashed_at=now, purged_at=now)
    make_image(charlie, byte_size=40, copies_size=2)
    storage.count_all()
    mine = StorageUse.objects.get(workspace=Workspace.objects.personal_of(alice))
    assert (mine.uploads, mine.uploads_size, mine.copies_size) == (2, 3_000, 350)
    assert (mine.trash, mine.trash_size, mine.quarantine, mine.quarantine_size) == (1, 600, 1, 710)
    assert (mine.size, mine.unmeasured) == (4_660, 1)
    assert of_all().size == 4_702


def test_the_sum_follows_what_changes(alice: User, charlie: User) -> None:
    image, other = make_image(alice, byte_size=1_000, copies_size=0), make_image(charlie, byte_size=5, copies_size=0)
    storage.count_all()
    Image.objects.filter(pk=image.pk).update(workspace=other.workspace)
    storage.count([other.workspace_id])
    storage.count([image.workspace_id])
    assert of_all().size == 1_005
    Image.objects.update(purged_at=timezone.now())
    storage.count_all()
    assert of_all().size == 0


def test_the_clock_counts_in_rounds(alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "AT_ONCE", 1)
    monkeypatch.setattr(storage, "MOST_SECONDS", 0)
    monkeypatch.setattr(storage, "TURNS", timedelta(0))
    make_image(alice, byte_size=10, copies_size=0)
    make_image(charlie, byte_size=5, copies_size=0)
    now = timezone.now()
    turns = 0
    while storage.keep(now + timedelta(seconds=1)) or turns < 3:
        turns += 1
        assert turns < 10
    assert of_all().size == 15
    assert storage.keep(now) == 0
    make_image(alice, byte_size=100, copies_size=0)
    later = timezone.now() + storage.EVERY + timedelta(seconds=5)
    for _ in range(4):
        storage.keep(later)
    assert of_all().size == 115
