"""Who is rung for when there is room with the vendor."""

import django_rq
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from editor.jobs import lifecycle
from editor.models import FluxServer, User
from tests.makers import make_image, make_job


@pytest.fixture(autouse=True)
def _much_room(settings: Settings, db: None) -> None:
    settings.FLUX_QUEUE_LIMIT = settings.FLUX_OUTSTANDING = 500
    FluxServer.objects.current()


def test_many_waiting_edits_are_rung_for_a_few_at_a_time(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    picture = make_image(alice)
    jobs = [make_job(alice, picture) for _ in range(lifecycle.RUNG_AT_ONCE + 5)]
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            lifecycle.ring_next()
    rung = [job.args[0] for job in django_rq.get_queue("edits").jobs]
    assert rung == [str(job.pk) for job in jobs[: lifecycle.RUNG_AT_ONCE]]


def test_nobody_is_rung_for_while_the_vendors_queue_is_full(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.FLUX_OUTSTANDING = 0
    make_job(alice)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.ring_next()
    assert len(django_rq.get_queue("edits")) == 0
