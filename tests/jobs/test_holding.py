"""Held edits: what the desk does about them, and what happens to them all the same."""

from datetime import timedelta
from functools import partial

import django_rq
import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from editor.flux.errors import Verdict
from editor.flux.sandbox import Sandbox
from editor.jobs import clock, control, holding, ledger, lifecycle, submission
from editor.jobs.abandoned import cancel_of
from editor.jobs.allowances import rest_of
from editor.jobs.creation import EditSpec, create_job
from editor.jobs.failures import explain
from editor.jobs.progress import progress
from editor.models import (
    Allowance,
    AttemptState,
    FluxServer,
    GenerationJob,
    HeldFor,
    Image,
    ImageState,
    JobState,
    PromptRule,
    User,
    Workspace,
)
from tests.jobs.test_allowances import together
from tests.makers import make_attempt, make_image, make_job, make_user


def held(user: User, *sources: Image, why: HeldFor = HeldFor.RULE) -> GenerationJob:
    """As `create_job` makes it when a rule fits: with its entry in the ledger."""
    PromptRule.objects.get_or_create(name="nudity", text="nude")
    job = create_job(user, list(sources) or [make_image(user)], EditSpec("nude"), str(timezone.now().timestamp()))
    assert job.state == JobState.HELD
    if why != HeldFor.RULE:
        assert job.swap({JobState.HELD}, held_for=why)
    return job


def suspend(user: User) -> None:
    User.objects.filter(pk=user.pk).update(suspended_at=timezone.now(), is_active=False)


def reinstate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(suspended_at=None, is_active=True)


def rung() -> list[str]:
    return [ring.args[0] for ring in django_rq.get_queue("edits").jobs]


def fresh(job: GenerationJob) -> GenerationJob:
    return GenerationJob.objects.get(pk=job.pk)


@pytest.mark.django_db
class TestOneEdit:
    def test_released_one_is_queued_and_rung_for(
        self, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        job = held(alice)
        with django_capture_on_commit_callbacks(execute=True):
            assert holding.release_job(job)
        now = fresh(job)
        assert (now.state, now.held_for) == (JobState.QUEUED, "")
        assert now.due_at is not None
        assert rung() == [str(job.pk)]
        assert not holding.release_job(job)

    def test_released_one_of_a_suspended_person_stays_held_for_that(self, alice: User) -> None:
        job = held(alice)
        suspend(alice)
        assert holding.release_job(job)
        assert (fresh(job).state, fresh(job).held_for) == (JobState.HELD, HeldFor.SUSPENDED)
        assert not holding.release_job(job)

    def test_refused_one_costs_nothing_and_says_how_to_appeal(self, alice: User) -> None:
        before = rest_of(alice, Workspace.objects.personal_of(alice).pk).pictures
        job = held(alice)
        assert holding.refuse_job(job)
        now = fresh(job)
        assert (now.state, now.failure_code, now.allowance) == (JobState.FAILED, "refused", Allowance.RELEASED)
        failure = explain(now)
        assert failure is not None
        assert "Your notices say why, and how to appeal" in failure.sentence
        assert rest_of(alice, now.workspace_id).pictures == before
        assert ledger.problems() == []

    @pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
    def test_what_is_not_held_is_neither_released_nor_refused(self, alice: User, state: JobState) -> None:
        job = make_job(alice, state=state)
        assert not holding.refuse_job(job)
        assert not holding.release_job(job)
        assert fresh(job).state == state

    def test_owner_may_cancel_it_for_nothing(self, alice: User) -> None:
        job = held(alice)
        assert control.cancel(job)
        assert (fresh(job).state, fresh(job).allowance) == (JobState.CANCELED, Allowance.RELEASED)
        assert not holding.release_job(job)
        assert not holding.refuse_job(job)
        assert ledger.problems() == []

    def test_it_goes_with_the_account_or_the_workspace(self, alice: User) -> None:
        first, second, third = held(alice), held(alice), held(alice, why=HeldFor.SUSPENDED)
        cancel_of(alice)
        assert {fresh(job).state for job in (first, second, third)} == {JobState.CANCELED}
        team = Workspace.objects.found(alice, "Team")
        left = held(alice, make_image(alice, workspace=team))
        team.trash()
        clock.empty_trash()
        assert (fresh(left).state, fresh(left).allowance) == (JobState.CANCELED, Allowance.RELEASED)

    @pytest.mark.parametrize(
        "gone",
        [
            {"state": ImageState.REFUSED, "refused_code": "lost"},
            {"purged_at": timezone.now()},
            {"trashed_at": timezone.now(), "removed_at": timezone.now()},
            {"usable_until": timezone.now().date() - timedelta(days=2)},
        ],
        ids=["refused", "purged", "removed", "expired"],
    )
    def test_without_its_source_it_waits_for_nobody(self, alice: User, gone: dict[str, object]) -> None:
        image = make_image(alice)
        job = held(alice, image)
        Image.objects.filter(pk=image.pk).update(**gone)
        clock.tick()
        assert (fresh(job).state, fresh(job).allowance) == (JobState.FAILED, Allowance.RELEASED)

    def test_source_in_the_trash_is_kept_as_long_as_it_waits(self, alice: User) -> None:
        image = make_image(alice)
        held(alice, image)
        Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now() - timedelta(days=99))
        clock.empty_trash()
        image.refresh_from_db()
        assert image.purged_at is None

    def test_clock_lets_it_wait_and_no_ring_moves_it(
        self, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        job = held(alice)
        GenerationJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(days=30))
        with django_capture_on_commit_callbacks(execute=True):
            clock.tick()
            lifecycle.look_at(job.pk)
        assert (rung(), fresh(job).state) == ([], JobState.HELD)
        assert clock.until_next(timedelta(seconds=7)) == 7


@pytest.mark.django_db
class TestSuspension:
    def test_all_that_waits_is_held_and_all_else_goes_on(self, alice: User) -> None:
        waiting = [make_job(alice), make_job(alice)]
        others = [make_job(alice, state=state) for state in (JobState.SUBMITTING, JobState.PROCESSING)]
        others.append(make_job(make_user()))
        before = [job.state for job in others]
        suspend(alice)
        assert holding.hold_jobs_of(alice) == 2
        assert {(fresh(job).state, fresh(job).held_for) for job in waiting} == {(JobState.HELD, HeldFor.SUSPENDED)}
        assert [fresh(job).state for job in others] == before
        assert {fresh(job).allowance for job in waiting} == {Allowance.HELD}

    def test_end_of_it_releases_what_was_held_for_it_and_nothing_else(
        self, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        waiting, watched = make_job(alice), held(alice)
        suspend(alice)
        holding.hold_jobs_of(alice)
        reinstate(alice)
        with django_capture_on_commit_callbacks(execute=True):
            assert holding.release_jobs_of(alice) == 1
        assert (fresh(waiting).state, fresh(watched).state) == (JobState.QUEUED, JobState.HELD)
        assert rung() == [str(waiting.pk)]

    def test_clock_holds_what_waits_again_and_admission_never_takes_it(self, alice: User) -> None:
        FluxServer.objects.current()
        job = make_job(alice, state=JobState.SUBMITTING)
        suspend(alice)
        assert job.queue_again(timezone.now())
        assert submission.submit() == 0
        clock.tick()
        assert (fresh(job).state, fresh(job).held_for) == (JobState.HELD, HeldFor.SUSPENDED)
        assert holding.hold_of_suspended() == 0

    def test_whoever_looks_at_it_in_the_team_does_not_read_why(self, alice: User) -> None:
        assert progress(held(alice, why=HeldFor.SUSPENDED)).headline == "On hold for now"


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_result_of_what_is_with_the_vendor_is_kept(self, alice: User, sandbox: Sandbox) -> None:
        job = make_job(alice, make_image(alice, stored=True))
        lifecycle.look_at(job.pk)
        assert fresh(job).state == JobState.PROCESSING
        suspend(alice)
        assert holding.hold_jobs_of(alice) == 0
        for _ in range(40):
            GenerationJob.objects.filter(pk=job.pk, lease_until=None).update(due_at=job.created_at)
            lifecycle.look_at(job.pk)
            if fresh(job).is_final:
                break
        assert fresh(job).state == JobState.SUCCEEDED
        assert job.results.get().is_ready

    def test_refusal_by_the_vendor_while_suspended_sends_nothing_again(self, alice: User, sandbox: Sandbox) -> None:
        job = make_job(alice, make_image(alice, stored=True), state=JobState.SUBMITTING)
        make_attempt(job, verdict=Verdict.NOT_SENT, answered_at=timezone.now())
        suspend(alice)
        submission.settle(job, job.attempts.get())
        assert fresh(job).state == JobState.QUEUED
        FluxServer.objects.update(paused_until=None, pause_reason="")
        GenerationJob.objects.update(due_at=job.created_at)
        lifecycle.look_at(job.pk)
        assert sandbox.ledger()["accepted"] == []
        assert job.attempts.get().state == AttemptState.REFUSED

    def test_two_releases_make_one(self, alice: User) -> None:
        for _ in range(5):
            job = held(alice)
            done: list[bool] = []

            def release(mine: GenerationJob, done: list[bool] = done) -> None:
                done.append(holding.release_job(mine))

            assert together([partial(release, fresh(job)) for _ in range(4)]) == []
            assert sorted(done) == [False, False, False, True]

    def test_release_refusal_and_cancel_agree_on_one_end(self, alice: User) -> None:
        for _ in range(8):
            job = held(alice)
            doors = [holding.release_job, holding.refuse_job, control.cancel]
            assert together([partial(door, fresh(job)) for door in doors]) == []
            assert fresh(job).state in {JobState.FAILED, JobState.CANCELED}  # cancel also ends what was released
            assert fresh(job).allowance == Allowance.RELEASED
        assert ledger.problems() == []

    def test_release_and_suspension_leave_nothing_that_could_be_sent(self, alice: User) -> None:
        def shut_out() -> None:
            suspend(alice)
            holding.hold_jobs_of(alice)

        for _ in range(6):
            job = held(alice)
            assert together([partial(holding.release_job, fresh(job)), shut_out]) == []
            assert (fresh(job).state, fresh(job).held_for) == (JobState.HELD, HeldFor.SUSPENDED)
            reinstate(alice)
            control.cancel(fresh(job))
