"""A result on its way: fetched beside the work on its rows, by whoever has the job's lease."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.jobs import collection, control
from editor.models import Attempt, GenerationJob, Image, ImageState, JobState, User
from tests.makers import make_attempt, make_job

pytestmark = pytest.mark.django_db

NOWHERE = "http://127.0.0.1:9/none.png"


def checked(user: User) -> tuple[GenerationJob, Attempt]:
    """An edit of two pictures that is done there; whoever asked about it still has its lease."""
    job = make_job(user, state=JobState.PROCESSING, samples=2)
    assert job.claim({JobState.PROCESSING}, timedelta(minutes=1))
    assert job.start_collecting(timezone.now() + timedelta(hours=1), timedelta(minutes=1))
    return job, make_attempt(job, outputs=[NOWHERE, NOWHERE])


def test_edit_that_is_collected_at_once_stays_with_whoever_checked_it(alice: User) -> None:
    job, _ = checked(alice)
    other = GenerationJob.objects.get(pk=job.pk)
    assert other.state == JobState.COLLECTING
    assert not collection.collect(other)
    later = timezone.now() + timedelta(minutes=2)
    assert list(GenerationJob.objects.due(later)) == [job]


def test_edit_that_is_canceled_while_its_result_is_on_its_way_gets_no_picture(alice: User) -> None:
    job, attempt = checked(alice)
    asked = GenerationJob.objects.get(pk=job.pk)
    assert not collection.collect(job, attempt, meanwhile=lambda: control.cancel(asked))
    assert GenerationJob.objects.get(pk=job.pk).state == JobState.CANCELED
    assert not Image.objects.filter(job=job).exists()


def test_result_that_does_not_come_leaves_room_for_the_next(alice: User, settings: Settings) -> None:
    settings.FLUX_BASE_URL = "http://127.0.0.1:9/api/v1/enterprise/"
    job, attempt = checked(alice)
    for _ in range(3):
        assert not collection.collect(job, attempt)
        assert GenerationJob.objects.filter(pk=job.pk).update(due_at=timezone.now())
        job, attempt = GenerationJob.objects.get(pk=job.pk), None  # type: ignore[assignment]
    assert [image.state for image in job.results.all()] == [ImageState.RECEIVED] * 2
    assert all(collection._storing.acquire(blocking=False) for _ in range(3))
    for _ in range(3):
        collection._storing.release()
