"""received → ready or refused, with real bytes in a real bucket."""

import io
import threading
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image as Pillow
from pytest_django import Settings

from editor.images import bucket, ingest, keys
from editor.images.decoding import DecoderDied
from editor.models import Image, ImageState, User, Workspace
from tests.makers import jpeg, make_user

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "static/samples"


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


def receive(alice: User, data: bytes, name: str = "a.jpg") -> Image:
    return ingest.receive(alice, Workspace.objects.personal_of(alice), io.BytesIO(data), name)


def test_upload_is_first_received_with_its_raw_bytes(alice: User) -> None:
    image = receive(alice, jpeg())
    assert image.state == ImageState.RECEIVED
    assert bucket.get(keys.raw_key(image.pk)) == jpeg()


def test_phone_picture_comes_out_upright_and_without_gps(alice: User) -> None:
    image = receive(alice, (SAMPLES / "phone.jpg").read_bytes())
    assert ingest.take_in(image)
    image.refresh_from_db()
    master = Pillow.open(io.BytesIO(bucket.get(keys.master_key(image.pk, image.master_ext))))
    with Pillow.open(SAMPLES / "phone.jpg") as raw:
        assert raw.getexif()[0x0112] == 6
        assert master.size == (image.width, image.height) == (raw.height, raw.width)
    assert not master.getexif()
    assert b"GPS" not in bucket.get(keys.master_key(image.pk, image.master_ext))


def test_ready_picture_has_all_its_files_and_no_raw(alice: User) -> None:
    image = receive(alice, jpeg(800, 600))
    ingest.take_in(image)
    image.refresh_from_db()
    assert (image.state, image.rendition_widths) == (ImageState.READY, [320, 640, 800])
    assert bucket.exists(keys.init_key(image.pk))
    assert not bucket.exists(keys.raw_key(image.pk))


def test_page_named_like_a_picture_is_refused(alice: User) -> None:
    image = receive(alice, b"<html><script>alert(1)</script>", "cat.png")
    assert ingest.take_in(image)
    image.refresh_from_db()
    assert (image.state, image.refused_code) == (ImageState.REFUSED, "unsupported")
    assert not bucket.exists(keys.raw_key(image.pk))


def test_picture_that_kills_its_decoder_gets_three_tries(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise DecoderDied("ended by SIGKILL")

    monkeypatch.setattr(ingest, "decode", dies)
    image = receive(alice, jpeg())
    decided = []
    for _ in range(3):
        image.refresh_from_db()
        decided.append(ingest.take_in(image))
    image.refresh_from_db()
    assert decided == [False, False, True]
    assert image.refused_code == "undecodable"


def test_picture_that_uses_up_the_time_gets_no_second_try(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*args: object, **kwargs: object) -> None:
        raise DecoderDied("no answer within 12 s", timed_out=True)

    monkeypatch.setattr(ingest, "decode", endless)
    image = receive(alice, jpeg())
    assert ingest.take_in(image)
    image.refresh_from_db()
    assert (image.refused_code, image.tries) == ("undecodable", 1)


def test_upload_whose_bytes_never_came_is_refused(alice: User) -> None:
    image = receive(alice, jpeg())
    bucket.delete([keys.raw_key(image.pk)])
    ingest.take_in(image)
    image.refresh_from_db()
    assert image.refused_code == "lost"


def test_only_one_of_two_workers_takes_it_in(alice: User) -> None:
    image = receive(alice, jpeg())
    other = Image.objects.get(pk=image.pk)
    assert image.claim({ImageState.RECEIVED}, ingest.RETRY)
    assert not ingest.take_in(other)


def test_uploads_of_a_day_are_limited(alice: User, settings: Settings) -> None:
    settings.UPLOADS_PER_DAY = 1
    receive(alice, jpeg())
    with pytest.raises(ingest.TooMany, match="tomorrow"):
        receive(alice, jpeg())


def test_uploads_that_wait_for_a_worker_are_limited(alice: User, settings: Settings) -> None:
    settings.UPLOADS_WAITING = 1
    waiting = receive(alice, jpeg())
    with pytest.raises(ingest.TooMany, match="still being checked"):
        receive(alice, jpeg())
    assert receive(make_user("bob@example.com"), jpeg()).state == ImageState.RECEIVED
    ingest.take_in(waiting)
    assert receive(alice, jpeg()).state == ImageState.RECEIVED


def test_upload_waits_for_its_turn_at_the_bucket_but_not_for_ever(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(ingest, "_puts", turns)
    monkeypatch.setattr(ingest, "PUT_PATIENCE", 0.1)
    with turns, pytest.raises(bucket.BucketUnavailable, match="busy"):
        receive(alice, jpeg())
    assert Image.objects.get().refused_code == "lost"
    assert receive(alice, jpeg()).state == ImageState.RECEIVED
    assert receive(alice, jpeg()).state == ImageState.RECEIVED  # and each gives its turn back


def test_upload_is_never_in_memory_whole(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 20_000_000)
    receive(alice, jpeg())  # what is loaded once
    with path.open("rb") as file:
        tracemalloc.start()
        ingest.receive(alice, Workspace.objects.personal_of(alice), file, "large.jpg")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("a\r\nSet-Cookie: x\0.png", "aSet-Cookie: x.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("😀.png", "😀.png"),
        ("x" * 300, "x" * 120),
    ],
)
def test_name_is_for_eyes_only(name: str, shown: str) -> None:
    assert ingest.clean_name(name) == shown


def test_purged_picture_leaves_its_row(alice: User) -> None:
    image = receive(alice, jpeg())
    ingest.take_in(image)
    image.refresh_from_db()
    ingest.purge(image)
    image.refresh_from_db()
    assert image.purged_at is not None
    assert not bucket.exists(keys.master_key(image.pk, "jpg"))
