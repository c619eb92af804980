"""Leaving the portal while something is under way: edits in every state, uploads, and a second press."""

import io
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.accounts.leaving import delete_account
from editor.images import bucket, ingest, keys
from editor.images.decoding import decode
from editor.jobs import clock, submission
from editor.jobs.creation import EditSpec, create_job
from editor.models import Attempt, GenerationJob, Image, ImageState, Usage, User, Workspace
from tests.accounts.test_leaving import DELETE, other_owner, signed_in_just_now
from tests.makers import jpeg, make_attempt, make_image
from tests.people import submit

__all__ = ["other_owner"]

pytestmark = pytest.mark.django_db


def test_pressed_twice_happens_once(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    delete_account(alice)
    gone = User.objects.get(pk=alice.pk)
    delete_account(alice)  # as the second request knows her: not deleted yet
    assert caplog.text.count("was deleted by its owner") == 1
    again = User.objects.get(pk=alice.pk)
    assert (again.email, again.anonymised_at) == (gone.email, gone.anonymised_at)


@pytest.mark.django_db(transaction=True)
def test_both_of_two_presses_at_once_end_signed_out(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client = signed_in_just_now(alice)
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.cookies["sessionid"] = client.cookies["sessionid"].value
    start, codes = threading.Barrier(2), list[int]()

    def press(browser: Client) -> None:
        try:
            start.wait(10)
            response = submit(browser, DELETE, email=alice.email)
            codes.append(response.status_code)
            assert response["Location"].startswith(reverse("account_login"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == [302, 302]
    assert caplog.text.count("was deleted by its owner") == 1


# The ledger

DONE, WAITS, WORKS, LEAVES, COLLECTS = 1, 2, 3, 4, 1
"""Pictures of an edit in this state, so that the sums say which were taken."""
LEASE = timedelta(minutes=1)


def begin(user: User, workspace: Workspace) -> tuple[GenerationJob, Attempt]:
    """An edit in each state, begun as by a worker. The one whose request is just leaving, with its attempt."""
    image = make_image(user, workspace=workspace, stored=True)
    done, _, works, leaves, collects = (
        create_job(user, [image], EditSpec("blue", samples=samples), uuid4().hex)
        for samples in (DONE, WAITS, WORKS, LEAVES, COLLECTS)
    )
    for job in (done, works, leaves, collects):
        assert job.start_submitting(LEASE, width=320, height=256)
    attempts = [make_attempt(job) for job in (works, leaves, collects)]
    assert works.become_processing(timezone.now(), timezone.now() + LEASE)
    for job in (done, collects):
        assert job.start_collecting(timezone.now() + LEASE)
    assert done.succeed()
    return leaves, attempts[1]


@pytest.mark.parametrize("made", ["stays", "trash"])
def test_ledger_adds_up_after_an_account_with_edits_in_every_state_is_deleted(
    made: str, alice: User, bob: User, team: Workspace, settings: Settings
) -> None:
    settings.FLUX_PRICE, settings.EDITS_PER_DAY = 0.0125, 100
    own = Workspace.objects.personal_of(alice)
    leaving = [begin(alice, place) for place in (own, team)]
    begin(bob, team)
    client = signed_in_just_now(alice)
    client.post(reverse("workspace_hand_over", args=[team.pk, team.memberships.get(user=bob).pk]))
    assert submit(client, DELETE, email=alice.email, made=made).status_code == 302
    clock.empty_trash()
    call_command("ledger")
    for job, attempt in leaving:  # the answers come when she is gone
        attempt.record_answer(submission.ACCEPTED, vendor_id=str(job.pk), outputs=[])
        submission.settle(GenerationJob.objects.get(pk=job.pk), attempt)
    clock.empty_trash()
    call_command("ledger")
    taken = DONE + WORKS + LEAVES + COLLECTS
    for place in (own, team):
        sums = Usage.objects.get(workspace=place, user=alice)
        assert (sums.pictures_held, sums.pictures_taken) == (0, taken)
        assert sums.money_taken == taken * Decimal("0.0125")
    sums = Usage.objects.get(workspace=team, user=bob)
    assert (sums.pictures_held, sums.pictures_taken) == (WAITS + WORKS + LEAVES + COLLECTS, DONE)
    assert Workspace.objects.get(pk=own.pk).purged_at
    assert not GenerationJob.objects.unfinished().filter(made_by=alice).exists()


# Uploads under way


def test_upload_that_begins_as_the_account_goes_is_refused(alice: User, team: Workspace, other_owner: User) -> None:
    own = Workspace.objects.personal_of(alice)
    delete_account(alice)
    for place in (own, team):
        with pytest.raises(ingest.Closed, match="Nothing comes into"):
            ingest.receive(alice, place, io.BytesIO(jpeg()), "late.jpg")
    assert not Image.objects.exists()


@pytest.mark.parametrize("place", ["own", "team"])
def test_upload_whose_bytes_come_after_the_purge_leaves_none(
    place: str, alice: User, team: Workspace, other_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = team if place == "team" else Workspace.objects.personal_of(alice)
    put = bucket.put

    def put_late(key: str, *rest: Any) -> None:
        monkeypatch.undo()
        delete_account(alice, trash_made=True)
        Image.objects.filter(workspace=team).update(trashed_at=timezone.now() - timedelta(days=31))
        clock.empty_trash()
        put(key, *rest)

    monkeypatch.setattr(bucket, "put", put_late)
    image = ingest.receive(alice, workspace, io.BytesIO(jpeg()), "late.jpg")
    image.refresh_from_db()
    assert (image.state, image.purged_at is None) == (ImageState.REFUSED, False)
    assert not bucket.exists(keys.raw_key(image.pk))


def test_picture_that_a_worker_stores_after_the_purge_leaves_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = ingest.receive(alice, Workspace.objects.personal_of(alice), io.BytesIO(jpeg()), "late.jpg")

    def decode_late(*args: Any, **options: Any) -> Any:
        delete_account(alice)
        clock.empty_trash()
        return decode(*args, **options)

    monkeypatch.setattr(ingest, "decode", decode_late)
    assert not ingest.take_in(image)
    found = [keys.raw_key(image.pk), keys.master_key(image.pk, "jpg"), keys.init_key(image.pk)]
    found.append(keys.rendition_key(image.pk, 320))
    assert not [key for key in found if bucket.exists(key)]
    image.refresh_from_db()
    assert image.purged_at
