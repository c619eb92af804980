"""Who gets the bytes of a picture, and with which headers."""

import asyncio
import socket
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core import signing
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from editor.images import bucket, delivery, keys
from editor.images.held import Held
from editor.jobs import vendor
from editor.models import Image, User
from tests.images.loopback import Answer, serving
from tests.makers import make_image, make_user

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


@pytest.fixture
def image(alice: User) -> Image:
    return make_image(alice, stored=True)


def body(response: Any) -> bytes:
    if not response.streaming:
        return bytes(response.content)

    async def read() -> bytes:
        return b"".join([chunk async for chunk in response])

    return async_to_sync(read)()


def urls(image: Image) -> list[str]:
    return [f"/images/{image.pk}/320.webp", f"/images/{image.pk}/master", f"/images/{image.pk}/master?download=1"]


def test_held_thumbnail_needs_no_bucket_and_is_given_to_nobody_else(alice: User, image: Image) -> None:
    client, stranger, address = client_of(alice), client_of(make_user()), urls(image)[0]
    first = body(client.get(address))
    bucket.delete([keys.rendition_key(image.pk, 320)])
    assert body(client.get(address)) == first
    assert stranger.get(address).status_code == 404
    image.trash()
    assert client.get(address).status_code == 404


def test_what_is_held_is_bounded_and_the_oldest_goes() -> None:
    held = Held(most=250_000)
    for key in "abc":
        held.put(key, key.encode() * 80_000)
    assert held.get("a")
    held.put("d", b"d" * 80_000)
    assert [key for key in "abcd" if held.get(key) is None] == ["b"]
    held.put("large", b"x" * 100_001)
    assert held.get("large") is None


def test_owner_gets_the_bytes(alice: User, image: Image) -> None:
    for url in urls(image):
        response = client_of(alice).get(url)
        assert response.status_code == 200
        assert body(response)[:2] == b"\xff\xd8"


def test_stranger_gets_404(image: Image) -> None:
    charlie = client_of(make_user())
    assert {charlie.get(url).status_code for url in urls(image)} == {404}


def test_nobody_signed_in_gets_404(image: Image) -> None:
    assert {Client().get(url).status_code for url in urls(image)} == {404}


def test_made_up_id_is_404(alice: User) -> None:
    assert client_of(alice).get(f"/images/{uuid4()}/master").status_code == 404


def test_trashed_picture_is_gone(alice: User, image: Image) -> None:
    Image.objects.update(trashed_at=timezone.now())
    assert client_of(alice).get(urls(image)[0]).status_code == 404


def test_browser_may_keep_it_for_itself_for_minutes(alice: User, image: Image) -> None:
    response = client_of(alice).get(urls(image)[0])
    again = client_of(alice).get(urls(image)[0], headers={"If-None-Match": response["ETag"]})
    assert response["Cache-Control"] == "private, max-age=300"
    assert (again.status_code, again.content) == (304, b"")


def test_download_has_a_harmless_name(alice: User) -> None:
    image = make_image(alice, stored=True, name='a"b\r\n;x.php.jpg')
    header = client_of(alice).get(f"/images/{image.pk}/master?download=1")["Content-Disposition"]
    assert header == 'attachment; filename="abxphp.jpg"'


def test_picture_is_never_run_as_a_page(alice: User, image: Image) -> None:
    response = client_of(alice).get(urls(image)[1])
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_width_that_is_not_there_falls_to_the_next(alice: User, image: Image) -> None:
    assert client_of(alice).get(f"/images/{image.pk}/5000.webp").status_code == 200


def test_flux_server_reads_a_source_by_its_signed_link(image: Image) -> None:
    token = signing.dumps(str(image.pk), salt=vendor.SOURCE_SALT)
    assert body(Client().get(f"/sources/{token}.jpg"))[:2] == b"\xff\xd8"


def test_forged_or_old_source_link_is_404(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    token = signing.dumps(str(image.pk), salt="another")
    assert Client().get(f"/sources/{token}.jpg").status_code == 404
    monkeypatch.setattr("time.time", lambda: 0.0)
    old = signing.dumps(str(image.pk), salt=vendor.SOURCE_SALT)
    monkeypatch.undo()
    assert Client().get(f"/sources/{old}.jpg").status_code == 404


# A bucket that hangs


@pytest.fixture
def hung(settings: Settings) -> Iterator[None]:
    """A bucket that lets everybody in and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        settings.STORAGES = deepcopy(settings.STORAGES)
        settings.STORAGES["default"]["OPTIONS"]["endpoint_url"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield


@pytest.mark.usefixtures("hung")
def test_hung_bucket_leaves_static_files_alone(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hello.css").write_text("body{}")
    settings.STATIC_ROOT = tmp_path
    monkeypatch.setattr(bucket, "DELIVERY_READ_TIMEOUT", 3.0)
    monkeypatch.setattr(bucket, "DELIVERY_PATIENCE", 4.0)

    async def look() -> list[int]:
        assert (await AsyncClient().get("/static/hello.css")).status_code == 200  # with all that a first one imports
        pictures = [
            asyncio.ensure_future(delivery.respond(RequestFactory().get("/"), "a", etag="a")) for _ in range(60)
        ]
        while bucket._threads._work_queue.qsize() < 60 - bucket.DELIVERY_THREADS:
            await asyncio.sleep(0.01)  # until all threads wait for the bucket
        assert (await AsyncClient().get("/static/hello.css")).status_code == 200
        assert not any(picture.done() for picture in pictures)  # it came before each that waits for a thread
        return [picture.status_code for picture in await asyncio.gather(*pictures)]

    assert asyncio.run(look()) == [503] * 60


def test_silent_bucket_is_asked_only_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "DELIVERY_READ_TIMEOUT", 0.3)
    settings.STORAGES = deepcopy(settings.STORAGES)
    with serving() as server:
        server.answer = Answer(delay=1.0)
        settings.STORAGES["default"]["OPTIONS"]["endpoint_url"] = server.origin
        with pytest.raises(bucket.BucketUnavailable, match="ReadTimeout"):
            asyncio.run(bucket.open_stream_soon("a"))
        assert len(server.paths) == 1


def test_picture_that_comes_too_late_is_closed(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed = bucket.open_stream(f"images/{image.pk}/320.webp")
    closed: list[bool] = []
    streamed.close = lambda: closed.append(True)

    def late(*arguments: object, **options: object) -> bucket.Streamed:
        time.sleep(0.3)
        return streamed

    monkeypatch.setattr(bucket, "open_stream", late)
    monkeypatch.setattr(bucket, "DELIVERY_PATIENCE", 0.1)
    with pytest.raises(bucket.BucketUnavailable):
        asyncio.run(bucket.open_stream_soon("a"))
    time.sleep(0.4)
    streamed.body.close()  # type: ignore[attr-defined]
    assert closed == [True]
