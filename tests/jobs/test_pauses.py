"""Troubles that are everybody's: nothing is sent, gently tried, told once, and over by itself or by hand."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.images import bucket
from editor.images.bucket import BucketUnavailable
from editor.jobs import clock, lifecycle, pauses
from editor.jobs.progress import progress
from editor.models import Attempt, FluxServer, GenerationJob, JobState, User
from tests.contract.world import pass_time
from tests.makers import make_image, make_job, make_user
from tests.portal import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _administrator(db: None) -> User:
    return make_user("root@example.com", is_superuser=True)


@pytest.fixture
def storage(settings: Settings) -> Iterator[Callable[[bool], None]]:
    """Switches our bucket off and on."""
    usual = settings.STORAGES

    def switch(on: bool) -> None:
        settings.STORAGES = deepcopy(usual)
        if not on:
            settings.STORAGES["default"]["OPTIONS"]["endpoint_url"] = "http://127.0.0.1:1"

    yield switch
    settings.STORAGES = usual


def server() -> FluxServer:
    return FluxServer.objects.current()


def edits(alice: User, number: int) -> list[GenerationJob]:
    picture = make_image(alice, stored=True)
    return [make_job(alice, picture) for _ in range(number)]


def look(job: GenerationJob) -> str:
    """What a tick and the looks that it rings for do."""
    clock.tick()
    lifecycle.look_at(job.pk)
    job.refresh_from_db()
    return job.state


def mails() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def words(job: GenerationJob) -> str:
    return progress(GenerationJob.objects.with_pictures().get(pk=job.pk)).headline


TROUBLES = [
    ("bad-key", "The flux server does not accept our key"),
    ("no-credit", "The flux server says that the credit is used up"),
]


@pytest.mark.parametrize(("fault", "said"), TROUBLES)
def test_trouble_of_the_account_is_tried_by_one_edit_and_told_twice_in_all(
    alice: User, sandbox: Sandbox, fault: str, said: str
) -> None:
    sandbox.set_faults({fault: True})
    jobs = edits(alice, 3)
    look(jobs[0])
    began = server().paused_since
    assert words(jobs[1]) == f"Waiting. {said}, for 1 s now. It goes on by itself."
    sent = Attempt.objects.count()
    look(jobs[1])
    assert Attempt.objects.count() == sent
    for number in (1, 2):  # the pause runs out, and one edit finds out that nothing changed
        pass_time(6 * MINUTE)
        look(jobs[1])
        assert Attempt.objects.count() == sent + number
        assert server().paused
    assert began is not None
    assert server().paused_since == began - 12 * MINUTE
    assert words(jobs[1]).startswith(f"Waiting. {said}, for 12 min now.")
    assert mails() == ["Retake: edits are waiting"]
    sandbox.set_faults({})
    pass_time(6 * MINUTE)
    look(jobs[1])
    assert not server().in_trouble
    assert mails() == ["Retake: edits are waiting", "Retake: edits go on"]
    assert said in mail.outbox[1].body


def test_bad_key_is_asked_about_by_what_costs_nothing(alice: User, sandbox: Sandbox) -> None:
    sandbox.set_faults({"bad-key": True, "details:bad-key": True})
    job = edits(alice, 1)[0]
    look(job)
    pass_time(6 * MINUTE)
    sent = Attempt.objects.count()
    look(job)
    assert sandbox.ledger()["refused"]["bad-key"] > sent
    assert Attempt.objects.count() == sent


def test_tried_by_one_request_at_a_time(alice: User, sandbox: Sandbox) -> None:
    jobs = edits(alice, 4)
    server().pause("no-credit", "", -MINUTE)
    clock.tick()
    assert server().probing
    sandbox.set_faults({"no-credit": True})
    lifecycle.look_at(jobs[0].pk)
    assert Attempt.objects.count() == 1
    assert server().paused


def test_two_clocks_ask_once(alice: User) -> None:
    server().pause("unreachable", "", -MINUTE)
    first, second = server(), server()
    assert first.claim_probe(MINUTE)
    assert not second.claim_probe(MINUTE)


def test_dead_clock_keeps_nobody_from_asking_for_long(alice: User) -> None:
    server().pause("unreachable", "", -MINUTE)
    assert server().claim_probe(MINUTE)
    pass_time(2 * MINUTE)
    assert server().claim_probe(MINUTE)


def test_vendor_that_is_down_is_asked_less_and_less_and_told_when_it_lasts(alice: User) -> None:
    job = edits(alice, 1)[0]  # nothing listens at FLUX_BASE_URL
    look(job)
    waits = []
    for _ in range(7):
        pass_time(2 * MINUTE)
        clock.tick()
        until = server().paused_until
        assert until is not None
        waits.append(round((until - timezone.now()).total_seconds()))
    assert waits == [4, 8, 16, 32, 60, 60, 60]
    assert Attempt.objects.count() == 1
    assert mails() == []
    pass_time(2 * MINUTE)
    clock.tick()
    clock.tick()
    assert mails() == ["Retake: edits are waiting"]
    assert words(job) == "Waiting. The flux server can't be reached, for 16 min now. It goes on by itself."


def test_nothing_is_paid_whose_result_could_not_be_stored(
    alice: User, sandbox: Sandbox, storage: Callable[[bool], None]
) -> None:
    first, second = edits(alice, 2)
    GenerationJob.objects.filter(pk=second.pk).update(due_at=timezone.now() + 60 * MINUTE)
    assert look(first) == JobState.PROCESSING
    storage(False)
    wait_until(lambda: all(entry["status"] == "success" for entry in sandbox.ledger()["accepted"]))
    GenerationJob.objects.filter(pk=first.pk).update(due_at=timezone.now())
    assert look(first) == JobState.COLLECTING
    assert server().pause_reason == pauses.STORAGE
    pass_time(61 * MINUTE)
    GenerationJob.objects.filter(pk=first.pk).update(due_at=timezone.now() + MINUTE)
    assert look(second) == JobState.QUEUED
    assert words(second) == "Waiting. Our store of pictures can't be used, for 61 min now. It goes on by itself."
    assert len(sandbox.ledger()["accepted"]) == 1
    assert mails() == ["Retake: edits are waiting"]
    storage(True)
    pass_time(2 * MINUTE)
    assert look(second) != JobState.QUEUED
    assert look(first) == JobState.SUCCEEDED
    assert mails() == ["Retake: edits are waiting", "Retake: edits go on"]
    assert not bucket.exists(pauses.PROBE_KEY)


def test_source_that_nobody_can_fetch_while_our_bucket_is_down_fails_no_edit(
    alice: User, sandbox: Sandbox, storage: Callable[[bool], None]
) -> None:
    job = edits(alice, 1)[0]
    storage(False)
    for _ in range(8):
        assert look(job) == JobState.QUEUED
        pass_time(2 * MINUTE)
    assert server().pause_reason == pauses.STORAGE
    assert Attempt.objects.count() == 1
    storage(True)
    assert look(job) != JobState.QUEUED


def test_bucket_is_tried_with_a_few_bytes(storage: Callable[[bool], None]) -> None:
    server().pause(pauses.STORAGE, "", -MINUTE)
    storage(False)
    pauses.end_of_pause(server())
    assert server().paused
    storage(True)
    pass_time(3 * MINUTE)
    pauses.end_of_pause(server())
    assert not server().in_trouble  # nobody waits, so nobody has to try


def test_file_store_that_stays_broken_is_told(alice: User, sandbox: Sandbox, settings: Settings) -> None:
    settings.S3_PUBLIC = False
    settings.FLUX_UPLOAD_URL = sandbox.upload_url
    sandbox.set_faults({"upload:http-500": True})
    job = edits(alice, 1)[0]
    assert look(job) == JobState.QUEUED
    assert server().pause_reason == pauses.FILE_STORE
    assert mails() == []
    pass_time(4 * MINUTE)
    look(job)
    assert mails() == ["Retake: edits are waiting"]
    assert "FLUX_UPLOAD_URL" in mail.outbox[0].body
    assert "store does not take our pictures, for 4 min now" in words(job)
    assert Attempt.objects.count() == 1  # the store itself was asked, with a picture of nobody's
    sandbox.set_faults({})
    pass_time(2 * MINUTE)
    assert look(job) != JobState.QUEUED
    assert mails()[1:] == ["Retake: edits go on"]


def test_full_queue_is_nobodys_to_mend(alice: User, sandbox: Sandbox) -> None:
    sandbox.set_faults({"queue-full": True})
    job = edits(alice, 1)[0]
    for _ in range(5):
        look(job)
        pass_time(10 * MINUTE)
    assert server().in_trouble
    assert mails() == []


def test_pause_by_hand_is_not_ended_by_the_clock(alice: User, sandbox: Sandbox) -> None:
    job = edits(alice, 1)[0]
    server().pause_by_hand("we move the bucket")
    server().pause("broken", "", -MINUTE)
    pass_time(timedelta(days=400))
    GenerationJob.objects.update(due_at=timezone.now())
    assert look(job) == JobState.QUEUED
    assert words(job).startswith("Waiting. An administrator paused new edits (“we move the bucket”), for 9600 h now.")
    server().resume()
    assert look(job) != JobState.QUEUED
    assert mails() == []


def test_other_trouble_meanwhile_is_told_too_and_each_once(alice: User) -> None:
    for reason in ("bad-key", "no-credit", "bad-key", "no-credit"):
        pauses.pause(server(), reason, "")
        pass_time(6 * MINUTE)
    assert mails() == ["Retake: edits are waiting"] * 2
    assert len({message.body for message in mail.outbox}) == 2


def test_answer_to_an_earlier_request_ends_no_pause() -> None:
    pauses.pause(server(), "bad-key", "")
    pauses.accepted(server())
    assert server().paused


def test_mail_server_that_is_down_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(pauses, "send_mail", refuse)
    pauses.pause(server(), "bad-key", "")
    assert server().paused


def test_missing_bucket_is_said_as_trouble_of_ours() -> None:
    pauses.storage_down(str(BucketUnavailable("NoSuchBucket")))
    assert pauses.sentence(server()) == "Our store of pictures can't be used, for 1 s now."
