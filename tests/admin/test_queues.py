import os
import pickle
from pathlib import Path

import django_rq
import pytest
from django.test import Client
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer, resolve_serializer

from editor.models import User
from tests.people import client_of, make_person, submit

HOME = "/admin/django_rq/dashboard/"
JOB = "0123456789abcdef"
PAGES = [
    HOME,
    f"{HOME}queues/0/",
    f"{HOME}queues/0/details/",
    f"{HOME}queues/0/failed/",
    f"{HOME}queues/0/started/",
    f"{HOME}queues/0/{JOB}/",
    f"{HOME}workers/0/",
]


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.file}",)


@pytest.fixture
def ring(db: None) -> str:
    """A ring that waits, as the portal writes it."""
    django_rq.get_queue("edits", commit_mode="auto").enqueue("editor.jobs.tasks.look_at_job", args=["7"], job_id=JOB)
    return JOB


@pytest.fixture
def helper(db: None) -> User:
    user = make_person("helper")
    user.is_staff = True
    user.save()
    return user


@pytest.mark.parametrize("address", PAGES)
def test_superuser_sees_the_queues(admin_client: Client, ring: str, address: str) -> None:
    assert admin_client.get(address, follow=True).status_code == 200


@pytest.mark.parametrize("address", PAGES)
def test_staff_gets_404(helper: User, ring: str, address: str) -> None:
    assert client_of(helper).get(address).status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_everybody_else_sees_nothing(alice_client: Client, client: Client, ring: str, address: str) -> None:
    assert alice_client.get(address).status_code == 404
    assert client.get(address)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", ["stats.json", "stats.json/", "stats.json/x", "stats.json/None"])
def test_numbers_are_for_superusers_too(admin_client: Client, client: Client, helper: User, address: str) -> None:
    bearer = {"Authorization": "Bearer "}
    assert admin_client.get(HOME + address).json()["queues"]
    assert client_of(helper).get(HOME + address, headers=bearer).status_code == 404
    assert client.get(HOME + address, headers=bearer)["Location"].startswith("/admin/login/")


def test_helper_finds_no_link_to_it(helper: User) -> None:
    assert HOME not in client_of(helper).get("/admin/").content.decode()


def test_superuser_empties_a_queue(admin_client: Client, ring: str) -> None:
    submit(admin_client, f"{HOME}queues/0/empty/")
    assert django_rq.get_queue("edits").count == 0


def test_pickle_in_redis_is_never_read(admin_client: Client, ring: str, tmp_path: Path) -> None:
    queue, trace = django_rq.get_queue("edits"), tmp_path / "it-ran"
    bomb = pickle.dumps(Bomb(trace))
    queue.connection.hset(f"rq:job:{JOB}", mapping={"data": bomb, "meta": bomb, "result": bomb})
    queue.connection.zadd(FailedJobRegistry(queue=queue).key, {JOB: 2**40})
    for address in PAGES:
        admin_client.get(address, follow=True)
    submit(admin_client, f"{HOME}queues/0/requeue-all/")
    assert not trace.exists()
    assert resolve_serializer(None) is JSONSerializer
