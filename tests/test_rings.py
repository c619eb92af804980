"""The bell: how often it rings for one row."""

from datetime import timedelta
from uuid import UUID, uuid4

import django_rq
import pytest
from pytest_django import Settings
from rq import Queue

from editor import rings

JOB = uuid4()


@pytest.fixture
def edits() -> Queue:
    return django_rq.get_queue("edits")


@pytest.fixture(autouse=True)
def _no_patience(settings: Settings) -> None:
    settings.RING_PATIENCE = timedelta(0)


def ring(job_id: UUID = JOB) -> None:
    rings._send(rings.LOOK_AT_JOB, str(job_id))


def test_ring_that_waits_in_the_queue_is_not_repeated_however_long_it_waits(edits: Queue) -> None:
    for _ in range(3):
        ring()
    assert [job.args for job in edits.jobs] == [[str(JOB)]]


def test_ring_that_was_lost_is_repeated(edits: Queue) -> None:
    ring()
    edits.connection.delete(edits.key)  # a worker took it and died
    ring()
    assert len(edits) == 1


def test_ring_that_may_be_on_its_way_to_a_task_is_not_repeated_yet(edits: Queue, settings: Settings) -> None:
    settings.RING_PATIENCE = timedelta(seconds=60)
    ring()
    edits.connection.delete(edits.key)
    ring()
    assert len(edits) == 0


def test_answered_ring_is_rung_again_at_once(edits: Queue, settings: Settings) -> None:
    settings.RING_PATIENCE = timedelta(seconds=60)
    ring()
    rings.answered(rings.LOOK_AT_JOB, str(JOB))
    ring()
    assert len(edits) == 2


def test_rings_for_two_rows_do_not_stand_in_each_others_way(edits: Queue) -> None:
    ring()
    ring(uuid4())
    assert len(edits) == 2
