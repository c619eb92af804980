"""Results that the flux server writes into our inbox, from the request to the ready picture, on real parts."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.flux.errors import FluxError, Verdict
from editor.flux.sandbox import Sandbox
from editor.images import bucket, inbox, keys
from editor.images.download import download
from editor.jobs import clock, collection, vendor
from editor.jobs.vendor import Way
from editor.management.commands.clock import Command
from editor.models import Allowance, GenerationJob, ImageState, JobState, User
from tests import inbox as stores
from tests.images.test_fitting import noise
from tests.inbox import INBOX, PICTURES, Store
from tests.jobs.test_life_of_a_job import edit, run
from tests.makers import jpeg, make_attempt, make_image, make_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running_store() -> Iterator[Store]:
    with stores.running() as store:
        yield store


@pytest.fixture
def store(running_store: Store, settings: Settings) -> Store:
    running_store.empty()
    running_store.use(settings)
    return running_store


@pytest.fixture
def registered(store: Store, sandbox: Sandbox) -> Sandbox:
    vendor.client().update_s3(vendor.registration())
    inbox.forget(store.keys())  # what it wrote to see whether it can
    return sandbox


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The links that were fetched instead of copied."""
    links: list[str] = []

    def noted(link: str, **how: Any) -> bytes:
        links.append(link)
        return download(link, **how)

    monkeypatch.setattr(collection, "download", noted)
    return links


def collecting(alice: User, *links: str, ago: timedelta = timedelta(0), **fields: Any) -> GenerationJob:
    """A job whose results lie under these links, since a while."""
    now = timezone.now()
    times = {"collecting_at": now - ago, "deadline_at": now + timedelta(hours=1)}
    source = make_image(alice)
    job = make_job(alice, source, state=JobState.COLLECTING, samples=max(1, len(links)), **(times | fields))
    make_attempt(job, outputs=list(links))
    return job


def look(job: GenerationJob) -> GenerationJob:
    collection.collect(job)
    job.refresh_from_db()
    return job


def test_edit_ends_ready_and_the_inbox_empty(
    alice: User, store: Store, registered: Sandbox, downloads: list[str]
) -> None:
    job = run(edit(alice, samples=2))
    assert job.state == JobState.SUCCEEDED
    links = job.attempts.get().outputs
    assert [link.startswith(f"{store.endpoint_url}/{INBOX}/results/") for link in links] == [True, True]
    assert {image.state for image in job.results.all()} == {ImageState.READY}
    assert downloads == []
    assert store.keys() == []
    assert [key for key in store.keys(PICTURES) if key.startswith("incoming/")] == []


def test_results_are_the_same_with_and_without_an_inbox(
    alice: User, store: Store, registered: Sandbox, downloads: list[str]
) -> None:
    source = make_image(alice, stored=True)
    through = run(make_job(alice, source)).results.get()
    vendor.client().reset_s3()
    direct = run(make_job(alice, source)).results.get()
    assert len(downloads) == 1
    assert through.master_sha256 == direct.master_sha256


def test_registration_for_another_server_brings_nothing_into_the_inbox(
    alice: User, store: Store, sandbox: Sandbox, downloads: list[str]
) -> None:
    vendor.client().update_s3(vendor.registration("stable_diffusion"))
    inbox.forget(store.keys())
    assert run(edit(alice)).state == JobState.SUCCEEDED
    assert len(downloads) == 1
    assert not downloads[0].startswith(store.endpoint_url)
    assert store.keys() == []


def test_key_that_can_not_write_is_refused_and_results_come_as_before(
    alice: User, store: Store, sandbox: Sandbox, settings: Settings, downloads: list[str]
) -> None:
    store.use(settings, theirs=stores.READS_ONLY)
    with pytest.raises(FluxError) as caught:
        vendor.client().update_s3(vendor.registration())
    assert caught.value.verdict == Verdict.JOB
    assert run(edit(alice)).state == JobState.SUCCEEDED
    assert len(downloads) == 1


def test_inbox_that_is_full_fails_the_edit_without_charge(alice: User, store: Store, registered: Sandbox) -> None:
    job = run(edit(alice, "anything #fault:bucket-full"))
    assert (job.state, job.failure_code, job.allowance) == (JobState.FAILED, "vendor", Allowance.RELEASED)
    assert store.keys() == []


def test_result_that_is_not_there_yet_is_waited_for(alice: User, store: Store, sandbox: Sandbox) -> None:
    job = look(collecting(alice, f"{store.endpoint_url}/{INBOX}/results/late.png"))
    assert job.state == JobState.COLLECTING
    store.put("results/late.png", jpeg())
    assert look(job).state == JobState.SUCCEEDED
    assert store.keys() == []


def test_result_that_is_no_picture_is_lost_after_a_while(alice: User, store: Store, sandbox: Sandbox) -> None:
    link = store.put("results/a.png", b'{"not": "a picture"}')
    young = look(collecting(alice, link))
    assert young.state == JobState.COLLECTING
    assert store.keys() == ["results/a.png"]
    old = look(collecting(alice, link, ago=timedelta(minutes=6)))
    assert (old.state, old.failure_code) == (JobState.FAILED, "result_lost")
    assert store.keys() == []
    assert bucket.exists(keys.raw_key(young.results.get().pk))
    assert not bucket.exists(keys.raw_key(old.results.get().pk))


def test_result_that_is_too_large_is_never_copied(
    alice: User, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "RESULT_MAX_BYTES", 1_000)
    job = look(collecting(alice, store.put("results/a.png", jpeg()), ago=timedelta(minutes=6)))
    assert job.failure_code == "result_lost"
    assert store.keys(PICTURES) == []


def test_denied_copy_falls_back_to_the_public_link(
    alice: User, store: Store, sandbox: Sandbox, settings: Settings, downloads: list[str]
) -> None:
    link = store.put("results/a.png", jpeg())
    store.use(settings, ours=stores.SHUT_OUT)
    assert look(collecting(alice, link)).state == JobState.SUCCEEDED
    assert downloads == [link]


def test_collection_goes_on_when_the_store_is_back(
    alice: User, store: Store, registered: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    job = collecting(alice, store.put("results/a.png", jpeg()))
    store.use(settings, down=True)
    assert look(job).state == JobState.COLLECTING
    store.use(settings)
    assert look(job).state == JobState.SUCCEEDED
    assert store.keys() == []


@pytest.mark.parametrize("trick", ["results/../results/a.png", "results/%61.png", "results//a.png", "a.png"])
def test_tricky_link_is_no_key_of_ours(
    alice: User, store: Store, sandbox: Sandbox, downloads: list[str], trick: str
) -> None:
    store.put("results/a.png", jpeg())
    look(collecting(alice, f"{store.endpoint_url}/{INBOX}/{trick}"))
    assert len(downloads) == 1
    assert store.keys() == ["results/a.png"]  # whatever came of it, nothing is deleted that such a link means


def test_without_an_inbox_its_origin_is_not_allowed(store: Store, sandbox: Sandbox, settings: Settings) -> None:
    assert vendor.allowed_origins() == [sandbox.origin, store.endpoint_url]
    settings.FLUX_INBOX = False
    assert vendor.allowed_origins() == [sandbox.origin]


def test_clock_sweeps_what_is_older_than_two_days(store: Store, settings: Settings) -> None:
    store.put("results/a.png")
    store.put("elsewhere/a.png")
    assert settings.FLUX_INBOX_KEPT.days == 2
    assert clock.sweep_inbox() == 0
    settings.FLUX_INBOX_KEPT = -timedelta(minutes=1)
    assert clock.sweep_inbox() == 1
    assert store.keys() == ["elsewhere/a.png"]


def test_clock_process_sweeps_now_and_then(store: Store, settings: Settings) -> None:
    settings.FLUX_INBOX_KEPT = -timedelta(minutes=1)
    store.put("results/a.png")
    Command().tick(1)
    assert store.keys() == ["results/a.png"]
    Command().tick(0)
    assert store.keys() == []


def test_clock_goes_on_without_a_store(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.use(settings, down=True)
    with caplog.at_level(logging.WARNING):
        assert clock.sweep_inbox() == 0
    assert "swept later" in caplog.text


def test_nothing_is_swept_without_an_inbox(store: Store, settings: Settings) -> None:
    store.put("results/a.png")
    settings.FLUX_INBOX = False
    settings.FLUX_INBOX_KEPT = -timedelta(minutes=1)
    assert clock.sweep_inbox() == 0
    assert store.keys() == ["results/a.png"]


@pytest.mark.parametrize(
    ("sees_us_at", "s3_public", "way"),
    [("https://retake.example.com", False, Way.PORTAL), ("", True, Way.BUCKET), ("", False, Way.UPLOAD)],
)
def test_sources_go_the_first_way_that_there_is(settings: Settings, sees_us_at: str, s3_public: bool, way: Way) -> None:
    settings.FLUX_SEES_US_AT, settings.S3_PUBLIC = sees_us_at, s3_public
    assert vendor.way_of_sources() == way


def test_large_source_is_fitted_to_the_upload(
    alice: User, sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.S3_PUBLIC, settings.FLUX_UPLOAD_URL = False, sandbox.upload_url
    image = make_image(alice)
    large = noise(512, 384)
    bucket.put(keys.init_key(image.pk), large, "image/jpeg")
    sent: list[bytes] = []
    client = vendor.client()
    real = client.base64_to_url

    def noted(picture: bytes) -> str:
        sent.append(picture)
        return real(picture)

    monkeypatch.setattr(client, "base64_to_url", noted)
    assert vendor.source_link(image).startswith(sandbox.origin)
    monkeypatch.setattr(vendor, "MAX_UPLOAD", 100_000)
    vendor.source_link(image)
    assert sent[0] == large
    assert len("data:image/jpeg;base64,") + -(-len(sent[1]) // 3) * 4 <= 100_000 < len(large) * 4 // 3
