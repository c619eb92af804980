"""What a tick rings for, and when the next one comes."""

from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.utils import timezone

from editor import rings
from editor.images import bucket, ingest, keys
from editor.jobs import clock
from editor.models import Image, ImageState, JobState, User
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def rung(capture: Any) -> list[tuple[str, list[str]]]:
    """What a tick puts into the queues."""
    with capture(execute=True):
        clock.tick()
    jobs = [job for name in ("edits", "pictures") for job in django_rq.get_queue(name).jobs]
    return [(str(job.func_name), list(job.args)) for job in jobs]


def test_commit_without_a_ring_is_found(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    job = make_job(alice)
    assert rung(django_capture_on_commit_callbacks) == [(rings.LOOK_AT_JOB, [str(job.pk)])]


def test_jobs_with_the_vendor_share_one_ring(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    for _ in range(3):
        make_job(alice, state=JobState.PROCESSING)
    assert rung(django_capture_on_commit_callbacks) == [(rings.CHECK_DUE, [])]


def test_upload_that_nobody_looked_at_is_found(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    image = make_image(alice, state=ImageState.RECEIVED, due_at=timezone.now())
    assert rung(django_capture_on_commit_callbacks) == [(rings.LOOK_AT_IMAGE, [str(image.pk)])]


def test_what_is_not_due_is_left_alone(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    make_job(alice, state=JobState.PROCESSING, due_at=timezone.now() + SECOND)
    assert rung(django_capture_on_commit_callbacks) == []


def test_edit_of_a_refused_picture_fails_without_charge(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    refused = make_image(alice, state=ImageState.REFUSED, refused_code="damaged")
    job = make_job(alice, refused)
    rung(django_capture_on_commit_callbacks)
    job.refresh_from_db()
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "source", "released")


def test_next_tick_comes_as_a_job_falls_due(alice: User) -> None:
    make_job(alice, state=JobState.PROCESSING, due_at=timezone.now() + SECOND / 2)
    assert 0.3 < clock.until_next(SECOND) < 0.51


def test_overdue_jobs_make_no_clock_race(alice: User) -> None:
    make_job(alice, state=JobState.PROCESSING, due_at=timezone.now() - SECOND)
    assert clock.until_next(SECOND) == 0.1


def test_trash_is_emptied_after_thirty_days(alice: User) -> None:
    old, young = (make_image(alice, stored=True, trashed_at=timezone.now() - timedelta(days=days)) for days in (31, 29))
    assert clock.empty_trash() == 1
    assert not bucket.exists(keys.master_key(old.pk, "jpg"))
    assert Image.objects.filter(purged_at=None).get() == young


def test_trash_holds_pictures_that_never_were_any(alice: User) -> None:
    old = timezone.now() - timedelta(days=31)
    make_image(alice, state=ImageState.REFUSED, refused_code="unsupported", trashed_at=old)
    assert clock.empty_trash() == 1


def test_picture_that_can_not_be_purged_keeps_none_of_the_others(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    old = timezone.now() - timedelta(days=31)
    bad, good = (make_image(alice, stored=True, trashed_at=old) for _ in range(2))
    purge = ingest.purge
    monkeypatch.setattr(ingest, "purge", lambda image: purge(image) if image == good else 1 / 0)
    assert clock.empty_trash() == 1
    assert Image.objects.get(purged_at=None) == bad


def test_trashed_picture_of_an_open_job_is_kept(alice: User) -> None:
    image = make_image(alice, stored=True, trashed_at=timezone.now() - timedelta(days=31))
    make_job(alice, image)
    assert clock.empty_trash() == 0
