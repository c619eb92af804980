"""A result on its way: fetched beside the work on its rows, by whoever has the job's lease."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from editor.flux.contract import Status, parse_generation
from editor.flux.sandbox import Sandbox
from editor.jobs import checks, collection, control, submission
from editor.models import Attempt, GenerationJob, Image, ImageKind, ImageState, JobState, User
from tests.makers import make_attempt, make_image, make_job

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


@pytest.mark.django_db(transaction=True)
def test_edit_that_is_canceled_while_its_results_get_rows_leaves_none_behind(alice: User) -> None:
    job, attempt = checked(alice)
    asked = GenerationJob.objects.get(pk=job.pk)

    def cancel() -> None:
        control.cancel(asked)
        connection.close()

    press = threading.Thread(target=cancel)

    def pressed(execute: Any, sql: str, *args: Any) -> Any:
        if 'FROM "editor_jobsource"' in sql and not press.ident:  # the rows are being made
            press.start()
            press.join(0.4)  # as far as it gets
        return execute(sql, *args)

    with connection.execute_wrapper(pressed):
        collection.collect(job, attempt)
    press.join(20)
    assert GenerationJob.objects.get(pk=job.pk).state == JobState.CANCELED
    assert not Image.objects.filter(job=job, state=ImageState.RECEIVED, trashed_at=None).exists()


def test_answer_that_comes_after_somebody_else_has_asked_takes_nothing_back(
    alice: User, sandbox: Sandbox, settings: Settings
) -> None:
    with Sandbox(seconds=60.0) as busy:
        settings.FLUX_BASE_URL = busy.base_url
        make_job(alice, make_image(alice, stored=True))
        assert submission.submit() == 1
        slow = GenerationJob.objects.get()
        assert slow.claim({JobState.PROCESSING}, timedelta(0))
        quick = GenerationJob.objects.get()
        assert quick.claim({JobState.PROCESSING}, timedelta(minutes=1))
        Attempt.objects.update(outputs=[NOWHERE], vendor_status=Status.SUCCESS)
        assert quick.start_collecting(timezone.now() + timedelta(hours=1))
        assert len(checks.check([slow])) == 1  # it is still being made, as far as that answer knows
    attempt = Attempt.objects.get()
    assert (attempt.outputs, attempt.vendor_status) == ([NOWHERE], Status.SUCCESS)


def test_answer_without_links_leaves_those_that_are_known() -> None:
    answer = {"status": "success", "id": 1, "output": []}
    assert "outputs" not in submission.generation_facts(parse_generation(answer))


@pytest.mark.parametrize(("known", "ends"), [(ImageState.READY, JobState.SUCCEEDED), (None, JobState.FAILED)])
def test_edit_whose_links_are_gone_ends_by_the_pictures_that_it_has(
    alice: User, known: ImageState | None, ends: JobState
) -> None:
    job, _ = checked(alice)
    if known:
        make_image(alice, job=job, kind=ImageKind.GENERATED, state=known)
    Attempt.objects.update(outputs=[])
    assert collection.collect(job, Attempt.objects.get())
    assert GenerationJob.objects.get().state == ends
