"""A flux server on loopback that reads sources straight from the bucket."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.models import User
from tests.makers import make_user


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """A sandbox that needs no time. Sources reach it by signed links; it calls no webhook."""
    with Sandbox(seconds=0.0, slots=4) as server:
        settings.FLUX_BASE_URL = server.base_url
        settings.FLUX_SEES_US_AT = ""
        settings.S3_PUBLIC = True
        settings.FLUX_OUTSTANDING = settings.FLUX_QUEUE_LIMIT = 4
        yield server
