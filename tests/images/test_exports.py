"""What is written of a picture: formats, sizes, colours, how it was made, and words over it. Every file is opened."""

import asyncio
import io
import threading
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageStat

from editor.images import bucket, keys
from editor.images.exports import (
    BadSettings,
    Busy,
    Exported,
    ExportSettings,
    Format,
    Lane,
    Making,
    NotExported,
    Size,
    export,
)
from editor.models import Image, ImageState

MAKING = Making(
    name="owl & <moon>",
    made_at="2026-01-02T03:04:05+00:00",
    portal="https://retake.example.com",
    prompt="add a “moon” & 猫\u202e\x00",
    seed=99,
    strength=0.7,
)
FORMATS = [
    ("jpeg", "JPEG", "owl.jpg", "image/jpeg"),
    ("png", "PNG", "owl.png", "image/png"),
    ("webp", "WEBP", "owl.webp", "image/webp"),
    ("avif", "AVIF", "owl.avif", "image/avif"),
]


def stored(picture: Pillow.Image, kind: str = "JPEG") -> Image:
    """A ready picture, without a row: exports ask no database."""
    out = io.BytesIO()
    picture.save(out, kind)
    ext, content_type = ("jpg", "image/jpeg") if kind == "JPEG" else ("png", "image/png")
    facts: dict[str, Any] = {"width": picture.width, "height": picture.height, "state": ImageState.READY}
    image = Image(pk=uuid4(), master_ext=ext, content_type=content_type, **facts)
    bucket.put(keys.master_key(image.pk, ext), out.getvalue(), content_type)
    return image


def photo() -> Image:
    gradient = Pillow.linear_gradient("L").resize((320, 240))
    return stored(Pillow.merge("RGB", (gradient, gradient.rotate(180), gradient)))


def half_clear() -> Image:
    """Its left half is transparent, its right half red."""
    picture = Pillow.new("RGBA", (64, 48), (255, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 48))
    return stored(picture, "PNG")


def given(image: Image, **settings: Any) -> tuple[bytes, Any]:
    async def read() -> tuple[bytes, Any]:
        found = await export(image, ExportSettings(**settings), stem="owl", making=MAKING)
        data = b"".join([chunk async for chunk in found])
        assert len(data) == found.length
        return data, found

    return asyncio.run(read())


def opened(data: bytes) -> Pillow.Image:
    picture = Pillow.open(io.BytesIO(data))
    picture.load()
    return picture


def test_as_it_is_is_the_master_byte_by_byte() -> None:
    image = photo()
    data, found = given(image)
    assert data == bucket.get(keys.master_key(image.pk, "jpg"))
    assert (found.name, found.content_type, found.width, found.height) == ("owl.jpg", "image/jpeg", 320, 240)


@pytest.mark.parametrize(("asked", "kind", "name", "content_type"), FORMATS)
def test_each_format_tells_how_it_was_made_only_if_asked(asked: str, kind: str, name: str, content_type: str) -> None:
    image = photo()
    data, found = given(image, format=asked, making=True)
    assert (found.name, found.content_type) == (name, content_type)
    picture = opened(data)
    assert (picture.format, picture.size) == (kind, (320, 240))
    tells_how_it_was_made(picture)
    plain, _ = given(image, format=asked)
    assert packet_of(opened(plain)) == ""
    assert not opened(plain).getexif()
    for telling in (b"moon", b"etake", b"http", b"2026-01-02"):
        assert telling not in plain
    assert ImageCms.getProfileDescription(profile_of(opened(plain))).startswith("sRGB")


def packet_of(picture: Pillow.Image) -> str:
    """Its XMP; a PNG has it among its texts."""
    found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp", "")
    return found.decode() if isinstance(found, bytes) else found


def tells_how_it_was_made(picture: Pillow.Image) -> None:
    told = {each.tag.rpartition("}")[2]: each for each in ElementTree.fromstring(packet_of(picture)).iter()}
    assert told["AIPromptInformation"].text == "add a “moon” & 猫"
    assert (told["Seed"].text, told["Strength"].text) == ("99", "0.7")
    assert told["CreatorTool"].text == "Retake, https://retake.example.com"
    assert str(told["DigitalSourceType"].text).endswith("/compositeWithTrainedAlgorithmicMedia")
    assert "".join(told["title"].itertext()) == "owl & <moon>"
    assert picture.getexif()[0x0132] == "2026:01:02 03:04:05"
    assert not picture.getexif().get_ifd(0x8825)  # where it was


@pytest.mark.parametrize("make", [photo, half_clear])
def test_as_it_is_with_how_it_was_made_leaves_the_pixels_alone(make: Any) -> None:
    image = make()
    before = opened(bucket.get(keys.master_key(image.pk, image.master_ext)))
    data, _ = given(image, making=True)
    after = opened(data)
    tells_how_it_was_made(after)
    assert after.format == before.format
    assert ImageChops.difference(before.convert("RGBA"), after.convert("RGBA")).getbbox() is None
    if after.format == "PNG":
        assert after.text["Seed"] == "99"  # type: ignore[attr-defined]


def test_longest_words_fit_into_a_jpeg() -> None:
    image, long = photo(), Making(prompt="&" * 4_000, negative_prompt="猫" * 4_000, seed=1)

    async def size() -> int:
        found = await export(image, ExportSettings(format=Format.JPEG, making=True), stem="owl", making=long)
        return len(opened(b"".join([chunk async for chunk in found])).info["xmp"])

    assert 30_000 < asyncio.run(size()) < 65_000


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"size": "long", "side": 160}, (160, 120)),
        ({"size": "long", "side": 640}, (320, 240)),
        ({"size": "long", "side": 640, "enlarge": True}, (640, 480)),
        ({"size": "box", "width": 100, "height": 100}, (100, 75)),
        ({"size": "box", "width": 1_000, "height": 60}, (80, 60)),
    ],
)
def test_sizes_keep_the_shape_and_enlarge_only_if_asked(asked: dict[str, Any], size: tuple[int, int]) -> None:
    data, found = given(photo(), format="webp", **asked)
    assert opened(data).size == size == (found.width, found.height)


def test_thin_picture_keeps_a_pixel_each_way() -> None:
    assert ExportSettings(size=Size.LONG, side=16).size_of(3_000, 40) == (16, 1)


def profile_of(picture: Pillow.Image) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))


# The same red of sRGB in the numbers of the others, by the standards' own primaries and curves.
@pytest.mark.parametrize(("space", "red"), [("srgb", (255, 0, 0)), ("p3", (234, 51, 35)), ("a98", (219, 0, 0))])
@pytest.mark.parametrize("asked", ["png", "avif"])
def test_colours_look_the_same_in_each_space(asked: str, space: str, red: tuple[int, int, int]) -> None:
    image = stored(Pillow.new("RGB", (64, 64), (255, 0, 0)), "PNG")
    picture = opened(given(image, format=asked, space=space, quality=100)[0])
    assert all(abs(a - b) <= 3 for a, b in zip(picture.getpixel((32, 32)), red, strict=True))  # type: ignore[arg-type]
    back = ImageCms.profileToProfile(picture, profile_of(picture), ImageCms.createProfile("sRGB"))
    assert back is not None
    assert all(abs(a - b) <= 3 for a, b in zip(back.getpixel((32, 32)), (255, 0, 0), strict=True))  # type: ignore[arg-type]


def test_transparency_stays_where_it_can_and_becomes_the_background_where_not() -> None:
    image = half_clear()
    for asked in ("png", "webp", "avif"):
        assert opened(given(image, format=asked, space="p3")[0]).getpixel((4, 4))[3] == 0  # type: ignore[index]
    jpeg = opened(given(image, format="jpeg", background="#00ff00", quality=100)[0])
    assert ImageStat.Stat(jpeg.crop((0, 0, 24, 48))).mean == pytest.approx([0, 255, 0], abs=3)


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_watermark_shows_on_any_ground(ground: int) -> None:
    image = stored(Pillow.new("RGB", (600, 400), (ground,) * 3), "PNG")
    plain, marked = (opened(given(image, format="png", watermark=text)[0]) for text in ("", "Só to look at"))
    for corner in ((0, 0, 300, 200), (300, 0, 600, 200), (0, 200, 300, 400), (300, 200, 600, 400)):
        difference = ImageChops.difference(plain.crop(corner), marked.crop(corner)).convert("L")
        assert ImageStat.Stat(difference.point(lambda value: 255 if value > 40 else 0)).mean[0] > 4


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("format", {"format": "tiff"}),
        ("quality", {"quality": 0}),
        ("side", {"size": "long"}),
        ("side", {"size": "long", "side": 0}),
        ("side", {"size": "long", "side": -1}),
        ("side", {"size": "long", "side": 10**9}),
        ("side", {"size": "long", "side": 500.5}),
        ("height", {"size": "box", "width": 100}),
        ("space", {"space": "cmyk"}),
        ("background", {"background": "red"}),
        ("pattern", {"pattern": "{password}"}),
        ("pattern", {"pattern": "x" * 10_000}),
        ("watermark", {"watermark": "猫"}),
    ],
)
def test_settings_that_make_no_sense_are_never_made(field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(BadSettings) as caught:
        ExportSettings(**asked)
    assert caught.value.field == field
    assert caught.value.sentence


def test_settings_are_kept_as_they_were() -> None:
    asked = ExportSettings(format=Format.WEBP, size=Size.BOX, width=20, height=30, making=True, pattern="{seed}")
    assert ExportSettings.from_row(asked.to_row() | {"of_another_version": 1}) == asked


def test_what_would_be_too_large_is_said_before_anything_is_read() -> None:
    image = Image(pk=uuid4(), master_ext="png", width=20_000, height=2_000)  # nothing lies in the bucket
    with pytest.raises(NotExported, match="megapixels are the most"):
        given(Image(pk=uuid4(), master_ext="png", width=40, height=40), size="long", side=16_000, enlarge=True)
    with pytest.raises(NotExported, match="WEBP"):
        given(image, format="webp")


def test_damaged_master_is_refused_in_words() -> None:
    image = photo()
    bucket.put(keys.master_key(image.pk, "jpg"), b"\xff\xd8\xff no picture", "image/jpeg")
    with pytest.raises(NotExported, match="could not be read"):
        given(image, format="png")


def test_no_more_wait_than_there_is_room_for_and_who_leaves_makes_room() -> None:
    go_on, begun = threading.Event(), []

    def work() -> int:
        begun.append(1)
        go_on.wait(10)
        return len(begun)

    async def crowd() -> list[int]:
        lane = Lane(at_once=1, waiting=1)
        unwanted: list[int] = []
        first = asyncio.create_task(lane.run(work, unwanted.append))
        second = asyncio.create_task(lane.run(work, unwanted.append))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await lane.run(work, unwanted.append)
        second.cancel()
        first.cancel()
        await asyncio.sleep(0.05)
        third = asyncio.create_task(lane.run(work, unwanted.append))
        go_on.set()
        assert await third == 2  # the second never began
        return unwanted

    assert asyncio.run(crowd()) == [1]  # what the first made was handed to whoever closes it


def test_one_person_leaves_room_for_others() -> None:
    go_on = threading.Event()

    async def crowd() -> None:
        lane = Lane(at_once=1, waiting=3)
        theirs = [asyncio.create_task(lane.run(go_on.wait, print, "greedy")) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await lane.run(go_on.wait, print, "greedy")
        theirs.append(asyncio.create_task(lane.run(go_on.wait, print, "other")))
        go_on.set()
        assert await asyncio.gather(*theirs) == [True] * 3
        await asyncio.sleep(0.05)
        assert lane.taken == 0

    asyncio.run(crowd())


def test_nothing_is_left_on_the_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def take() -> None:
        found = await export(photo(), ExportSettings(format=Format.PNG), stem="owl")
        assert isinstance(found, Exported)
        assert list(tmp_path.iterdir()) == []
        found.close()

    asyncio.run(take())
