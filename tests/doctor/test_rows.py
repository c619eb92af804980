"""The doctor at rows: stuck edits, stale clocks, lost and orphaned objects, attempts and the ledger."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from editor import rings
from editor.doctor import objects
from editor.images import bucket as store
from editor.images import keys
from editor.models import AllowanceEntry, GenerationJob, Image, JobState, Mark, Setting, Usage, User
from editor.models.allowances import hold_all
from project.embedded.process import Child
from tests.conftest import Bucket
from tests.doctor.test_parts import told
from tests.makers import make_attempt, make_image, make_job

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


# The settings of people ------------------------------------------------------------------------------------------


def test_chosen_settings_that_cannot_hold_or_hide_a_variable_are_told(settings: Settings) -> None:
    only = ("--only", "chosen settings")
    Setting.objects.create(name="TRASH_DAYS", value="10", version=1)
    assert told(*only)[0] == 0
    settings.ADJUSTABLE_GIVEN = {"TRASH_DAYS"}
    status, said = told(*only)
    assert (status, "TRASH_DAYS in the environment does nothing: '10' is set in the administration" in said) == (
        1,
        True,
    )
    Setting.objects.create(name="EDITS_PER_DAY", value="lots", version=1)
    Setting.objects.create(name="GONE_SINCE", value="1", version=1)
    status, said = told(*only)
    assert status == 2
    assert "EDITS_PER_DAY can't hold as it is set: This is 'lots', not a whole number" in said
    assert "Its default does: 200. Set it in the administration, under Settings." in said
    assert "GONE_SINCE, which is no setting any more" in said


# The clock and the workers -----------------------------------------------------------------------------------------


def test_clock_that_never_ticked_stopped_or_is_of_another_time_is_told() -> None:
    status, said = told("--only", "clock")
    assert (status, "No clock has ever ticked" in said) == (2, True)
    assert Mark.objects.tick()
    assert told("--only", "clock")[0] == 0
    Mark.objects.update(at=timezone.now() - timedelta(minutes=5))
    status, said = told("--only", "clock")
    assert (status, "The last clock ticked 300 seconds ago. Start `manage.py clock`" in said) == (2, True)
    Mark.objects.update(at=timezone.now() + HOUR)
    status, said = told("--only", "clock")
    assert (status, "do not agree about the time" in said) == (1, True)


def test_clock_marks_its_ticks_every_ten_seconds_at_most(settings: Settings) -> None:
    assert Mark.objects.tick()
    assert not Mark.objects.tick()
    Mark.objects.update(at=timezone.now() - settings.CLOCK_MARK)
    assert Mark.objects.tick()


def test_mark_from_the_future_is_set_right() -> None:
    Mark.objects.create(name="clock", at=timezone.now() + HOUR)
    assert Mark.objects.tick()
    assert told("--only", "clock")[0] == 0


def test_queue_without_a_living_worker_is_a_problem(own_redis: Child) -> None:
    status, said = told("--only", "workers")
    assert (status, said.count("is alive; 0 rings wait. Start `manage.py rqworker")) == (2, 2)
    for queue, age in (("edits", 0), ("pictures", 600)):
        heard = (timezone.now() - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        rings.bell().sadd(f"rq:workers:{queue}", f"rq:worker:{queue}")
        rings.bell().hset(f"rq:worker:{queue}", "last_heartbeat", heard)
    status, said = told("--only", "workers")
    assert status == 2
    assert "ok       workers: 1 workers of edits; 0 rings wait." in said
    assert "problem  workers: No worker of pictures is alive" in said


# Stuck edits -------------------------------------------------------------------------------------------------------


def rung() -> list[str]:
    marks = [str(key.decode()) for key in rings.bell().scan_iter("retake:ring:look_at_job:*")]
    return [mark.rsplit(":", 1)[-1] for mark in marks]


def test_edit_whose_lease_ran_out_long_ago_is_rung_for(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    past = timezone.now() - HOUR
    stuck = make_job(alice, state=JobState.PROCESSING, lease_until=past, due_at=past, submitted_at=past)
    make_attempt(stuck)
    leased = make_job(alice, state=JobState.PROCESSING, lease_until=timezone.now() + HOUR, due_at=past)
    make_attempt(leased)
    status, said = told("--only", "stuck")
    assert status == 2
    assert f"problem  stuck: 1 edits are due for 5 minutes or longer, and nobody looked: {stuck.pk}." in said
    assert rung() == []
    with django_capture_on_commit_callbacks(execute=True):
        status, said = told("--only", "stuck", "--repair")
    assert (status, "Rang for 1." in said) == (1, True)
    assert rung() == [str(stuck.pk)]


def test_edit_that_no_clock_would_find_is_made_due(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    lost = make_job(alice, due_at=None)
    assert told("--only", "stuck")[0] == 2
    with django_capture_on_commit_callbacks(execute=True):
        told("--only", "stuck", "--repair")
    lost.refresh_from_db()
    assert lost.due_at is not None
    assert rung() == [str(lost.pk)]
    assert told("--only", "stuck")[0] == 0


def test_edit_whose_turn_does_not_come_though_there_is_room_is_stuck(alice: User) -> None:
    past = timezone.now() - HOUR
    make_job(alice, due_at=past, created_at=past)
    status, said = told("--only", "stuck")
    assert (status, "though the flux server has room" in said) == (2, True)


def test_backlog_that_moves_is_not_stuck(alice: User) -> None:
    past = timezone.now() - HOUR
    make_job(alice, due_at=past, created_at=past)
    make_attempt(make_job(alice, state=JobState.PROCESSING))  # somebody was sent just now
    assert told("--only", "stuck")[0] == 0


def test_submitting_edit_without_an_attempt_is_told_and_never_touched(alice: User) -> None:
    past = timezone.now() - HOUR
    job = make_job(alice, state=JobState.SUBMITTING, submitted_at=past)
    before = GenerationJob.objects.values().get(pk=job.pk)
    status, said = told("--only", "stuck", "--repair")
    assert (status, f"without an open request: {job.pk}." in said) == (2, True)
    assert GenerationJob.objects.values().get(pk=job.pk) == before


# Objects -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def old_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test S3 says when an object was written, and nobody waits a day."""
    monkeypatch.setattr(objects, "OLD", timedelta(seconds=-5))


def test_picture_without_its_bytes_is_told_and_left_as_it_is(alice: User, bucket: Bucket) -> None:
    whole, hollow = make_image(alice, stored=True), make_image(alice, stored=True)
    make_image(alice, purged_at=timezone.now(), trashed_at=timezone.now())
    make_image(alice, state="received", due_at=timezone.now())
    assert told("--only", "objects")[0] == 0
    store.delete([keys.master_key(hollow.pk, "jpg")])
    before = Image.objects.values().get(pk=hollow.pk)
    for words in ((), ("--repair",), ("--all", "--repair")):
        status, said = told("--only", "objects", *words)
        assert (status, f"1 pictures have a row but no bytes: {hollow.pk}." in said) == (2, True)
    assert Image.objects.values().get(pk=hollow.pk) == before
    assert str(whole.pk) not in said


def test_orphans_are_listed_and_deleted_only_on_request(alice: User, bucket: Bucket, old_at_once: None) -> None:
    kept = make_image(alice, stored=True)
    make_image(alice, stored=True)
    key, raw = keys.master_key(uuid4(), "jpg"), keys.raw_key(uuid4())
    for orphan in (key, raw):
        store.put(orphan, b"x", "image/jpeg")
    there = bucket.keys()
    status, said = told("--only", "objects")
    assert (status, f"2 objects of 2 pictures have no row: {key}, {raw}." in said) == (1, True)
    assert bucket.keys() == there
    status, said = told("--only", "objects", "--repair")
    assert (status, f"Deleted: {key}, {raw}." in said) == (1, True)
    assert set(there) - set(bucket.keys()) == {key, raw}
    assert keys.master_key(kept.pk, "jpg") in set(bucket.keys())
    assert told("--only", "objects")[0] == 0


def test_young_object_without_a_row_is_left_alone(alice: User, bucket: Bucket) -> None:
    make_image(alice, stored=True)
    store.put(keys.raw_key(uuid4()), b"x", "image/jpeg")
    assert told("--only", "objects", "--repair")[0] == 0
    assert len(bucket.keys()) == 4


def test_nothing_is_deleted_where_the_database_seems_to_be_the_wrong_one(
    alice: User, bucket: Bucket, old_at_once: None
) -> None:
    make_image(alice, stored=True)
    for _ in range(3):
        store.put(keys.master_key(uuid4(), "jpg"), b"x", "image/jpeg")
    there = bucket.keys()
    status, said = told("--only", "objects", "--repair")
    assert (status, "is DATABASE_URL the right database" in said) == (2, True)
    assert bucket.keys() == there


def test_key_that_is_none_of_ours_is_never_deleted(alice: User, bucket: Bucket, old_at_once: None) -> None:
    make_image(alice, stored=True)
    store.put("images/holiday/master.jpg", b"x", "image/jpeg")
    status, said = told("--only", "objects", "--repair")
    assert (status, "1 objects are none of ours: images/holiday/master.jpg." in said) == (1, True)
    assert "images/holiday/master.jpg" in set(bucket.keys())


def test_rounds_go_on_where_the_last_one_ended(
    alice: User, bucket: Bucket, old_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGE", 3)
    monkeypatch.setattr(objects, "PAGES", 1)
    images = [make_image(alice, stored=True) for _ in range(7)]
    hollow = sorted(images, key=lambda image: image.pk)[5]
    store.delete([keys.master_key(hollow.pk, "jpg")])
    statuses = [told("--only", "objects")[0] for _ in range(3)]
    assert statuses == [0, 2, 0]
    assert told("--only", "objects", "--all")[0] == 2


# Attempts and the ledger -------------------------------------------------------------------------------------------


def done(alice: User, **fields: Any) -> GenerationJob:
    times = {"finished_at": timezone.now() - HOUR, "due_at": None}
    return make_job(alice, state="succeeded", allowance="taken", **times, **fields)


def test_edit_that_was_accepted_twice_unasked_is_a_problem(alice: User) -> None:
    for second in (False, True):
        job = done(alice, second=second)
        for number in (1, 2):
            make_attempt(job, number=number, verdict="accepted", state="ended")
        status, said = told("--only", "attempts")
        assert (status, said.count("more than once")) == (2, 1)
        assert (str(job.pk) in said) is not second


def test_success_that_was_never_sent_is_a_problem(alice: User) -> None:
    job = done(alice)
    status, said = told("--only", "attempts")
    assert (status, f"no request of theirs was accepted: {job.pk}." in said) == (2, True)
    make_attempt(job, verdict="accepted", state="ended")
    assert told("--only", "attempts")[0] == 0


def test_attempt_that_outlived_its_edit_is_worth_a_warning(alice: User) -> None:
    attempt = make_attempt(done(alice), verdict="accepted", deadline_at=timezone.now() - HOUR)
    status, said = told("--only", "attempts")
    assert (status, str(attempt.pk) in said) == (1, True)


def test_ledger_that_does_not_add_up_is_told_and_never_mended(alice: User) -> None:
    hold_all([make_job(alice)])
    assert told("--only", "ledger")[0] == 0
    Usage.objects.update(pictures_held=7)
    before = list(Usage.objects.values()), AllowanceEntry.objects.count()
    status, said = told("--only", "ledger", "--repair")
    assert (status, "`manage.py ledger --repair`" in said) == (2, True)
    assert (list(Usage.objects.values()), AllowanceEntry.objects.count()) == before


def test_check_that_breaks_keeps_none_of_the_others_from_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(Mark.objects, "age_of_tick", broken)
    status, said = told("--only", "clock", "--only", "attempts")
    assert status == 2
    assert "problem  clock: The check itself broke (ZeroDivisionError)." in said
    assert "ok       attempts:" in said
    assert "secret words" not in said
