"""Redis holds nothing but rings: wiped, stopped or never told, it costs time and no edit."""

from unittest.mock import patch

from redis import Redis

from editor import rings
from editor.images import ingest
from editor.models import Image, ImageState, JobState, User, Workspace
from tests.makers import jpeg
from tests.portal import Portal, as_file, wait_until
from tests.processes.conftest import ask, wait_for


def test_edits_go_on_after_redis_was_wiped(portal: Portal, picture: Image) -> None:
    jobs = [ask(picture, f"in the snow {number}") for number in range(5)]
    with Redis.from_url(portal.redis_url) as connection:
        for _ in range(3):
            wait_until(lambda: bool(portal.accepted_for(jobs[0])), 10, "The first request")
            connection.flushall()
    for job in jobs:
        wait_for(job, JobState.SUCCEEDED)
        assert len(portal.accepted_for(job)) == 1


def test_edit_that_is_asked_for_while_redis_is_down_goes_on_when_it_is_back(portal: Portal, picture: Image) -> None:
    portal.kill("redis")
    job = ask(picture)
    assert job.state == JobState.QUEUED
    portal.start("redis")
    with portal.kept_alive():  # RQ ends a worker that loses Redis while it works
        wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


def test_upload_while_redis_is_down_is_taken_in_when_it_is_back(portal: Portal, person: User) -> None:
    portal.kill("redis")
    image = ingest.receive(person, Workspace.objects.personal_of(person), as_file(jpeg()), "a.jpg")
    portal.start("redis")
    with portal.kept_alive():
        wait_until(lambda: Image.objects.get(pk=image.pk).state == ImageState.READY, 20, "The picture")


def test_commit_without_a_ring_is_found_by_the_clock(portal: Portal, picture: Image) -> None:
    with patch.object(rings, "_send") as never_sent:
        job = ask(picture)
    assert never_sent.called
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1
