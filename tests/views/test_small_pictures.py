"""The short way of a page's pictures gives what the long way gives, to the same people, until the same moment."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from editor.accounts import view_as
from editor.desk.suspension import shut_out
from editor.images import bucket, keys
from editor.images.held import renditions
from editor.models import Image, ImageState, Membership, User, Workspace
from editor.views import small_pictures
from editor.views.small_pictures import MOST_TOGETHER, PATH, Found, Together, found_for
from tests.makers import make_image
from tests.people import client_of, make_person

Change = Callable[["Scene"], object]


@dataclass
class Scene:
    """A team: its owner made the picture, a member looks at it."""

    team: Workspace
    owner: User
    member: User
    image: Image
    browser: Client  # the member's

    @property
    def session_key(self) -> str:
        return key_of(self.browser)

    def update(self, **values: Any) -> None:
        Image.objects.filter(pk=self.image.pk).update(**values)

    def found(self, browser: Client | None = None) -> list[UUID]:
        return list(found_for(key_of(browser or self.browser), [self.image.pk]))


def key_of(browser: Client) -> str:
    return browser.cookies[django_settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def scene(db: None, quick_passwords: None) -> Scene:
    owner, member = make_person("owner"), make_person("member")
    team = Workspace.objects.found(owner, "Team")
    Membership.objects.create(workspace=team, user=member, role="viewer")
    return Scene(team, owner, member, make_image(owner, workspace=team, stored=True), client_of(member))


# Who gets it


def expire(scene: Scene) -> None:
    Session.objects.filter(pk=scene.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))


def forget_backend(scene: Scene) -> None:
    session = scene.browser.session
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"  # one that is not ours
    session.save()


def forge(scene: Scene) -> None:
    """Whoever writes into the table without the key names somebody else."""
    theirs = Session.objects.get(pk=key_of(client_of(scene.owner))).session_data
    Session.objects.filter(pk=scene.session_key).update(session_data=theirs[:-3] + "AAA")


def change_password(scene: Scene) -> None:
    scene.member.set_password("another correct horse")
    scene.member.save()


def remove_member(scene: Scene) -> None:
    scene.team.remove(Membership.objects.get(user=scene.member, workspace=scene.team))


NOW = timezone.now()
ENDS: dict[str, Change] = {
    "signed out": lambda scene: Session.objects.filter(pk=scene.session_key).delete(),
    "session over": expire,
    "session forged": forge,
    "another way to sign in": forget_backend,
    "switched off": lambda scene: User.objects.filter(pk=scene.member.pk).update(is_active=False),
    "suspended": lambda scene: shut_out(scene.member),
    "signed out everywhere": lambda scene: User.objects.update(session_epoch=F("session_epoch") + 1),
    "new password": change_password,
    "removed from the team": remove_member,
    "team in the trash": lambda scene: scene.team.trash(),
    "trashed": lambda scene: scene.image.trash(),
    "purged": lambda scene: scene.update(purged_at=NOW),
    "withheld": lambda scene: scene.update(withheld_at=NOW),
    "removed": lambda scene: scene.update(removed_at=NOW, trashed_at=NOW),
    "not ready": lambda scene: scene.update(state=ImageState.RECEIVED),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_ends_at_once_on_both_ways(end: Change, scene: Scene) -> None:
    address = reverse("image_rendition", args=[scene.image.pk, 320])
    assert scene.found() == [scene.image.pk]
    assert scene.browser.get(address).status_code == 200
    end(scene)
    assert scene.found() == []
    assert scene.browser.get(address).status_code == 404


def test_maker_has_what_is_withheld_and_a_stranger_nothing(scene: Scene) -> None:
    scene.update(withheld_at=NOW)
    assert scene.found(client_of(scene.owner)) == [scene.image.pk]
    scene.update(withheld_at=None, sensitive=True)  # shown to whoever asks, as on the long way
    assert scene.found() == [scene.image.pk]
    assert scene.found(client_of(make_person("stranger"))) == []
    assert found_for("x" * 32, [scene.image.pk]) == {}
    assert found_for("a key that no session ever had; --", [scene.image.pk]) == {}


def test_who_looks_as_another_person_goes_the_long_way(scene: Scene) -> None:
    """What they see is to be stored nowhere, and they see what the other one does."""
    session = scene.browser.session
    session[view_as.KEY] = {"person": scene.owner.pk, "until": (NOW + timedelta(minutes=5)).timestamp()}
    session.save()
    assert scene.found() == []


def test_fifty_pictures_are_one_question(scene: Scene, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    images = [make_image(scene.owner, workspace=scene.team) for _ in range(50)]
    theirs = make_image(scene.owner)
    with django_assert_num_queries(3):  # the session, the person, the pictures
        found = found_for(scene.session_key, [*(image.pk for image in images), theirs.pk])
        assert {image.rendition_widths[0] for image in found.values()} == {images[0].rendition_widths[0]}
    assert set(found) == {image.pk for image in images}


def test_it_knows_the_address_of_pictures() -> None:
    image_id = uuid4()
    found = PATH.fullmatch(reverse("image_rendition", args=[image_id, 1280]))
    assert found is not None
    assert found.groups() == (str(image_id), "1280")


# What they get

Answer = tuple[int, dict[bytes, bytes], bytes]


class Reader:
    """A browser beside a server: asks by the short way alone, or by the long way alone."""

    def __init__(self, browser: Client, image: Image) -> None:
        self.portal = ASGIHandler()
        self.cookie = f"{django_settings.SESSION_COOKIE_NAME}={key_of(browser)}".encode()
        self.path = reverse("image_rendition", args=[image.pk, 320])
        self.query = b""

    def scope(self, method: str = "GET", **headers: str) -> dict[str, Any]:
        given = {"host": "testserver"} | {name.replace("_", "-").lower(): value for name, value in headers.items()}
        told = [(name.encode(), value.encode()) for name, value in given.items()]
        return {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self.path,
            "root_path": "",
            "query_string": self.query,
            "server": ("testserver", 80),
            "headers": [*told, (b"cookie", self.cookie)],
        }

    async def by(self, way: Callable[[Callable[[Any], Awaitable[None]]], Awaitable[object]]) -> Answer | None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        if await way(send) is False:
            assert not sent
            return None
        return sent[0]["status"], dict(sent[0]["headers"]), b"".join(each.get("body", b"") for each in sent[1:])

    async def short(self, method: str = "GET", **headers: str) -> Answer | None:
        return await self.by(lambda send: small_pictures.answered(self.scope(method, **headers), send, self.portal))

    async def long(self, method: str = "GET", **headers: str) -> Answer | None:
        pieces = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            return next(pieces, None) or await asyncio.Event().wait()

        return await self.by(lambda send: self.portal(self.scope(method, **headers), receive, send))


@pytest.fixture
def reader(transactional_db: None, scene: Scene) -> Reader:
    renditions.clear()
    return Reader(scene.browser, scene.image)


@pytest.mark.django_db(transaction=True)
def test_both_ways_answer_the_same(reader: Reader, scene: Scene, settings: Settings) -> None:
    async def ask() -> None:
        first = await reader.short()  # from the bucket
        assert first is not None
        assert first[0] == 200
        assert len(first[2]) == int(first[1][b"Content-Length"]) > 0
        assert first == await reader.long() == await reader.short()  # as it is held
        etag = first[1][b"ETag"].decode()
        unchanged = await reader.short(if_none_match=etag)
        assert unchanged is not None
        assert (unchanged[0], unchanged[2]) == (304, b"")
        assert unchanged == await reader.long(if_none_match=etag)
        assert await reader.short("HEAD") == await reader.long("HEAD") is not None
        assert await reader.short(range="bytes=0-9") == first  # of which nobody ever promised ranges
        assert await reader.long(range="bytes=0-9") == first

    async_to_sync(ask)()
    large = b"x" * 300_000  # more than is held, so it is streamed
    bucket.put(keys.rendition_key(scene.image.pk, scene.image.rendition_widths[0]), large, "image/webp")
    renditions.clear()

    async def ask_for_much() -> None:
        streamed = await reader.short()
        assert streamed is not None
        assert streamed[2] == large
        assert streamed == await reader.long()

    async_to_sync(ask_for_much)()
    settings.S3_PUBLIC = True

    async def ask_again() -> None:
        led = await reader.short()
        assert led is not None
        assert led[0] == 302
        assert led == await reader.long()

    async_to_sync(ask_again)()


@pytest.mark.django_db(transaction=True)
def test_whatever_is_not_plainly_allowed_goes_the_long_way(reader: Reader, scene: Scene) -> None:
    async def ask() -> None:
        assert await reader.short() is not None
        assert await reader.short("POST") is None
        assert await reader.short(host="elsewhere.example.com") is None
        assert await reader.short(content_length="3") is None
        own, reader.cookie = reader.cookie, b"sessionid="
        assert await reader.short() is None
        reader.cookie, path = own, reader.path
        for other in (path + "/", path.upper(), "/images/320.webp", reverse("image_master", args=[scene.image.pk])):
            reader.path = other
            assert await reader.short() is None
        reader.path, reader.query = path, b"\xff"
        assert await reader.short() is None
        refused = await reader.long()
        assert refused is not None
        assert refused[0] == 400
        reader.query = b""

    async_to_sync(ask)()
    scene.image.trash()  # what is held opens nothing
    assert renditions.get(keys.rendition_key(scene.image.pk, scene.image.rendition_widths[0])) is not None
    assert async_to_sync(reader.short)() is None
    scene.image.restore()
    renditions.clear()
    bucket.delete([keys.rendition_key(scene.image.pk, width) for width in scene.image.rendition_widths])
    assert async_to_sync(reader.short)() is None


@pytest.mark.django_db(transaction=True)
def test_the_web_process_asks_here_first(reader: Reader) -> None:
    from project import asgi

    async def look() -> list[Answer | None]:
        def ask(send: Any) -> Awaitable[object]:
            return asgi.application(reader.scope(), silence, send)

        async def silence() -> Any:
            return await asyncio.Event().wait()

        return [await asyncio.wait_for(reader.by(ask), 10)]  # the long way would wait for a body

    [answer] = async_to_sync(look)()
    assert answer is not None
    assert answer[0] == 200
    assert b"x-request-id" in answer[1]


# Asking together


class Slow:
    """A question that takes until it is let go, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, set[UUID]]] = []
        self.go = threading.Event()
        self.fails = False

    def __call__(self, session_key: str, image_ids: Iterable[UUID]) -> Found:
        ids = set(image_ids)
        self.asked.append((session_key, ids))
        assert self.go.wait(10)
        if self.fails:
            raise DatabaseError("gone")
        return {image_id: Image(pk=image_id) for image_id in ids}

    async def has_been_asked(self, times: int) -> None:
        while len(self.asked) < times:
            await asyncio.sleep(0.005)


@pytest.fixture
def slow() -> Iterable[Slow]:
    question = Slow()
    yield question
    question.go.set()


def test_who_comes_meanwhile_is_in_the_next_question(slow: Slow) -> None:
    """An answer that was under way when somebody came may be older than what they have just been told."""
    together, first, others = Together(slow), uuid4(), [uuid4() for _ in range(5)]

    async def ask() -> None:
        waiting = [asyncio.ensure_future(together.ask("mine", first))]
        await slow.has_been_asked(1)
        waiting += [asyncio.ensure_future(together.ask("mine", each)) for each in (first, *others)]
        waiting += [asyncio.ensure_future(together.ask("another's", first))]
        await slow.has_been_asked(2)  # somebody else waits for nobody
        slow.go.set()
        found = await asyncio.gather(*waiting)
        assert [image and image.pk for image in found] == [first, first, *others, first]

    asyncio.run(asyncio.wait_for(ask(), 10))
    assert slow.asked == [("mine", {first}), ("another's", {first}), ("mine", {first, *others})]
    assert together._waiting == {}


def test_a_question_has_bounds(slow: Slow) -> None:
    async def ask() -> None:
        together = Together(slow)
        waiting = [asyncio.ensure_future(together.ask("mine", uuid4())) for _ in range(2 * MOST_TOGETHER + 1)]
        slow.go.set()
        assert None not in await asyncio.gather(*waiting)

    asyncio.run(asyncio.wait_for(ask(), 10))
    assert [len(ids) for _, ids in slow.asked] == [MOST_TOGETHER, MOST_TOGETHER, 1]


@pytest.mark.parametrize("fails", [True, False])
def test_who_went_away_keeps_nobody_from_an_answer(fails: bool, slow: Slow) -> None:
    together, image_id = Together(slow), uuid4()

    async def ask() -> None:
        waiting = [asyncio.ensure_future(together.ask("mine", image_id)) for _ in range(4)]
        await slow.has_been_asked(1)
        waiting[0].cancel()  # asked about
        waiting[2].cancel()  # among those who wait for the next question
        slow.fails = fails
        slow.go.set()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        answer = DatabaseError if fails else Image
        assert [type(each) for each in told] == [asyncio.CancelledError, answer, asyncio.CancelledError, answer]

    asyncio.run(asyncio.wait_for(ask(), 10))
    assert together._waiting == {}


def test_failure_is_not_told_to_those_who_come_later(slow: Slow) -> None:
    async def ask() -> None:
        together = Together(slow)
        slow.fails = True
        slow.go.set()
        with pytest.raises(DatabaseError):
            await together.ask("mine", uuid4())
        slow.fails = False
        assert await together.ask("mine", uuid4()) is not None

    asyncio.run(asyncio.wait_for(ask(), 10))
