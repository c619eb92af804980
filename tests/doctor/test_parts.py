"""The doctor at settings and parts: each is broken for real, and the line and the exit status are looked at."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from editor.flux.sandbox import Sandbox
from editor.models import FluxServer
from project.embedded.process import Child
from project.environment import Problem
from tests.conftest import Bucket


def told(*words: str) -> tuple[int, str]:
    """The exit status of `manage.py doctor WORDS`, and what it says."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", *words, stdout=out, no_color=True)
    return int(str(ended.value.code)), out.getvalue()


def test_wrong_setting_is_named_and_nothing_else_is_looked_at(settings: Settings) -> None:
    settings.SETTINGS_PROBLEMS = [Problem("E001", "S3_BUCKET", "S3_BUCKET is not set.", "Name a bucket.")]
    status, said = told()
    assert status == 2
    assert "problem  settings: S3_BUCKET is not set. Name a bucket." in said
    assert said.count("Not looked at, because of the settings.") == 5


def test_mail_into_the_log_is_worth_a_warning(settings: Settings) -> None:
    settings.EMAIL_URL, settings.MAILBOX = "", False
    status, said = told("--only", "settings")
    assert (status, "warning  settings: Mail goes into the log" in said) == (1, True)
    settings.EMAIL_URL = "smtp://localhost"
    assert told("--only", "settings")[0] == 0


@pytest.mark.django_db
def test_migration_that_is_not_applied_is_named() -> None:
    assert told("--only", "database")[0] == 0
    [(app, last)] = MigrationLoader(connection).graph.leaf_nodes("editor")
    MigrationRecorder(connection).record_unapplied(app, last)
    status, said = told("--only", "database")
    assert status == 2
    assert f"editor.{last} first. Run `manage.py migrate`" in said


@pytest.mark.django_db
def test_redis_that_is_down_is_told_and_so_is_what_was_not_looked_at(own_redis: Child) -> None:
    assert told("--only", "redis")[0] == 0
    own_redis.stop(grace=1)
    status, said = told("--only", "redis", "--only", "workers")
    assert status == 2
    assert "problem  redis: Redis does not answer (ConnectionError): nothing is lost, and nothing goes on." in said
    assert "warning  workers: Not looked at, because of the redis." in said


def test_bucket_is_written_read_and_deleted_from(bucket: Bucket) -> None:
    assert told("--only", "bucket") == (0, "ok       bucket: The bucket is written, read and deleted from.\n")
    assert bucket.keys() == []


@pytest.fixture
def open_door(bucket: Bucket) -> Iterator[Any]:
    """Opens the bucket for everybody to do these actions."""

    def open_it(*actions: str) -> None:
        arns = [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"]
        statement = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": arns}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(policy))

    yield open_it
    bucket.client.delete_bucket_policy(Bucket=bucket.name)


def test_public_bucket_is_a_problem(open_door: Any) -> None:
    open_door("s3:GetObject", "s3:ListBucket")
    status, said = told("--only", "bucket")
    assert status == 2
    assert "The bucket is public: anybody can read every picture." in said
    assert "The bucket is public: anybody can list what lies in it." in said


def test_bucket_whose_list_alone_is_public_is_a_problem(open_door: Any) -> None:
    open_door("s3:ListBucket")
    status, said = told("--only", "bucket")
    assert (status, said.count("is public")) == (2, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bucket_name": "no-such-bucket"}, "The bucket is not there. Make it, or mend S3_BUCKET"),
        ({"secret_key": "wrong"}, "The bucket"),
        ({"endpoint_url": "http://127.0.0.1:1"}, "The bucket can't be used (EndpointConnectionError)."),
    ],
)
def test_bucket_that_is_not_there_or_refuses_us_is_a_problem(
    settings: Settings, change: dict[str, str], words: str
) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], **change}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    status, said = told("--only", "bucket")
    assert (status, words in said) == (2, True), said
    assert "wrong" not in said


@pytest.mark.django_db
def test_flux_server_answers_and_its_pause_is_told(sandbox: Sandbox) -> None:
    assert told("--only", "flux server")[0] == 0
    FluxServer.objects.current().pause("no-credit", "None is left.", timedelta(minutes=5))
    status, said = told("--only", "flux server")
    assert status == 1
    assert re.search(r"Nothing but a try now and then is sent.* \(no-credit\)\.", said)
    FluxServer.objects.update(paused_by_hand=True)
    status, said = told("--only", "flux server")
    assert (status, "somebody paused it by hand" in said) == (1, True)


@pytest.mark.django_db
def test_key_that_the_flux_server_refuses_is_a_problem_and_stays_unsaid(settings: Settings, sandbox: Sandbox) -> None:
    settings.FLUX_API_KEY = "not-its-key"
    status, said = told("--only", "flux server")
    assert status == 2
    assert "The flux server refuses us (bad-key)." in said
    assert "not-its-key" not in said


@pytest.mark.django_db
def test_flux_server_that_nobody_hears_is_a_problem() -> None:
    status, said = told("--only", "flux server")  # nothing listens there
    assert (status, "does not answer as it should" in said) == (2, True)


def test_webhook_needs_somebody_who_answers(settings: Settings) -> None:
    settings.FLUX_SEES_US_AT = ""
    assert told("--only", "webhook")[0] == 0
    settings.FLUX_SEES_US_AT = "http://127.0.0.1:1"
    status, said = told("--only", "webhook")
    assert status == 2
    assert "This portal does not answer at http://127.0.0.1:1/healthz/ (ConnectionError)" in said


def test_findings_are_read_by_programs_too(settings: Settings) -> None:
    settings.EMAIL_URL, settings.MAILBOX = "", False
    status, said = told("--only", "settings", "--json")
    read = json.loads(said)
    assert (status, read["status"]) == (1, "warning")
    assert [finding["level"] for finding in read["findings"]] == ["warning", "ok"]
    assert read["findings"][0]["check"] == "settings"
