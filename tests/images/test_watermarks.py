"""Renditions with words over them are drawn once, however many ask for one at the same moment."""

import asyncio
from uuid import uuid4

import pytest

from editor.images import bucket, keys, watermarks
from tests.makers import jpeg


def test_all_who_ask_at_once_wait_for_one_drawing() -> None:
    key = keys.rendition_key(uuid4(), 320)
    bucket.put(key, jpeg(), "image/webp")

    async def ask() -> list[bytes]:
        leaving = asyncio.ensure_future(watermarks.marked(key, "Draft"))
        staying = [asyncio.ensure_future(watermarks.marked(key, "Draft")) for _ in range(4)]
        await asyncio.sleep(0)
        leaving.cancel()  # takes it from nobody else
        return await asyncio.gather(*staying)

    first, *others = asyncio.run(ask())
    assert all(each is first for each in others)
    assert asyncio.run(watermarks.marked(key, "Draft")) is first
    assert asyncio.run(watermarks.marked(key, "Final")) != first


def test_failure_is_told_and_not_held() -> None:
    key = keys.rendition_key(uuid4(), 320)
    with pytest.raises(bucket.Missing):
        asyncio.run(watermarks.marked(key, "Draft"))
    bucket.put(key, jpeg(), "image/webp")
    assert asyncio.run(watermarks.marked(key, "Draft"))
