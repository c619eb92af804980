"""What machines ask: alive, ready, and in numbers."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from editor import rings
from editor.doctor.probes import Readiness, readiness
from editor.models import FluxServer, JobState, Mark, User
from project.embedded.process import Child
from tests.doctor.conftest import own_redis
from tests.makers import make_attempt, make_job

__all__ = ["own_redis"]

TOKEN = "a-token-for-metrics-only"


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    readiness.forget()


def test_alive_needs_no_part_at_all(settings: Settings) -> None:
    """No `db` here: pytest-django would refuse the first question to the database."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = Client().get("/healthz/")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_ready_when_all_parts_answer() -> None:
    response = Client().get("/readyz/")
    assert (response.status_code, response.json()) == (
        200,
        {"ready": True, "database": "ok", "redis": "ok", "bucket": "ok"},
    )
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_while_redis_is_down_and_ready_again(own_redis: Child) -> None:
    assert Client().get("/readyz/").status_code == 200
    own_redis.stop(grace=1)
    assert Client().get("/readyz/").status_code == 200  # for a moment the last answer stands
    readiness.forget()
    response = Client().get("/readyz/")
    assert (response.status_code, response.json()["redis"]) == (503, "not reached")
    own_redis.start()
    own_redis.wait_until_ready(20)
    readiness.forget()
    assert Client().get("/readyz/").status_code == 200


@pytest.mark.django_db
def test_not_ready_without_the_bucket(settings: Settings) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "no-such-bucket"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    response = Client().get("/readyz/")
    assert (response.status_code, response.json()["bucket"]) == (503, "not there")


def test_part_that_hangs_delays_the_answer_no_longer_than_its_patience() -> None:
    over, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        over.wait(10)

    parts = Readiness({"slow": hang, "quick": lambda: None}, patience=0.1, remembered=0.0)
    began = time.monotonic()
    assert parts.answers() == {"slow": "no answer", "quick": "ok"}
    assert parts.answers() == {"slow": "no answer", "quick": "ok"}
    assert time.monotonic() - began < 1
    assert len(asked) == 1  # not asked again while it hangs
    over.set()


# Metrics -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}ü"])
def test_metrics_are_not_there_without_the_token(settings: Settings, given: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics/", headers={"Authorization": given}).status_code == 404


@pytest.mark.django_db
def test_metrics_are_not_there_where_no_token_is_set(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics/", headers={"Authorization": "Bearer "}).status_code == 404


def scraped(settings: Settings) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, sorted."""
    settings.METRICS_TOKEN = TOKEN
    response = Client().get("/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


@pytest.mark.django_db
def test_metrics_follow_from_rows(settings: Settings, alice: User) -> None:
    now = timezone.now()
    make_job(alice, created_at=now - timedelta(minutes=3))
    running = make_job(alice, state=JobState.PROCESSING)
    make_attempt(running)
    times = {name: now - timedelta(seconds=s) for name, s in [("submitted_at", 50), ("processing_at", 48)]}
    times |= {"collecting_at": now - timedelta(seconds=8), "created_at": now - timedelta(seconds=60)}
    done = make_job(alice, state="succeeded", allowance="taken", finished_at=now - timedelta(seconds=7), **times)
    make_attempt(done, state="ended")
    long_ago = now - timedelta(hours=5)
    failed = {"state": "failed", "allowance": "released", "failure_code": "vendor", "finished_at": long_ago}
    make_attempt(make_job(alice, **failed), state="refused", reason="plan", created_at=long_ago)
    FluxServer.objects.current().pause("no-credit", "x", timedelta(minutes=5))
    Mark.objects.create(name="clock", at=now - timedelta(seconds=40))
    told = scraped(settings)
    assert told["retake_jobs", "queued"] == 1
    assert told["retake_jobs", "collecting"] == 0
    assert 179 < told["retake_oldest_waiting_seconds",] < 200
    assert (told["retake_flux_in_flight",], told["retake_flux_limit",]) == (1, settings.FLUX_OUTSTANDING)
    assert told["retake_flux_paused", "no-credit"] == 1
    assert told["retake_flux_paused_seconds",] >= 0
    assert (told["retake_attempts", "1h", "ended"], told["retake_attempts", "1h", "refused"]) == (1, 0)
    assert told["retake_attempts", "1d", "refused"] == told["retake_attempts_refused", "1d", "plan"] == 1
    assert told["retake_jobs_failed", "1d", "vendor"] == 1
    assert told["retake_step_seconds", "0.5", "processing"] == pytest.approx(40)
    assert told["retake_step_seconds", "0.95", "whole"] == pytest.approx(53)
    assert 39 < told["retake_clock_age_seconds",] < 60
    assert told["retake_queue_depth", "edits"] == 0


@pytest.mark.django_db
def test_metrics_say_that_redis_is_down(settings: Settings, own_redis: Child) -> None:
    for name, ago in (("a", 5), ("killed", 500)):
        heard = timezone.now() - timedelta(seconds=ago)
        rings.bell().sadd("rq:workers:edits", f"rq:worker:{name}")
        rings.bell().hset(f"rq:worker:{name}", "last_heartbeat", heard.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    told = scraped(settings)
    assert (told["retake_redis_up",], told["retake_workers", "edits"]) == (1, 1)
    own_redis.stop(grace=1)
    told = scraped(settings)
    assert told["retake_redis_up",] == 0
    assert ("retake_queue_depth", "edits") not in told


@pytest.mark.django_db
def test_scraping_takes_as_many_queries_however_much_there_is(settings: Settings, alice: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            scraped(settings)
        return len(captured)

    scraped(settings)
    before = queries()
    for _ in range(5):
        make_attempt(make_job(alice, state=JobState.PROCESSING))
    assert queries() == before < 25
