"""What a worker forks stays for many rings, and no longer than its worker."""

from contextlib import suppress
from pathlib import Path

import django_rq
import pytest
from redis import Redis

from editor.models import Image, JobState
from project.embedded.keeper import all_pids, has_ended
from tests.portal import Portal, wait_until
from tests.processes.conftest import ask, wait_for


@pytest.fixture
def horse(portal: Portal, picture: Image) -> int:
    """The process id of a horse that has answered for an edit."""
    wait_for(ask(picture), JobState.SUCCEEDED)
    [pid] = portal.forked_by("edits")
    return pid


def test_what_is_no_ring_is_passed_over_by_the_horse_that_stays(
    portal: Portal, picture: Image, horse: int, tmp_path: Path
) -> None:
    marker = tmp_path / "called"
    with Redis.from_url(portal.redis_url) as connection:
        queue = django_rq.get_queue("edits", connection=connection, commit_mode="auto")
        queue.enqueue("os.mkdir", str(marker))
        connection.rpush(queue.key, "no-such-ring", b"\xff\xfe")
    wait_for(ask(picture), JobState.SUCCEEDED)
    assert portal.forked_by("edits") == [horse]
    assert not marker.exists()


def test_horse_without_its_worker_ends(portal: Portal, horse: int) -> None:
    with suppress(TimeoutError):
        portal.kill_parent("edits")
    wait_until(lambda: horse not in all_pids() or has_ended(horse), 10, "The end of the horse")
