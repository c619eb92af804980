"""The bytes of removed pictures: moved apart, given back, purged; whatever dies in between."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from editor.images import bucket, keys, quarantine
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.copying import copy
from editor.images.moving import move
from editor.jobs import clock, lifecycle, tasks
from editor.jobs.purging import purge_workspaces
from editor.models import Cause, GenerationJob, Image, ImageKind, JobState, User, Workspace
from editor.moderation.cases import open_case
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db

DONE: dict[str, Any] = {"state": JobState.SUCCEEDED, "allowance": "taken"}


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com", name="Alice")


@pytest.fixture
def image(alice: User) -> Image:
    found = make_image(alice, stored=True, thumbhash="blur")
    bucket.put(keys.raw_key(found.pk), b"raw", "application/octet-stream")
    return found


def removed(image: Image, days_ago: float = 0) -> Image:
    now = timezone.now() - timedelta(days=days_ago)
    Image.objects.filter(pk=image.pk).update(removed_at=now, trashed_at=now)
    image.refresh_from_db()
    return image


def given_back(image: Image) -> Image:
    Image.objects.filter(pk=image.pk).update(removed_at=None, trashed_at=None)
    image.refresh_from_db()
    return image


def lies_open(image: Image) -> list[bool]:
    return [bucket.exists(key) for key in quarantine.keys_of(image)]


def lies_apart(image: Image) -> list[bool]:
    return [bucket.exists(keys.quarantine_key(key)) for key in quarantine.keys_of(image)]


def test_all_bytes_move_apart_and_back(image: Image) -> None:
    data = bucket.get(keys.master_key(image.pk, "jpg"))
    assert quarantine.quarantine(removed(image))
    assert (lies_open(image), lies_apart(image)) == ([False] * 4, [True] * 4)
    assert image.quarantined_at is not None
    assert quarantine.release(given_back(image))
    assert (lies_open(image), lies_apart(image)) == ([True] * 4, [False] * 4)
    assert Image.objects.filter(pk=image.pk, quarantined_at=None, lease_until=None, due_at=None).exists()
    assert bucket.get(keys.master_key(image.pk, "jpg")) == data


def test_signed_link_given_before_leads_nowhere(image: Image) -> None:
    link = bucket.signed_url(keys.master_key(image.pk, "jpg"), expires=600)
    assert requests.get(link, timeout=10).status_code == 200
    quarantine.quarantine(removed(image))
    assert requests.get(link, timeout=10).status_code == 404


class DiedError(BaseException):
    """The process was killed."""


def dies_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """At one of the steps that talk to the bucket, before or after it was done."""
    count = 0

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def acts(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                raise DiedError
            answer = act(*arguments)
            if count + 1 == step and act is real["delete"]:
                raise DiedError
            return answer

        return acts

    real = {name: getattr(bucket, name) for name in ("copy", "delete")}
    for name, act in real.items():
        monkeypatch.setattr(bucket, name, dying(act))


@pytest.mark.parametrize("step", range(1, 7))
@pytest.mark.parametrize("way", ["apart", "back"])
def test_death_at_any_line_is_gone_on_from(
    way: str, step: int, image: Image, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    removed(image)
    if way == "back":
        quarantine.quarantine(image)
        given_back(image)
    with monkeypatch.context() as patched, pytest.raises(DiedError):
        dies_at(patched, step)
        quarantine.settle(image)
    assert [one or other for one, other in zip(lies_open(image), lies_apart(image), strict=True)] == [True] * 4
    assert list(quarantine.unfinished()) == [image]
    Image.objects.update(lease_until=timezone.now())  # it ran out
    tasks.look_at_image(str(image.pk))
    ended = (lies_open(image), lies_apart(image))
    assert ended == (([False] * 4, [True] * 4) if way == "apart" else ([True] * 4, [False] * 4))
    assert not quarantine.unfinished().exists()


def test_mind_changed_in_the_middle_ends_in_the_open(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    removed(image)
    deletes = bucket.delete

    def change(found: Any) -> None:
        Image.objects.filter(pk=image.pk).update(removed_at=None, trashed_at=None)
        assert not quarantine.release(Image.objects.get(pk=image.pk))  # the other one still holds the lease
        deletes(found)

    with monkeypatch.context() as patched:
        patched.setattr(bucket, "delete", change)
        assert not quarantine.quarantine(image)
    assert list(quarantine.unfinished()) == [image]
    assert quarantine.settle(image)
    assert lies_open(image) == [True] * 4


def test_bucket_that_is_away_lets_the_row_go(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: Any) -> None:
        raise BucketUnavailable("away")

    removed(image)
    with monkeypatch.context() as patched:
        patched.setattr(bucket, "copy", away)
        with pytest.raises(BucketUnavailable):
            quarantine.quarantine(image)
    assert quarantine.quarantine(image)


def test_clock_rings_for_what_is_unfinished(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Any] = []
    monkeypatch.setattr("editor.rings.ring_image", rung.append)
    clock.tick()
    assert rung == []
    removed(image)
    clock.tick()
    assert rung == [image.pk]


def test_desk_finds_it_wherever_it_lies(image: Image) -> None:
    key = keys.rendition_key(image.pk, 320)
    assert quarantine.key_for(image, 320) == key
    removed(image)
    assert quarantine.key_for(image, 640) == key  # not moved yet
    quarantine.quarantine(image)
    assert quarantine.key_for(image, 320) == keys.quarantine_key(key) == f"quarantine/{image.pk}/320.webp"
    given_back(image)
    assert quarantine.key_for(image, 320) == keys.quarantine_key(key)
    quarantine.release(image)
    assert quarantine.key_for(image, 320) == key
    Image.objects.filter(pk=image.pk).update(purged_at=timezone.now())
    image.refresh_from_db()
    with pytest.raises(Missing):
        quarantine.key_for(image, 320)


@pytest.mark.parametrize("key", ["master.jpg", "quarantine/x/raw", "images/../../etc", "elsewhere/a"])
def test_nothing_but_a_pictures_key_has_one_apart(key: str) -> None:
    with pytest.raises(ValueError):
        keys.quarantine_key(key)


# The end


def test_time_in_quarantine_is_its_own(image: Image, settings: Settings) -> None:
    removed(image, settings.QUARANTINE_DAYS - 1)
    quarantine.quarantine(image)
    clock.empty_trash()  # though it is in the trash for longer than TRASH_DAYS
    assert lies_apart(image) == [True] * 4
    removed(image, settings.QUARANTINE_DAYS + 1)
    assert clock.empty_trash() == 1
    image.refresh_from_db()
    assert (lies_open(image), lies_apart(image), image.thumbhash) == ([False] * 4, [False] * 4, "")
    assert image.purged_at is not None
    assert clock.empty_trash() == 0


def test_open_case_keeps_the_evidence(image: Image, alice: User, settings: Settings) -> None:
    case = open_case(Cause.REPORT, alice, image=image)
    quarantine.quarantine(removed(image, settings.QUARANTINE_DAYS + 1))
    assert clock.empty_trash() == 0
    type(case).objects.update(state="decided", decided_at=timezone.now())
    assert clock.empty_trash() == 1


def test_deleted_workspace_leaves_the_evidence_for_its_time(image: Image, alice: User, settings: Settings) -> None:
    other = make_image(alice, name="other", stored=True)
    job = make_job(alice, other, prompt="evidence", finished_at=timezone.now(), **DONE)
    Image.objects.filter(pk=image.pk).update(job=job, kind=ImageKind.GENERATED)
    plain = make_job(alice, other, prompt="nobody's business", finished_at=timezone.now(), **DONE)
    quarantine.quarantine(removed(image, 1))
    long_ago = timezone.now() - timedelta(days=settings.TRASH_DAYS + 1)
    Workspace.objects.filter(pk=image.workspace_id).update(personal_for=None, trashed_at=long_ago)
    purge_workspaces()
    purge_workspaces()
    for row in (image, other, job, plain):
        row.refresh_from_db()
    assert (image.name, image.purged_at, lies_apart(image)) == ("coffee.jpg", None, [True] * 4)
    assert (other.name, other.purged_at is None, job.prompt, plain.prompt) == ("", False, "evidence", "")
    removed(image, settings.QUARANTINE_DAYS + 1)
    clock.empty_trash()
    image.refresh_from_db()
    job.refresh_from_db()
    assert (image.name, image.purged_at is None, job.prompt) == ("", False, "")


# Edits


def test_waiting_edit_of_a_removed_source_fails_with_its_reason(image: Image, alice: User) -> None:
    job = make_job(alice, image)
    removed(image)
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "source_removed", "released")
    other = make_job(alice, image)
    clock.tick()
    other.refresh_from_db()
    assert other.failure_code == "source_removed"


def result(alice: User, *sources: Image, **fields: Any) -> Image:
    job = make_job(alice, *sources, finished_at=timezone.now(), **DONE)
    return make_image(alice, kind=ImageKind.GENERATED, job=job, root=sources[0].first_upload, stored=True, **fields)


def test_descendants_go_through_merges_copies_and_moves(image: Image, alice: User) -> None:
    team = Workspace.objects.found(alice, "Team")
    child = result(alice, image)
    stranger = make_image(alice, name="not of it")
    merge = result(alice, stranger, child)  # it is the second picture there
    grandchild = result(alice, merge)
    (copied,) = copy(alice, [child], team)
    of_copy = result(alice, copied, workspace=team)
    moved = make_image(alice, name="moves", stored=True)
    stays = result(alice, stranger, moved)
    assert set(quarantine.descendants_of(image)) == {child, merge, grandchild, copied, of_copy}
    move(alice, [moved], team)
    assert set(quarantine.descendants_of(moved)) == {stays}
    with_removed = removed(merge)
    assert with_removed not in quarantine.descendants_of(image)
    assert grandchild in quarantine.descendants_of(image)


def test_descendants_end_somewhere(image: Image, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "DESCENDANTS_MAX", 3)
    for _ in range(5):
        result(alice, image)
    assert len(quarantine.descendants_of(image)) <= 3


def test_removed_while_it_is_copied_is_not_copied(image: Image, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bucket.copy

    def late(source: str, target: str) -> None:
        real(source, target)
        removed(image)

    monkeypatch.setattr("editor.images.copying._AT_ONCE", 1)
    monkeypatch.setattr("editor.images.copying.ThreadPoolExecutor", Inline)
    monkeypatch.setattr(bucket, "copy", late)
    assert copy(alice, [image], Workspace.objects.found(alice, "Team")) == []


class Inline:
    """Threads would have a connection of their own, to a database in which this test's rows are not committed."""

    def __init__(self, threads: int) -> None: ...

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *error: object) -> None: ...

    map = staticmethod(map)


def test_index_serves_the_clock(image: Image) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The table has a row or two here, so any way to read it costs about the same.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    plan = quarantine.unfinished().explain()
    assert "image_to_quarantine" in plan
    assert "image_to_release" in plan


def test_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    assert GenerationJob.objects.count() == 0
