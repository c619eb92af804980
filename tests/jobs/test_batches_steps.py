"""From one step of a batch to the next, and the gate between them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.jobs import admission, batches, chains, clock, gate, lifecycle
from editor.jobs.batches import create_batch, run_again, standing_of
from editor.jobs.creation import EditSpec
from editor.library.shelves import new_collection
from editor.models import (
    Batch,
    BatchItem,
    Collection,
    FluxServer,
    GenerationJob,
    HeldFor,
    Image,
    ImageKind,
    ItemState,
    JobState,
    Membership,
    ModerationCase,
    PromptRule,
    Role,
    RuleAction,
    User,
    Workspace,
)
from tests.jobs.test_allowances import together
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db

STEPS = [EditSpec("remove the background"), EditSpec("make it {colour}", seed=7), EditSpec("add a shadow")]


def chain(user: User, number: int = 1, **options: Any) -> Batch:
    values = [{"colour": colour} for colour in ("red", "green", "blue", "white")][:number]
    return create_batch(user, [make_image(user) for _ in range(number)], STEPS, "token", values=values, **options)


def items(batch: Batch) -> list[BatchItem]:
    return list(batch.items.order_by("number"))


def item(batch: Batch) -> BatchItem:
    return batch.items.get()


def succeed(job: GenerationJob, results: int = 1) -> list[Image]:
    """As a worker does that has stored the last result."""
    GenerationJob.objects.filter(pk=job.pk).update(state=JobState.COLLECTING, due_at=timezone.now())
    job.refresh_from_db()
    place: dict[str, Any] = {
        "workspace": job.workspace,
        "kind": ImageKind.GENERATED,
        "job": job,
        "root": job.source_image.first_upload,
    }
    made = [make_image(job.made_by, **place, position=position) for position in range(results)]
    with transaction.atomic():
        assert job.succeed()
        chains.follow(job, made)
    return made


def test_each_step_is_made_of_what_the_one_before_made(alice: User) -> None:
    batch = chain(alice)
    made: list[Image] = []
    for step in range(3):
        job = item(batch).job
        assert (job.batch_step, job.prompt) == (step, ["remove the background", "make it red", "add a shadow"][step])
        assert job.source_image == ([item(batch).image, *made][step])
        made += succeed(job)
        chains.go_on(batch.pk)
    assert item(batch).state == ItemState.KEPT
    assert list(chains.results_kept(batch)) == [made[-1]]
    assert batch.jobs.count() == 3
    assert not any(job.interactive for job in batch.jobs.all())


def test_clock_finds_the_next_step_when_no_bell_rang(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    batch = chain(alice)
    succeed(item(batch).job)  # and the process dies
    with django_capture_on_commit_callbacks() as rung:
        clock.tick()
    assert any("go_on_with_batch" in str(ring) and str(batch.pk) in str(ring) for ring in rung)


@pytest.mark.django_db(transaction=True)
def test_next_step_is_made_once_however_many_try(alice: User) -> None:
    batch = chain(alice, 3)
    for each in items(batch):
        succeed(each.job)
    assert together([partial(chains.go_on, batch.pk) for _ in range(4)]) == []
    assert batch.jobs.filter(batch_step=1).count() == 3
    assert {each.tries for each in items(batch)} == {2}


def test_edit_that_was_made_before_its_item_knew_is_found_again(alice: User) -> None:
    batch = chain(alice)
    succeed(item(batch).job)
    chains.go_on(batch.pk)
    made = item(batch).job
    before = batch.jobs.get(batch_step=0)
    BatchItem.objects.update(job=before, tries=1, due_at=timezone.now())
    chains.go_on(batch.pk)
    assert item(batch).job == made
    assert batch.jobs.count() == 2


def test_nothing_goes_on_before_somebody_kept_it(alice: User) -> None:
    batch = chain(alice, gate=True)
    (result,) = succeed(item(batch).job)
    chains.go_on(batch.pk)
    assert item(batch).state == ItemState.LOOKING
    assert gate.keep(item(batch))
    chains.go_on(batch.pk)
    assert item(batch).job.source_image == result
    for _ in range(2):
        succeed(item(batch).job)
        assert gate.keep(item(batch))
        chains.go_on(batch.pk)
    assert (item(batch).state, batch.jobs.count()) == (ItemState.KEPT, 3)


def test_chosen_result_goes_on_and_no_other_edits(alice: User) -> None:
    batch = chain(alice, gate=True)
    _, second = succeed(item(batch).job, 2)
    stranger = make_image(make_user())
    assert not gate.keep(item(batch), stranger.pk)
    assert gate.keep(item(batch), second.pk)
    chains.go_on(batch.pk)
    assert item(batch).job.source_image == second


def test_dropped_one_costs_nothing_more_and_comes_back(alice: User) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    assert gate.drop(item(batch))
    chains.go_on(batch.pk)
    assert (standing_of(batch).dropped, batch.jobs.count()) == (1, 1)
    assert gate.take_back(item(batch))
    assert item(batch).state == ItemState.LOOKING


def test_only_what_waits_or_went_wrong_is_dropped(alice: User) -> None:
    batch = chain(alice, gate=True)
    under_way = item(batch)
    assert not gate.drop(under_way)
    succeed(under_way.job)
    gate.keep(item(batch))
    assert not gate.drop(item(batch))  # its next edit is about to be made
    batch.items.update(state=ItemState.KEPT, due_at=None)
    assert not gate.drop(item(batch))
    assert item(batch).state == ItemState.KEPT
    GenerationJob.objects.filter(batch=batch).update(state=JobState.CANCELED, allowance="released")
    batch.items.update(state=ItemState.WORKING, due_at=timezone.now())
    assert not gate.drop(item(batch))  # it is run again
    batch.items.update(due_at=None)
    assert gate.drop(item(batch))


def test_result_in_the_trash_is_not_what_goes_on(alice: User) -> None:
    batch = chain(alice, gate=True)
    first, second = succeed(item(batch).job, 2)
    Image.objects.filter(pk=first.pk).update(trashed_at=timezone.now())
    assert not gate.keep(item(batch), first.pk)
    assert gate.keep(item(batch))
    assert item(batch).source == second
    assert gate.take_back(item(batch))
    Image.objects.filter(pk=second.pk).update(trashed_at=timezone.now())
    assert not gate.keep(item(batch))
    assert item(batch).state == ItemState.LOOKING


def test_one_that_stopped_is_dropped_and_comes_back_where_it_was(alice: User) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    gate.keep(item(batch))
    batches.cancel_waiting(batch)
    chains.go_on(batch.pk)
    stopped = item(batch)
    assert (stopped.state, stopped.step, stopped.said) == (ItemState.STOPPED, 1, chains.CANCELED)
    assert gate.drop(item(batch))
    assert gate.take_back(item(batch))
    found = item(batch)
    assert (found.state, found.step, found.said) == (ItemState.STOPPED, 1, chains.CANCELED)
    assert not gate.keep(found)  # there is no result of its step


@pytest.mark.parametrize("step", [0, 2])
def test_second_window_keeps_nothing_that_the_first_runs_again(alice: User, step: int) -> None:
    batch = chain(alice, gate=True)
    for _ in range(step):
        succeed(item(batch).job)
        gate.keep(item(batch))
        chains.go_on(batch.pk)
    succeed(item(batch).job)
    first, second = item(batch), item(batch)
    assert gate.again(first)
    assert not gate.keep(second)
    assert not gate.drop(second)
    found = item(batch)
    assert (found.state, found.step, found.due_at is not None) == (ItemState.WORKING, step, True)


def test_decision_is_taken_back_as_long_as_nothing_was_sent(alice: User) -> None:
    batch = chain(alice, gate=True)
    first = item(batch).job
    succeed(first)
    gate.keep(item(batch))
    assert gate.take_back(item(batch))  # before its next edit was made,
    gate.keep(item(batch))
    chains.go_on(batch.pk)
    next_one = item(batch).job
    assert gate.take_back(item(batch))  # and while that waits
    next_one.refresh_from_db()
    found = item(batch)
    assert (next_one.state, found.state, found.step, found.job) == (JobState.CANCELED, ItemState.LOOKING, 0, first)
    gate.keep(item(batch))
    chains.go_on(batch.pk)
    assert item(batch).job != next_one
    assert item(batch).job.start_submitting(timedelta(minutes=1), width=320, height=256)
    assert not gate.take_back(item(batch))


def test_once_more_draws_a_new_seed_and_leaves_the_rest(alice: User) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    gate.keep(item(batch))
    chains.go_on(batch.pk)
    first = item(batch).job
    assert first.seed == 7
    succeed(first)
    assert gate.again(item(batch))
    assert not gate.again(item(batch))
    chains.go_on(batch.pk)
    again = item(batch).job
    assert (again.rerun_of, again.batch_step, again.source_image) == (first, 1, first.source_image)
    assert again.seed != 7


def test_all_that_wait_are_kept_at_once(alice: User) -> None:
    batch = chain(alice, 3, gate=True)
    first, second, _ = items(batch)
    succeed(first.job)
    (gone,) = succeed(second.job)
    Image.objects.filter(pk=gone.pk).update(trashed_at=timezone.now())
    assert gate.keep_all(batch, batches.items_of(batch)) == 1
    chains.go_on(batch.pk)
    assert [each.step for each in items(batch)] == [1, 0, 0]


def test_what_is_kept_at_the_end_alone_is_a_result(alice: User) -> None:
    batch = create_batch(alice, [make_image(alice), make_image(alice)], EditSpec("blue", samples=2), "t", gate=True)
    kept, dropped = items(batch)
    _, second = succeed(kept.job, 2)
    succeed(dropped.job, 2)
    gate.keep(items(batch)[0], second.pk)
    gate.drop(items(batch)[1])
    assert list(chains.results_kept(batch)) == [second]
    assert (standing_of(batch).done, standing_of(batch).dropped, standing_of(batch).is_over) == (1, 1, True)


def test_collection_holds_what_is_kept_from_then_on(alice: User) -> None:
    batch = create_batch(alice, [make_image(alice), make_image(alice)], EditSpec("blue"), "t", gate=True)
    first, second = items(batch)
    (one,), (two,) = succeed(first.job), succeed(second.job)
    gate.keep(items(batch)[0])
    shelf = new_collection(alice, batch.workspace, "Blue ones")
    assert chains.collect_results(batch, shelf) == 1
    gate.keep(items(batch)[1])
    assert set(shelf.items.values_list("image", flat=True)) == {one.pk, two.pk}
    gate.take_back(items(batch)[1])
    assert set(shelf.items.values_list("image", flat=True)) == {one.pk}
    Collection.objects.all().delete()
    assert gate.keep(BatchItem.objects.get(batch=batch, number=1))


def test_paused_batch_sends_nothing_and_makes_no_edit(alice: User) -> None:
    batch = chain(alice, 2)
    first, second = items(batch)
    succeed(first.job)
    assert batches.pause(batch) == 1
    assert set(batch.jobs.filter(batch_step=0).values_list("state", "held_for")) == {
        (JobState.SUCCEEDED, ""),
        (JobState.HELD, HeldFor.PAUSED),
    }
    assert chains.go_on(batch.pk) == 0
    assert not list(chains.due_batches(timezone.now()))
    back = second.job  # the vendor's queue was full, so it begins to wait again
    GenerationJob.objects.filter(pk=back.pk).update(state=JobState.QUEUED, held_for="", due_at=timezone.now())
    assert admission.next_in_turn(FluxServer.objects.current()) is None
    batches.resume(batch)
    assert admission.next_in_turn(FluxServer.objects.current()) == back
    assert chains.go_on(batch.pk) == 1


@contextmanager
def while_edits_are_made(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> Iterator[list[object]]:
    """Within it the deed is done once, on a connection of its own, while the next edits are made; what it answered."""
    look, threads, answers = chains._against_all, [], []

    def run() -> None:
        answers.append(deed())
        connections.close_all()

    def meanwhile(batch: Batch) -> str:
        why = look(batch)
        threads.append(threading.Thread(target=run))
        threads[0].start()
        threads[0].join(1)  # it would be over by then, if it did not wait for us
        return why

    monkeypatch.setattr(chains, "_against_all", meanwhile)
    yield answers
    threads[0].join(30)


@pytest.mark.django_db(transaction=True)
def test_cancel_catches_also_the_edits_that_are_being_made(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = chain(alice)
    succeed(item(batch).job)
    with while_edits_are_made(monkeypatch, lambda: batches.cancel_waiting(batch)) as canceled:
        assert chains.go_on(batch.pk) == 1
    assert canceled == [1]
    assert list(batch.jobs.order_by("created_at").values_list("batch_step", "state")) == [
        (0, JobState.SUCCEEDED),
        (1, JobState.CANCELED),
    ]


@pytest.mark.django_db(transaction=True)
def test_undo_is_refused_while_the_next_edit_is_being_made(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    assert gate.keep(item(batch))
    due = item(batch)
    with while_edits_are_made(monkeypatch, lambda: gate.take_back(due)) as undone:
        assert chains.go_on(batch.pk) == 1
    assert undone == [False]
    assert (item(batch).state, item(batch).job.batch_step) == (ItemState.WORKING, 1)
    assert gate.take_back(item(batch))  # it waits for its turn, so that it can still be stopped
    assert (item(batch).state, batch.jobs.get(batch_step=1).state) == (ItemState.LOOKING, JobState.CANCELED)


def test_canceled_rest_goes_no_further_and_can_be_run_after_all(alice: User) -> None:
    batch = chain(alice, 3)
    between, under_way, waits = items(batch)
    succeed(between.job)
    assert under_way.job.start_submitting(timedelta(minutes=1), width=320, height=256)
    assert batches.cancel_waiting(batch) == 1
    chains.go_on(batch.pk)
    succeed(under_way.job)
    chains.go_on(batch.pk)
    standing = standing_of(batch)
    assert (standing.stopped, standing.canceled, standing.is_over) == (2, 1, True)
    assert batch.jobs.count() == 3
    assert run_again(batch, JobState.CANCELED) == 3
    chains.go_on(batch.pk)
    again = waits.edits.latest("created_at")
    assert (again.rerun_of, again.seed) == (waits.job, waits.job.seed)
    assert (standing_of(batch).waiting, standing_of(batch).by_step) == (3, [1, 2, 0])


def test_what_is_refused_stops_with_its_sentence_and_goes_on_by_one_button(alice: User, settings: Settings) -> None:
    settings.EDITS_PER_DAY = 3
    batch = chain(alice, 2)
    for each in items(batch):
        succeed(each.job)
    assert chains.go_on(batch.pk) == 1
    going, stopped = items(batch)
    assert (going.state, stopped.state) == (ItemState.WORKING, ItemState.STOPPED)
    assert "3 pictures made in 24 hours" in stopped.said
    assert not list(chains.due_batches(timezone.now()))  # nobody tries again and again
    settings.EDITS_PER_DAY = 4
    assert batches.go_on_with_stopped(batch) == 1
    chains.go_on(batch.pk)
    assert [each.step for each in items(batch)] == [1, 1]
    assert items(batch)[1].job.batch_step == 1


def trash(batch: Batch) -> None:
    Image.objects.filter(kind=ImageKind.GENERATED).update(trashed_at=timezone.now())


def expire(batch: Batch) -> None:
    Image.objects.filter(kind=ImageKind.GENERATED).update(usable_until=timezone.now().date() - timedelta(days=2))


def switch_off(batch: Batch) -> None:
    User.objects.filter(pk=batch.made_by_id).update(is_active=False)


def suspend(batch: Batch) -> None:
    User.objects.filter(pk=batch.made_by_id).update(is_active=False, suspended_at=timezone.now())


def archive(batch: Batch) -> None:
    Workspace.objects.filter(pk=batch.workspace_id).update(personal_for=None, archived_at=timezone.now())


def look_only(batch: Batch) -> None:
    Membership.objects.filter(workspace=batch.workspace_id).update(role=Role.VIEWER)


def leave(batch: Batch) -> None:
    Membership.objects.filter(workspace=batch.workspace_id).delete()


def suspend_edits(batch: Batch) -> None:
    User.objects.filter(pk=batch.made_by_id).update(edits_paused_until=timezone.now() + timedelta(hours=1))


def forbid(batch: Batch) -> None:
    PromptRule.objects.create(name="Red", kind="terms", text="red", action=RuleAction.BLOCK)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (trash, "in the trash"),
        (expire, "could be used until"),
        (switch_off, "Your account was switched off"),
        (suspend, "Your account was suspended"),
        (archive, "it was archived"),
        (leave, "You are no longer in"),
        (look_only, "You may only look in"),
        (suspend_edits, "safety check"),
        (forbid, ""),
    ],
)
def test_no_step_is_made_against_what_holds_by_then(alice: User, change: Any, said: str) -> None:
    batch = chain(alice)
    succeed(item(batch).job)
    change(batch)
    assert chains.go_on(batch.pk) == 0
    stopped = item(batch)
    assert (stopped.state, stopped.due_at) == (ItemState.STOPPED, None)
    assert stopped.said
    assert said in stopped.said
    assert batch.jobs.count() == 1
    assert ModerationCase.objects.exists() == (change is forbid)


def test_again_from_a_step_begins_with_what_was_kept_before_it(alice: User) -> None:
    batch = chain(alice)
    results = []
    for _ in range(3):
        results += succeed(item(batch).job)
        chains.go_on(batch.pk)
    assert gate.run_from(batch, batches.items_of(batch), 1) == 1
    assert gate.run_from(batch, batches.items_of(batch), 1) == 0  # it is under way
    chains.go_on(batch.pk)
    assert (item(batch).job.batch_step, item(batch).job.source_image) == (1, results[0])
    assert item(batch).job.seed != 7  # as the recipe says: it would be made, and paid, a second time
    assert not chains.results_kept(batch).exists()
    batches.cancel_waiting(batch)
    assert gate.run_from(batch, batches.items_of(batch), 1) == 0
    assert run_again(batch, JobState.CANCELED) == 1
    succeed(item(batch).job)
    chains.go_on(batch.pk)
    succeed(item(batch).job)
    assert gate.run_from(batch, batches.items_of(batch), 0) == 1
    chains.go_on(batch.pk)
    assert item(batch).job.source_image == item(batch).image
    assert batch.jobs.count() == 7


def test_again_from_a_step_takes_a_cancel_back(alice: User) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    batches.cancel_waiting(batch)
    assert gate.run_from(batch, batches.items_of(batch), 0) == 1
    chains.go_on(batch.pk)
    assert (item(batch).state, batch.jobs.count()) == (ItemState.WORKING, 2)


def test_failed_step_runs_again_on_the_same_source_with_the_same_seed(alice: User) -> None:
    batch = chain(alice)
    succeed(item(batch).job)
    chains.go_on(batch.pk)
    failed = item(batch).job
    assert failed.fail("vendor")
    assert batches.repeatable(batch)
    assert run_again(batch) == 1
    again = item(batch).job
    assert (again.rerun_of, again.seed, again.source_image) == (failed, failed.seed, failed.source_image)
    assert again.batch_step == 1


def test_mail_waits_for_what_goes_on_by_itself_and_comes_for_what_waits_at_the_gate(alice: User) -> None:
    straight = chain(alice, mail=True)
    succeed(item(straight).job)
    looked_at = create_batch(alice, [make_image(alice)], EditSpec("blue"), "other", gate=True, mail=True)
    succeed(item(looked_at).job)
    assert list(batches.to_be_mailed(timezone.now())) == [looked_at.pk]


def test_batches_from_before_get_items(alice: User) -> None:
    batch = Batch.objects.create(workspace=make_image(alice).workspace, made_by=alice, form_token="t", prompt="blue")
    ended: dict[str, Any] = {"allowance": "released", "finished_at": timezone.now(), "batch": batch}
    failed = make_job(alice, state=JobState.FAILED, failure_code="vendor", prompt="blue", **ended)
    again = make_job(alice, failed.source_image, batch=batch, rerun_of=failed, prompt="blue")
    done = make_job(alice, state=JobState.SUCCEEDED, prompt="blue", **ended | {"allowance": "taken"})
    import_module("editor.migrations.0026_batch_items").give_items(apps, None)
    batch.refresh_from_db()
    assert [step["prompt"] for step in batch.steps] == ["blue"]
    found = [(each.image, each.job, each.state, each.tries) for each in items(batch)]
    assert found == [
        (failed.source_image, again, ItemState.WORKING, 2),
        (done.source_image, done, ItemState.KEPT, 1),
    ]
    failed.refresh_from_db()
    assert (failed.batch_item, failed.batch_step) == (items(batch)[0], 0)
    assert (standing_of(batch).waiting, standing_of(batch).done) == (1, 1)


def test_words_of_a_batch_go_with_its_workspace(alice: User) -> None:
    team = Workspace.objects.found(alice, "Team")
    batch = create_batch(alice, [make_image(alice, workspace=team)], EditSpec("{x}"), "t", values=[{"x": "secret"}])
    batches.cancel_waiting(batch)
    Image.objects.filter(workspace=team).update(purged_at=timezone.now())
    Workspace.objects.filter(pk=team.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    clock.empty_trash()
    batch.refresh_from_db()
    assert (batch.prompt, batch.steps, item(batch).values, item(batch).job.prompt) == ("", [], {}, "")


def test_chain_runs_through_by_itself_with_the_flux_server(alice: User, sandbox: Sandbox) -> None:
    sources = [make_image(alice, stored=True) for _ in range(2)]
    batch = create_batch(alice, sources, STEPS, "t", values=[{"colour": "red"}, {"colour": "#fault:failed-later"}])
    until = time.monotonic() + 30
    while standing_of(batch).under_way and time.monotonic() < until:
        GenerationJob.objects.unfinished().exclude(due_at=None).update(due_at=timezone.now())
        for job in GenerationJob.objects.unfinished():
            lifecycle.look_at(job.pk)
        chains.go_on(batch.pk)
    standing = standing_of(batch)
    assert (standing.done, standing.failed) == (1, 1)
    assert [each.step for each in items(batch)] == [2, 1]
    assert len(sandbox.ledger()) == 5


def test_again_from_a_step_leaves_what_was_dropped(alice: User) -> None:
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    gate.drop(item(batch))
    assert gate.run_from(batch, batches.items_of(batch), 0) == 0
    assert item(batch).state == ItemState.DROPPED


@pytest.mark.parametrize("keep", [gate.keep, lambda item: gate.keep_all(item.batch, batches.items_of(item.batch))])
def test_collection_named_meanwhile_holds_what_is_kept(alice: User, keep: Callable[[BatchItem], object]) -> None:
    batch = create_batch(alice, [make_image(alice)], EditSpec("blue"), "t", gate=True)
    (result,) = succeed(item(batch).job)
    shown = BatchItem.objects.select_related("batch").get(batch=batch)
    assert shown.batch.collection is None
    shelf = new_collection(alice, batch.workspace, "Blue ones")
    chains.collect_results(batch, shelf)
    assert keep(shown)
    assert list(shelf.items.values_list("image", flat=True)) == [result.pk]


def test_undo_takes_a_result_out_of_a_collection_named_meanwhile(alice: User) -> None:
    batch = create_batch(alice, [make_image(alice)], EditSpec("blue"), "t", gate=True)
    succeed(item(batch).job)
    assert gate.keep(item(batch))
    shown = BatchItem.objects.select_related("batch", "kept").get(batch=batch)
    shelf = new_collection(alice, batch.workspace, "Blue ones")
    assert chains.collect_results(Batch.objects.get(pk=batch.pk), shelf) == 1
    assert gate.take_back(shown)
    assert not shelf.items.exists()


def test_collection_that_is_named_before_a_keep_is_written_holds_it(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    batch = create_batch(alice, [make_image(alice)], EditSpec("blue"), "t", gate=True)
    (result,) = succeed(item(batch).job)
    shelf = new_collection(alice, batch.workspace, "Blue ones")
    with django_capture_on_commit_callbacks(execute=True):
        assert gate.keep(item(batch))
        Batch.objects.filter(pk=batch.pk).update(collection=shelf)  # whoever says it sees nothing kept yet
    assert list(shelf.items.values_list("image", flat=True)) == [result.pk]


def keep_all(batch: Batch) -> int:
    return gate.keep_all(batch, batches.items_of(batch))


def run_all_again(batch: Batch) -> int:
    return gate.run_from(batch, batches.items_of(batch), 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [keep_all, run_all_again])
def test_order_for_all_leaves_what_is_dropped_at_that_moment(alice: User, order: Callable[[Batch], int]) -> None:
    if connections["default"].vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    batch = chain(alice, gate=True)
    succeed(item(batch).job)
    done: list[int] = []

    def in_another_window() -> None:
        done.append(order(Batch.objects.get(pk=batch.pk)))
        connections.close_all()

    other = threading.Thread(target=in_another_window)
    with transaction.atomic():
        assert gate.drop(item(batch))
        other.start()
        time.sleep(1)  # it waits for the row, or has read what is old by now
    other.join(30)
    assert (done, item(batch).state) == ([0], ItemState.DROPPED)
