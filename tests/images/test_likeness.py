"""The same bytes, and pictures that look like others: on real photographs, through the real decoder."""

import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from PIL import Image as Pillow
from PIL import ImageEnhance

from editor.images import ingest
from editor.images.hashing import perceptual_hash
from editor.images.likeness import alike, same_bytes
from editor.library.perceptual import ALIKE, difference, phash_columns, phash_of
from editor.models import Image, ImageKind, ImageState, User, Workspace
from tests.images.conftest import Clean
from tests.makers import make_image, make_job, make_user

SAMPLES = Path(__file__).parents[2] / "static/samples"
PHOTOGRAPHS = ["astronaut", "cat", "coffee", "rocket"]
Change = Callable[[Pillow.Image], Pillow.Image]


def photograph(name: str) -> Pillow.Image:
    return Pillow.open(SAMPLES / f"{name}.jpg").convert("RGB")


def saved(picture: Pillow.Image, kind: str, quality: int) -> Pillow.Image:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return Pillow.open(out).convert("RGB")


def cut(picture: Pillow.Image, share: float) -> Pillow.Image:
    across, down = round(picture.width * share), round(picture.height * share)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def apart(one: Pillow.Image, other: Pillow.Image) -> int:
    a, b = perceptual_hash(one), perceptual_hash(other)
    assert a is not None
    assert b is not None
    return difference(a, b)


CHANGES: dict[str, Change] = {
    "half": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "twice": lambda picture: picture.resize((picture.width * 2, picture.height * 2)),
    "JPEG 40": lambda picture: saved(picture, "JPEG", 40),
    "WebP 60": lambda picture: saved(picture, "WEBP", 60),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "1 % cut off": lambda picture: cut(picture, 0.01),
    "all of it": lambda picture: saved(ImageEnhance.Brightness(cut(picture, 0.005).reduce(2)).enhance(1.1), "JPEG", 50),
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("change", CHANGES)
def test_changed_a_little_it_is_alike(name: str, change: str) -> None:
    picture = photograph(name)
    assert apart(picture, CHANGES[change](picture)) <= ALIKE - 2


def test_different_photographs_are_far_apart() -> None:
    halves = [half for name in PHOTOGRAPHS for half in halves_of(photograph(name))]
    distances = [apart(one, other) for i, one in enumerate(halves) for other in halves[:i]]
    assert min(distances) > 2 * ALIKE


def halves_of(picture: Pillow.Image) -> list[Pillow.Image]:
    middle = picture.width // 2
    return [picture.crop((0, 0, middle, picture.height)), picture.crop((middle, 0, picture.width, picture.height))]


def test_nothing_to_see_has_no_hash() -> None:
    assert perceptual_hash(Pillow.new("RGB", (300, 200), (200, 10, 10))) is None


def test_phone_picture_is_alike_once_it_is_upright(clean: Clean) -> None:
    coffee, phone = clean(SAMPLES / "coffee.jpg").phash, clean(SAMPLES / "phone.jpg").phash
    assert coffee is not None
    assert phone is not None
    assert difference(coffee, phone) <= 3


# In a workspace


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


def hashed(alice: User, *parts: int, **fields: Any) -> Image:
    columns: dict[str, Any] = phash_columns((parts[0], parts[1], parts[2], parts[3]))
    return make_image(alice, **columns, **fields)


def test_alike_are_found_most_alike_first(alice: User) -> None:
    image = hashed(alice, 1, 2, 3, 4)
    further, nearer = hashed(alice, 1, 2, 0xF3, 4), hashed(alice, 1, 2, 3, 5)
    hashed(alice, 1, 0xFFFF, 3, 4)  # 15 bits
    assert alike(alice, [image]) == {image.pk: [nearer, further]}


@pytest.mark.parametrize("bits", [(1, 1, 1, 0), (1, 0, 1, 1), (0, 0, 0, 7)])
def test_up_to_three_bits_are_always_found(bits: tuple[int, ...], alice: User) -> None:
    image = hashed(alice, 10, 20, 30, 40)
    other = hashed(alice, *(part ^ bit for part, bit in zip((10, 20, 30, 40), bits, strict=True)))
    assert alike(alice, [image])[image.pk] == [other]


def test_alike_are_never_of_another_workspace_trashed_or_its_own_versions(alice: User) -> None:
    image = hashed(alice, 1, 2, 3, 4)
    hashed(alice, 1, 2, 3, 4, workspace=Workspace.objects.found(alice, "Team"))
    hashed(alice, 1, 2, 3, 4, trashed_at=image.created_at)
    hashed(alice, 1, 2, 3, 4, kind=ImageKind.GENERATED, job=make_job(alice, image), root=image)
    assert alike(alice, [image]) == {image.pk: []}


def test_many_are_looked_up_at_once(alice: User, django_assert_num_queries: Any) -> None:
    draw = Random(1)
    images = [hashed(alice, *(draw.getrandbits(16) for _ in range(4))) for _ in range(20)]
    twin = hashed(alice, *(phash_of(images[7]) or ()))
    with django_assert_num_queries(1):
        found = alike(alice, images)
    assert [pk for pk, others in found.items() if others == [twin]] == [images[7].pk]


def test_older_pictures_are_hashed_by_a_command(alice: User) -> None:
    with (SAMPLES / "cat.jpg").open("rb") as file:
        image = ingest.receive(alice, Workspace.objects.personal_of(alice), file, "cat.jpg")
    ingest.take_in(image)
    image.refresh_from_db()
    at_ingest = phash_of(image)
    assert at_ingest is not None
    Image.objects.filter(pk=image.pk).update(**phash_columns(None))
    gone = make_image(alice)
    out = io.StringIO()
    call_command("likeness", stdout=out)
    image.refresh_from_db()
    gone.refresh_from_db()
    now = phash_of(image)
    assert now is not None
    assert difference(now, at_ingest) <= 3
    assert phash_of(gone) is None
    assert out.getvalue() == "1 hashed; 1 have no bytes.\n"


def test_same_bytes_are_found_in_the_same_workspace_alone(alice: User) -> None:
    home, team = Workspace.objects.personal_of(alice), Workspace.objects.found(alice, "Team")
    first = make_image(alice, raw_sha256="a" * 64)
    make_image(alice, raw_sha256="a" * 64)
    assert same_bytes(alice, home, "a" * 64) == first
    assert same_bytes(alice, team, "a" * 64) is None
    assert same_bytes(alice, home, "b" * 64) is None


def test_refused_or_trashed_bytes_may_come_again(alice: User) -> None:
    make_image(alice, raw_sha256="a" * 64, state=ImageState.REFUSED, refused_code="lost")
    make_image(alice, raw_sha256="a" * 64).trash()
    assert same_bytes(alice, Workspace.objects.personal_of(alice), "a" * 64) is None
