"""RQ runs our tasks from JSON and nothing else that may stand in Redis."""

from pathlib import Path
from typing import Any

import django_rq
import pytest
from django_rq.workers import get_worker

from editor import rings
from editor.jobs.worker import NotOurTaskError, Ring
from editor.models import User
from tests.makers import make_job

pytestmark = pytest.mark.django_db


def work_off(queue: str) -> None:
    worker = get_worker(queue, worker_class="rq.SimpleWorker", serializer="rq.serializers.JSONSerializer")
    worker.work(burst=True, logging_level="CRITICAL")


def test_foreign_function_is_never_called(tmp_path: Path) -> None:
    marker = tmp_path / "pwned"
    queue = django_rq.get_queue("edits", commit_mode="auto")
    queue.enqueue("os.system", f"touch {marker}")
    work_off("edits")
    assert not marker.exists()
    assert queue.failed_job_registry.count == 1


def test_method_of_a_foreign_thing_is_refused() -> None:
    job = Ring.create("os.getpid", connection=rings.bell(), serializer="rq.serializers.JSONSerializer")
    with pytest.raises(NotOurTaskError):
        _ = job.func


def test_callbacks_are_ignored(tmp_path: Path) -> None:
    marker = tmp_path / "pwned"
    queue = django_rq.get_queue("edits", commit_mode="auto")
    job = queue.enqueue(rings.CHECK_DUE)
    job._success_callback_name = "os.remove"
    job.save()
    marker.touch()
    work_off("edits")
    assert job.success_callback is None
    assert queue.failed_job_registry.count == 0


def test_ring_is_json_and_holds_an_id_alone(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    job = make_job(alice)
    with django_capture_on_commit_callbacks(execute=True):
        rings.ring_job(job.pk)
    [queued] = django_rq.get_queue("edits").jobs
    assert (queued.func_name, queued.args) == (rings.LOOK_AT_JOB, [str(job.pk)])


def test_same_ring_waits_once(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    job = make_job(alice)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            rings.ring_job(job.pk)
    assert django_rq.get_queue("edits").count == 1


def test_lost_redis_is_no_error_for_the_person(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: object, django_capture_on_commit_callbacks: Any
) -> None:
    rings.bell.cache_clear()
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis://127.0.0.1:1/0")
    with django_capture_on_commit_callbacks(execute=True):
        rings.ring_job(make_job(alice).pk)
    rings.bell.cache_clear()
