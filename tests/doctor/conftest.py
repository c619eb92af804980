"""A Redis of one's own that can be stopped, and a portal in which everything is well."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor import rings
from editor.doctor.probes import readiness
from editor.models import User
from project.embedded import redis
from project.embedded.ports import PortBook
from project.embedded.process import Child, Keeper
from tests.makers import make_user
from tests.people import quick_passwords

__all__ = ["quick_passwords"]


@pytest.fixture
def alice(db: None, quick_passwords: None) -> User:
    return make_user("alice@example.com", date_joined=timezone.now())


@pytest.fixture
def own_redis(settings: Settings, tmp_path: Path) -> Iterator[Child]:
    """A real Redis that only this test's rings and probes use; `stop()` it."""
    keeper = Keeper()
    server = redis.prepare(tmp_path / "redis", PortBook(tmp_path / "ports.json"), "own")
    child = Child(server.program, keeper, lambda line: None)
    child.start()
    child.wait_until_ready(20)
    settings.REDIS_URL = server.url
    rings.bell.cache_clear()
    yield child
    rings.bell().close()
    rings.bell.cache_clear()
    child.stop(grace=1)
    keeper.close()


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()
