"""Maps of what edits changed: promised by rows, made once, and gone with the picture that they lie over."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageDraw
from pytest_django import Settings

from editor import rings
from editor.images import bucket, change_maps, ingest, keys, quarantine
from editor.images.changes import METHOD
from editor.images.copying import copy
from editor.jobs import clock, tasks
from editor.models import ChangeMap, ChangeState, Image, ImageKind, NoChangeMap, User, Workspace
from tests.makers import jpeg, make_image, make_job, make_user

pytestmark = pytest.mark.django_db

COPIES = 1_000  # bytes


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com", name="Alice")


def repainted(data: bytes) -> bytes:
    """A picture with a disc painted over a fifth of it."""
    picture = Pillow.open(io.BytesIO(data)).convert("RGB")
    ImageDraw.Draw(picture).ellipse((40, 40, 200, 180), fill=(30, 160, 90))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80)
    return out.getvalue()


def make_result(user: User) -> Image:
    """A result with a disc, of a source without."""
    done: dict[str, Any] = {"state": "succeeded", "allowance": "taken", "finished_at": timezone.now()}
    job = make_job(user, make_image(user, stored=True), **done)
    values: dict[str, Any] = {"kind": ImageKind.GENERATED, "job": job, "root": job.source_image}
    image = make_image(user, stored=True, copies_size=COPIES, **values)
    bucket.put(keys.rendition_key(image.pk, 320), repainted(jpeg()), "image/webp")
    return image


@pytest.fixture
def result(alice: User) -> Image:
    return make_result(alice)


def wanted(image: Image) -> ChangeMap:
    ChangeMap.objects.promise([image])
    return ChangeMap.objects.get(image=image)


def known(image: Image) -> ChangeMap:
    return ChangeMap.objects.get(image=image)


def has_map(image: Image) -> bool:
    return bucket.exists(keys.change_key(image.pk))


def source(image: Image) -> Image:
    found = change_maps.source_of(image)
    assert found is not None
    return found


def test_what_was_painted_is_found_and_lies_in_the_bucket(result: Image) -> None:
    assert change_maps.make(wanted(result))
    made, data = known(result), bucket.get(keys.change_key(result.pk))
    painted = 3.1416 * 80 * 70 / (320 * 240)
    assert made.share == pytest.approx(painted, abs=0.03)
    assert (made.state, made.byte_size, made.method) == (ChangeState.MADE, len(data), METHOD)
    assert Pillow.open(io.BytesIO(data)).size == (640, 480)
    result.refresh_from_db()
    assert result.copies_size == COPIES + len(data)


def test_several_at_once_make_one(result: Image) -> None:
    ask, again = wanted(result), wanted(result)
    assert [change_maps.make(ask), change_maps.make(again)] == [True, False]
    result.refresh_from_db()
    assert result.copies_size == COPIES + known(result).byte_size


def test_who_comes_late_leaves_what_the_other_one_made(result: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its claim ran out while it was at it, and somebody else was done before."""
    ask = wanted(result)
    put = bucket.put

    def overtaken(key: str, data: bytes, content_type: str) -> None:
        put(key, data, content_type)
        ask.become_made(share=0.2, byte_size=len(data), method=METHOD)

    monkeypatch.setattr(bucket, "put", overtaken)
    assert not change_maps.make(ask)
    assert has_map(result)
    assert known(result).is_made


@pytest.mark.parametrize("gone", ["purged_at", "removed_at"])
def test_a_picture_that_goes_meanwhile_leaves_no_map_behind(
    result: Image, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, now = bucket.put, timezone.now()
    values = {gone: now} if gone == "purged_at" else {gone: now, "trashed_at": now}

    def too_late(key: str, data: bytes, content_type: str) -> None:
        put(key, data, content_type)
        Image.objects.filter(pk=result.pk).update(**values)

    ask = wanted(result)
    monkeypatch.setattr(bucket, "put", too_late)
    assert not change_maps.make(ask)
    assert not has_map(result)


def lose_source(result: Image) -> None:
    Image.objects.filter(pk=source(result).pk).update(purged_at=timezone.now())


def lose_result(result: Image) -> None:
    Image.objects.filter(pk=result.pk).update(purged_at=timezone.now())


def change_shape(result: Image) -> None:
    bucket.put(keys.rendition_key(result.pk, 320), repainted(jpeg(320, 320)), "image/webp")


def make_tiny(result: Image) -> None:
    bucket.put(keys.rendition_key(result.pk, 320), repainted(jpeg(24, 18)), "image/webp")


WHY_NOT: dict[str, Callable[[Image], None]] = {
    NoChangeMap.SOURCE: lose_source,
    NoChangeMap.GONE: lose_result,
    NoChangeMap.SHAPE: change_shape,
    NoChangeMap.SMALL: make_tiny,
}


@pytest.mark.parametrize("reason", WHY_NOT)
def test_where_there_can_be_none_the_row_says_why(result: Image, reason: str) -> None:
    WHY_NOT[reason](result)
    assert change_maps.make(wanted(result))
    assert (known(result).state, known(result).reason) == (ChangeState.NONE, reason)
    assert not has_map(result)


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_what_can_not_be_read_is_tried_some_times_and_harms_nothing(result: Image, harm: str) -> None:
    key = keys.rendition_key(result.pk, 320)
    if harm == "missing":
        bucket.delete([key])
    else:
        bucket.put(key, b"RIFF no picture", "image/webp")
    wanted(result)
    for tries in range(1, change_maps.TRIES):
        assert not change_maps.make(known(result))
        assert (known(result).state, known(result).tries) == (ChangeState.WANTED, tries)
        assert known(result).due_at > timezone.now()
        ChangeMap.objects.update(due_at=timezone.now())
    assert change_maps.make(known(result))
    assert known(result).reason == NoChangeMap.FAILED
    result.refresh_from_db()
    assert result.is_ready


def test_clock_rings_for_what_lacks_one_the_newest_first(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    job = make_job(alice, samples=4, due_at=None)
    results = [make_image(alice, kind="generated", job=job, position=number) for number in range(clock.MOST_MAPS + 2)]
    now = timezone.now()
    ChangeMap.objects.bulk_create(
        ChangeMap(image=image, created_at=now - timedelta(minutes=age), due_at=now) for age, image in enumerate(results)
    )
    ChangeMap.objects.filter(image=results[0]).update(due_at=now + timedelta(minutes=1))  # somebody is at it
    with django_capture_on_commit_callbacks() as callbacks:
        clock.tick()
    sent = [callback.args for callback in callbacks]
    asked = [args[1] for args in sent if args[0] == rings.LOOK_AT_CHANGES]
    assert asked == [str(image.pk) for image in results[1 : clock.MOST_MAPS + 1]]


def test_a_ring_makes_it_and_a_second_one_does_nothing(result: Image) -> None:
    wanted(result)
    tasks.look_at_changes(str(result.pk))
    made_at = known(result).made_at
    assert made_at
    tasks.look_at_changes(str(result.pk))
    assert known(result).made_at == made_at


def test_it_goes_with_its_picture(result: Image) -> None:
    change_maps.make(wanted(result))
    ingest.purge(result)
    assert not has_map(result)
    assert known(result).reason == NoChangeMap.GONE


def test_it_lies_apart_with_a_removed_one_and_comes_back(result: Image) -> None:
    change_maps.make(wanted(result))
    apart, now = keys.quarantine_key(keys.change_key(result.pk)), timezone.now()
    Image.objects.filter(pk=result.pk).update(removed_at=now, trashed_at=now)
    result.refresh_from_db()
    assert quarantine.quarantine(result)
    assert (has_map(result), bucket.exists(apart)) == (False, True)
    Image.objects.filter(pk=result.pk).update(removed_at=None, trashed_at=None)
    result.refresh_from_db()
    assert quarantine.release(result)
    assert (has_map(result), bucket.exists(apart)) == (True, False)


def test_it_is_purged_with_the_quarantine(result: Image, settings: Settings) -> None:
    change_maps.make(wanted(result))
    long_ago = timezone.now() - timedelta(days=400)
    Image.objects.filter(pk=result.pk).update(removed_at=long_ago, trashed_at=long_ago)
    result.refresh_from_db()
    quarantine.quarantine(result)
    assert [image.pk for image in quarantine.purge_quarantine()] == [result.pk]
    assert not bucket.exists(keys.quarantine_key(keys.change_key(result.pk)))
    assert known(result).reason == NoChangeMap.GONE


def test_a_copy_has_none_and_its_size_says_so(alice: User, result: Image) -> None:
    bucket.put(keys.init_key(result.pk), jpeg(), "image/jpeg")
    change_maps.make(wanted(result))
    result.refresh_from_db()
    [twin] = copy(alice, [result], Workspace.objects.personal_of(alice))
    twin.refresh_from_db()
    assert not ChangeMap.objects.filter(image=twin).exists()
    assert twin.copies_size == COPIES
