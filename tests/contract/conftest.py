"""A portal in one process, with a sandbox of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from editor.jobs import vendor
from tests.contract.post_office import PostOffice
from tests.contract.world import World


@pytest.fixture
def office() -> Iterator[PostOffice]:
    running = PostOffice()
    yield running
    running.close()


@pytest.fixture
def world(transactional_db: None, office: PostOffice, settings: Settings, tmp_path: Path) -> Iterator[World]:
    settings.EDITS_PER_DAY = 10_000
    running = World(tmp_path / "sandbox", office, settings)
    yield running
    running.sandbox.stop()
    vendor.client_for.cache_clear()
