"""The daily look at all objects: what has no row is listed, and deleted when somebody says so."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from editor.accounts.roles import OPERATOR
from editor.doctor import daily, objects
from editor.images import bucket as things
from editor.images import keys
from editor.models import AuditEntry, BucketRound, Image, Stray, User
from tests.conftest import Bucket
from tests.makers import make_image
from tests.people import client_of
from tests.staff.roles import give_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects count as old as soon as they are there, give or take a clock."""
    monkeypatch.setattr(objects, "OLD", -timedelta(minutes=5))


def put_stray() -> str:
    key = keys.rendition_key(uuid4(), 320)
    things.put(key, b"x" * 100, "image/webp")
    return key


def look() -> BucketRound:
    daily.begin()
    while daily.go_on(1):
        pass
    found = daily.latest()
    assert found is not None
    return found


def test_what_has_no_row_is_listed_and_deleted(alice: User, bucket: Bucket, at_once: None) -> None:
    image, *_ = [make_image(alice, stored=True) for _ in range(3)]
    gone = make_image(alice)
    strays = {put_stray(), keys.raw_key(uuid4())}
    for key in strays - set(bucket.keys()):
        things.put(key, b"raw", "application/octet-stream")
    found = look()
    assert (found.strays, found.strays_size, found.stray_pictures, found.missing, found.known) == (2, 103, 2, 1, 3)
    assert set(Stray.objects.exclude(key="").values_list("key", flat=True)) == strays
    assert Stray.objects.get(key="").image == gone
    image.refresh_from_db()
    assert image.copies_size == sum(
        len(things.get(key)) for key in (keys.init_key(image.pk), keys.rendition_key(image.pk, 320))
    )
    # A row came meanwhile: that object stays.
    late = next(key for key in strays if key.startswith("images/"))
    make_image(alice, pk=late.split("/")[1])
    assert daily.delete_strays(found) == (1, 3)
    assert set(bucket.keys()) & strays == {late}
    assert things.exists(keys.master_key(image.pk, "jpg"))


def test_two_presses_delete_once_and_never_count_below_zero(alice: User, bucket: Bucket, at_once: None) -> None:
    for _ in range(2):
        make_image(alice, stored=True)
    operator = client_of(give_role(alice, OPERATOR))
    key = put_stray()
    found = look()
    # As two rounds at once, or a picture in both folders, leave it.
    BucketRound.objects.filter(pk=found.pk).update(strays=0, strays_size=0, stray_pictures=0)
    pressed = [operator.post("/operate/storage/strays/", {"round": found.pk}, follow=True) for _ in range(2)]
    said = [str(message) for answer in pressed for message in answer.context["messages"]]
    assert said == ["1 object was deleted.", "Nothing was left to delete: somebody else did it meanwhile."]
    assert not things.exists(key)
    assert AuditEntry.objects.filter(action="strays.deleted").count() == 1
    found.refresh_from_db()
    assert (found.strays, found.strays_size, found.stray_pictures) == (0, 0, 0)


def test_young_objects_are_none(alice: User, bucket: Bucket) -> None:
    put_stray()
    assert look().strays == 0


def test_a_wrong_database_deletes_nothing(bucket: Bucket, at_once: None) -> None:
    key = put_stray()
    found = look()
    assert daily.too_many(found)
    with pytest.raises(ValueError, match="too many"):
        daily.delete_strays(found)
    assert bucket.keys() == [key]


def test_a_round_goes_on_where_it_was_and_counts_nothing_twice(
    alice: User, bucket: Bucket, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGE", 4)  # pictures have three objects
    for _ in range(4):
        make_image(alice, stored=True)
    strays = {put_stray() for _ in range(3)}
    found = look()
    assert (found.known, found.strays, found.missing) == (4, 3, 0)
    assert {stray.key for stray in found.found.all()} == strays
    assert not Image.objects.filter(copies_size=None).exists()


def test_the_clock_begins_one_a_day(alice: User, bucket: Bucket) -> None:
    now = timezone.now()
    daily.keep(now)
    daily.keep(now)
    assert BucketRound.objects.count() == 1
    while daily.go_on():
        pass
    daily.keep(now + timedelta(hours=23))
    assert BucketRound.objects.count() == 1
    daily.keep(now + timedelta(hours=25))
    assert BucketRound.objects.filter(finished_at=None).count() == 1
