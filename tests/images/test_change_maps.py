"""Maps of what edits changed: promised by rows, made once, and gone with the picture that they lie over."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageDraw

from editor.images import bucket, change_maps, ingest, keys, quarantine
from editor.images.bucket import BucketUnavailable
from editor.images.copying import copy
from editor.jobs import clock, tasks
from editor.models import ChangeMap, ChangeState, Image, ImageKind, NoChangeMap, User, Workspace
from tests.makers import jpeg, make_image, make_job, make_user

pytestmark = pytest.mark.django_db


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


def make_result(user: User, **fields: object) -> Image:
    """A result with a disc, of a source without."""
    job = make_job(user, make_image(user, stored=True), state="succeeded", allowance="taken", finished_at=timezone.now())
    values = {"kind": ImageKind.GENERATED, "job": job, "root": job.source_image, "copies_size": 1_000}
    image = make_image(user, stored=True, **(values | fields))
    bucket.put(keys.rendition_key(image.pk, 320), repainted(jpeg()), "image/webp")
    return image


@pytest.fixture
def result(alice: User) -> Image:
    return make_result(alice)


def wanted(image: Image) -> ChangeMap:
    ChangeMap.objects.promise([image])
    return ChangeMap.objects.get(image=image)


def has_map(image: Image) -> bool:
    return bucket.exists(keys.change_key(image.pk))


def test_what_was_painted_is_found_and_lies_in_the_bucket(result: Image) -> None:
    assert change_maps.make(wanted(result))
    made = ChangeMap.objects.get(image=result)
    painted = 3.1416 * 80 * 70 / (320 * 240)
    assert made.is_made
    assert made.share == pytest.approx(painted, abs=0.05)
    data = bucket.get(keys.change_key(result.pk))
    assert Pillow.open(io.BytesIO(data)).size == (320, 240)
    result.refresh_from_db()
    assert result.copies_size == 1_000 + len(data) == 1_000 + made.byte_size


def test_several_at_once_make_one(result: Image) -> None:
    ask = wanted(result)
    again = ChangeMap.objects.get(image=result)
    assert [change_maps.make(ask), change_maps.make(again)] == [True, False]
    result.refresh_from_db()
    assert result.copies_size == 1_000 + ChangeMap.objects.get(image=result).byte_size
