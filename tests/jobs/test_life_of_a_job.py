"""From queued to a final state, against the sandbox, by calling the verbs as the workers do."""

import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.images import bucket, keys
from editor.jobs import checks, lifecycle, submission
from editor.library.words import index_words
from editor.models import (
    Allowance,
    Attempt,
    AttemptState,
    ChangeMap,
    FluxServer,
    GenerationJob,
    ImageState,
    ImageWord,
    JobState,
    User,
)
from tests.makers import make_image, make_job

pytestmark = pytest.mark.django_db(transaction=True)


def run(job: GenerationJob, seconds: float = 20) -> GenerationJob:
    """Look at the job as a worker would, whenever it is due, until it is final."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        GenerationJob.objects.filter(pk=job.pk, lease_until=None, state=JobState.PROCESSING).update(
            due_at=job.created_at
        )
        lifecycle.look_at(job.pk)
        job.refresh_from_db()
        if job.is_final:
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job.state}")


def edit(alice: User, prompt: str = "make it look like a watercolour", **fields: object) -> GenerationJob:
    return make_job(alice, make_image(alice, stored=True), prompt=prompt, **fields)


def test_an_edit_ends_with_a_picture_in_the_bucket(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice))
    result = job.results.get()
    assert (job.state, job.allowance, result.state) == (JobState.SUCCEEDED, Allowance.TAKEN, ImageState.READY)
    assert (result.width, result.height) == (job.width, job.height)
    assert bucket.get(keys.master_key(result.pk, result.master_ext))[:8] == b"\x89PNG\r\n\x1a\n"
    assert result.root == job.source_image
    assert ChangeMap.objects.get(image=result).is_wanted


def test_result_is_found_by_the_words_of_its_prompt(alice: User, sandbox: Sandbox) -> None:
    result = run(edit(alice, "a Café in the snow, no café")).results.get()
    words = ImageWord.objects.filter(image=result)
    found = set(words.values_list("pk", "word", "workspace", "image_created_at"))
    assert sorted(word for _, word, _, _ in found) == ["a", "cafe", "in", "no", "snow", "the"]
    index_words(result)
    assert set(words.values_list("pk", "word", "workspace", "image_created_at")) == found


def test_four_samples_give_four_pictures(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, samples=4))
    assert [image.position for image in job.results.order_by("position")] == [0, 1, 2, 3]
    assert len({image.master_sha256 for image in job.results.all()}) == 4


def test_the_same_seed_gives_the_same_bytes(alice: User, sandbox: Sandbox) -> None:
    source = make_image(alice, stored=True)
    first, second, other = (run(make_job(alice, source, seed=seed)) for seed in (1, 1, 2))
    assert first.results.get().master_sha256 == second.results.get().master_sha256
    assert first.results.get().master_sha256 != other.results.get().master_sha256


def test_two_sources_are_merged(alice: User, sandbox: Sandbox) -> None:
    one, two = make_image(alice, stored=True), make_image(alice, stored=True)
    alone, merged = run(make_job(alice, one)), run(make_job(alice, one, two))
    assert alone.results.get().master_sha256 != merged.results.get().master_sha256
    assert merged.results.get().root == one


def test_the_vendor_accepted_each_job_once(alice: User, sandbox: Sandbox) -> None:
    jobs = [run(edit(alice)) for _ in range(3)]
    accepted = [str(one["track_id"]) for one in sandbox.ledger()["accepted"]]
    assert sorted(accepted) == sorted(str(job.attempts.get().pk) for job in jobs)


def test_a_failure_there_fails_the_job_and_releases_its_allowance(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, "anything #fault:failed-later"))
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "vendor", Allowance.RELEASED)
    assert job.attempts.get().state == AttemptState.ENDED


def test_a_blank_result_is_blocked_and_free(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, "anything #fault:blank"))
    assert (job.state, job.allowance) == (JobState.BLOCKED, Allowance.RELEASED)


@pytest.mark.parametrize(
    "fault",
    [
        "output-as-string",
        "output-as-object",
        "output-empty",
        "output-five",
        "base64-output",
        "id-as-string",
        "eta-wild",
        "eta-as-string",
        "status-unknown",
        "status-upper",
        "meta-as-list",
        "link-404-for-a-while",
        "held",
    ],
)
def test_odd_answers_still_give_a_picture(alice: User, sandbox: Sandbox, fault: str) -> None:
    assert run(edit(alice, f"anything #fault:{fault}")).state == JobState.SUCCEEDED


def test_a_lost_answer_is_unconfirmed_and_not_sent_again(alice: User, sandbox: Sandbox) -> None:
    job = edit(alice, "anything #fault:accept-then-500")
    for _ in range(3):
        lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.UNCONFIRMED
    assert job.attempts.get().state == AttemptState.UNKNOWN
    assert len(sandbox.ledger()["accepted"]) == 1


@pytest.mark.parametrize(
    "fault",
    [
        "accept-then-500",
        "accept-then-html",
        "accept-then-reset",
        "cut-json",
        "cut-short",
        "processing-without-id",
        "gzip-bomb",
    ],
)
def test_whatever_may_have_been_accepted_is_asked_for_once(alice: User, sandbox: Sandbox, fault: str) -> None:
    job = edit(alice, f"anything #fault:{fault}")
    for _ in range(3):
        lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts.count()) == (JobState.UNCONFIRMED, 1)


@pytest.mark.parametrize("fault", ["link-internal", "link-svg", "link-huge", "not-a-picture"])
def test_what_is_no_picture_is_given_up_after_a_while(
    alice: User, sandbox: Sandbox, settings: Settings, fault: str
) -> None:
    settings.JOB_RESULT_PATIENCE = settings.JOB_RETRY_FIRST = timedelta(0)
    job = run(edit(alice, f"anything #fault:{fault}"))
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "result_lost", Allowance.RELEASED)


def test_a_queue_that_is_full_lets_the_job_wait(alice: User, sandbox: Sandbox) -> None:
    job = edit(alice, "anything #fault:queue-full")
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts.get().state) == (JobState.QUEUED, AttemptState.REFUSED)
    assert FluxServer.objects.current().paused


def test_one_jobs_403_pauses_nothing_while_the_server_is_well(alice: User, sandbox: Sandbox) -> None:
    job = edit(alice, "anything #fault:plan")
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert not FluxServer.objects.current().paused


def test_a_result_is_cut_back_where_the_source_was_padded(alice: User, sandbox: Sandbox) -> None:
    source = make_image(alice, stored=True, width=2000, height=250, init_crop=[0, 64, 1024, 192])
    job = run(make_job(alice, source))
    result = job.results.get()
    assert (job.width, job.height, result.width, result.height) == (1024, 256, 1024, 128)


def test_a_bad_field_fails_the_job_with_the_vendors_words(alice: User, sandbox: Sandbox) -> None:
    job = run(edit(alice, "anything #fault:field-error"))
    assert (job.state, job.failure_code, job.attempts.get().state) == (
        JobState.FAILED,
        "refused_field",
        AttemptState.REFUSED,
    )
    assert job.failure_detail


def test_many_jobs_are_checked_in_one_batch(alice: User, sandbox: Sandbox) -> None:
    jobs = [edit(alice) for _ in range(4)]
    for job in jobs:
        lifecycle.look_at(job.pk)
    GenerationJob.objects.filter(state=JobState.PROCESSING).update(due_at=jobs[0].created_at)
    waiting = GenerationJob.objects.filter(state=JobState.PROCESSING).count()
    assert checks.check_due() == waiting
    assert not GenerationJob.objects.filter(state=JobState.PROCESSING, due_at__lte=jobs[0].created_at).exists()


def test_several_requests_leave_at_once(alice: User, sandbox: Sandbox) -> None:
    jobs = [edit(alice) for _ in range(5)]
    assert [submission.submit(), submission.submit()] == [4, 0]  # there is room for four
    accepted = {str(one["track_id"]) for one in sandbox.ledger()["accepted"]}
    sent = Attempt.objects.filter(job__in=jobs, verdict="accepted")
    assert accepted == {str(attempt.pk) for attempt in sent}
    assert len(accepted) == 4


def test_answer_that_can_not_be_written_keeps_no_other_from_being(
    alice: User, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [edit(alice) for _ in range(3)]
    record = submission.record

    def fails_for_one(attempt: Attempt, answer: Any) -> None:
        if attempt.job_id == jobs[0].pk:
            raise OSError("the disk is full")
        record(attempt, answer)

    monkeypatch.setattr(submission, "record", fails_for_one)
    assert submission.submit() == 3
    assert Attempt.objects.filter(job__in=jobs[1:], verdict="accepted").count() == 2
