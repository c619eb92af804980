"""Removed pictures come back: as the same bytes, saved again, as a result, as a copy."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageEnhance
from pytest_django import Settings

from editor.images import bucket, ingest, keys
from editor.images.copying import copy
from editor.images.hashing import perceptual_hash
from editor.images.refusals import Refused
from editor.library.perceptual import ALIKE, difference, phash_of
from editor.models import Cause, Image, ImageKind, ImageState, ModerationCase, User, Workspace
from editor.moderation import fingerprints
from tests.makers import make_image, make_job, make_user, take_in_result
from tests.people import client_of

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "static/samples"
CAT = (SAMPLES / "cat.jpg").read_bytes()


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com", name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob@example.com", name="Bob")


def upload(user: User, data: bytes, sha256: str = "") -> Image:
    image = ingest.receive(user, Workspace.objects.personal_of(user), io.BytesIO(data), "a.jpg", sha256=sha256)
    ingest.take_in(image)
    image.refresh_from_db()
    return image


def saved(picture: Pillow.Image, kind: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


@pytest.fixture
def gone(alice: User) -> Image:
    """A cat that was removed."""
    image = upload(alice, CAT)
    now = timezone.now()
    Image.objects.filter(pk=image.pk).update(removed_at=now, trashed_at=now)
    fingerprints.remember(image)
    return image


def cases() -> list[tuple[str, Any]]:
    return [(case.cause, case.image_id) for case in ModerationCase.objects.order_by("opened_at")]


def test_same_bytes_are_refused_before_anything_is_stored(gone: Image, bob: User) -> None:
    before = Image.objects.count()
    with pytest.raises(Refused, match="removed"):
        ingest.receive(bob, Workspace.objects.personal_of(bob), io.BytesIO(CAT), "a.jpg", sha256=gone.raw_sha256)
    response = client_of(bob).post(reverse("image_upload"), {"file": SimpleUploadedFile("b.jpg", CAT)})
    assert response.status_code == 422
    assert "was removed by a moderator before" in response.content.decode()
    assert Image.objects.count() == before


def test_same_master_in_other_bytes_is_refused_once_it_is_decoded(gone: Image, bob: User, settings: Settings) -> None:
    settings.RAW_KEPT = True
    image = upload(bob, CAT + b"another tail")
    assert (image.state, image.refused_code) == (ImageState.REFUSED, "removed")
    assert not bucket.exists(keys.raw_key(image.pk))
    assert not bucket.exists(keys.master_key(image.pk, "jpg"))
    assert cases() == []


def test_one_that_looks_like_it_waits_for_a_look(gone: Image, bob: User) -> None:
    cat = Pillow.open(io.BytesIO(CAT)).convert("RGB")
    again = saved(ImageEnhance.Brightness(cat.reduce(2)).enhance(1.1), quality=60)
    image = upload(bob, again)
    assert image.state == ImageState.READY
    assert image.withheld_at is not None
    case = ModerationCase.objects.get()
    print_of = fingerprints.remember(gone)
    assert (case.cause, case.image, case.person, case.key) == (Cause.FINGERPRINT, image, bob, str(print_of.pk))
    assert case.details["of"] == str(gone.pk)
    assert case.details["distance"] <= ALIKE


def test_another_photograph_comes_in(gone: Image, bob: User) -> None:
    assert upload(bob, (SAMPLES / "coffee.jpg").read_bytes()).withheld_at is None
    assert cases() == []


@pytest.mark.parametrize("changed", [False, True])
def test_result_that_is_it_or_like_it_succeeds_and_waits(changed: bool, gone: Image, bob: User) -> None:
    image = result(bob, make_image(bob))
    cat = Pillow.open(io.BytesIO(CAT)).convert("RGB")
    raw = saved(cat.reduce(2), quality=70) if changed else CAT
    assert take_in_result(image, raw)
    image.refresh_from_db()
    assert image.withheld_at is not None
    assert cases() == [(Cause.FINGERPRINT, image.pk)]
    assert ModerationCase.objects.get().details["exact"] is not changed


def result(user: User, source: Image) -> Image:
    job = make_job(user, source, state="collecting")
    return make_image(
        user, kind=ImageKind.GENERATED, job=job, state=ImageState.RECEIVED, workspace=source.workspace, name="made"
    )


@pytest.mark.parametrize("state", ["removed", "withheld"])
def test_result_of_an_edit_under_way_becomes_a_case(state: str, bob: User) -> None:
    source = make_image(bob)
    image = result(bob, source)
    now = timezone.now()
    values = {"removed_at": now, "trashed_at": now} if state == "removed" else {"withheld_at": now}
    Image.objects.filter(pk=source.pk).update(**values)
    take_in_result(image, CAT)
    image.refresh_from_db()
    assert image.withheld_at is not None
    case = ModerationCase.objects.get()
    assert (case.cause, case.key, case.details["source"]) == (Cause.DESCENDANT, str(source.pk), state)


def test_copy_of_a_removed_one_is_not_made_and_of_one_like_it_waits(gone: Image, bob: User) -> None:
    team = Workspace.objects.found(bob, "Team")
    same = make_image(bob, stored=True, master_sha256=gone.master_sha256)
    columns = {name: getattr(gone, name) for name in ("phash_a", "phash_b", "phash_c", "phash_d")}
    like = make_image(bob, stored=True, sensitive=True, **columns)
    (copied,) = copy(bob, [same, like], team)
    copied.refresh_from_db()
    assert (copied.state, copied.withheld_at is not None, copied.sensitive) == (ImageState.READY, True, True)
    assert cases() == [(Cause.FINGERPRINT, copied.pk)]


def test_changed_decision_forgets_it(gone: Image, bob: User) -> None:
    fingerprints.forget(gone)
    assert upload(bob, CAT, sha256=gone.raw_sha256).withheld_at is None


def test_remembering_twice_is_one(gone: Image) -> None:
    assert fingerprints.remember(gone) == fingerprints.remember(gone)
    found = fingerprints.match(looks=phash_of(gone))
    assert found is not None
    assert (found.distance, found.is_exact) == (0, False)


def test_nothing_to_go_by_matches_nothing(alice: User, bob: User) -> None:
    """Empty columns are not alike."""
    fingerprints.remember(make_image(alice, master_sha256=""))
    assert fingerprints.match() is None
    assert fingerprints.match(raw_sha256="", master_sha256="") is None


def plain_backgrounds() -> list[Pillow.Image]:
    """White, grey and red: flat, with a gradient in three directions, with a vignette; saved as JPEG, too."""
    found = []
    dark = Pillow.new("RGB", (400, 300), (20, 40, 90))
    shades = [Pillow.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)] + [Pillow.radial_gradient("L")]
    for colour, shade, share in product([(255, 255, 255), (128, 128, 128), (200, 30, 30)], shades, (0.05, 0.3, 1)):
        mask = shade.resize((400, 300)).point(lambda value, share=share: int(value * share))
        picture = Pillow.composite(dark, Pillow.new("RGB", (400, 300), colour), mask)
        found += [picture, Pillow.open(io.BytesIO(saved(picture, quality=80))).convert("RGB")]
    return found


def test_plain_backgrounds_are_like_nothing() -> None:
    """Their waves are noise, and noise once matched noise: of 10,153 pairs of such pictures 216 did."""
    assert [each for each in plain_backgrounds() if perceptual_hash(each) is not None] == []


def test_photographs_and_their_parts_are_still_known() -> None:
    hashes = []
    for name in ("astronaut", "cat", "coffee", "rocket"):
        photo = Pillow.open(SAMPLES / f"{name}.jpg").convert("RGB")
        across, down = photo.width // 3, photo.height // 3
        parts = [
            photo.crop((x * across, y * down, (x + 1) * across, (y + 1) * down)) for x in range(3) for y in range(3)
        ]
        hashes += [(name, perceptual_hash(part)) for part in [photo, *parts]]
    known = [(name, parts) for name, parts in hashes if parts is not None]
    assert len(known) == 40
    apart = [difference(a, b) for i, (one, a) in enumerate(known) for other, b in known[:i] if one != other]
    assert min(apart) > 2 * ALIKE
