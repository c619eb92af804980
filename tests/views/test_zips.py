"""Pictures as one file, sent while it is made."""

import asyncio
import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from editor.accounts import exporting
from editor.images import bucket, keys
from editor.images.zips import entries_of, stream
from editor.library.shelves import add_tags, collect, new_collection
from editor.models import Image, ImageKind, ImageState, Membership, Role, User, Workspace
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> AsyncClient:
    client = AsyncClient()
    client.force_login(user)
    return client


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def zip_of(response: StreamingHttpResponse) -> zipfile.ZipFile:
    assert response.is_async
    archive = zipfile.ZipFile(io.BytesIO(asyncio.run(whole(response.streaming_content))))  # type: ignore[arg-type]
    assert archive.testzip() is None
    return archive


def download(user: User, workspace: Workspace, *images: Any) -> Any:
    ids = [image.pk if isinstance(image, Image) else image for image in images]
    return asyncio.run(client_of(user).post(reverse("selection_zip", args=[workspace.pk]), {"picture": ids}))


def told(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read("pictures.json"))
    return found


def test_chosen_pictures_come_with_how_they_were_made(alice: User, own: Workspace) -> None:
    upload = make_image(alice, stored=True, name="owl.jpg", created_at=datetime(2026, 1, 2, tzinfo=UTC))
    job = make_job(alice, upload, prompt="add a moon", seed=99)
    made = make_image(alice, stored=True, name="moon", kind=ImageKind.GENERATED, job=job, licence="editorial")
    add_tags(own, [made], ["night", "sky"])
    response = download(alice, own, upload, made)
    assert response["Content-Disposition"] == 'attachment; filename="Personal.zip"'
    archive = zip_of(response)
    assert archive.namelist() == ["moon.jpg", "owl.jpg", "pictures.json", "pictures.csv"]
    assert archive.read("owl.jpg") == bucket.get(keys.master_key(upload.pk, "jpg"))
    assert archive.getinfo("owl.jpg").date_time == (2026, 1, 2, 0, 0, 0)
    moon, owl = told(archive)
    assert (moon["file"], moon["prompt"], moon["seed"]) == ("moon.jpg", "add a moon", 99)
    assert (sorted(moon["tags"]), owl["tags"]) == (["night", "sky"], [])
    assert (moon["licence"], owl["prompt"], owl["by"]) == ("editorial", "", "Alice")


def test_names_are_safe_and_unique(alice: User) -> None:
    names = ["../../etc/passwd", "a.jpg", "A.jpg", "a.jpg", "CON", "", "ümläut 猫.png", "x\r\ny"]
    images = [make_image(alice, name=name) for name in names]
    files = [entry.made.file for entry in entries_of(images, {})]
    assert files == [
        *("picture.jpg", "a.jpg", "A 2.jpg", "a 3.jpg", "CON picture.jpg", "picture 2.jpg"),
        *("ümläut 猫.jpg", "xy.jpg"),
    ]


def test_list_runs_no_formula(alice: User, own: Workspace) -> None:
    job = make_job(alice, prompt="=cmd()|' /C calc'!A0")
    made = make_image(alice, stored=True, name="+1", kind=ImageKind.GENERATED, job=job, description="-2\n@SUM(1)")
    text = zip_of(download(alice, own, made)).read("pictures.csv").decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["prompt"], row["name"], row["description"]) == ("'=cmd()|' /C calc'!A0", "'+1", "'-2\n@SUM(1)")


def test_picture_that_is_not_in_the_bucket_is_left_out_and_said(alice: User, own: Workspace) -> None:
    there, lost = make_image(alice, stored=True, name="there"), make_image(alice, name="lost")
    archive = zip_of(download(alice, own, there, lost))
    assert archive.namelist() == ["there.jpg", "pictures.json", "pictures.csv"]
    assert {one["name"]: one["file"] for one in told(archive)} == {"there": "there.jpg", "lost": ""}


def test_picture_that_is_still_looked_at_is_named_as_not_ready(alice: User, own: Workspace) -> None:
    owl = make_image(alice, stored=True, name="owl.jpg")
    fox = make_image(alice, name="fox.jpg", state=ImageState.RECEIVED, ready_at=None)
    archive = zip_of(download(alice, own, owl, fox))
    assert archive.namelist() == ["owl.jpg", "pictures.json", "pictures.csv"]
    said = {one["name"]: (one["file"], one["note"]) for one in told(archive)}
    assert said == {"owl.jpg": ("owl.jpg", ""), "fox.jpg": ("", "It is not ready yet.")}


def test_strangers_get_nothing_and_foreign_ids_are_passed_over(
    alice: User, bob: User, charlie: User, team: Workspace, own: Workspace
) -> None:
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    ours, private = make_image(alice, workspace=team, stored=True), make_image(alice, stored=True)
    assert download(charlie, team, ours).status_code == 404
    assert download(bob, own, private).status_code == 404
    assert download(bob, team, private, uuid4()).status_code == 404
    archive = zip_of(download(bob, team, ours, private, uuid4()))
    assert len(told(archive)) == 1
    visitor = asyncio.run(AsyncClient().post(reverse("selection_zip", args=[team.pk]), {"picture": [ours.pk]}))
    assert visitor.status_code == 404


def test_more_than_1000_are_refused(alice: User, own: Workspace) -> None:
    assert download(alice, own, *(uuid4() for _ in range(1001))).status_code == 400


def test_nothing_chosen_goes_back_and_says_so(alice: User, charlie: User, own: Workspace) -> None:
    client = client_of(alice)
    address = reverse("selection_zip", args=[own.pk])
    response: Any = asyncio.run(client.post(address, {"next": "/library/?q=owl"}))
    assert (response.status_code, response["Location"]) == (302, "/library/?q=owl")
    page: Any = asyncio.run(client.get(reverse("workspace_library", args=[own.pk])))
    assert "Choose pictures first." in page.content.decode()
    assert asyncio.run(client_of(charlie).post(address)).status_code == 404


def test_collection_is_one_file(alice: User, bob: User, charlie: User, team: Workspace) -> None:
    collection = new_collection(alice, team, "Spring “2027”")
    images = [make_image(alice, workspace=team, stored=True, name=f"n{number}") for number in range(3)]
    collect(alice, collection, images[:2])
    address = reverse("collection_zip", args=[collection.pk])
    response = asyncio.run(client_of(bob).get(address))
    assert response["Content-Disposition"] == 'attachment; filename="Spring 2027.zip"'
    assert {one["name"] for one in told(zip_of(response))} == {"n0", "n1"}  # type: ignore[arg-type]
    assert asyncio.run(client_of(charlie).get(address)).status_code == 404


async def anybody(image_id: UUID) -> bool:
    return True


def read_slowly(user: User, address: str, meanwhile: Callable[[], object], body: dict[str, Any] | None = None) -> Any:
    """A ZIP of which nobody reads on while something happens behind its first piece."""
    client = client_of(user)

    async def read() -> bytes:
        response: Any = await (client.post(address, body) if body else client.get(address))
        pieces: AsyncIterator[bytes] = aiter(response.streaming_content)
        first = await anext(pieces)
        await sync_to_async(meanwhile)()
        return first + await whole(pieces)

    archive = zipfile.ZipFile(io.BytesIO(asyncio.run(read())))
    assert archive.testzip() is None
    return archive


def removed(image: Image) -> Callable[[], object]:
    now = timezone.now()
    return lambda: Image.objects.filter(pk=image.pk).update(removed_at=now, trashed_at=now)


def withheld(image: Image) -> Callable[[], object]:
    return lambda: Image.objects.filter(pk=image.pk).update(withheld_at=timezone.now())


@pytest.mark.parametrize("happens", [removed, withheld, lambda image: image.trash])
def test_what_goes_while_it_streams_is_left_out_with_its_words(
    happens: Callable[[Image], Callable[[], object]], alice: User, bob: User, team: Workspace
) -> None:
    first, second, third = (
        make_image(alice, workspace=team, stored=True, name=name, description=f"about {name}")
        for name in ("first", "second", "third")
    )
    Image.objects.filter(pk=first.pk).update(created_at=timezone.now() + timedelta(hours=1))
    address = reverse("selection_zip", args=[team.pk])
    body = {"picture": [first.pk, second.pk, third.pk]}
    archive = read_slowly(bob, address, happens(second), body)
    assert archive.namelist() == ["first.jpg", "third.jpg", "pictures.json", "pictures.csv"]
    gone = told(archive)[2]
    assert (gone["file"], gone["name"], gone["note"]) == ("", "", "No longer there for you.")
    for name in ("pictures.json", "pictures.csv"):
        assert b"second" not in archive.read(name)
        assert b"about third" in archive.read(name)


@pytest.mark.parametrize("how", ["left", "suspended"])
def test_person_who_goes_while_it_streams_gets_no_more(how: str, alice: User, bob: User, team: Workspace) -> None:
    collection = new_collection(alice, team, "All")
    images = [make_image(alice, workspace=team, stored=True, name=f"n{number}") for number in range(3)]
    collect(alice, collection, images)

    def go() -> None:
        if how == "left":
            Membership.objects.filter(user=bob).delete()
        else:
            User.objects.filter(pk=bob.pk).update(is_active=False, suspended_at=timezone.now())

    archive = read_slowly(bob, reverse("collection_zip", args=[collection.pk]), go)
    assert archive.namelist() == ["n2.jpg", "pictures.json", "pictures.csv"]


def test_export_leaves_out_what_is_removed_while_it_streams(alice: User) -> None:
    for image in (first := make_image(alice, name="first"), make_image(alice, name="second")):
        bucket.put(keys.master_key(image.pk, "jpg"), bytes(300_000), "image/jpeg")

    async def read() -> bytes:
        pieces, found = exporting.stream(alice), b""
        async for piece in pieces:
            found += piece
            if b"pictures/second.jpg" in piece:
                await sync_to_async(removed(first))()
        return found

    archive = zipfile.ZipFile(io.BytesIO(asyncio.run(read())))
    assert "pictures/second.jpg" in archive.namelist()
    assert "pictures/first.jpg" not in archive.namelist()


@pytest.fixture
def large(alice: User) -> Iterator[list[Image]]:
    """40 MB in four pictures."""
    images = [make_image(alice, name=f"large {number}") for number in range(4)]
    for image in images:
        bucket.put(keys.master_key(image.pk, "jpg"), bytes(10_000_000), "image/jpeg")
    yield images
    bucket.delete(keys.master_key(image.pk, "jpg") for image in images)


def test_whole_is_never_in_memory(large: list[Image]) -> None:
    entries = entries_of(large, {})

    async def read() -> tuple[int, int]:
        tracemalloc.start()
        size = 0
        async for piece in stream(entries, anybody):
            size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, peak

    size, peak = asyncio.run(read())
    assert size > 40_000_000
    assert peak < 8_000_000


def test_browser_that_goes_away_gives_the_connection_back(large: list[Image], monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    opened = bucket.open_stream_soon

    async def watched(key: str) -> bucket.Streamed:
        found = await opened(key)
        close = found.close
        found.close = lambda: (closed.append(key), close())[1]  # type: ignore[func-returns-value]
        return found

    monkeypatch.setattr("editor.images.bucket.open_stream_soon", watched)

    async def leave() -> None:
        pieces = stream(entries_of(large, {}), anybody)
        await anext(pieces)
        await pieces.aclose()

    asyncio.run(leave())
    assert closed
