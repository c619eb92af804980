"""Workspaces in the trash: what waits in them is canceled, and after their time everything in them goes for good."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.images import bucket, ingest, keys
from editor.jobs import clock, ledger, purging
from editor.jobs.abandoned import cancel_in
from editor.management.commands.clock import Command
from editor.models import (
    Allowance,
    Collection,
    CollectionItem,
    GenerationJob,
    Image,
    ImageWord,
    JobState,
    Tag,
    User,
    Workspace,
)
from tests.makers import make_attempt, make_image, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(alice: User) -> Workspace:
    return Workspace.objects.found(alice, "Team")


def trashed(workspace: Workspace, days: int) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(trashed_at=timezone.now() - timedelta(days=days))


def done(job: GenerationJob) -> GenerationJob:
    job.cancel(Allowance.TAKEN)
    return job


def test_everything_goes_after_thirty_days_and_rows_stay(alice: User, team: Workspace) -> None:
    image = make_image(alice, workspace=team, stored=True, description="our secret")
    job = done(make_job(alice, image, prompt="a secret"))
    make_attempt(job, answer={"meta": {"prompt": "a secret"}}, state="ended")
    collection = Collection.objects.create(workspace=team, name="Spring", made_by=alice)
    CollectionItem.objects.create(collection=collection, image=image, added_by=alice, image_created_at=image.created_at)
    Tag.objects.create(workspace=team, name="secret")
    ImageWord.objects.create(image=image, workspace=team, word="secret", image_created_at=image.created_at)
    trashed(team, 31)
    assert clock.empty_trash() == 1
    assert not bucket.exists(keys.master_key(image.pk, "jpg"))
    assert not bucket.exists(keys.rendition_key(image.pk, 320))
    for row in (team, image, job):
        row.refresh_from_db()
    assert team.purged_at
    assert image.purged_at
    assert (image.name, image.description, job.prompt, job.attempts.get().answer) == ("", "", "", None)
    assert [model.objects.count() for model in (Collection, Tag, ImageWord)] == [0, 0, 0]
    assert team.memberships.count() == 0
    assert job.source_image == image
    assert ledger.problems() == []


def test_young_and_open_ones_are_left_alone(alice: User, team: Workspace) -> None:
    make_image(alice, workspace=team, stored=True)
    trashed(team, 29)
    assert clock.empty_trash() == 0
    team.restore()
    assert clock.empty_trash() == 0
    assert Image.objects.filter(purged_at=None).count() == 1
    assert team.memberships.count() == 1


def test_batches_are_bounded_and_the_last_one_closes(
    alice: User, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "MOST_PICTURES", 2)
    for _ in range(3):
        make_image(alice, workspace=team)
    trashed(team, 31)
    assert [clock.empty_trash(), clock.empty_trash()] == [2, 1]
    assert Workspace.objects.get(pk=team.pk).purged_at


@pytest.mark.django_db(transaction=True)  # a tick gives its connection back
def test_clock_goes_on_at_once_while_there_is_more(
    alice: User, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "MOST_PICTURES", 2)
    for _ in range(5):
        make_image(alice, workspace=team)
    trashed(team, 31)
    command, left = Command(), []
    for ticks in range(4):
        command.tick(ticks)
        left.append(Image.objects.filter(purged_at=None).count())
    assert left == [3, 1, 0, 0]
    assert not command.emptying


def test_picture_that_can_not_go_keeps_the_workspace_for_the_next_go(
    alice: User, team: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, good = (make_image(alice, workspace=team) for _ in range(2))
    trashed(team, 31)
    purge = ingest.purge
    monkeypatch.setattr(ingest, "purge", lambda image: purge(image) if image == good else 1 / 0)
    assert clock.empty_trash() == 1
    assert not Workspace.objects.get(pk=team.pk).purged_at
    monkeypatch.undo()
    assert clock.empty_trash() == 1
    assert Workspace.objects.get(pk=team.pk).purged_at


def test_edit_that_the_vendor_works_on_is_waited_for(alice: User, team: Workspace) -> None:
    job = make_job(alice, make_image(alice, workspace=team), state=JobState.PROCESSING)
    trashed(team, 31)
    assert clock.empty_trash() == 0
    job.refresh_from_db()
    assert job.state == JobState.PROCESSING
    job.fail("vendor")
    assert clock.empty_trash() == 1


def test_only_what_waits_is_canceled_and_is_free(alice: User, team: Workspace) -> None:
    image = make_image(alice, workspace=team)
    waiting, running = make_job(alice, image), make_job(alice, image, state=JobState.PROCESSING)
    elsewhere = make_job(alice)
    team.trash()
    cancel_in(team)
    for job in (waiting, running, elsewhere):
        job.refresh_from_db()
    assert (waiting.state, waiting.allowance) == (JobState.CANCELED, Allowance.RELEASED)
    assert (running.state, elsewhere.state) == (JobState.PROCESSING, JobState.QUEUED)


def test_clock_cancels_what_a_process_that_died_left_waiting(alice: User, team: Workspace) -> None:
    job = make_job(alice, make_image(alice, workspace=team))
    team.trash()
    clock.empty_trash()
    job.refresh_from_db()
    assert job.state == JobState.CANCELED


def test_nobody_puts_back_what_the_clock_may_begin_to_purge(alice: User, team: Workspace, settings: Settings) -> None:
    for days, back in ((settings.TRASH_DAYS - 1, True), (settings.TRASH_DAYS, False)):
        trashed(team, days)
        assert Workspace.objects.trashed_of(alice).exists() is back
        assert team.restore() is back
