"""Every searcher sees: what is planted is found, and once it is taken away nothing is."""

import base64
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from editor.models import FluxServer, WebhookEvent
from tests.canary.searching import Hit, Thing, hits, in_bucket, in_database, in_files, in_lines, in_redis, spellings
from tests.conftest import Bucket
from tests.makers import make_attempt, make_job, make_user

SECRET = "canary+planted/3f9c0a17=7"
SPELLINGS = {kind: sorted(words)[0].decode() for kind, words in spellings(SECRET).items() if words}


def found(things: list[Thing]) -> set[str]:
    return {hit.spelling for hit in hits(things, {"key": SECRET})}


def test_all_spellings_are_told_apart() -> None:
    assert sorted(SPELLINGS) == ["base64", "html-escaped", "json-escaped", "percent-encoded", "plain"]


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
def test_base64_is_found_wherever_it_begins(before: bytes) -> None:
    packed = base64.b64encode(before + SECRET.encode() + b"and so on")
    assert hits([Thing("x", packed)], {"key": SECRET}) == [Hit("x", "key", "base64")]
    assert not hits([Thing("x", base64.b64encode(before + b"another word of that length"))], {"key": SECRET})


def test_name_of_a_thing_is_searched_too() -> None:
    assert hits([Thing(f"object {SECRET}", b"")], {"key": SECRET})


PLANTS: dict[str, Callable[["Redis", str], Any]] = {
    "key": lambda register, word: register.set(word, "x"),
    "string": lambda register, word: register.set("a", word),
    "hash": lambda register, word: register.hset("a", "field", word),
    "name in a hash": lambda register, word: register.hset("a", word, "x"),
    "list": lambda register, word: register.rpush("a", word),
    "set": lambda register, word: register.sadd("a", word),
    "sorted set": lambda register, word: register.zadd("a", {word: 1}),
    "stream": lambda register, word: register.xadd("a", {"field": word}),
}


@pytest.fixture
def register() -> Iterator["Redis"]:
    with Redis.from_url(settings.REDIS_URL) as connected:
        yield connected


@pytest.mark.parametrize("kind", PLANTS)
def test_redis_is_searched(register: "Redis", kind: str) -> None:
    for spelling, word in SPELLINGS.items():
        PLANTS[kind](register, f"… {word} …")
        assert found(in_redis(settings.REDIS_URL)) == {spelling}
        register.flushdb()
        assert found(in_redis(settings.REDIS_URL)) == set()


def test_arguments_of_waiting_rings_are_searched(register: "Redis") -> None:
    queue = Queue("edits", connection=register, serializer=JSONSerializer)
    queue.enqueue("editor.jobs.tasks.look_at_job", args=[SECRET])
    assert found(in_redis(settings.REDIS_URL)) == {"plain"}


def test_tracebacks_of_failed_rings_are_searched(register: "Redis") -> None:
    job = Job.create("editor.jobs.tasks.check_due", connection=register, serializer=JSONSerializer)
    Result.create_failure(job, ttl=60, exc_string=f"Traceback …\nValueError: {SECRET}")
    assert found(in_redis(settings.REDIS_URL)) == {"plain"}


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_database_is_searched(spelling: str) -> None:
    word = SPELLINGS[spelling]
    server = FluxServer.objects.current()
    rows = FluxServer.objects.filter(pk=server.pk)
    rows.update(pause_detail=f"… {word} …")
    assert spelling in found(in_database())
    rows.update(pause_detail="")
    attempt = make_attempt(make_job(make_user()))
    event = WebhookEvent.objects.create(attempt=attempt, body={"meta": [word]})
    assert spelling in found(in_database())
    event.delete()
    assert found([thing for thing in in_database() if thing.where.startswith("table")]) == set()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_bucket_is_searched(bucket: Bucket, spelling: str) -> None:
    word = SPELLINGS[spelling]
    for key, body, metadata in (
        ("a", f"… {word} …", {}),
        ("b", "x", {"note": word}),
        (f"c/{word}", "x", {}) if "\\" not in word else ("c", word, {}),  # S3 makes a slash of it
    ):
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body.encode(), Metadata=metadata)
        assert spelling in found(in_bucket(bucket.client, bucket.name)), key
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    assert found(in_bucket(bucket.client, bucket.name)) == set()


def test_files_and_lines_are_searched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "below").mkdir()
    for spelling, word in SPELLINGS.items():
        (tmp_path / "below" / "file").write_text(f"…{word}…")
        assert found(in_files(tmp_path)) == {spelling}
        assert found(in_lines(["…", f"DEBUG x {word}"])) == {spelling}
    logging.getLogger("x").warning(SECRET)
    assert found(in_lines(caplog.text.splitlines())) == {"plain"}
