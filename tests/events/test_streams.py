"""Event streams, without a database anywhere near: whatever asked it would fail here."""

import asyncio
import time
from uuid import uuid4

import pytest

from editor.events import hub as hubs
from editor.events import passes, streams
from editor.events.hub import EVERYTHING, Hub
from editor.events.telling import END, for_person, for_session, for_workspace, session_hash
from tests.events.listening import SESSION, Browser, listening, pass_for, say

TEAM = uuid4()


async def opened(hub: Hub, text: str, session: str = SESSION) -> Browser:
    browser = Browser(hub, text, session)
    assert await browser.status() == 200
    assert "event: hello" in await browser.words()
    return browser


def test_news_of_a_workspace_reach_those_who_are_in_it_and_nobody_else() -> None:
    async def scene(hub: Hub) -> None:
        member = await opened(hub, pass_for(1, TEAM))
        colleague = await opened(hub, pass_for(2, uuid4(), TEAM, session="another"), "another")
        stranger = await opened(hub, pass_for(3, uuid4()))
        await asyncio.to_thread(say, for_workspace(TEAM), "edit:1")
        assert await member.words() == await colleague.words() == "data: edit:1\n\n"
        await asyncio.to_thread(say, for_person(3), "image:2")
        assert await stranger.words() == "data: image:2\n\n"
        assert member.got.empty()

    listening(scene)


def test_browser_that_left_is_forgotten() -> None:
    async def scene(hub: Hub) -> None:
        browser = await opened(hub, pass_for(1, TEAM))
        assert len(hub) == 1
        await browser.leave()
        assert (len(hub), dict(hub._streams)) == (0, {})

    listening(scene)


def test_stream_beats_so_that_nobody_takes_it_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "BEAT", 0.05)

    async def scene(hub: Hub) -> None:
        browser = await opened(hub, pass_for())
        assert await browser.words() == await browser.words() == "event: beat\ndata: 1\n\n"

    listening(scene)


def test_slow_browser_is_told_to_look_at_everything_and_grows_no_queue() -> None:
    async def scene(hub: Hub) -> None:
        browser = await opened(hub, pass_for(1, TEAM))
        browser.takes.clear()
        for number in range(1000):
            hub.pass_on(for_workspace(TEAM), f"edit:{number}")
        await asyncio.sleep(0)
        browser.takes.set()
        said = [await browser.words()]
        if EVERYTHING not in said[-1]:
            said.append(await browser.words())
        assert said[-1].startswith("data: *")
        assert len("".join(said)) < 2_000

    listening(scene)


def test_browser_that_takes_nothing_loses_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "PATIENCE", 0.1)

    async def scene(hub: Hub) -> None:
        browser = await opened(hub, pass_for(1, TEAM))
        browser.takes.clear()
        hub.pass_on(for_workspace(TEAM), "edit:1")
        await asyncio.sleep(0.2)
        assert len(hub) == 0
        browser.takes.set()
        await browser.ended()

    listening(scene)


@pytest.mark.parametrize("address", [for_person(1), for_session(session_hash(SESSION))])
def test_end_closes_the_stream_and_the_same_pass_opens_no_other(address: str) -> None:
    async def scene(hub: Hub) -> None:
        text = pass_for(1, TEAM)
        browser, other = await opened(hub, text), await opened(hub, pass_for(2, TEAM, session="b"), "b")
        await asyncio.to_thread(say, address, END)
        await browser.ended()
        assert (await browser.next())["more_body"] is False
        assert await Browser(hub, text).status() == 403
        await asyncio.sleep(0.01)
        await (await opened(hub, pass_for(1, TEAM))).leave()  # whoever is still let in gets a new pass
        assert not other.answering.done()

    listening(scene)


def test_pass_is_good_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(hub: Hub) -> None:
        text = pass_for()
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + passes.GOOD_FOR + 1)
        assert await Browser(hub, text).status() == 403
        monkeypatch.undo()

    listening(scene)


def test_forged_and_foreign_passes_open_nothing() -> None:
    async def scene(hub: Hub) -> None:
        text = pass_for(1, TEAM)
        for wrong in ("", "x", text[:-1], "A" + text, text.replace(":", "."), "%00", "ä"):
            assert await Browser(hub, wrong).status() == 403, wrong
        assert await Browser(hub, text, session="somebody-else").status() == 403
        assert await Browser(hub, text, session="").status() == 403
        assert await Browser(hub, text, method="POST").status() == 405

    listening(scene)


def test_pass_from_before_the_process_heard_anything_opens_nothing() -> None:
    """Its owner may have been suspended meanwhile, and nobody here would know."""

    async def scene(hub: Hub) -> None:
        assert await Browser(hub, early).status() == 403
        hub.hears_since = None
        assert await Browser(hub, pass_for()).status() == 503

    early = pass_for()
    listening(scene)


def test_one_person_can_not_take_all_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "PER_PERSON", 2)

    async def scene(hub: Hub) -> None:
        for _ in range(2):
            await opened(hub, pass_for(1))
        assert await Browser(hub, pass_for(1)).status() == 429
        await opened(hub, pass_for(2))
        hub.most = 3
        assert await Browser(hub, pass_for(3)).status() == 429

    listening(scene)


def test_stream_ends_after_a_while_so_that_its_browser_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HELD", 0.1)

    async def scene(hub: Hub) -> None:
        browser = await opened(hub, pass_for())
        await browser.ended()
        assert len(hub) == 0

    listening(scene)
