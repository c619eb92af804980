"""The fixtures that all tests lean on really give what they promise."""

import pytest
import redis
import requests
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from editor.flux.sandbox import Sandbox
from tests.conftest import Bucket, empty_redis


def test_the_settings_point_at_the_sandbox(sandbox: Sandbox) -> None:
    assert sandbox.base_url == settings.FLUX_BASE_URL
    assert requests.get(sandbox.origin + "/ledger", timeout=5).json()["accepted"] == []


def test_the_bucket_is_the_one_of_the_settings(bucket: Bucket) -> None:
    default_storage.save("tests/a", ContentFile(b"bytes"))
    assert bucket.keys() == ["tests/a"]


def test_who_asks_for_the_bucket_gets_it_empty(request: pytest.FixtureRequest) -> None:
    default_storage.save("tests/a", ContentFile(b"bytes"))
    assert request.getfixturevalue("bucket").keys() == []


def test_who_asks_for_no_database_reaches_none() -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"), connection.cursor():
        pass


def test_the_end_of_a_test_empties_redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as connection:
        connection.set("left over", "1")
        empty_redis()
        assert connection.dbsize() == 0
