"""ZIPs of pictures that are converted while they are sent."""

import asyncio
import csv
import gc
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from editor.images import bucket, export_zips, exports, keys
from editor.library.shelves import collect, new_collection
from editor.models import Image, User, Workspace
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> AsyncClient:
    client = AsyncClient()
    client.force_login(user)
    return client


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def zip_of(response: Any) -> zipfile.ZipFile:
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    archive = zipfile.ZipFile(io.BytesIO(asyncio.run(whole(response.streaming_content))))
    assert archive.testzip() is None
    return archive


def download(user: User, workspace: Workspace, *images: Image, **asked: str) -> Any:
    body = {"picture": [image.pk for image in images]} | asked
    return asyncio.run(client_of(user).post(reverse("selection_zip", args=[workspace.pk]), body))


def told(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read("pictures.json"))
    return found


def test_all_are_converted_and_named_by_the_pattern(alice: User, own: Workspace) -> None:
    source = make_image(alice, stored=True, name="a/b.jpg")
    made = make_image(alice, stored=True, name="a", kind="generated", job=make_job(alice, source, prompt="add a moon"))
    asked = {"format": "webp", "size": "long", "side": "80", "making": "on", "pattern": "{number} {width}x{height}"}
    archive = zip_of(download(alice, own, source, made, **asked))
    assert archive.namelist() == ["1 80x60.webp", "2 80x60.webp", "pictures.json", "pictures.csv"]
    for name in archive.namelist()[:2]:
        with Pillow.open(io.BytesIO(archive.read(name))) as picture:
            assert (picture.format, picture.size) == ("WEBP", (80, 60))
    assert b"add a moon" in archive.read("1 80x60.webp")
    assert [(one["prompt"], one["width"]) for one in told(archive)] == [("add a moon", 80), ("", 80)]


def test_without_how_they_were_made_the_lists_say_nothing_of_it(alice: User, own: Workspace) -> None:
    source = make_image(alice, stored=True, name="owl")
    made = make_image(
        alice, stored=True, name="owl", kind="generated", job=make_job(alice, source, prompt="add a moon")
    )
    archive = zip_of(download(alice, own, source, made, pattern="../{collection}/{name}"))
    assert archive.namelist()[:2] == ["owl.jpg", "owl 2.jpg"]
    assert archive.read("owl.jpg") == bucket.get(keys.master_key(made.pk, "jpg"))
    for name in archive.namelist():
        assert b"moon" not in archive.read(name)
        assert b"Alice" not in archive.read(name)
    (first, _) = csv.DictReader(io.StringIO(archive.read("pictures.csv").decode("utf-8-sig"), newline=""))
    assert (first["file"], first["width"]) == ("owl.jpg", "320")


def test_collection_gives_its_name_and_one_that_cannot_be_written_is_said(alice: User, own: Workspace) -> None:
    good, bad = (make_image(alice, stored=True, name=name) for name in ("good", "bad"))
    bucket.put(keys.master_key(bad.pk, "jpg"), b"\xff\xd8\xff no picture", "image/jpeg")
    collection = new_collection(alice, own, "Spring")
    collect(alice, collection, [good, bad])
    address = reverse("collection_zip", args=[collection.pk])
    archive = zip_of(asyncio.run(client_of(alice).get(address, {"format": "png", "pattern": "{collection}-{name}"})))
    assert archive.namelist() == ["Spring-good.png", "pictures.json", "pictures.csv"]
    assert told(archive)[0]["note"] == "The picture could not be read. Take it as it is."


def test_removed_meanwhile_is_not_given(alice: User, bob: User, team: Workspace) -> None:
    pictures = [make_image(alice, stored=True, workspace=team, name=f"n{number}") for number in range(3)]
    response = download(bob, team, *pictures, format="png")
    Image.objects.filter(pk=pictures[0].pk).update(removed_at=timezone.now(), trashed_at=timezone.now())
    Image.objects.filter(pk=pictures[1].pk).update(withheld_at=timezone.now())
    archive = zip_of(response)
    assert archive.namelist() == ["n2.png", "pictures.json", "pictures.csv"]
    assert [one["note"] for one in told(archive)] == ["", "No longer there for you.", "No longer there for you."]


def test_conversion_stops_when_the_browser_leaves(alice: User, own: Workspace) -> None:
    pictures = [make_image(alice, stored=True) for _ in range(5)]
    client = client_of(alice)

    async def leave() -> None:
        body = {"picture": [image.pk for image in pictures], "format": "png"}
        response: Any = await client.post(reverse("selection_zip", args=[own.pk]), body)
        pieces = aiter(response.streaming_content)
        await anext(pieces)
        assert len(export_zips._under_way) == 1
        await pieces.aclose()
        await asyncio.sleep(0.1)

    asyncio.run(leave())
    assert not export_zips._under_way
    assert not exports._open
    assert exports.ZIPS.taken == 0


def test_more_zips_than_the_machine_should_bear_are_told_to_come_again(
    alice: User, own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_zips, "AT_ONCE", 0)
    image = make_image(alice, stored=True)
    assert download(alice, own, image, format="png").status_code == 503
    assert zip_of(download(alice, own, image, pattern="{date}")).namelist()[0].endswith(".jpg")


def test_those_who_come_at_one_moment_do_not_all_get_the_last_place(alice: User, own: Workspace) -> None:
    image, client = make_image(alice, stored=True), client_of(alice)
    address, body = reverse("selection_zip", args=[own.pk]), {"picture": image.pk, "format": "png"}

    async def together() -> list[int]:
        return [one.status_code for one in await asyncio.gather(*(client.post(address, body) for _ in range(6)))]

    assert sorted(asyncio.run(together())) == [200] * export_zips.OF_ONE_PERSON + [503] * 4
    gc.collect()
    assert not export_zips._under_way  # nobody read any of them


def test_what_makes_no_sense_is_refused_before_anything_is_sent(alice: User, own: Workspace) -> None:
    response = download(alice, own, make_image(alice, stored=True), format="exe")
    assert response.status_code == 400
    assert "Choose one of the list." in response.content.decode()


def test_form_for_the_chosen_hands_them_on(alice: User, own: Workspace) -> None:
    pictures = [make_image(alice, name=name) for name in ("owl.jpg", "fox.jpg")]
    address = reverse("selection_download", args=[own.pk])
    body = {"picture": [image.pk for image in pictures], "pattern": "{number}-{name}", "format": "png"}
    page: Any = asyncio.run(client_of(alice).post(address, body | {"next": "//evil.example.com"}))
    text = page.content.decode()
    assert all(f'name="picture" value="{image.pk}"' in text for image in pictures)
    assert "1-fox.png" in text
    assert "2-owl.png" in text
    assert "evil" not in text
    assert asyncio.run(client_of(alice).post(address, {})).status_code == 302


def test_form_numbers_as_the_zip_does_and_says_when_it_names_all(alice: User, own: Workspace) -> None:
    pictures = [make_image(alice, stored=True, name=f"owl {each}.jpg") for each in range(10)]
    address, query = reverse("selection_download", args=[own.pk]), {"pattern": "{number}"}

    def said(*some: Image) -> str:
        page: Any = asyncio.run(client_of(alice).post(address, query | {"picture": [each.pk for each in some]}))
        text: str = page.content.decode()
        return text

    assert ">01.jpg<" in said(*pictures)
    assert "and so on" in said(*pictures)
    assert zip_of(download(alice, own, *pictures, **query)).namelist()[0] == "01.jpg"
    assert ">1.jpg<" in said(*pictures[:2])
    assert "and so on" not in said(*pictures[:2])


def test_asking_for_the_head_alone_makes_no_zip(alice: User, own: Workspace) -> None:
    shelf = new_collection(alice, own, "Owls")
    assert asyncio.run(client_of(alice).head(reverse("collection_zip", args=[shelf.pk]))).status_code == 405
