"""The bucket, on a real S3 server."""

import asyncio
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from editor.images import bucket
from editor.images.bucket import BucketUnavailable, Missing, UnsatisfiableRange
from tests.images.loopback import Answer, Loopback, serving


@pytest.fixture
def key() -> Iterator[str]:
    name = f"images/{uuid4()}/master.png"
    yield name
    bucket.delete([name])


@pytest.fixture
def elsewhere(settings: Settings) -> Callable[..., None]:
    """Let the storage point to another endpoint."""
    usual = settings.STORAGES

    def point(endpoint_url: str, **options: str) -> None:
        changed = deepcopy(usual)
        changed["default"]["OPTIONS"] |= {"endpoint_url": endpoint_url, **options}
        settings.STORAGES = changed

    return point


def fetched(url: str) -> tuple[bytes, str, str]:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read(), response.headers["Content-Type"], response.headers.get("Content-Disposition", "")


def test_what_was_put_is_there_again(key: str, tmp_path: Path) -> None:
    bucket.put(key, b"first", "image/png")
    path = tmp_path / "second"
    path.write_bytes(b"second")
    bucket.put(key, path, "image/png")  # the same key again: no other name, no orphan
    assert bucket.get(key) == b"second"
    assert bucket.exists(key)


def test_empty_object_is_an_object(key: str) -> None:
    bucket.put(key, b"", "application/octet-stream")
    assert bucket.get(key) == b""
    assert list(bucket.open_stream(key).body) == []


def test_absent_key_is_missing(key: str) -> None:
    assert not bucket.exists(key)
    with pytest.raises(Missing):
        bucket.get(key)
    with pytest.raises(Missing):
        bucket.open_stream(key)
    with pytest.raises(Missing):
        bucket.copy(key, f"{key}.copy")


def test_object_is_streamed_in_chunks(key: str) -> None:
    data = os.urandom(300_000)
    bucket.put(key, data, "image/webp")
    streamed = bucket.open_stream(key)
    assert (streamed.length, streamed.content_type, streamed.content_range) == (300_000, "image/webp", None)
    assert streamed.etag.strip('"')
    chunks = list(streamed.body)
    assert len(chunks) > 1
    assert b"".join(chunks) == data


def test_object_is_streamed_asynchronously(key: str) -> None:
    bucket.put(key, b"x" * 200_000, "image/webp")

    async def read() -> int:
        return sum([len(chunk) async for chunk in bucket.open_stream(key)])

    assert asyncio.run(read()) == 200_000


@pytest.mark.parametrize(
    ("asked", "expected"), [((2, 4), b"234"), ((7, None), b"789"), ((0, 0), b"0"), ((8, 99), b"89")]
)
def test_part_of_an_object_is_streamed(key: str, asked: tuple[int, int | None], expected: bytes) -> None:
    bucket.put(key, b"0123456789", "image/png")
    streamed = bucket.open_stream(key, asked)
    assert b"".join(streamed.body) == expected
    assert streamed.length == len(expected)
    assert streamed.content_range == f"bytes {asked[0]}-{asked[0] + len(expected) - 1}/10"


def test_part_behind_the_end_can_not_be_had(key: str) -> None:
    bucket.put(key, b"0123456789", "image/png")
    with pytest.raises(UnsatisfiableRange):
        bucket.open_stream(key, (10, None))


def test_stream_may_be_left_in_the_middle(key: str) -> None:
    bucket.put(key, b"x" * 1_000_000, "image/png")
    streamed = bucket.open_stream(key)
    next(streamed.body)
    streamed.close()
    assert bucket.get(key) == b"x" * 1_000_000


def test_deleting_is_repeatable(key: str) -> None:
    bucket.put(key, b"x", "image/png")
    bucket.delete([key, key, f"{key}-never-there"])
    assert not bucket.exists(key)
    bucket.delete([key])
    bucket.delete([])


def test_copy_keeps_bytes_and_type(key: str) -> None:
    bucket.put(key, b"picture", "image/webp")
    target = f"quarantine/{uuid4()}"
    bucket.copy(key, target)
    streamed = bucket.open_stream(target)
    assert (b"".join(streamed.body), streamed.content_type) == (b"picture", "image/webp")
    bucket.delete([target])


def test_signed_link_opens_one_object(key: str) -> None:
    bucket.put(key, b"picture", "image/webp")
    url = bucket.signed_url(key, 60, download_as='attachment; filename="a.webp"', content_type="image/x-test")
    assert fetched(url) == (b"picture", "image/x-test", 'attachment; filename="a.webp"')
    for forged in (url.replace("master.png", "other.png"), url.replace("X-Amz-Expires=360", "X-Amz-Expires=9999")):
        assert forged != url
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(forged)
        assert caught.value.code == 403
        caught.value.close()


def test_object_without_a_link_is_private(key: str) -> None:
    bucket.put(key, b"picture", "image/webp")
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetched(bucket.signed_url(key, 60).partition("?")[0])
    assert caught.value.code == 403
    caught.value.close()


def test_link_stays_the_same_for_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("editor.images.bucket.time.monotonic", lambda: clock[0])
    first = bucket.signed_url("images/a", 600)
    clock[0] += 299
    assert bucket.signed_url("images/a", 600) == first
    assert f"X-Amz-Expires={600 + 300}" in first  # it lives as long as asked also when given out for the last time
    assert bucket.signed_url("images/b", 600) != first
    assert bucket.signed_url("images/a", 700) != first


def test_link_is_renewed_after_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("editor.images.bucket.time.monotonic", lambda: clock[0])
    signed = count(1)
    client, _ = bucket._used()
    monkeypatch.setattr(client, "generate_presigned_url", lambda *_, **__: f"link {next(signed)}")
    assert [bucket.signed_url("images/r", 600) for _ in range(3)] == ["link 1"] * 3
    clock[0] += 301
    assert bucket.signed_url("images/r", 600) == "link 2"


def test_no_link_lives_longer_than_a_week() -> None:
    assert f"X-Amz-Expires={7 * 24 * 3600}" in bucket.signed_url("images/long", 30 * 24 * 3600)


def test_one_client_serves_all_threads(key: str) -> None:
    bucket.put(key, b"x" * 50_000, "image/png")
    client, _ = bucket._used()
    with ThreadPoolExecutor(8) as pool:
        assert {len(data) for data in pool.map(bucket.get, [key] * 40)} == {50_000}
        assert {id(bucket._used()[0]) for _ in range(8)} == {id(client)}


def test_fork_of_a_process_that_has_connected_uses_its_own_connections(key: str) -> None:
    bucket.put(key, b"x" * 100_000, "image/png")
    parents, _ = bucket._used()
    child = os.fork()
    if child == 0:
        fine = all(bucket.get(key) == b"x" * 100_000 for _ in range(5)) and bucket._used()[0] is not parents
        os._exit(0 if fine else 1)
    assert all(bucket.get(key) == b"x" * 100_000 for _ in range(5))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bucket._used()[0] is parents


def test_warmed_client_is_inherited_by_forks(settings: Settings, elsewhere: Callable[..., None]) -> None:
    elsewhere(settings.STORAGES["default"]["OPTIONS"]["endpoint_url"], region_name="eu-central-1")
    bucket.warm()
    made = id(bucket._held.client)
    child = os.fork()
    if child == 0:
        os._exit(0 if id(bucket._used()[0]) == made else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_unreachable_bucket_is_unavailable(elsewhere: Callable[..., None]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: refused
        elsewhere(f"http://127.0.0.1:{reserved.getsockname()[1]}")
        for act in (lambda: bucket.put("a", b"", "x/y"), lambda: bucket.get("a"), lambda: bucket.delete(["a"])):
            with pytest.raises(BucketUnavailable):
                act()
        with pytest.raises(BucketUnavailable):
            bucket.exists("a")


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        yield server


def test_broken_bucket_is_unavailable(elsewhere: Callable[..., None], loopback: Loopback) -> None:
    loopback.answer = Answer(status=503, body=b"<html>try later</html>")
    elsewhere(loopback.origin)
    with pytest.raises(BucketUnavailable):
        bucket.get("images/a")
    assert len(loopback.paths) == bucket.ATTEMPTS


def test_silent_bucket_is_given_up(
    elsewhere: Callable[..., None], loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "READ_TIMEOUT", 0.1)
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    loopback.answer = Answer(delay=1.0)
    elsewhere(loopback.origin)
    with pytest.raises(BucketUnavailable, match="ReadTimeout"):
        bucket.get("images/a")


def test_object_cut_off_on_its_way_is_no_object(elsewhere: Callable[..., None], loopback: Loopback) -> None:
    loopback.answer = Answer(body=b"x" * 1000, headers={"Content-Length": "2000", "ETag": '"x"'})
    elsewhere(loopback.origin)
    with pytest.raises(BucketUnavailable):
        bucket.get("images/a")
    with pytest.raises(BucketUnavailable):
        list(bucket.open_stream("images/a").body)


def test_wrong_key_or_bucket_is_not_a_missing_picture(settings: Settings, elsewhere: Callable[..., None]) -> None:
    endpoint = settings.STORAGES["default"]["OPTIONS"]["endpoint_url"]
    elsewhere(endpoint, secret_key="wrong")
    with pytest.raises(BucketUnavailable, match="SignatureDoesNotMatch"):
        bucket.get("images/a")
    elsewhere(endpoint, bucket_name="never-made")
    with pytest.raises(BucketUnavailable, match="NoSuchBucket"):
        bucket.get("images/a")
