"""What is told, to whom, and when: after the commit, and never at anybody's expense."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from editor import rings
from editor.desk import suspension
from editor.events import passes, telling
from editor.events.telling import for_person, for_session, for_workspace, session_hash
from editor.jobs.creation import EditSpec, Order, create_jobs
from editor.models import GenerationJob, Membership, User, Workspace
from tests.makers import make_image, make_job
from tests.people import alice, alice_client, bob, charlie, client_of, quick_passwords, team

__all__ = ["alice", "alice_client", "bob", "charlie", "quick_passwords", "team"]

pytestmark = pytest.mark.django_db

Heard = Callable[[], list[str]]
Committed = Callable[[], AbstractContextManager[list[Callable[[], None]]]]


@pytest.fixture
def heard(settings: Settings) -> Iterator[Heard]:
    """All that was said since the last time."""
    with Redis.from_url(settings.REDIS_URL, decode_responses=True) as redis, redis.pubsub() as listener:
        listener.subscribe(telling.channel())
        listener.get_message(timeout=5)

        def since() -> list[str]:
            redis.ping()
            messages = iter(lambda: listener.get_message(timeout=0.1), None)
            return [message["data"] for message in messages if message["type"] == "message"]

        yield since


@pytest.fixture
def committed(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Committed:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_each_step_of_an_edit_is_told_to_its_workspace(alice: User, heard: Heard, committed: Committed) -> None:
    job = make_job(alice)
    said = f"{for_workspace(job.workspace_id)} edit:{job.pk} edits:{job.workspace_id}"
    with committed():
        job.cancel("released")  # type: ignore[arg-type]
        assert heard() == []  # whoever looked now would see nothing new
    assert heard() == [said]
    with committed():
        assert not job.cancel("released")  # type: ignore[arg-type]
    assert heard() == []


def test_new_edits_are_told_once_however_many(alice: User, heard: Heard, committed: Committed) -> None:
    image = make_image(alice)
    orders = [Order([image], EditSpec(f"in the snow {number}"), uuid4().hex) for number in range(3)]
    with committed(), patch.object(rings, "_send"):
        create_jobs(alice, orders)
    assert heard() == [f"{for_workspace(image.workspace_id)} edits:{image.workspace_id}"]


def test_many_that_are_canceled_are_told_together(alice: User, heard: Heard, committed: Committed) -> None:
    one, other = make_job(alice), make_job(alice)
    with committed():
        assert GenerationJob.objects.cancel_some(5) == 2
    (said,) = heard()
    whom, *topics = said.split()
    assert whom == for_workspace(one.workspace_id)
    assert set(topics) == {f"edit:{one.pk}", f"edit:{other.pk}", f"edits:{one.workspace_id}"}


def test_picture_is_told_to_its_maker_and_the_library_to_all(alice: User, heard: Heard, committed: Committed) -> None:
    image = make_image(alice, state="received")
    told = [
        f"{for_person(alice.pk)} image:{image.pk}",
        f"{for_workspace(image.workspace_id)} library:{image.workspace_id}",
    ]
    for step in (partial(image.refuse, "not-a-picture"), image.trash, image.restore):
        with committed():
            assert step()
        assert heard() == told


def test_signing_out_ends_the_streams_of_this_browser_alone(
    alice: User, alice_client: Client, heard: Heard, committed: Committed
) -> None:
    key = str(alice_client.session.session_key)
    with committed():
        alice_client.post("/account/logout/")
    assert heard() == [f"{for_session(session_hash(key))} end"]


def test_whoever_is_suspended_switched_off_or_moved_between_workspaces_has_to_ask_anew(
    alice: User, bob: User, team: Workspace, heard: Heard, committed: Committed
) -> None:
    ends = f"{for_person(bob.pk)} end"
    with committed():
        Membership.objects.filter(user=bob, workspace=team).delete()
    assert heard() == [ends]
    with committed():
        Membership.objects.create(user=bob, workspace=team)
    assert heard() == [ends]
    with committed():
        suspension.shut_out(bob)
    assert ends in heard()
    bob.is_active = False
    with committed():
        bob.save()
    assert heard() == [ends]


def test_redis_that_is_away_costs_one_try_and_no_error(alice: User, settings: Settings, committed: Committed) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rings.bell.cache_clear()
    jobs = [make_job(alice) for _ in range(3)]
    try:
        with (
            patch.object(telling, "_sulks_until", 0.0),
            patch.object(telling, "channel", wraps=telling.channel) as tries,
        ):
            with committed():
                for job in jobs:
                    assert job.cancel("released")  # type: ignore[arg-type]
            assert tries.call_count == 1
    finally:
        rings.bell.cache_clear()


def test_pass_is_for_this_session_and_these_workspaces(alice: User, bob: User, team: Workspace) -> None:
    client = client_of(bob)
    address = client.get("/events/pass/", headers={"accept": "application/json"}).json()["address"]
    key = str(client.session.session_key)
    known = passes.read(address.partition("pass=")[2].replace("%3A", ":"), key)
    assert known.person == bob.pk
    assert set(known.workspaces) == {team.pk, Workspace.objects.personal_of(bob).pk}
    with pytest.raises(passes.Refused):
        passes.read(address.partition("pass=")[2].replace("%3A", ":"), str(client_of(alice).session.session_key))


def test_nobody_gets_a_pass_who_is_signed_out(client: Client, alice: User) -> None:
    assert client.get("/events/pass/", headers={"accept": "application/json"}).status_code == 401
